// SPDX-License-Identifier: GPL-2.0
/*
 * rein watch: what there is, waiting for it, arming, testing, deleting. rein beat.
 */
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "span.h"

static const struct opt no_opts[] = { { 0 } };

const struct named_kind watch_kind = {
	.noun = "watch",
	.nouns = "watches",
	.see = "see what there is: rein watch list",
	.unknown = CODE_WATCH_UNKNOWN,
	.ambiguous = CODE_WATCH_AMBIGUOUS,
};

/* --- what all share ---------------------------------------------------------------- */

/**
 * watch_fail() - report what the kernel said to a call about a watch
 * @cli:	the command
 * @option:	what it was about, as it was typed, or NULL
 * @what:	what can't be done, if the kernel didn't say more than @err
 * @err:	errno
 * @result:	what it said
 *
 * Return: the exit code that goes with it.
 */
int watch_fail(struct cli *cli, const char *option, const char *what, int err,
	       const struct rein_watch_result *result)
{
	struct fault fault;

	fault_answer(&fault, watch_kind.nouns, option, what, err, result->code, result->message);
	fault.record = result->record;
	return fault_report(cli, &fault);
}

static void add_id(const struct rein_watch *watch, void *arg)
{
	named_add(arg, watch->id);
}

/* The id of a watch that was named otherwise; connects. */
static int find_id(struct cli *cli, struct named *named)
{
	struct named_ids ids = { 0 };
	int ret;

	ret = cli_connect(cli);
	if (ret || named->id)
		return ret;
	/* One that is too long the kernel would call malformed. */
	if (strlen(named->word) < REIN_WATCH_NAME_LEN &&
	    rein_watch_dump(cli->rein, named->word, add_id, &ids))
		return cli_fail_kernel(cli, named->word);
	return named_pick(cli, &watch_kind, named, &ids);
}

/*
 * By its name, if that was typed: who is only to beat need not see it in the list. If several
 * have it they are listed.
 */
static int open_named(struct cli *cli, struct named *named, uint32_t flags, uint32_t wants,
		      int *fd)
{
	struct rein_watch_result result;
	int device, ret;

	if (!named->id && strlen(named->word) >= REIN_WATCH_NAME_LEN)
		return find_id(cli, named);
	ret = cli_device(cli, &device);
	if (ret)
		return ret;
	*fd = rein_watch_lookup(device, named->id, named->word, flags, wants, &result);
	if (*fd == -ENOTUNIQ) {
		ret = find_id(cli, named);
		if (!ret)
			*fd = rein_watch_lookup(device, named->id, NULL, flags, wants, &result);
	}
	close(device);
	if (ret)
		return ret;
	return *fd < 0 ? watch_fail(cli, named->word, "the watch can't be opened", -*fd,
				    &result) : 0;
}

static int take_line(struct cli *cli, int argc, char **argv, const struct opt *opts,
		     struct opt_args *args, struct named *named)
{
	int ret;

	ret = opt_parse(cli, argc, argv, opts, args);
	return ret ? ret : named_take(cli, &watch_kind, args, named);
}

/* --- list, show --------------------------------------------------------------------- */

/**
 * struct listing - those that are listed
 * @out:	where
 * @stats:	how often what happened, too
 */
struct listing {
	struct out *out;
	bool stats;
};

static void list_one(const struct rein_watch *watch, void *arg)
{
	const struct listing *listing = arg;
	struct out *out = listing->out;

	if (!out->len) {
		out_text(out, "ID\tNAME\tSTATE\tOVER\tEVERY\tLEFT\tMISSES\tUNIT");
		if (listing->stats)
			out_text(out, "\tBEATS\tBEGINS\tENDS\tFAULTS\tEXPIRED");
	}
	out_object(out, NULL);
	show_watch_row(out, watch, listing->stats);
	out_end(out);
}

