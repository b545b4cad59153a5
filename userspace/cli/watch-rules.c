// SPDX-License-Identifier: GPL-2.0
/*
 * What a watch expects, and what is done if it expires, as options.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "signals.h"
#include "watch.h"

/* --- times and numbers -------------------------------------------------------------- */

/**
 * watch_time() - the time that an option gives, if it was given
 * @cli:	the command
 * @args:	what was typed
 * @name:	of the option
 * @ns:		where it goes
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int watch_time(struct cli *cli, const struct opt_args *args, const char *name, uint64_t *ns)
{
	const char *value = opt_value(args, name);
	struct parse_error error = { 0 };
	char option[32];

	if (!value)
		return 0;
	snprintf(option, sizeof(option), "--%s", name);
	if (!parse_time(value, ns, &error) && *ns >= REIN_RULE_MIN_NS && *ns <= REIN_RULE_MAX_NS)
		return 0;
	if (!*error.message)
		error = (struct parse_error){
			.code = CODE_VALUE,
			.message = "that is too short or too long for a time of a watch",
			.hint = "from 1ms to 3650day",
		};
	return cli_fail_parse(cli, option, value, &error);
}

static int take_times(struct cli *cli, const struct opt_args *args, struct rein_watch_rules *rules)
{
	static const char *const names[] = {
		"every", "grace", "pretimeout", "unit-min", "unit-max",
	};
	uint64_t ns[sizeof(names) / sizeof(names[0])] = { 0 };
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !ret; i++)
		ret = watch_time(cli, args, names[i], &ns[i]);
	rules->every_ns = ns[0];
	rules->grace_ns = ns[1];
	rules->pretimeout_ns = ns[2];
	rules->unit_min_ns = ns[3];
	rules->unit_max_ns = ns[4];
	return ret;
}

/* A whole number from 0, if it was given. */
static int take_count(struct cli *cli, const struct opt_args *args, const char *name,
		      uint32_t most, uint32_t *count)
{
	const char *value = opt_value(args, name);
	struct parse_error error;
	uint64_t number = 0;
	char option[32];

	if (!value)
		return 0;
	snprintf(option, sizeof(option), "--%s", name);
	if (parse_count(value, "number", most, &number, &error))
		return cli_fail_parse(cli, option, value, &error);
	*count = number;
	return 0;
}

static int take_counts(struct cli *cli, const struct opt_args *args,
		       struct rein_watch_rules *rules)
{
	int ret;

	rules->min = rules->every_ns ? 1 : 0;
	ret = take_count(cli, args, "miss", REIN_MISS_MAX, &rules->miss);
	if (!ret)
		ret = take_count(cli, args, "min", UINT32_MAX, &rules->min);
	if (!ret)
		ret = take_count(cli, args, "max", UINT32_MAX, &rules->max);
	return ret;
}

/* --- the order of checkpoints -------------------------------------------------------- */

static int fail_order(struct cli *cli, const char *order, const char *what)
{
	char option[256];

	snprintf(option, sizeof(option), "--order %s", order);
	return cli_fail(cli, CODE_VALUE, option,
			"checkpoints, 0 to 15, and which may follow: 1>2,2>3,3>1; >1 may be the first",
			"the order can't be read: '%s'", what);
}

/* -1: it is none. */
static int checkpoint_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number >= REIN_CHECKPOINTS)
		return -1;
	return number;
}

/* A>B, or >B. Unless there is one of the latter the first A may be the first. */
static int take_pair(struct rein_watch_rules *rules, char *pair, uint32_t *first)
{
	char *after = strchr(pair, '>');
	int from, to;

	if (!after)
		return -1;
	*after++ = '\0';
	to = checkpoint_of(after);
	from = *pair ? checkpoint_of(pair) : 0;
	if (to < 0 || from < 0)
		return -1;
	if (!*pair) {
		rules->first |= 1U << to;
		return 0;
	}
	rules->next[from] |= 1U << to;
	if (!*first)
		*first = 1U << from;
	return 0;
}

