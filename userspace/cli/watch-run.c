// SPDX-License-Identifier: GPL-2.0
/*
 * rein watch run: a command that has to say that it is alive, and is started again.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "cli.h"
#include "command.h"
#include "format.h"
#include "notify.h"
#include "scope.h"
#include "signals.h"
#include "span.h"
#include "watch.h"

/* How long it is waited before the command is started again, if nothing is said. */
#define BACKOFF_MIN_NS	(1 * NSEC_PER_SEC)
#define BACKOFF_MAX_NS	(60 * NSEC_PER_SEC)

/* So many messages of the command's are read before all else is looked at again. */
#define NOTICES_MAX	64

/**
 * struct run - a command under a watch
 * @cli:	rein's
 * @name:	of the watch
 * @rules:	what it expects
 * @sig:	what the command and all others get when rein is to end, 0: SIGKILL
 * @restart:	it is started again if it fails
 * @backoff_ns:	after that time,
 * @backoff_min_ns: which is at first this,
 * @backoff_max_ns: and at most that
 * @command:	it
 * @device:	/dev/rein
 * @notify:	where it says how it is
 * @signals:	those that rein gets
 * @stop:	the first of them, 0: there was none
 * @cell:	the cgroup of this run
 * @scope:	which is bound to that, so that nothing is left when rein has ended; or -1
 * @scope_id:	of it
 * @watch:	over it, or -1
 * @every_ns:	its cycle now
 * @state:	of it, as it was seen last
 * @expired:	it has
 * @process:	the command
 * @ended:	it has, with @status
 * @status:	as a shell has it
 * @killed:	a signal has ended it
 * @is_done:	the scope is, while the command had not ended
 * @done:	why
 * @since_ns:	when it began, CLOCK_MONOTONIC
 */
struct run {
	struct cli *cli;
	const char *name;
	struct watch_rules rules;
	int sig;
	bool restart;
	uint64_t backoff_ns;
	uint64_t backoff_min_ns;
	uint64_t backoff_max_ns;
	char **command;
	int device;
	struct notify notify;
	struct signals signals;
	int stop;
	struct cell cell;
	int scope;
	uint64_t scope_id;
	int watch;
	uint64_t every_ns;
	struct rein_watch_state state;
	bool expired;
	struct process process;
	bool ended;
	int status;
	bool killed;
	bool is_done;
	struct rein_scope_done done;
	uint64_t since_ns;
};

/* --- what was asked for ------------------------------------------------------------ */

/* MIN[,MAX] */
static int take_backoff(struct run *run, const struct opt_args *args)
{
	const char *backoff = opt_value(args, "backoff");
	struct parse_error error;
	char copy[64], *most = copy, *least;

	run->backoff_min_ns = BACKOFF_MIN_NS;
	run->backoff_max_ns = BACKOFF_MAX_NS;
	run->restart = opt_find(args, "restart");
	if (!backoff)
		return 0;
	if (!run->restart)
		return cli_fail(run->cli, CODE_USAGE, "--backoff", "name it, too: --restart",
				"without --restart there is nothing to wait for");
	snprintf(copy, sizeof(copy), "%s", backoff);
	least = strsep(&most, ",");
	if (parse_time(least, &run->backoff_min_ns, &error) ||
	    (most && parse_time(most, &run->backoff_max_ns, &error)))
		return cli_fail_parse(run->cli, "--backoff", backoff, &error);
	if (!most && run->backoff_max_ns < run->backoff_min_ns)
		run->backoff_max_ns = run->backoff_min_ns;
	if (run->backoff_min_ns && run->backoff_max_ns >= run->backoff_min_ns)
		return 0;
	return cli_fail(run->cli, CODE_VALUE, "--backoff", "write: --backoff MIN[,MAX]",
			run->backoff_min_ns ? "the first time is longer than the second" :
					      "without a pause it would do nothing else");
}