static int watch_list(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = { { "stats", 's', NULL, false }, { 0 } };
	struct listing listing = { .out = &cli->out };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 1, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	listing.stats = opt_find(&args, "stats");
	out_list(&cli->out, NULL);
	if (rein_watch_dump(cli->rein, args.n_words ? args.words[0] : NULL, list_one, &listing))
		return cli_fail_kernel(cli, args.n_words ? args.words[0] : NULL);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

static void show_one(const struct rein_watch *watch, void *arg)
{
	show_watch_full(arg, watch);
}

static int watch_show(struct cli *cli, int argc, char **argv)
{
	struct opt_args args;
	struct named named;
	int ret;

	ret = take_line(cli, argc, argv, no_opts, &args, &named);
	if (!ret)
		ret = find_id(cli, &named);
	if (ret)
		return ret;
	out_object(&cli->out, NULL);
	if (rein_watch_get(cli->rein, named.id, show_one, &cli->out))
		return cli_fail_kernel(cli, named.word);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

/* --- wait ----------------------------------------------------------------------------- */

/* What can be waited for has a count. */
static int take_event(struct cli *cli, const struct opt_args *args, uint32_t *event)
{
	const char *text = opt_value(args, "for");
	char option[128], hint[128] = "one of:";
	uint32_t i;

	for (i = 0; i < REIN_WATCH_COUNTS; i++) {
		size_t len = strlen(hint);

		if (text && !strcmp(text, rein_watch_count_name(i))) {
			*event = i;
			return 0;
		}
		snprintf(hint + len, sizeof(hint) - len, " %s", rein_watch_count_name(i));
	}
	if (!text)
		return cli_fail(cli, CODE_USAGE, NULL, hint,
				"what to wait for is missing: --for EVENT");
	snprintf(option, sizeof(option), "--for %.80s", text);
	return cli_fail(cli, CODE_VALUE, option, hint, "a watch has no '%.80s'", text);
}

/* Signals that end a process end this one; one that stops it only ends the wait. */
static int wait_for(int watch, uint32_t event, uint64_t timeout_ns,
		    struct rein_watch_state *state)
{
	uint64_t since = span_now();
	int ret;

	do {
		ret = rein_watch_wait(watch, span_left(timeout_ns, since), state);
		if (!ret && state->count[event])
			return 0;
		if (!ret && state->status == REIN_WATCH_GONE)
			return -EIDRM;
	} while (!ret || ret == -EINTR || ret == -EAGAIN);
	return ret;
}

static void say_counts(struct out *out, const struct rein_watch_state *state)
{
	static const char *const keys[REIN_WATCH_COUNTS] = {
		[REIN_COUNT_BEAT] = "beats",
		[REIN_COUNT_BEGIN] = "begins",
		[REIN_COUNT_END] = "ends",
		[REIN_COUNT_MISS] = "faults",
		[REIN_COUNT_EXPIRE] = "expiries",
		[REIN_COUNT_STEP] = "steps",
		[REIN_COUNT_RESUME] = "resumes",
		[REIN_COUNT_GONE] = "gone",
	};
	uint32_t i;

	for (i = 0; i < REIN_WATCH_COUNTS; i++)
		out_num(out, keys[i], NULL, state->count[i]);
}

static int say_state(struct cli *cli, uint32_t event, const struct rein_watch_state *state)
{
	struct out *out = &cli->out;

	out_object(out, NULL);
	out_str(out, "result", "", rein_watch_count_name(event));
	out_id(out, "watch", ": watch ", state->id);
	out_word(out, "state", ", ", rein_watch_status_name(state->status), state->status);
	say_counts(out, state);
	out_str(out, "unit", ", in unit ", *state->unit ? state->unit : NULL);
	out_num_or_null(out, "unit_monotonic_ns", state->unit_ns, state->unit_ns);
	out_num_or_null(out, "beat_monotonic_ns", state->last_ns, state->last_ns);
	out_id(out, "token", NULL, state->token);
	if (state->fault)
		out_word(out, "fault", ", fault ", rein_fault_name(state->fault), state->fault);
	else
		out_null(out, "fault", NULL);
	out_num(out, "misses", NULL, state->misses);
	if (state->record)
		out_id(out, "record", ", record ", state->record);
	else
		out_null(out, "record", NULL);
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int fail_wait(struct cli *cli, const struct named *named, uint32_t event, int err)
{
	struct fault fault;

	if (err == ETIMEDOUT) {
		fault_set(&fault, CODE_NOT_YET, named->word, NULL, "the watch has had no %s yet",
			  rein_watch_count_name(event));
		fault.exit = EXIT_LATE;
		return fault_report(cli, &fault);
	}
	if (err != EIDRM)
		return cli_fail(cli, CODE_NETLINK, named->word, NULL,
				"the watch can't be waited for: %s", strerror(err));
	fault_set(&fault, CODE_WATCH_OVER, named->word, NULL, "the watch is over, without any %s",
		  rein_watch_count_name(event));
	fault.exit = EXIT_REFUSED;
	return fault_report(cli, &fault);
}

static int watch_wait(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "for", 0, "EVENT", false },
		{ "timeout", 0, "TIME", false },
		{ 0 },
	};
	uint64_t timeout_ns = REIN_FOREVER_NS;
	struct rein_watch_state state;
	struct parse_error error;
	struct opt_args args;
	const char *timeout;
	struct named named;
	uint32_t event = 0;
	int ret, fd;

	ret = take_line(cli, argc, argv, opts, &args, &named);
	if (!ret)
		ret = take_event(cli, &args, &event);
	if (ret)
		return ret;
	timeout = opt_value(&args, "timeout");
	if (timeout && parse_time(timeout, &timeout_ns, &error))
		return cli_fail_parse(cli, "--timeout", timeout, &error);
	ret = open_named(cli, &named, REIN_LOOK_OBSERVE, 1U << event | 1U << REIN_COUNT_GONE, &fd);
	if (ret)
		return ret;
	ret = wait_for(fd, event, timeout_ns, &state);
	close(fd);
	return ret ? fail_wait(cli, &named, event, -ret) : say_state(cli, event, &state);
}

/* --- arm, test, del ---------------------------------------------------------------------- */

static int arm(struct cli *cli, const struct opt_args *args, int watch,
	       struct rein_watch_result *result)
{
	uint64_t every_ns = 0, grace_ns = 0;
	uint32_t flags = 0;

	if (opt_find(args, "off"))
		return rein_watch_disarm(watch, result);
	/* They were looked at before. */
	watch_time(cli, args, "every", &every_ns);
	watch_time(cli, args, "grace", &grace_ns);
	flags |= every_ns ? REIN_ARM_EVERY : 0;
	flags |= grace_ns ? REIN_ARM_GRACE : 0;
	return rein_watch_arm(watch, flags, every_ns, grace_ns, result);
}

static int check_arm(struct cli *cli, const struct opt_args *args)
{
	uint64_t ignored;
	int ret;

	if (opt_find(args, "off") && (opt_find(args, "every") || opt_find(args, "grace")))
		return cli_fail(cli, CODE_USAGE, "--off", "name one of them",
				"a watch that isn't armed has no time");
	ret = watch_time(cli, args, "every", &ignored);
	return ret ? ret : watch_time(cli, args, "grace", &ignored);
}

static int watch_arm(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "every", 0, "TIME", false },
		{ "grace", 0, "TIME", false },
		{ "off", 0, NULL, false },
		{ 0 },
	};
	struct rein_watch_result result;
	struct opt_args args;
	struct named named;
	int ret, fd;

	ret = take_line(cli, argc, argv, opts, &args, &named);
	if (!ret)
		ret = check_arm(cli, &args);
	if (!ret)
		ret = open_named(cli, &named, 0, 0, &fd);
	if (ret)
		return ret;
	ret = arm(cli, &args, fd, &result);
	close(fd);
	if (ret)
		return watch_fail(cli, named.word, "the watch can't be armed", -ret, &result);
	return cli_done(cli, opt_find(&args, "off") ? "disarmed" : "armed", watch_kind.noun,
			named.word);
}