static int take_order(struct cli *cli, const struct opt_args *args,
		      struct rein_watch_rules *rules)
{
	const char *order = opt_value(args, "order");
	char copy[256], whole[256], *pair, *rest = copy;
	uint32_t first = 0;

	if (!order)
		return 0;
	if ((size_t)snprintf(copy, sizeof(copy), "%s", order) >= sizeof(copy))
		return fail_order(cli, order, "it is too long");
	while ((pair = strsep(&rest, ","))) {
		strcpy(whole, pair);
		if (take_pair(rules, pair, &first))
			return fail_order(cli, order, whole);
	}
	if (!rules->first)
		rules->first = first;
	return 0;
}

/* --- steps ----------------------------------------------------------------------------- */

static int fail_step(struct cli *cli, const char *step, const char *hint, const char *what)
{
	char option[256];

	snprintf(option, sizeof(option), "--on-miss %s", step);
	return cli_fail(cli, CODE_VALUE, option, hint, "%s", what);
}

static uint32_t step_kind(const char *name)
{
	uint32_t kind;

	for (kind = REIN_STEP_RECORD; rein_step_name(kind); kind++)
		if (!strcmp(rein_step_name(kind), name))
			return kind;
	return 0;
}

/* KIND[:DELAY], or signal:SIGNAL[:DELAY]. */
static int take_step(struct cli *cli, const char *text, struct rein_watch_step *step)
{
	char copy[128], *rest = copy, *name, *sig, *delay;
	struct parse_error error = { 0 };
	uint64_t delay_ns = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	name = strsep(&rest, ":");
	step->kind = step_kind(name);
	if (!step->kind)
		return fail_step(cli, text,
				 "one of: record signal:SIGNAL cancel kill reset exec; and a time: kill:5s",
				 "there is no such step");
	if (step->kind == REIN_STEP_SIGNAL) {
		sig = strsep(&rest, ":");
		step->signal = sig ? signals_parse(sig) : 0;
		if (!step->signal)
			return fail_step(cli, text, "as signal:TERM, one of kill -l",
					 "the step has to say which signal");
	}
	delay = strsep(&rest, ":");
	if (rest)
		return fail_step(cli, text, "at the end there may be a time: kill:5s",
				 "the step says too much");
	if (!delay || (!parse_time(delay, &delay_ns, &error) && delay_ns <= REIN_RULE_MAX_NS)) {
		step->delay_ns = delay_ns;
		return 0;
	}
	return fail_step(cli, text, *error.hint ? error.hint : "a time: kill:5s",
			 *error.message ? error.message : "that is too long for a delay");
}

static int take_steps(struct cli *cli, const struct opt_args *args, struct watch_rules *rules)
{
	const char *steps = opt_value(args, "on-miss");
	char copy[512], *step, *rest = copy;
	int ret = 0;

	if (!steps)
		return 0;
	if ((size_t)snprintf(copy, sizeof(copy), "%s", steps) >= sizeof(copy))
		return fail_step(cli, steps, NULL, "that is too long");
	while (!ret && (step = strsep(&rest, ","))) {
		if (rules->n_steps == REIN_STEPS_MAX)
			return fail_step(cli, step, NULL, "a watch has at most 8 steps");
		ret = take_step(cli, step, &rules->steps[rules->n_steps++]);
	}
	return ret;
}

/**
 * watch_rules_do() - is there such a step?
 * @rules:	the rules
 * @kind:	enum rein_step_kind
 *
 * Return: true if there is.
 */
bool watch_rules_do(const struct watch_rules *rules, uint32_t kind)
{
	uint32_t i;

	for (i = 0; i < rules->n_steps; i++)
		if (rules->steps[i].kind == kind)
			return true;
	return false;
}

/* --- what can't be -------------------------------------------------------------------- */