static int take_signal(struct run *run, const struct opt_args *args)
{
	const char *sig = opt_value(args, "signal");
	char option[64];

	if (!sig)
		return 0;
	run->sig = signals_parse(sig);
	snprintf(option, sizeof(option), "--signal %.40s", sig);
	return run->sig ? 0 : cli_fail(run->cli, CODE_VALUE, option,
				       "one of kill -l: TERM, SIGTERM, 15",
				       "there is no signal '%.40s'", sig);
}

static int take_rules(struct run *run, const struct opt_args *args)
{
	int ret;

	ret = watch_rules_take(run->cli, args, REIN_SUBJECT_CGROUP, &run->rules);
	if (!ret && !run->rules.n_steps)
		run->rules.steps[run->rules.n_steps++].kind = REIN_STEP_KILL;
	return ret;
}

static int take_line(struct run *run, int argc, char **argv)
{
	static const struct opt opts[] = {
		WATCH_RULES,
		{ "restart", 0, NULL, false },
		{ "backoff", 0, "MIN[,MAX]", false },
		{ "signal", 's', "SIGNAL", false },
		{ 0 },
	};
	struct cli *cli = run->cli;
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 1, 1, "the NAME of the watch");
	if (!ret)
		ret = named_check(cli, watch_kind.noun, NULL, args.words[0]);
	if (ret)
		return ret;
	run->name = args.words[0];
	if (!run->command || !run->command[0])
		return cli_fail(cli, CODE_USAGE, run->command ? "--" : NULL,
				"write: rein watch run NAME --every TIME [OPTION]... -- COMMAND...",
				"the COMMAND is missing");
	ret = take_rules(run, &args);
	if (!ret)
		ret = take_backoff(run, &args);
	return ret ? ret : take_signal(run, &args);
}

/* --- begun ----------------------------------------------------------------------- */

/* Owned: what rein has started ends with rein, however that ends. */
static int make_scope(struct run *run)
{
	const struct rein_scope_opts opts = { .name = run->name, .owned = true };
	struct rein_scope_result result;
	int ret;

	ret = rein_scope_new(run->device, &opts, &result);
	if (ret < 0)
		return scope_fail(run->cli, NULL, "no scope can be made", -ret, &result);
	run->scope = ret;
	run->scope_id = result.id;
	ret = rein_scope_bind(run->scope, run->cell.dir, run->cell.kill, 0, &result);
	return ret ? scope_fail(run->cli, NULL, "the scope can't be bound to the cgroup", -ret,
				&result) : 0;
}

/* It isn't armed before there is anything in there. */
static int make_watch(struct run *run)
{
	const struct rein_watch_opts opts = {
		.name = run->name,
		.flags = REIN_WATCH_OWNED,
		.subject = REIN_SUBJECT_CGROUP,
		.fd = run->cell.dir,
		.has_kill = true,
		.kill_fd = run->cell.kill,
		.has_scope = watch_rules_do(&run->rules, REIN_STEP_CANCEL),
		.scope_fd = run->scope,
		.rules = run->rules.rules,
		.steps = run->rules.steps,
		.n_steps = run->rules.n_steps,
		.wants = 1U << REIN_COUNT_EXPIRE | 1U << REIN_COUNT_STEP | 1U << REIN_COUNT_GONE,
	};
	struct rein_watch_result result;

	run->every_ns = run->rules.rules.every_ns;
	run->watch = rein_watch_new(run->device, &opts, &result);
	return run->watch < 0 ? watch_fail(run->cli, run->name, "no watch can be kept",
					   -run->watch, &result) : 0;
}

static int start(struct run *run)
{
	const struct launch launch = {
		.command = run->command,
		.mask = &run->signals.before,
		.input = -1,
		.output = -1,
		.errors = -1,
		.pid_name = run->every_ns ? "WATCHDOG_PID" : NULL,
	};
	struct rein_watch_result result;
	int ret;

	ret = cell_start(run->cli, &run->cell, &launch, &run->process);
	if (ret)
		return ret == EXIT_NO_EXEC || ret == EXIT_NO_COMMAND ? ret : EXIT_COMMAND_FAILED;
	ret = rein_watch_arm(run->watch, 0, 0, 0, &result);
	/* It may have ended by now. */
	if (!ret || ret == -EIDRM)
		return 0;
	watch_fail(run->cli, run->name, "the watch can't be armed", -ret, &result);
	cell_kill(&run->cell);
	cell_reap(&run->process, &run->killed);
	return EXIT_COMMAND_FAILED;
}