static void list_steps(const struct rein_watch *watch, void *arg)
{
	show_watch_steps(arg, watch);
}

/* What it did, or would have done; the records of that have the rest. */
static int say_tested(struct cli *cli, struct named *named, bool real, uint64_t record)
{
	struct out *out = &cli->out;
	int ret;

	ret = find_id(cli, named);
	if (ret)
		return ret;
	out_object(out, NULL);
	out_str(out, "result", "", real ? "expired" : "tested");
	out_str(out, "watch", " watch ", named->word);
	out_text(out, real ? ", its steps are done" : ", nothing is done");
	if (record)
		out_id(out, "record", ": record ", record);
	else
		out_null(out, "record", NULL);
	if (rein_watch_get(cli->rein, named->id, list_steps, out))
		return cli_fail_kernel(cli, named->word);
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int watch_test(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = { { "real", 0, NULL, false }, { 0 } };
	struct rein_watch_result result;
	struct opt_args args;
	struct named named;
	bool real;
	int ret, fd;

	ret = take_line(cli, argc, argv, opts, &args, &named);
	if (!ret)
		ret = open_named(cli, &named, 0, 0, &fd);
	if (ret)
		return ret;
	real = opt_find(&args, "real");
	ret = rein_watch_test(fd, real, &result);
	close(fd);
	if (ret)
		return watch_fail(cli, named.word, "the watch can't be tested", -ret, &result);
	return say_tested(cli, &named, real, result.record);
}

static int watch_del(struct cli *cli, int argc, char **argv)
{
	struct rein_watch_result result;
	struct opt_args args;
	struct named named;
	int ret, fd;

	ret = take_line(cli, argc, argv, no_opts, &args, &named);
	if (!ret)
		ret = open_named(cli, &named, 0, 0, &fd);
	if (ret)
		return ret;
	ret = rein_unwatch(fd, &result);
	close(fd);
	if (ret)
		return watch_fail(cli, named.word, "the watch can't be deleted", -ret, &result);
	return cli_done(cli, "deleted", watch_kind.noun, named.word);
}

/* --- beat ----------------------------------------------------------------------------------- */

/**
 * struct beat - a beat as the command line describes it
 * @kind:	enum rein_beat_kind
 * @unit:	of work
 * @deadline_ns: of that, 0: none
 * @checkpoint:	or that
 * @token:	what it carries
 */
struct beat {
	uint32_t kind;
	const char *unit;
	uint64_t deadline_ns;
	uint32_t checkpoint;
	uint64_t token;
};

static int check_unit(struct cli *cli, const char *option, const char *unit)
{
	size_t len = strlen(unit), i;

	for (i = 0; i < len && unit[i] >= ' ' && unit[i] <= '~'; i++)
		;
	if (len && len < REIN_UNIT_LEN && i == len)
		return 0;
	return cli_fail(cli, CODE_VALUE, option, "1 to 31 characters of printable ASCII",
			"a unit of work can't be called '%.80s'", unit);
}

static int take_number(struct cli *cli, const struct opt_args *args, const char *name,
		       uint64_t most, uint64_t *number)
{
	const char *value = opt_value(args, name);
	struct parse_error error;
	char option[32];

	snprintf(option, sizeof(option), "--%s", name);
	return value && parse_count(value, name, most, number, &error) ?
		       cli_fail_parse(cli, option, value, &error) : 0;
}

static int take_kind(struct cli *cli, const struct opt_args *args, struct beat *beat)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} kinds[] = {
		{ "begin", REIN_BEAT_BEGIN },
		{ "end", REIN_BEAT_END },
		{ "checkpoint", REIN_BEAT_CHECKPOINT },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!opt_find(args, kinds[i].name))
			continue;
		if (beat->kind != REIN_BEAT)
			return cli_fail(cli, CODE_USAGE, NULL, "name one of them",
					"--begin, --end and --checkpoint exclude each other");
		beat->kind = kinds[i].kind;
		beat->unit = opt_value(args, kinds[i].name);
	}
	if (beat->kind == REIN_BEAT_BEGIN || beat->kind == REIN_BEAT_END)
		return check_unit(cli, beat->kind == REIN_BEAT_BEGIN ? "--begin" : "--end",
				  beat->unit);
	return 0;
}

