// SPDX-License-Identifier: GPL-2.0
/*
 * rein scope run: a command that ends with all that it has started.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "cli.h"
#include "command.h"
#include "named.h"
#include "scope.h"
#include "signals.h"
#include "span.h"

/**
 * struct run - a command in a scope
 * @cli:	rein's
 * @name:	of the scope, or NULL
 * @timed:	it has a @timeout_ns
 * @timeout_ns:	from now
 * @sig:	what the command and all others get when the scope is done, 0: SIGKILL
 * @kill_after_ns: after that; REIN_FOREVER_NS: never
 * @command:	it
 * @scope:	the scope
 * @id:		its id
 * @cell:	the cgroup that it is bound to
 * @signals:	those that rein gets
 * @stop:	the first of them, 0: there was none
 * @process:	the command
 * @ended:	it has, with @status
 * @status:	as a shell has it
 * @is_done:	the scope is, while the command had not ended
 * @done:	why
 * @since_ns:	when it began, CLOCK_MONOTONIC
 */
struct run {
	struct cli *cli;
	const char *name;
	bool timed;
	uint64_t timeout_ns;
	int sig;
	uint64_t kill_after_ns;
	char **command;
	int scope;
	uint64_t id;
	struct cell cell;
	struct signals signals;
	int stop;
	struct process process;
	bool ended;
	int status;
	bool is_done;
	struct rein_scope_done done;
	uint64_t since_ns;
};

/* --- what was asked for ------------------------------------------------------------ */

static int take_signal(struct run *run, const struct opt_args *args)
{
	const char *sig = opt_value(args, "signal"), *after = opt_value(args, "kill-after");
	struct parse_error error;
	char option[64];

	run->kill_after_ns = sig ? REIN_FOREVER_NS : 0;
	if (after && parse_time(after, &run->kill_after_ns, &error))
		return cli_fail_parse(run->cli, "--kill-after", after, &error);
	/* As with timeout(1). */
	run->sig = sig ? signals_parse(sig) : after ? SIGTERM : 0;
	snprintf(option, sizeof(option), "--signal %.40s", sig ? sig : "");
	if (sig && !run->sig)
		return cli_fail(run->cli, CODE_VALUE, option, "one of kill -l: TERM, SIGTERM, 15",
				"there is no signal '%.40s'", sig);
	return 0;
}

static int take_line(struct run *run, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "timeout", 0, "TIME", false },
		{ "name", 0, "NAME", false },
		{ "signal", 's', "SIGNAL", false },
		{ "kill-after", 'k', "TIME", false },
		{ 0 },
	};
	struct cli *cli = run->cli;
	struct parse_error error;
	struct opt_args args;
	const char *timeout;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (ret)
		return ret;
	if (!run->command || !run->command[0])
		return cli_fail(cli, CODE_USAGE, run->command ? "--" : NULL,
				"write: rein scope run [OPTION]... -- COMMAND...",
				"the COMMAND is missing");
	timeout = opt_value(&args, "timeout");
	run->timed = timeout;
	if (timeout && parse_time(timeout, &run->timeout_ns, &error))
		return cli_fail_parse(cli, "--timeout", timeout, &error);
	run->name = opt_value(&args, "name");
	if (run->name)
		ret = named_check(cli, "scope", "--name", run->name);
	return ret ? ret : take_signal(run, &args);
}

/* --- begun ----------------------------------------------------------------------- */

/*
 * Owned: it is done when rein has ended, however that was. The kernel is given the
 * cgroup.kill even if nothing is to be killed (kill_after_ns is then as long as can be):
 * to whom has no privilege it is the proof that he may bind it.
 */
static int make_scope(struct run *run, int device)
{
	const struct rein_scope_opts opts = {
		.name = run->name,
		.has_timeout = run->timed,
		.timeout_ns = run->timeout_ns,
		.owned = true,
	};
	struct rein_scope_result result;
	int ret;

	run->since_ns = span_now();
	ret = rein_scope_new(device, &opts, &result);
	if (ret < 0)
		return scope_fail(run->cli, NULL, "no scope can be made", -ret, &result);
	run->scope = ret;
	run->id = result.id;
	/* Its time may have been over before it began. */
	if (!rein_scope_wait(run->scope, 0, &run->done)) {
		run->is_done = true;
		run->ended = true;
		return 0;
	}
	ret = rein_scope_bind(run->scope, run->cell.dir, run->cell.kill, run->kill_after_ns,
			      &result);
	/* It may be over by now, too: that is seen where it is waited for. */
	if (!ret || ret == -ECANCELED)
		return 0;
	return scope_fail(run->cli, NULL, "the scope can't be bound to the cgroup", -ret, &result);
}

