// SPDX-License-Identifier: GPL-2.0
#include "filter.h"

#include <string.h>
#include <time.h>

#include "cgroup.h"
#include "cli.h"

static bool below(const char *path, const char *cgroup)
{
	size_t len = strcmp(cgroup, "/") ? strlen(cgroup) : 0;

	return path && !strncmp(path, cgroup, len) && (!path[len] || path[len] == '/');
}

/**
 * filter_wants() - is a record wanted?
 * @filter:	which are
 * @record:	it
 *
 * Return: whether it is; which is the last is not looked at.
 */
bool filter_wants(const struct filter *filter, const struct rein_record *record)
{
	const struct rein_record_filter *kernel = &filter->kernel;

	if (kernel->has_kind && record->kind != kernel->kind)
		return false;
	if (kernel->code && record->code != kernel->code)
		return false;
	if (record->severity < kernel->severity || record->last_ns < kernel->since_ns)
		return false;
	if (kernel->limit && (!record->limit || strcmp(record->limit, kernel->limit)))
		return false;
	return !*filter->cgroup || below(record->cgroup, filter->cgroup);
}

/**
 * filter_find_code() - the code that somebody means
 * @cli:	the command
 * @option:	what it was given for
 * @text:	how it was written
 * @code:	where it goes
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int filter_find_code(struct cli *cli, const char *option, const char *text,
		     const struct code **code)
{
	*code = code_by_text(text);
	if (*code)
		return 0;
	return cli_fail(cli, CODE_VALUE, option,
			"codes look like REIN-E0301; see all: rein errors explain",
			"there is no error code '%s'", text);
}

static int parse_words(struct cli *cli, const struct opt_args *args,
		       struct rein_record_filter *filter)
{
	const char *kind = opt_value(args, "kind"), *severity = opt_value(args, "severity");
	const char *text = opt_value(args, "code");
	const struct code *code;
	struct parse_error error;
	int ret;

	if (kind && parse_kind(kind, &filter->kind, &error))
		return cli_fail_parse(cli, "--kind", kind, &error);
	filter->has_kind = kind;
	if (severity && parse_severity(severity, &filter->severity, &error))
		return cli_fail_parse(cli, "--severity", severity, &error);
	if (!text)
		return 0;
	ret = filter_find_code(cli, "--code", text, &code);
	if (!ret)
		filter->code = code->number;
	return ret;
}

/**
 * filter_parse() - what the options say
 * @cli:	the command
 * @args:	the options, of FILTER_OPTS
 * @filter:	where it goes, zeroed; points into @args
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int filter_parse(struct cli *cli, const struct opt_args *args, struct filter *filter)
{
	const char *since = opt_value(args, "since"), *last = opt_value(args, "last");
	const char *cgroup = opt_value(args, "cgroup");
	struct parse_error error;
	struct timespec now;
	uint64_t ns, ago;
	int ret;

	ret = parse_words(cli, args, &filter->kernel);
	if (ret)
		return ret;
	filter->kernel.limit = opt_value(args, "limit");
	if (since) {
		if (parse_time(since, &ago, &error))
			return cli_fail_parse(cli, "--since", since, &error);
		clock_gettime(CLOCK_REALTIME, &now);
		ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
		filter->kernel.since_ns = ns > ago ? ns - ago : 0;
	}
	if (last && parse_number(last, "number of records", UINT32_MAX, &filter->last, &error))
		return cli_fail_parse(cli, "--last", last, &error);
	return cgroup ? cgroup_path(cli, cgroup, filter->cgroup, sizeof(filter->cgroup)) : 0;
}