static int prepare(struct run *run)
{
	int ret;

	run->expired = false;
	run->ended = false;
	run->is_done = false;
	memset(&run->state, 0, sizeof(run->state));
	run->since_ns = span_now();
	ret = cell_make(run->cli, run->name, 0, &run->cell);
	if (!ret)
		ret = make_scope(run);
	if (!ret)
		ret = make_watch(run);
	return ret ? command_status(ret) : start(run);
}

/* --- what the command says ------------------------------------------------------------ */

/* Once it has expired that is so, until somebody arms it who knows. */
static void arm(struct run *run, uint32_t flags, uint64_t every_ns, uint64_t grace_ns)
{
	struct rein_watch_result result;
	int ret;

	if (run->expired)
		return;
	if (every_ns < REIN_RULE_MIN_NS || every_ns > REIN_RULE_MAX_NS)
		every_ns = every_ns < REIN_RULE_MIN_NS ? REIN_RULE_MIN_NS : REIN_RULE_MAX_NS;
	if (grace_ns < REIN_RULE_MIN_NS || grace_ns > REIN_RULE_MAX_NS)
		grace_ns = grace_ns < REIN_RULE_MIN_NS ? REIN_RULE_MIN_NS : REIN_RULE_MAX_NS;
	ret = rein_watch_arm(run->watch, flags, every_ns, grace_ns, &result);
	if (ret && ret != -EIDRM)
		cli_note(run->cli, "the watch could not be armed anew: %s",
			 *result.message ? result.message : strerror(-ret));
	else if (flags & REIN_ARM_EVERY)
		run->every_ns = every_ns;
}

/* What the command is told is the time until it has expired: of all cycles that may fail. */
static void set_every(struct run *run, uint64_t expiry_us)
{
	uint64_t every_ns = expiry_us * 1000 / (run->rules.rules.miss + 1);

	if (expiry_us)
		arm(run, REIN_ARM_EVERY | REIN_ARM_GRACE, every_ns, every_ns);
	else
		rein_watch_disarm(run->watch, NULL);
}

/* Text of others. */
static void say_status(struct run *run, const struct notice *notice)
{
	char *text;

	if (!run->cli->verbose || run->cli->out.json)
		return;
	text = format_escape(notice->status);
	if (text)
		cli_note(run->cli, "%s: %s", run->name, text);
	free(text);
}

/* What ends the grace comes before what would be counted in it. */
static void heed(struct run *run, const struct notice *notice)
{
	if (notice->says & NOTICE_STATUS)
		say_status(run, notice);
	if (run->every_ns && notice->says & NOTICE_READY)
		arm(run, REIN_ARM_GRACE, run->every_ns, run->every_ns);
	if (run->every_ns && notice->says & NOTICE_EVERY)
		set_every(run, notice->every_us);
	if (notice->says & NOTICE_STOPPING && !run->expired)
		rein_watch_disarm(run->watch, NULL);
	if (run->every_ns && notice->says & NOTICE_EXTEND)
		arm(run, REIN_ARM_GRACE, run->every_ns, notice->extend_us * 1000);
	if (notice->says & NOTICE_BEAT)
		rein_watch_beat(run->watch, 0, NULL);
	if (notice->says & NOTICE_TRIGGER)
		rein_watch_test(run->watch, true, NULL);
}

/* --- ended ------------------------------------------------------------------------ */

/* What is read last of a watch that is over still says whether it had expired. */
static void on_watch(struct run *run)
{
	int ret = rein_watch_wait(run->watch, 0, &run->state);

	if (!ret && run->state.count[REIN_COUNT_EXPIRE])
		run->expired = true;
	/* Nothing more comes from it. */
	if (ret == -EIDRM || (!ret && run->state.status == REIN_WATCH_GONE)) {
		close(run->watch);
		run->watch = -1;
	}
}

