// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgroup.h"

static const struct opt no_opts[] = { { 0 } };

/* --- list ------------------------------------------------------------------------ */

static const struct opt list_opts[] = {
	{ "kind", 0, "bug|edge", false },
	{ "code", 0, "CODE", false },
	{ "severity", 0, "info|notice|warning|error", false },
	{ "limit", 0, "NAME", false },
	{ "cgroup", 0, "PATH", false },
	{ "since", 0, "TIME", false },
	{ "last", 0, "N", false },
	{ 0 },
};

/**
 * struct filter - which records are wanted
 * @has_kind:	those of @kind
 * @code:	those with this one, 0: any
 * @severity:	those at least that severe
 * @limit:	those about a limit of this name, NULL: any
 * @cgroup:	those about this one or one below, "": any
 * @since_ns:	those that happened last after this, CLOCK_REALTIME
 * @last:	the last N of these, 0: all
 */
struct filter {
	bool has_kind;
	uint32_t kind;
	uint32_t code;
	uint32_t severity;
	const char *limit;
	char cgroup[PATH_MAX];
	uint64_t since_ns;
	uint64_t last;
};

/**
 * struct lister - which records are to be shown
 * @out:	where
 * @filter:	which are wanted
 * @ids:	of these, ascending
 * @n_ids:	how many
 * @size:	room for so many
 * @n_bugs:	how many were bugs, before all but the last were left out
 * @bugs:	show the bugs now; else the others
 * @any:	one was shown
 *
 * Records are read several times, since bugs are shown first, wherever they are, and
 * which are the last can't be known before the end. Which are shown is decided the first
 * time: meanwhile others may come.
 */
struct lister {
	struct out *out;
	const struct filter *filter;
	uint64_t *ids;
	size_t n_ids;
	size_t size;
	size_t n_bugs;
	bool bugs;
	bool any;
};

static bool below(const char *path, const char *cgroup)
{
	size_t len = strcmp(cgroup, "/") ? strlen(cgroup) : 0;

	return path && !strncmp(path, cgroup, len) && (!path[len] || path[len] == '/');
}

static bool wanted(const struct filter *filter, const struct rein_record *record)
{
	if (filter->has_kind && record->kind != filter->kind)
		return false;
	if (filter->code && record->code != filter->code)
		return false;
	if (record->severity < filter->severity || record->last_ns < filter->since_ns)
		return false;
	if (filter->limit && (!record->limit || strcmp(record->limit, filter->limit)))
		return false;
	return !*filter->cgroup || below(record->cgroup, filter->cgroup);
}

static void collect(const struct rein_record *record, void *arg)
{
	struct lister *lister = arg;

	if (!wanted(lister->filter, record))
		return;
	if (lister->n_ids == lister->size) {
		lister->size = lister->size * 2 ?: 64;
		lister->ids = realloc(lister->ids, lister->size * sizeof(*lister->ids));
		if (!lister->ids)
			abort();
	}
	lister->ids[lister->n_ids++] = record->id;
	lister->n_bugs += record->kind == REIN_KIND_BUG;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void list_one(const struct rein_record *record, void *arg)
{
	bool bug = record->kind == REIN_KIND_BUG;
	struct lister *lister = arg;

	if (lister->bugs != bug ||
	    !bsearch(&record->id, lister->ids, lister->n_ids, sizeof(*lister->ids), by_id))
		return;
	if (!lister->any)
		out_text(lister->out, "ID\tTIME\tCODE\tLIMIT\tCOUNT\tMESSAGE");
	lister->any = true;
	out_object(lister->out, NULL);
	show_record_row(lister->out, record);
	out_end(lister->out);
}

static int find_code(struct cli *cli, const char *option, const char *text,
		     const struct code **code)
{
	*code = code_by_text(text);
	if (*code)
		return 0;
	return cli_fail(cli, CODE_VALUE, option,
			"codes look like REIN-E0301; see all: rein errors explain",
			"there is no error code '%s'", text);
}

static int take_words(struct cli *cli, const struct opt_args *args, struct filter *filter)
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
	ret = find_code(cli, "--code", text, &code);
	if (!ret)
		filter->code = code->number;
	return ret;
}

static int take_filter(struct cli *cli, const struct opt_args *args, struct filter *filter)
{
	const char *since = opt_value(args, "since"), *last = opt_value(args, "last");
	const char *cgroup = opt_value(args, "cgroup");
	struct parse_error error;
	struct timespec now;
	uint64_t ns, ago;
	int ret;

	ret = take_words(cli, args, filter);
	if (ret)
		return ret;
	filter->limit = opt_value(args, "limit");
	if (since) {
		if (parse_time(since, &ago, &error))
			return cli_fail_parse(cli, "--since", since, &error);
		clock_gettime(CLOCK_REALTIME, &now);
		ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
		filter->since_ns = ns > ago ? ns - ago : 0;
	}
	if (last && parse_number(last, "number of records", UINT32_MAX, &filter->last, &error))
		return cli_fail_parse(cli, "--last", last, &error);
	return cgroup ? cgroup_path(cli, cgroup, filter->cgroup, sizeof(filter->cgroup)) : 0;
}

