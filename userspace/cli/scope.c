// SPDX-License-Identifier: GPL-2.0
/*
 * rein scope: what there is, how it ended, and to end it.
 */
#include "scope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "named.h"
#include "span.h"

static const struct opt no_opts[] = { { 0 } };

static const struct named_kind scope_kind = {
	.noun = "scope",
	.nouns = "scopes",
	.see = "see what there is: rein scope list",
	.unknown = CODE_SCOPE_UNKNOWN,
	.ambiguous = CODE_SCOPE_AMBIGUOUS,
};

/* --- what all share ---------------------------------------------------------------- */

/* Goes on after "the scope is done: ". */
const char *scope_cause_text(uint32_t cause)
{
	switch (cause) {
	case REIN_CAUSE_TIMEOUT:
		return "its deadline has passed";
	case REIN_CAUSE_USER:
		return "it was cancelled";
	case REIN_CAUSE_PARENT:
		return "one above it is done";
	case REIN_CAUSE_DUPLICATE:
		return "another replica has won";
	case REIN_CAUSE_OWNER_EXIT:
		return "its owner has ended";
	default:
		return "nobody said why";
	}
}

/**
 * scope_fail() - report what the kernel said to a call about a scope
 * @cli:	the command
 * @option:	what it was about, as it was typed, or NULL
 * @what:	what can't be done, if the kernel didn't say more than @err
 * @err:	errno
 * @result:	what it said
 *
 * Return: the exit code that goes with it.
 */
int scope_fail(struct cli *cli, const char *option, const char *what, int err,
	       const struct rein_scope_result *result)
{
	struct fault fault;

	fault_answer(&fault, scope_kind.nouns, option, what, err, result->code, result->message);
	fault.record = result->record;
	fault.exit = result->code == CODE_SCOPE_DONE ? EXIT_CANCELLED : EXIT_REFUSED;
	return fault_report(cli, &fault);
}

/**
 * scope_fail_done() - report that a scope has ended something
 * @cli:	the command
 * @what:	what happened
 * @own:	id of the scope; if its end began elsewhere that is named, too
 * @done:	why it is done
 *
 * Return: the exit code that goes with it.
 */
int scope_fail_done(struct cli *cli, const char *what, uint64_t own,
		    const struct rein_scope_done *done)
{
	bool known = done->cause >= REIN_CAUSE_TIMEOUT && done->cause <= REIN_CAUSE_OWNER_EXIT;
	struct fault fault;

	fault_set(&fault, known ? CODE_SCOPE_TIMEOUT + done->cause - REIN_CAUSE_TIMEOUT :
				  CODE_SCOPE_DONE, NULL, NULL, "%s: %s%s%s", what,
		  scope_cause_text(done->cause), *done->reason ? ": " : "", done->reason);
	fault.exit = done->cause == REIN_CAUSE_TIMEOUT ? EXIT_LATE : EXIT_CANCELLED;
	fault.cause = done->cause;
	fault.scope = done->origin == own ? 0 : done->origin;
	fault.record = done->record;
	return fault_report(cli, &fault);
}

/* Why a scope is done, in one line. */
static void show_done(struct out *out, const struct rein_scope_done *done)
{
	out_word(out, "cause", "", rein_cause_name(done->cause), done->cause);
	out_str(out, NULL, ": ", scope_cause_text(done->cause));
	out_str(out, "reason", *done->reason ? ": " : NULL, done->reason);
	if (done->pid)
		out_num(out, "pid", ", by pid ", done->pid);
	else
		out_null(out, "pid", NULL);
	out_id(out, "origin", done->origin != done->id ? ", from scope " : NULL, done->origin);
	if (done->record)
		out_id(out, "record", ", record ", done->record);
	else
		out_null(out, "record", NULL);
	out_num(out, "done_monotonic_ns", NULL, done->time_ns);
}

/* --- named ------------------------------------------------------------------------- */

/* The replicas of a race are called as that is; it is the race that is meant. */
static void add_id(const struct rein_scope *scope, void *arg)
{
	if (!scope->number)
		named_add(arg, scope->id);
}