static int take_beat(struct cli *cli, const struct opt_args *args, struct beat *beat)
{
	uint64_t checkpoint = 0;
	int ret;

	ret = take_kind(cli, args, beat);
	if (!ret)
		ret = take_number(cli, args, "checkpoint", REIN_CHECKPOINTS - 1, &checkpoint);
	if (!ret)
		ret = take_number(cli, args, "token", UINT64_MAX, &beat->token);
	if (!ret)
		ret = watch_time(cli, args, "deadline", &beat->deadline_ns);
	if (ret)
		return ret;
	beat->checkpoint = checkpoint;
	if (beat->deadline_ns && beat->kind != REIN_BEAT_BEGIN)
		return cli_fail(cli, CODE_USAGE, "--deadline", "begin one: --begin UNIT",
				"only a unit of work has a deadline");
	return 0;
}

static int send_beat(int watch, const struct beat *beat, struct rein_watch_result *result)
{
	switch (beat->kind) {
	case REIN_BEAT_BEGIN:
		return rein_watch_begin(watch, beat->unit, beat->deadline_ns, beat->token, result);
	case REIN_BEAT_END:
		return rein_watch_end(watch, beat->unit, beat->token, result);
	case REIN_BEAT_CHECKPOINT:
		return rein_watch_checkpoint(watch, beat->checkpoint, beat->token, result);
	default:
		return rein_watch_beat(watch, beat->token, result);
	}
}