static void on_notify(struct run *run)
{
	struct notice notice;
	pid_t pid;
	int i;

	for (i = 0; i < NOTICES_MAX && notify_take(&run->notify, &notice, &pid) > 0; i++)
		if (run->watch >= 0 && pid > 0 && cell_has(&run->cell, pid))
			heed(run, &notice);
}

static void on_done(struct run *run)
{
	rein_scope_wait(run->scope, 0, &run->done);
	run->is_done = true;
	cell_kill(&run->cell);
}

/* The first one ends the command as it should be; the next doesn't wait for that. */
static void on_signal(struct run *run)
{
	int sig = signals_take(&run->signals);

	if (!sig)
		return;
	if (run->watch >= 0)
		rein_watch_disarm(run->watch, NULL);
	if (run->stop || !run->sig)
		cell_kill(&run->cell);
	else
		cell_signal(&run->cell, run->sig);
	if (!run->stop)
		run->stop = sig;
}

/* What it has left is killed. */
static void on_end(struct run *run)
{
	run->status = cell_reap(&run->process, &run->killed);
	run->ended = true;
	if (run->watch >= 0)
		on_watch(run);
	if (!run->is_done && !rein_scope_wait(run->scope, 0, NULL))
		on_done(run);
	cell_kill(&run->cell);
}

/* Until the command, and all that it has started, has ended. */
static void watch(struct run *run)
{
	while (!run->ended || cell_populated(&run->cell)) {
		struct pollfd fds[] = {
			{ .fd = run->ended ? -1 : run->watch, .events = POLLIN },
			{ .fd = run->notify.fd, .events = POLLIN },
			{ .fd = run->is_done || run->ended ? -1 : run->scope },
			{ .fd = run->signals.fd, .events = POLLIN },
			{ .fd = run->ended ? -1 : run->process.fd, .events = POLLIN },
			{ .fd = run->ended ? run->cell.events : -1, .events = POLLPRI },
		};

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			continue;
		if (fds[0].revents)
			on_watch(run);
		if (fds[1].revents)
			on_notify(run);
		if (fds[2].revents)
			on_done(run);
		if (fds[3].revents)
			on_signal(run);
		if (fds[4].revents)
			on_end(run);
	}
}

/* --- what became of it ------------------------------------------------------------------ */

/* Was it the watch that has ended the command? */
static bool struck(const struct run *run)
{
	uint32_t i;

	for (i = 0; i < run->rules.n_steps && run->expired; i++) {
		uint32_t kind = run->rules.steps[i].kind;

		if (kind == REIN_STEP_KILL || kind == REIN_STEP_CANCEL || kind == REIN_STEP_SIGNAL)
			return run->killed || run->state.count[REIN_COUNT_STEP] > i;
	}
	return false;
}

static int fail_expired(struct run *run)
{
	struct fault fault;

	fault_set(&fault, CODE_WATCH_EXPIRED, NULL,
		  run->rules.rules.pretimeout_ns ?
			  "see what it did: rein errors list --code REIN-E0707" :
			  "a record of what it does before it expires: --pretimeout TIME",
		  "the command was ended: its watch has expired: %s",
		  watch_fault_text(run->state.fault));
	fault.exit = EXIT_LATE;
	fault.record = run->state.record;
	return command_status(fault_report(run->cli, &fault));
}

/* Standard output is the command's. */
static void say_ended(struct run *run)
{
	struct out out = {
		.file = stderr, .json = run->cli->out.json, .pretty = run->cli->out.pretty,
	};

	if (!out.json && !run->cli->verbose)
		return;
	out_object(&out, NULL);
	out_str(&out, "result", "", "ended");
	out_str(&out, "watch", ": watch ", run->name);
	out_num(&out, "status", ", status ", run->status);
	out_left(&out, "took_ns", ", after ", span_now() - run->since_ns);
	out_end(&out);
	out_flush(&out);
	out_free(&out);
}