/* The id of a scope that was named otherwise; connects. */
static int find_id(struct cli *cli, struct named *named)
{
	struct named_ids ids = { 0 };
	int ret;

	ret = cli_connect(cli);
	if (ret || named->id)
		return ret;
	/* One that is too long the kernel would call malformed. */
	if (strlen(named->word) < REIN_SCOPE_NAME_LEN &&
	    rein_scope_dump(cli->rein, named->word, add_id, &ids))
		return cli_fail_kernel(cli, named->word);
	return named_pick(cli, &scope_kind, named, &ids);
}

static int open_named(struct cli *cli, struct named *named, bool observe, int *fd)
{
	struct rein_scope_result result;
	int device, ret = 0;

	if (!named->id)
		ret = find_id(cli, named);
	if (!ret)
		ret = cli_device(cli, &device);
	if (ret)
		return ret;
	*fd = rein_scope_open(device, named->id, NULL, observe, &result);
	close(device);
	return *fd < 0 ? scope_fail(cli, named->word, "the scope can't be opened", -*fd,
				    &result) : 0;
}

/* --- list, show --------------------------------------------------------------------- */

static void list_one(const struct rein_scope *scope, void *arg)
{
	struct out *out = arg;

	if (!out->len)
		out_text(out, "ID\tNAME\tSTATE\tLEFT\tPARENT\tCHILDREN\tWAITERS\tCGROUP");
	out_object(out, NULL);
	show_scope_row(out, scope);
	out_end(out);
}