/* What is under way may be another one by now, so it isn't said here which. */
static int fail_beat(struct cli *cli, const struct named *named, const struct beat *beat, int err,
		     const struct rein_watch_result *result)
{
	char option[REIN_UNIT_LEN + 8];

	if (err != ENOENT)
		return watch_fail(cli, named->word, "the watch takes no beat", err, result);
	snprintf(option, sizeof(option), "--end %s", beat->unit);
	return watch_fail(cli, option, "the unit can't be ended", err, result);
}

/* The next token is what a script has to go on with, so it stands alone. */
static int say_beat(struct cli *cli, const struct named *named, uint64_t token)
{
	struct out *out = &cli->out;

	out_object(out, NULL);
	out_str(out, "result", NULL, "beat");
	out_str(out, "watch", NULL, named->word);
	if (token)
		out_id(out, "token", "", token);
	else
		out_null(out, "token", NULL);
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

/**
 * beat_main() - rein beat
 * @cli:	the command
 * @argc:	how many words
 * @argv:	they
 *
 * Return: the exit code.
 */
int beat_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "begin", 0, "UNIT", false },
		{ "deadline", 0, "TIME", false },
		{ "end", 0, "UNIT", false },
		{ "checkpoint", 0, "N", false },
		{ "token", 0, "N", false },
		{ 0 },
	};
	struct rein_watch_result result;
	struct beat beat = { 0 };
	struct opt_args args;
	struct named named;
	int ret, fd;

	ret = take_line(cli, argc, argv, opts, &args, &named);
	if (!ret)
		ret = take_beat(cli, &args, &beat);
	if (!ret)
		ret = open_named(cli, &named, REIN_LOOK_BEAT, 0, &fd);
	if (ret)
		return ret;
	ret = send_beat(fd, &beat, &result);
	close(fd);
	if (ret)
		return fail_beat(cli, &named, &beat, -ret, &result);
	return say_beat(cli, &named, result.token);
}

/* --- all of them ------------------------------------------------------------------------------ */

#define RULES_HELP							\
	"  --every TIME         a cycle: 50ms 2s 5min\n"		\
	"  --min N, --max N     so many beats in each; default: at least 1\n"	\
	"  --grace TIME         how long the first one is\n"		\
	"  --miss N             put up with N faults in a row; default: 0\n"	\
	"  --unit-min TIME, --unit-max TIME  how long a unit of work takes\n"	\
	"  --order A>B[,...]    which checkpoint (0 to 15) may follow which: 1>2,2>1\n"	\
	"  --pretimeout TIME    so long before it expires, a record of what it does\n"	\
	"  --on-miss STEP,...   what is done if it expires, one after the other: record,\n"	\
	"                       signal:SIGNAL, cancel, kill, reset, exec; each with a\n"	\
	"                       delay if need be: signal:TERM,kill:5s\n"