static int prepare(struct run *run)
{
	int device, ret;

	ret = cli_device(run->cli, &device);
	if (ret)
		return ret;
	ret = cell_make(run->cli, run->name, 0, &run->cell);
	if (!ret)
		ret = make_scope(run, device);
	close(device);
	return ret;
}

static int start(struct run *run)
{
	const struct launch launch = {
		.command = run->command,
		.mask = &run->signals.before,
		.input = -1,
		.output = -1,
		.errors = -1,
	};

	return run->is_done ? 0 : cell_start(run->cli, &run->cell, &launch, &run->process);
}

/* --- ended ------------------------------------------------------------------------ */

/*
 * The kernel has killed them, or will. It is done here once more: what came into the
 * cgroup between its being killed and now would be left.
 */
static void on_done(struct run *run)
{
	rein_scope_wait(run->scope, 0, &run->done);
	run->is_done = true;
	if (run->sig)
		cell_signal(&run->cell, run->sig);
	else
		cell_kill(&run->cell);
}

/* The first one ends the scope; the next doesn't wait for what the command makes of it. */
static void on_signal(struct run *run)
{
	int sig = signals_take(&run->signals);
	char reason[64];

	if (!sig)
		return;
	if (run->stop || run->is_done)
		cell_kill(&run->cell);
	if (!run->stop)
		run->stop = sig;
	snprintf(reason, sizeof(reason), "rein scope run: %s", signals_name(sig));
	rein_scope_cancel(run->scope, reason, NULL);
}

/*
 * What is left is killed; not by cancelling the scope, with which packets of the command
 * that are still to be sent would end. Only if it has got a signal, and a time to heed it,
 * that isn't cut short because the command itself took less.
 */
static void on_end(struct run *run)
{
	bool killed;

	run->status = cell_reap(&run->process, &killed);
	run->ended = true;
	/* It may have been killed since poll() looked at the scope. */
	if (!run->is_done && !rein_scope_wait(run->scope, 0, NULL))
		on_done(run);
	if (!run->is_done || run->kill_after_ns == REIN_FOREVER_NS)
		cell_kill(&run->cell);
}

/* Until the command, and all that it has started, has ended. */
static void watch(struct run *run)
{
	while (!run->ended || cell_populated(&run->cell)) {
		struct pollfd fds[] = {
			{ .fd = run->is_done || run->ended ? -1 : run->scope },
			{ .fd = run->signals.fd, .events = POLLIN },
			{ .fd = run->ended ? -1 : run->process.fd, .events = POLLIN },
			{ .fd = run->ended ? run->cell.events : -1, .events = POLLPRI },
		};

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			continue;
		if (fds[0].revents)
			on_done(run);
		if (fds[1].revents)
			on_signal(run);
		if (fds[2].revents)
			on_end(run);
	}
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
	out_id(&out, "scope", ": scope ", run->id);
	out_num(&out, "status", ", status ", run->status);
	out_left(&out, "took_ns", ", after ", span_now() - run->since_ns);
	out_end(&out);
	out_flush(&out);
	out_free(&out);
}

static int outcome(struct run *run)
{
	if (!run->is_done) {
		say_ended(run);
		return run->status;
	}
	/* Who has ended rein knows why. */
	if (run->stop)
		return EXIT_COMMAND_CANCELLED;
	return command_status(scope_fail_done(run->cli, "the command was ended", run->id,
					      &run->done));
}

static int run_held(struct run *run)
{
	int ret;

	ret = prepare(run);
	if (ret)
		return command_status(ret);
	ret = start(run);
	if (ret)
		return ret == EXIT_NO_EXEC || ret == EXIT_NO_COMMAND ? ret : EXIT_COMMAND_FAILED;
	watch(run);
	return outcome(run);
}

/**
 * scope_run_main() - rein scope run
 * @cli:	the command
 * @argc:	how many words
 * @argv:	they
 *
 * Return: the exit code.
 */
int scope_run_main(struct cli *cli, int argc, char **argv)
{
	struct run run = { .cli = cli, .scope = -1, .cell = CELL_NONE };
	int words, ret;

	run.command = command_split(argc, argv, &words);
	if (cli->file)
		ret = cli_fail(cli, CODE_BATCH, "run", "run it on its own",
			       "a command has no place in a batch");
	else
		ret = take_line(&run, words, argv);
	if (ret || signals_hold(cli, &run.signals))
		return EXIT_COMMAND_FAILED;
	ret = run_held(&run);
	/* In that order nothing is left that would end with the scope. */
	cell_remove(cli, &run.cell);
	if (run.scope >= 0)
		close(run.scope);
	if (run.stop) {
		fflush(NULL);
		signals_die(run.stop);
	}
	signals_release(&run.signals);
	return ret;
}