static int check_steps(struct cli *cli, const struct watch_rules *rules, uint32_t subject)
{
	bool sock = subject == REIN_SUBJECT_SOCKET;

	if (!sock && watch_rules_do(rules, REIN_STEP_RESET))
		return fail_step(cli, "reset", "name a socket: --socket PID:FD",
				 "only a socket has a connection that can be reset");
	if (sock && (watch_rules_do(rules, REIN_STEP_SIGNAL) ||
		     watch_rules_do(rules, REIN_STEP_KILL) ||
		     watch_rules_do(rules, REIN_STEP_CANCEL)))
		return cli_fail(cli, CODE_USAGE, "--on-miss", "of a socket: record reset exec",
				"a socket can't be signalled, killed or cancelled");
	return 0;
}

/* What comes before something has to come before all that may come. */
static int check_pretimeout(struct cli *cli, const struct rein_watch_rules *rules)
{
	const uint64_t before_ns = rules->pretimeout_ns;

	if (before_ns && !rules->every_ns && !rules->unit_max_ns)
		return cli_fail(cli, CODE_USAGE, "--pretimeout",
				"name one: --every TIME, --unit-max TIME",
				"there is no time that can be up");
	if ((rules->every_ns && before_ns >= rules->every_ns) ||
	    (rules->grace_ns && before_ns >= rules->grace_ns) ||
	    (rules->unit_max_ns && before_ns >= rules->unit_max_ns))
		return cli_fail(cli, CODE_USAGE, "--pretimeout",
				"it has to be shorter than --every, --grace and --unit-max",
				"it would be warned before there is anything to warn of");
	return 0;
}

static int check_rules(struct cli *cli, const struct opt_args *args,
		       const struct rein_watch_rules *rules)
{
	static const char *const of_cycles[] = { "grace", "min", "max" };
	char option[32];
	size_t i;

	if (!rules->every_ns && !rules->unit_min_ns && !rules->unit_max_ns && !rules->first)
		return cli_fail(cli, CODE_USAGE, NULL,
				"name one: --every TIME, --unit-max TIME, --unit-min TIME, --order A>B",
				"a watch has to expect something");
	for (i = 0; i < sizeof(of_cycles) / sizeof(of_cycles[0]) && !rules->every_ns; i++) {
		snprintf(option, sizeof(option), "--%s", of_cycles[i]);
		if (opt_find(args, of_cycles[i]))
			return cli_fail(cli, CODE_USAGE, option, "give it a cycle: --every TIME",
					"%s is about cycles, and there are none", option);
	}
	if (rules->every_ns && !rules->min && !rules->max)
		return cli_fail(cli, CODE_USAGE, "--min", "say how many are too many: --max N",
				"with --min 0 and no --max no beat is expected");
	if (rules->max && rules->min > rules->max)
		return cli_fail(cli, CODE_USAGE, "--max", NULL,
				"--max %u is less than the %u of --min", rules->max, rules->min);
	if (rules->unit_max_ns && rules->unit_min_ns > rules->unit_max_ns)
		return cli_fail(cli, CODE_USAGE, "--unit-max", NULL,
				"--unit-max is less than --unit-min");
	return check_pretimeout(cli, rules);
}

/**
 * watch_rules_take() - what a watch is to expect, and what is done then
 * @cli:	the command
 * @args:	what was typed, of WATCH_RULES
 * @subject:	what it is kept over, enum rein_subject_kind
 * @rules:	where it goes
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int watch_rules_take(struct cli *cli, const struct opt_args *args, uint32_t subject,
		     struct watch_rules *rules)
{
	int ret;

	memset(rules, 0, sizeof(*rules));
	ret = take_times(cli, args, &rules->rules);
	if (!ret)
		ret = take_counts(cli, args, &rules->rules);
	if (!ret)
		ret = take_order(cli, args, &rules->rules);
	if (!ret)
		ret = take_steps(cli, args, rules);
	if (!ret)
		ret = check_rules(cli, args, &rules->rules);
	return ret ? ret : check_steps(cli, rules, subject);
}