static int scope_list(struct cli *cli, int argc, char **argv)
{
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 1, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	out_list(&cli->out, NULL);
	if (rein_scope_dump(cli->rein, args.n_words ? args.words[0] : NULL, list_one, &cli->out))
		return cli_fail_kernel(cli, args.n_words ? args.words[0] : NULL);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

/**
 * struct shown - a scope that is shown, and those above it
 * @out:	where
 * @above:	id of the one above the one that was read last
 * @origin:	of the scope, if its end began elsewhere; then 0
 */
struct shown {
	struct out *out;
	uint64_t above;
	uint64_t origin;
};

static void show_one(const struct rein_scope *scope, void *arg)
{
	struct shown *shown = arg;

	shown->above = scope->parent;
	shown->origin = scope->origin == scope->id ? 0 : scope->origin;
	show_scope_full(shown->out, scope);
}

/* What another scope is and how it is, in one line. */
static void show_other(struct out *out, const struct rein_scope *scope, const char *lead)
{
	out_id(out, "id", lead, scope->id);
	out_str(out, "name", " ", scope->name);
	out_word(out, "cause", scope->cause ? ", done: " : NULL, rein_cause_name(scope->cause),
		 scope->cause);
	out_str(out, NULL, scope->cause ? ": " : NULL, scope_cause_text(scope->cause));
	out_str(out, "reason", ": ", scope->reason);
}

static void show_above(const struct rein_scope *scope, void *arg)
{
	struct shown *shown = arg;

	shown->above = scope->parent;
	out_object(shown->out, NULL);
	show_other(shown->out, scope, "\n  above:\tscope ");
	out_end(shown->out);
}

static void show_origin(const struct rein_scope *scope, void *arg)
{
	struct shown *shown = arg;

	show_other(shown->out, scope, "\n  began:\tscope ");
}

/* Where its end began, if that was elsewhere, and what it is a part of, up to the top. */
static void show_chain(struct cli *cli, struct shown *shown)
{
	struct out *out = &cli->out;
	unsigned int depth;
	uint64_t id;

	if (shown->origin) {
		out_object(out, "began");
		if (rein_scope_get(cli->rein, shown->origin, show_origin, shown))
			out_id(out, "id", "\n  began:\tscope that is gone: ", shown->origin);
		out_end(out);
	} else {
		out_null(out, "began", NULL);
	}
	out_list(out, "above");
	for (depth = 0; depth < REIN_SCOPE_DEPTH_MAX && shown->above; depth++) {
		id = shown->above;
		shown->above = 0;
		/* It may have gone, or be for others to know. */
		if (rein_scope_get(cli->rein, id, show_above, shown))
			break;
	}
	out_end(out);
}

static int scope_show(struct cli *cli, int argc, char **argv)
{
	struct shown shown = { .out = &cli->out };
	struct opt_args args;
	struct named named;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = named_take(cli, &scope_kind, &args, &named);
	if (!ret)
		ret = find_id(cli, &named);
	if (ret)
		return ret;
	out_object(&cli->out, NULL);
	if (rein_scope_get(cli->rein, named.id, show_one, &shown))
		return cli_fail_kernel(cli, named.word);
	show_chain(cli, &shown);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

/* --- wait, check, cancel ------------------------------------------------------------ */

/* Signals that end a process end this one; one that stops it only ends the wait. */
static int wait_for(int scope, uint64_t timeout_ns, struct rein_scope_done *done)
{
	uint64_t since = span_now();
	int ret;

	do {
		ret = rein_scope_wait(scope, span_left(timeout_ns, since), done);
	} while (ret == -EINTR);
	return ret;
}

static int say_done(struct cli *cli, const char *result, const struct rein_scope_done *done)
{
	struct out *out = &cli->out;

	out_object(out, NULL);
	out_str(out, "result", NULL, result);
	out_id(out, "scope", NULL, done->id);
	show_done(out, done);
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int fail_wait(struct cli *cli, const struct named *named, int err)
{
	struct fault fault;

	if (err != ETIMEDOUT)
		return cli_fail(cli, CODE_NETLINK, named->word, NULL,
				"the scope can't be waited for: %s", strerror(err));
	fault_set(&fault, CODE_NOT_DONE, named->word, NULL, "the scope is not done yet");
	fault.exit = EXIT_LATE;
	return fault_report(cli, &fault);
}

static int scope_wait(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = { { "timeout", 0, "TIME", false }, { 0 } };
	uint64_t timeout_ns = REIN_FOREVER_NS;
	struct rein_scope_done done;
	struct parse_error error;
	struct opt_args args;
	const char *timeout;
	struct named named;
	int ret, fd;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = named_take(cli, &scope_kind, &args, &named);
	if (ret)
		return ret;
	timeout = opt_value(&args, "timeout");
	if (timeout && parse_time(timeout, &timeout_ns, &error))
		return cli_fail_parse(cli, "--timeout", timeout, &error);
	ret = open_named(cli, &named, true, &fd);
	if (ret)
		return ret;
	ret = wait_for(fd, timeout_ns, &done);
	close(fd);
	return ret ? fail_wait(cli, &named, -ret) : say_done(cli, "done", &done);
}

/* That there is none (@id 0) is as good as one that is not done. */
static int say_checked(struct cli *cli, uint64_t id, const struct rein_scope_done *done)
{
	if (done) {
		if (!cli->quiet || cli->out.json)
			say_done(cli, "done", done);
		return EXIT_CANCELLED;
	}
	out_object(&cli->out, NULL);
	out_str(&cli->out, "result", NULL, "not done");
	if (id)
		out_id(&cli->out, "scope", NULL, id);
	else
		out_null(&cli->out, "scope", NULL);
	out_end(&cli->out);
	return EXIT_OK;
}

static int scope_check(struct cli *cli, int argc, char **argv)
{
	struct rein_scope_result result;
	struct rein_scope_done done;
	struct opt_args args;
	int ret, device, fd;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = cli_device(cli, &device);
	if (ret)
		return ret;
	fd = rein_scope_open(device, 0, NULL, true, &result);
	close(device);
	if (fd == -ENOENT)
		return say_checked(cli, 0, NULL);
	if (fd < 0)
		return scope_fail(cli, NULL, "the own scope can't be opened", -fd, &result);
	ret = rein_scope_wait(fd, 0, &done);
	close(fd);
	return say_checked(cli, result.id, ret ? NULL : &done);
}

/* That it was done already is no error, but not what was asked for either. */
static int say_cancelled(struct cli *cli, const struct named *named, bool before, uint32_t was,
			 const struct rein_scope_done *done)
{
	struct out *out = &cli->out;

	if (!was) {
		cli_note(cli, "the scope has won its race, and can't be cancelled any more");
		out_object(out, NULL);
		out_str(out, "result", NULL, "has won");
		out_str(out, "scope", NULL, named->word);
		out_end(out);
		return EXIT_OK;
	}
	if (before || was != REIN_CAUSE_USER) {
		out_text(out, "done before: ");
		return say_done(cli, "done before", done);
	}
	if (out->json)
		return say_done(cli, "cancelled", done);
	if (!cli->verbose)
		return EXIT_OK;
	out_id(out, NULL, "cancelled scope ", done->id);
	out_flush(out);
	return EXIT_OK;
}

static int cancel_open(struct cli *cli, const struct named *named, const char *reason, int fd)
{
	struct rein_scope_result result;
	struct rein_scope_done done;
	bool before;
	int ret;

	/* If another cancels it in this moment both will say that they did. */
	before = !rein_scope_wait(fd, 0, &done);
	ret = rein_scope_cancel(fd, reason, &result);
	if (ret)
		return scope_fail(cli, named->word, "the scope can't be cancelled", -ret, &result);
	if (!before && rein_scope_wait(fd, 0, &done))
		memset(&done, 0, sizeof(done));
	return say_cancelled(cli, named, before, result.was, &done);
}

static int scope_cancel(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = { { "reason", 0, "TEXT", false }, { 0 } };
	const char *reason = "rein scope cancel";
	struct opt_args args;
	struct named named;
	int ret, fd;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = named_take(cli, &scope_kind, &args, &named);
	if (ret)
		return ret;
	if (opt_find(&args, "reason"))
		reason = opt_value(&args, "reason");
	if (strlen(reason) >= REIN_REASON_LEN)
		return cli_fail(cli, CODE_VALUE, "--reason", NULL,
				"the reason is too long: it may have %d bytes",
				REIN_REASON_LEN - 1);
	ret = open_named(cli, &named, false, &fd);
	if (ret)
		return ret;
	ret = cancel_open(cli, &named, reason, fd);
	close(fd);
	return ret;
}

const struct command scope_commands[] = {
	{ .name = "run", .run = scope_run_main,
	  .summary = "run a command that ends with all that it has started",
	  .usage = "run [--timeout TIME] [--name NAME] [-s SIGNAL] [-k TIME]\n"
		   "            -- COMMAND...",
	  .details =
	  "Runs COMMAND in a scope and a new cgroup of its own below the present one. When\n"
	  "the scope is done (its time has passed, it was cancelled, rein has ended) all that\n"
	  "is in that cgroup is killed by the kernel, whatever it has forked; takes in there\n"
	  "end, and have its deadline. When COMMAND itself has ended, so is what it left.\n\n"
	  "  --timeout TIME     how long it may take: 50ms 2s 5min; default: no limit\n"
	  "  --name NAME        how it is called in rein scope list; the cgroup: rein-NAME\n"
	  "  -s, --signal SIGNAL  don't kill, but send them this signal: TERM SIGTERM 15\n"
	  "  -k, --kill-after TIME  and kill them so much later; alone: -s TERM\n\n"
	  "Ends with the status of COMMAND; 124 if the time has passed, 122 if it was\n"
	  "cancelled, 125 if rein itself fails, 126 and 127 if COMMAND can't be executed.\n"
	  "A signal that would end rein (INT TERM HUP QUIT) cancels the scope; the second\n"
	  "one kills. Who is not root needs a cgroup that is his own:\n"
	  "systemd-run --user --scope -p Delegate=yes rein scope run ...\n" },
	{ .name = "list", .run = scope_list, .summary = "the scopes that there are, by age",
	  .usage = "list [NAME]",
	  .details = "Those of other users are shown to administrators only.\n" },
	{ .name = "show", .run = scope_show, .summary = "all of one scope, and why it is done",
	  .usage = "show ID|NAME" },
	{ .name = "wait", .run = scope_wait, .summary = "wait until a scope is done, say why",
	  .usage = "wait ID|NAME [--timeout TIME]",
	  .details = "Ends with 4 if it is not done when the time has passed.\n" },
	{ .name = "check", .run = scope_check,
	  .summary = "is the scope done that rein runs in?",
	  .usage = "check",
	  .details =
	  "Looks at the scope that is bound to the present cgroup, or to the nearest above.\n"
	  "Ends with 0 if it is not done or there is none, with 5 if it is: then says why.\n"
	  "In C rein_scope_map() and rein_scope_cancelled() do so without a system call.\n" },
	{ .name = "cancel", .run = scope_cancel, .summary = "end a scope and all below it",
	  .usage = "cancel ID|NAME [--reason TEXT]",
	  .details = "What is done already stays as it is; that is said, and no error.\n" },
	{ 0 },
};