static int outcome(struct run *run)
{
	/* Who has ended rein knows why. */
	if (run->stop)
		return EXIT_COMMAND_CANCELLED;
	if (struck(run))
		return fail_expired(run);
	if (run->is_done)
		return command_status(scope_fail_done(run->cli, "the command was ended",
						      run->scope_id, &run->done));
	say_ended(run);
	return run->status;
}

static void clear(struct run *run)
{
	/* In that order nothing is left that would end with the scope. */
	cell_remove(run->cli, &run->cell);
	if (run->watch >= 0)
		close(run->watch);
	if (run->scope >= 0)
		close(run->scope);
	run->watch = -1;
	run->scope = -1;
}

/* Is it to be started again? If rein itself could not start it, that wouldn't help. */
static bool again(const struct run *run, bool began, int status)
{
	if (!run->restart || !began || run->stop)
		return false;
	return struck(run) || (status && !run->is_done);
}

/* Twice as long each time, unless it has run for as long as is waited at most. */
static void back_off(struct run *run)
{
	uint64_t since = span_now(), left;
	char text[FORMAT_MAX];

	if (span_now() - run->since_ns >= run->backoff_max_ns || !run->backoff_ns)
		run->backoff_ns = run->backoff_min_ns;
	if (!run->cli->out.json)
		cli_note(run->cli, "%s is started again in %s", run->name,
			 format_left(run->backoff_ns, text));
	while (!run->stop && (left = span_left(run->backoff_ns, since))) {
		struct pollfd fd = { .fd = run->signals.fd, .events = POLLIN };
		struct timespec time = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };

		if (ppoll(&fd, 1, &time, NULL) > 0)
			run->stop = signals_take(&run->signals);
	}
	run->backoff_ns = run->backoff_ns > run->backoff_max_ns / 2 ? run->backoff_max_ns :
								       run->backoff_ns * 2;
}

static int run_held(struct run *run)
{
	int status, ret;

	do {
		ret = prepare(run);
		if (!ret)
			watch(run);
		status = ret ? ret : outcome(run);
		clear(run);
		if (!again(run, !ret, status))
			break;
		back_off(run);
	} while (!run->stop);
	return status;
}

/* --- all of it ---------------------------------------------------------------------------- */

/* One who is watched by systemd itself must not pass that on. */
static void set_environment(struct run *run)
{
	const struct rein_watch_rules *rules = &run->rules.rules;
	char text[32];

	setenv("NOTIFY_SOCKET", run->notify.address.sun_path, 1);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	if (!rules->every_ns)
		return;
	snprintf(text, sizeof(text), "%llu", rules->every_ns / 1000 * (rules->miss + 1));
	setenv("WATCHDOG_USEC", text, 1);
}

static int set_up(struct run *run)
{
	int ret;

	ret = cli_device(run->cli, &run->device);
	if (ret)
		return command_status(ret);
	ret = notify_open(&run->notify);
	if (ret) {
		cli_fail(run->cli, CODE_NOTIFY, NULL, NULL,
			 "there is no socket for what the command says: %s", strerror(-ret));
		return EXIT_COMMAND_FAILED;
	}
	set_environment(run);
	return run_held(run);
}

/**
 * watch_run_main() - rein watch run
 * @cli:	the command
 * @argc:	how many words
 * @argv:	they
 *
 * Return: the exit code.
 */
int watch_run_main(struct cli *cli, int argc, char **argv)
{
	struct run run = {
		.cli = cli, .device = -1, .scope = -1, .watch = -1,
		.notify = NOTIFY_NONE, .cell = CELL_NONE,
	};
	int words, ret;

	run.command = command_split(argc, argv, &words);
	if (cli->file)
		ret = cli_fail(cli, CODE_BATCH, "run", "run it on its own",
			       "a command has no place in a batch");
	else
		ret = take_line(&run, words, argv);
	if (ret || signals_hold(cli, &run.signals))
		return EXIT_COMMAND_FAILED;
	ret = set_up(&run);
	notify_close(&run.notify);
	if (run.device >= 0)
		close(run.device);
	if (run.stop) {
		fflush(NULL);
		signals_die(run.stop);
	}
	signals_release(&run.signals);
	return ret;
}