const struct command watch_commands[] = {
	{ .name = "add", .run = watch_add_main,
	  .summary = "keep a watch over a cgroup, a process or a socket",
	  .usage = "add NAME (--cgroup PATH | --pid PID | --socket PID:FD)\n"
		   "            --every TIME [OPTION]... [--beat BY | --token] [--off]",
	  .details =
	  "What it is kept over has to beat: rein beat, librein. If it doesn't as it\n"
	  "should that is a fault; one more in a row than --miss, and it has expired.\n\n"
	  RULES_HELP
	  "  --beat BY            each packet is a beat: egress, that a cgroup or a socket\n"
	  "                       sends, ingress, that arrives for it, or any\n"
	  "  --token              each beat has to carry what the one before was answered\n"
	  "  --off                not armed yet: see rein help watch arm\n\n"
	  "It stays until it is deleted or its target has gone. While that is frozen, and\n"
	  "while the machine sleeps, time doesn't count.\n" },
	{ .name = "run", .run = watch_run_main,
	  .summary = "run a command under a watch, and again if it fails",
	  .usage = "run NAME --every TIME [OPTION]... [--restart] [--backoff MIN[,MAX]]\n"
		   "            [-s SIGNAL] -- COMMAND...",
	  .details =
	  "Runs COMMAND in a new cgroup below the present one, under a watch over that. It\n"
	  "may beat by sd_notify(3), as for systemd, by rein beat NAME, or by librein.\n\n"
	  RULES_HELP
	  "  --restart            start it again if it fails, or the watch has expired\n"
	  "  --backoff MIN[,MAX]  after MIN (1s), each time twice as long, up to MAX (1min)\n"
	  "  -s, --signal SIGNAL  if rein is to end don't kill, but send them this signal\n\n"
	  "By default --on-miss kill. With --grace that is the time until READY=1.\n"
	  "Ends with the status of COMMAND; 124 if the watch expired and has ended it, 122 if\n"
	  "it was cancelled, 125 if rein itself fails, 126 and 127 if COMMAND can't be\n"
	  "executed. When rein ends, however that is, so does all that it has started.\n" },
	{ .name = "list", .run = watch_list, .summary = "the watches that there are, by age",
	  .usage = "list [NAME] [-s]",
	  .details =
	  "  -s, --stats      how often there was what\n\n"
	  "Those of other users are shown to administrators only.\n" },
	{ .name = "show", .run = watch_show, .summary = "all of one watch",
	  .usage = "show ID|NAME" },
	{ .name = "wait", .run = watch_wait, .summary = "wait until something happens",
	  .usage = "wait ID|NAME --for EVENT [--timeout TIME]",
	  .details =
	  "EVENT is beat, begin, end, miss, expired, step, resumed or gone. What has\n"
	  "happened before counts, too. Ends with 4 if it hasn't when the time has passed.\n" },
	{ .name = "arm", .run = watch_arm, .summary = "begin anew, or expect nothing any more",
	  .usage = "arm ID|NAME [--every TIME] [--grace TIME]\n"
		   "       rein watch arm ID|NAME --off",
	  .details =
	  "  --every TIME     the cycle from now on\n"
	  "  --grace TIME     the first one, this once\n"
	  "  --off            it is not armed any more\n" },
	{ .name = "test", .run = watch_test, .summary = "see what happens when a watch expires",
	  .usage = "test ID|NAME [--real]",
	  .details =
	  "Makes a record of each step and does none of them; the watch goes on.\n\n"
	  "  --real           it does expire, and its steps are done\n" },
	{ .name = "del", .run = watch_del, .summary = "end a watch", .usage = "del ID|NAME" },
	{ 0 },
};