/* The ids of those that are wanted. */
static int list_collect(struct cli *cli, struct lister *lister)
{
	uint64_t last = lister->filter->last;

	if (rein_record_dump(cli->rein, collect, lister))
		return cli_fail_kernel(cli, NULL);
	if (!last || lister->n_ids <= last)
		return 0;
	memmove(lister->ids, lister->ids + lister->n_ids - last, last * sizeof(*lister->ids));
	lister->n_ids = last;
	return 0;
}

/* What was printed is a whole document, even if the rest can't be read. */
static int list_ids(struct cli *cli, struct lister *lister)
{
	int err = 0;

	out_list(&cli->out, NULL);
	lister->bugs = true;
	if (lister->n_bugs)
		err = rein_record_dump(cli->rein, list_one, lister);
	lister->bugs = false;
	if (!err && lister->n_ids)
		err = rein_record_dump(cli->rein, list_one, lister);
	if (err && !lister->any)
		return cli_fail_kernel(cli, NULL);
	out_end(&cli->out);
	out_flush(&cli->out);
	return err ? cli_fail_kernel(cli, NULL) : EXIT_OK;
}

static int list_filtered(struct cli *cli, const struct filter *filter)
{
	struct lister lister = { .out = &cli->out, .filter = filter };
	int ret;

	ret = list_collect(cli, &lister) ?: list_ids(cli, &lister);
	free(lister.ids);
	return ret;
}

static int errors_list(struct cli *cli, int argc, char **argv)
{
	struct filter filter = { .since_ns = 0 };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, list_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = take_filter(cli, &args, &filter);
	if (!ret)
		ret = cli_connect(cli);
	return ret ?: list_filtered(cli, &filter);
}

/* --- one ------------------------------------------------------------------------- */

static void show_one(const struct rein_record *record, void *arg)
{
	struct out *out = arg;

	out_object(out, NULL);
	show_record_full(out, record);
	out_end(out);
}

static int errors_show(struct cli *cli, int argc, char **argv)
{
	struct parse_error error;
	struct opt_args args;
	uint64_t id;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 1, 1, "the ID of the record");
	if (ret)
		return ret;
	if (parse_number(args.words[0], "record ID", UINT64_MAX, &id, &error))
		return cli_fail(cli, error.code, args.words[0],
				"see what is held: rein errors list", "%s", error.message);
	ret = cli_connect(cli);
	if (ret)
		return ret;
	if (rein_record_get(cli->rein, id, show_one, &cli->out))
		return cli_fail_kernel(cli, args.words[0]);
	out_flush(&cli->out);
	return EXIT_OK;
}

static void explain(struct out *out, const struct code *code)
{
	out_object(out, NULL);
	out_code(out, "code", "", code->number);
	out_str(out, "name", " ", code->name);
	out_word(out, "kind", " (", rein_kind_name(code->kind), code->kind);
	out_word(out, "severity", ", ", rein_severity_name(code->severity), code->severity);
	out_text(out, ")");
	if (code->err)
		out_num(out, "errno", NULL, code->err);
	else
		out_null(out, "errno", NULL);
	out_str(out, "meaning", "\n", code->meaning);
	out_str(out, "remedy", "\nremedy: ", code->remedy);
	out_str(out, "hint", "\nhint: ", code->hint);
	out_end(out);
	out_flush(out);
}

static int explain_all(struct cli *cli)
{
	struct out *out = &cli->out;
	size_t i;

	out_list(out, NULL);
	for (i = 0; i < code_count; i++) {
		const struct code *code = &code_book[i];

		out_object(out, NULL);
		out_code(out, "code", "\n", code->number);
		out_word(out, "kind", "\t", rein_kind_name(code->kind), code->kind);
		out_str(out, "name", "\t", code->name);
		out_str(out, "meaning", "\t", code->meaning);
		out_end(out);
	}
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int errors_explain(struct cli *cli, int argc, char **argv)
{
	const struct code *code;
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 1, NULL);
	if (ret)
		return ret;
	if (!args.n_words)
		return explain_all(cli);
	ret = find_code(cli, args.words[0], args.words[0], &code);
	if (!ret)
		explain(&cli->out, code);
	return ret;
}

const struct command errors_commands[] = {
	{ .name = "list", .run = errors_list,
	  .summary = "the records that are held, bugs first, then oldest first",
	  .usage = "list [--kind bug|edge] [--code CODE] [--severity SEVERITY] [--limit NAME]\n"
		   "                 [--cgroup PATH] [--since TIME] [--last N]",
	  .details = "--severity: at least that. --cgroup: it and those below, there or removed.\n"
		     "--since: in the last TIME, as 5min. --last: of all that are wanted.\n" },
	{ .name = "show", .run = errors_show, .summary = "all of one record",
	  .usage = "show ID" },
	{ .name = "explain", .run = errors_explain, .summary = "what an error code means",
	  .usage = "explain [CODE]",
	  .details = "CODE is written REIN-E0301, E0301 or 301; without it all are listed.\n" },
	{ 0 },
};
