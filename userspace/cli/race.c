// SPDX-License-Identifier: GPL-2.0
/*
 * rein race: a command several times, of which the first that succeeds counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cell.h"
#include "cli.h"
#include "command.h"
#include "named.h"
#include "scope.h"
#include "signals.h"
#include "span.h"

/* More than a machine has use for: each has a cgroup and seven descriptors. */
#define REPLICAS_MAX	1000

/* What became of a replica. */
enum outcome {
	OUTCOME_RUNS,
	OUTCOME_WON,
	OUTCOME_FAILED,
	OUTCOME_CANCELLED,
};

/**
 * struct replica - one run of the command
 * @number:	which, from 1
 * @scope:	its scope, which is bound to @cell
 * @id:		of that
 * @cell:	its cgroup
 * @process:	the command
 * @output:	what it wrote on standard output
 * @errors:	likewise, on standard error
 * @since_ns:	when it began, CLOCK_MONOTONIC
 * @took_ns:	how long it took, if it doesn't run any more
 * @outcome:	what became of it
 * @status:	of the command, as a shell has it
 */
struct replica {
	unsigned int number;
	int scope;
	uint64_t id;
	struct cell cell;
	struct process process;
	int output;
	int errors;
	uint64_t since_ns;
	uint64_t took_ns;
	enum outcome outcome;
	int status;
};

/**
 * struct race - all of them
 * @cli:	rein's
 * @n:		at most so many
 * @after_ns:	another one each time so much has passed
 * @timed:	they have a @timeout_ns
 * @timeout_ns:	from the beginning, for all
 * @budget:	name of the limit that pays for each but the first, or NULL
 * @credited:	a success gives it @credit
 * @credit:	millionths of a token
 * @name:	of the race, or NULL
 * @command:	what is run
 * @device:	/dev/rein
 * @scope:	the race
 * @id:		of its scope
 * @signals:	those that rein gets
 * @stop:	the first of them, 0: there was none
 * @replicas:	room for @n of them
 * @started:	so many of them were begun
 * @running:	so many run
 * @next_ns:	when another one is to be begun; REIN_FOREVER_NS: not at a time
 * @winner:	NULL: none yet
 * @last:	the last of those that failed, whose output is kept
 * @is_done:	the race is done, and nobody has won
 * @done:	why
 * @exit:	rein itself has failed; 0: it hasn't
 */
struct race {
	struct cli *cli;
	uint64_t n;
	uint64_t after_ns;
	bool timed;
	uint64_t timeout_ns;
	const char *budget;
	bool credited;
	uint32_t credit;
	const char *name;
	char **command;
	int device;
	int scope;
	uint64_t id;
	struct signals signals;
	int stop;
	struct replica *replicas;
	size_t started;
	size_t running;
	uint64_t next_ns;
	struct replica *winner;
	struct replica *last;
	bool is_done;
	struct rein_scope_done done;
	int exit;
};

/* --- what was asked for ------------------------------------------------------------ */

static int take_times(struct race *race, const struct opt_args *args)
{
	const char *after = opt_value(args, "after"), *timeout = opt_value(args, "timeout");
	struct parse_error error;

	if (after && parse_time(after, &race->after_ns, &error))
		return cli_fail_parse(race->cli, "--after", after, &error);
	if (timeout && parse_time(timeout, &race->timeout_ns, &error))
		return cli_fail_parse(race->cli, "--timeout", timeout, &error);
	race->timed = timeout;
	return 0;
}

static int take_names(struct race *race, const struct opt_args *args)
{
	const char *credit = opt_value(args, "credit");
	struct parse_error error;

	race->name = opt_value(args, "name");
	race->budget = opt_value(args, "budget");
	if (race->budget && (!*race->budget || strlen(race->budget) > REIN_NAME_MAX))
		return cli_fail(race->cli, CODE_USAGE, "--budget", NULL,
				"the name of a limit has 1 to %d characters", REIN_NAME_MAX);
	if (credit && !race->budget)
		return cli_fail(race->cli, CODE_USAGE, "--credit", "name it: --budget NAME",
				"there is no budget to give credit to");
	if (credit && parse_credit(credit, &race->credit, &error))
		return cli_fail_parse(race->cli, "--credit", credit, &error);
	race->credited = credit && race->credit;
	return race->name ? named_check(race->cli, "scope", "--name", race->name) : 0;
}

static int take_line(struct race *race, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "replicas", 'n', "N", false },
		{ "after", 0, "TIME", false },
		{ "timeout", 0, "TIME", false },
		{ "budget", 0, "NAME", false },
		{ "credit", 0, "N", false },
		{ "name", 0, "NAME", false },
		{ 0 },
	};
	struct cli *cli = race->cli;
	struct parse_error error;
	struct opt_args args;
	const char *n;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (ret)
		return ret;
	if (!race->command || !race->command[0])
		return cli_fail(cli, CODE_USAGE, race->command ? "--" : NULL,
				"write: rein race -n N [OPTION]... -- COMMAND...",
				"the COMMAND is missing");
	n = opt_value(&args, "replicas");
	if (!n)
		return cli_fail(cli, CODE_USAGE, NULL, "write: -n N",
				"how many replicas there may be is missing");
	if (parse_number(n, "number of replicas", REPLICAS_MAX, &race->n, &error))
		return cli_fail_parse(cli, "-n", n, &error);
	ret = take_times(race, &args);
	return ret ? ret : take_names(race, &args);
}

/* --- another one -------------------------------------------------------------------- */

/* A replica may be seen to have been killed before it is seen why. */
static bool is_done(struct race *race)
{
	if (!race->is_done && !rein_scope_wait(race->scope, 0, &race->done))
		race->is_done = true;
	return race->is_done;
}

static int make_scope(struct race *race, struct replica *replica)
{
	struct rein_scope_result result;
	int ret;

	ret = rein_race_join(race->scope, false, &result);
	if (ret == -ECANCELED && is_done(race))
		return EXIT_CANCELLED;
	if (ret < 0)
		return scope_fail(race->cli, NULL, "no replica can be made", -ret, &result);
	replica->scope = ret;
	replica->id = result.id;
	ret = rein_scope_bind(replica->scope, replica->cell.dir, replica->cell.kill, 0, &result);
	return ret ? scope_fail(race->cli, NULL, "the scope can't be bound to the cgroup", -ret,
				&result) : 0;
}

static int make_buffers(struct race *race, struct replica *replica)
{
	replica->output = memfd_create("rein-output", MFD_CLOEXEC);
	replica->errors = memfd_create("rein-errors", MFD_CLOEXEC);
	if (replica->output < 0 || replica->errors < 0)
		return cli_fail(race->cli, CODE_OUTPUT, NULL, NULL,
				"there is no room for the output of a replica: %s",
				strerror(errno));
	return 0;
}

/* The number is in the command and in its environment. */
static int launch(struct race *race, struct replica *replica)
{
	struct launch launch = {
		.command = command_number(race->command, replica->number),
		.mask = &race->signals.before,
		.input = -1,
		.output = replica->output,
		.errors = replica->errors,
	};
	char number[16];
	int ret;

	if (!launch.command)
		return cli_fail(race->cli, CODE_CELL, NULL, NULL, "out of memory");
	snprintf(number, sizeof(number), "%u", replica->number);
	setenv("REIN_REPLICA", number, 1);
	/* What one has read the others would miss. */
	if (race->n > 1)
		launch.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ret = cell_start(race->cli, &replica->cell, &launch, &replica->process);
	if (launch.input >= 0)
		close(launch.input);
	free(launch.command);
	/* What came into the cgroup when that had just been killed would be left. */
	if (!ret && !rein_scope_wait(replica->scope, 0, NULL))
		cell_kill(&replica->cell);
	return ret;
}

static void fail_replica(struct race *race, struct replica *replica, int status);

/* Begin another one. Without it the others go on; only the first has none. */
static void start_one(struct race *race)
{
	struct replica *replica = &race->replicas[race->started++];
	int ret;

	*replica = (struct replica){
		.number = race->started, .scope = -1, .cell = CELL_NONE, .process = { .fd = -1 },
		.output = -1, .errors = -1, .since_ns = span_now(),
	};
	ret = make_buffers(race, replica);
	if (!ret)
		ret = cell_make(race->cli, race->name, replica->number, &replica->cell);
	if (!ret)
		ret = make_scope(race, replica);
	if (ret) {
		replica->outcome = OUTCOME_CANCELLED;
		race->n = race->started;
		race->exit = race->running || race->is_done ? 0 : EXIT_COMMAND_FAILED;
		return;
	}
	race->running++;
	ret = launch(race, replica);
	if (ret == EXIT_NO_EXEC || ret == EXIT_NO_COMMAND) {
		fail_replica(race, replica, ret);
	} else if (ret) {
		race->running--;
		replica->outcome = OUTCOME_CANCELLED;
		race->n = race->started;
		race->exit = race->running ? 0 : EXIT_COMMAND_FAILED;
	}
}

/* May there be another one? The first one never pays. */
static bool budget_pays(struct race *race)
{
	struct rein_take_want want = { .tokens = 1 };
	struct rein_take_result result;

	if (!race->budget || !race->started)
		return true;
	snprintf(want.name, sizeof(want.name), "%s", race->budget);
	return !rein_take_in(race->device, REIN_NO_FD, &want, 1, REIN_TAKE_TRY, 0, &result);
}

/*
 * Begin those that are due. If there is no budget for one it is asked for again when the
 * next would be due; who is the last that runs, and fails, doesn't wait for that.
 */
static void start_due(struct race *race)
{
	while (race->started < race->n && !race->exit && span_now() >= race->next_ns &&
	       !is_done(race)) {
		uint64_t now = span_now();
		bool pays = budget_pays(race);

		race->next_ns = race->after_ns == REIN_FOREVER_NS ? REIN_FOREVER_NS :
				now + race->after_ns;
		if (pays)
			start_one(race);
		else if (!race->after_ns)
			race->next_ns = REIN_FOREVER_NS;
	}
}

/* --- what becomes of them ------------------------------------------------------------ */

static void close_buffers(struct replica *replica)
{
	if (replica->output >= 0)
		close(replica->output);
	if (replica->errors >= 0)
		close(replica->errors);
	replica->output = -1;
	replica->errors = -1;
}

static void settle(struct race *race, struct replica *replica, enum outcome outcome, int status)
{
	replica->outcome = outcome;
	replica->status = status;
	replica->took_ns = span_now() - replica->since_ns;
	race->running--;
}

/* One that has failed makes room for the next, at once. */
static void fail_replica(struct race *race, struct replica *replica, int status)
{
	bool cancelled = !rein_scope_wait(replica->scope, 0, NULL);

	settle(race, replica, cancelled ? OUTCOME_CANCELLED : OUTCOME_FAILED, status);
	cell_kill(&replica->cell);
	/* So the race knows that it won't claim any more. */
	close(replica->scope);
	replica->scope = -1;
	if (race->last)
		close_buffers(race->last);
	race->last = replica;
	race->next_ns = span_now();
}

/* It is for the kernel to say who has won: the race may just have ended. */
static void claim(struct race *race, struct replica *replica)
{
	struct rein_scope_result result;
	char number[16];
	int ret;

	snprintf(number, sizeof(number), "%u", replica->number);
	ret = rein_race_claim(replica->scope, number, strlen(number), &result);
	if (!ret) {
		settle(race, replica, OUTCOME_WON, 0);
		race->winner = replica;
	} else if (ret == -ECANCELED || ret == -EALREADY) {
		fail_replica(race, replica, EXIT_COMMAND_CANCELLED);
	} else {
		settle(race, replica, OUTCOME_CANCELLED, 0);
		scope_fail(race->cli, NULL, "the race can't be claimed", -ret, &result);
		race->exit = EXIT_COMMAND_FAILED;
	}
}

static void on_end(struct race *race, struct replica *replica)
{
	bool killed;
	int status = cell_reap(&replica->process, &killed);

	if (status)
		fail_replica(race, replica, status);
	else
		claim(race, replica);
}

static void on_signal(struct race *race)
{
	int sig = signals_take(&race->signals);
	char reason[64];

	if (!sig)
		return;
	race->stop = sig;
	snprintf(reason, sizeof(reason), "rein race: %s", signals_name(sig));
	rein_scope_cancel(race->scope, reason, NULL);
}

/* Until there is something to do; true: a replica may have ended. */
static bool wait_for_something(struct race *race, struct pollfd *fds)
{
	uint64_t now = span_now(), left = race->next_ns > now ? race->next_ns - now : 0;
	struct timespec timeout = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };
	bool due = race->started < race->n && race->next_ns != REIN_FOREVER_NS;
	size_t i;

	fds[0] = (struct pollfd){ .fd = race->scope };
	fds[1] = (struct pollfd){ .fd = race->signals.fd, .events = POLLIN };
	for (i = 0; i < race->started; i++)
		fds[i + 2] = (struct pollfd){ .fd = race->replicas[i].process.fd,
					      .events = POLLIN };
	if (ppoll(fds, race->started + 2, due ? &timeout : NULL, NULL) < 0)
		return false;
	if (fds[1].revents)
		on_signal(race);
	if (fds[0].revents)
		is_done(race);
	race->is_done |= race->stop != 0;
	return true;
}

static bool goes_on(const struct race *race)
{
	return race->running && !race->winner && !race->is_done && !race->exit;
}

/* Until one has won, all have failed, or it is done. */
static void watch(struct race *race)
{
	struct pollfd *fds = calloc(race->n + 2, sizeof(*fds));
	size_t i, seen;

	if (!fds) {
		race->exit = cli_fail(race->cli, CODE_CELL, NULL, NULL, "out of memory");
		return;
	}
	start_due(race);
	while (goes_on(race)) {
		seen = race->started;
		if (wait_for_something(race, fds)) {
			for (i = 0; i < seen && goes_on(race); i++)
				if (fds[i + 2].revents)
					on_end(race, &race->replicas[i]);
		}
		if (!race->winner && !race->is_done)
			start_due(race);
	}
	free(fds);
}

/* --- the end ------------------------------------------------------------------------- */

/* Which of them are left the kernel has killed, but for what the winner has left. */
static void finish_replica(struct race *race, struct replica *replica)
{
	bool killed;

	if (replica->cell.kill >= 0)
		cell_kill(&replica->cell);
	if (replica->process.fd >= 0) {
		int status = cell_reap(&replica->process, &killed);

		if (replica->outcome == OUTCOME_RUNS)
			settle(race, replica, OUTCOME_CANCELLED, status);
	}
	cell_remove(race->cli, &replica->cell);
	close_buffers(replica);
	if (replica->scope >= 0)
		close(replica->scope);
}

/* Whoever reads it may take his time, and a signal come meanwhile: that ends it. */
static int wait_writable(struct race *race, int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = race->signals.fd, .events = POLLIN },
	};

	while (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents)
		race->stop = signals_take(&race->signals);
	return race->stop ? -EINTR : 0;
}

static int copy(struct race *race, int from, int to)
{
	/* A pipe that can be written to has room for so much. */
	char buffer[PIPE_BUF];
	off_t at = 0;
	ssize_t len, put;
	int ret;

	while ((len = pread(from, buffer, sizeof(buffer), at)) > 0) {
		ret = wait_writable(race, to);
		if (ret)
			return ret;
		put = write(to, buffer, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
	}
	return len < 0 ? -errno : 0;
}

/* A reader that has seen enough is no error. */
static int put_output(struct race *race, const struct replica *replica)
{
	int ret;

	if (replica->output < 0 || replica->errors < 0)
		return 0;
	fflush(NULL);
	ret = copy(race, replica->errors, STDERR_FILENO);
	if (!ret || ret == -EPIPE)
		ret = copy(race, replica->output, STDOUT_FILENO);
	if (!ret || ret == -EPIPE)
		return 0;
	if (race->stop)
		return EXIT_COMMAND_CANCELLED;
	cli_fail(race->cli, CODE_OUTPUT, NULL, NULL, "the output can't be written: %s",
		 strerror(-ret));
	return EXIT_COMMAND_FAILED;
}

static void say_replica(struct out *out, const struct replica *replica)
{
	static const char *const names[] = {
		[OUTCOME_RUNS] = "cancelled",
		[OUTCOME_WON] = "won",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_CANCELLED] = "cancelled",
	};

	out_object(out, NULL);
	out_num(out, "number", "\nreplica ", replica->number);
	out_str(out, "outcome", ": ", names[replica->outcome]);
	out_num(out, "status", replica->outcome == OUTCOME_FAILED ? " with status " : NULL,
		replica->status);
	out_left(out, "took_ns", " after ", replica->took_ns);
	out_id(out, "scope", NULL, replica->id);
	out_end(out);
}

/* Standard output is the winner's. What rein fails of it says itself. */
static void say_race(struct race *race)
{
	struct out out = {
		.file = stderr, .json = race->cli->out.json, .pretty = race->cli->out.pretty,
	};
	size_t i;

	if ((!out.json && !race->cli->verbose) || (out.json && (race->is_done || race->exit)))
		return;
	out_object(&out, NULL);
	out_str(&out, "result", NULL, race->winner ? "won" : "failed");
	out_id(&out, "scope", NULL, race->id);
	if (race->winner)
		out_num(&out, "winner", NULL, race->winner->number);
	else
		out_null(&out, "winner", NULL);
	out_list(&out, "replicas");
	for (i = 0; i < race->started; i++)
		say_replica(&out, &race->replicas[i]);
	out_end(&out);
	out_end(&out);
	out_flush(&out);
	out_free(&out);
}

static int exit_of(struct race *race)
{
	int ret;

	if (race->winner)
		return put_output(race, race->winner);
	if (race->exit || race->stop)
		return race->exit ? race->exit : EXIT_COMMAND_CANCELLED;
	if (is_done(race))
		return command_status(scope_fail_done(race->cli, "the race was ended", race->id,
						      &race->done));
	ret = put_output(race, race->last);
	if (ret)
		return ret;
	return race->last->outcome == OUTCOME_FAILED ? race->last->status : EXIT_COMMAND_CANCELLED;
}

/* The command has succeeded, and its status stays what it is. */
static void give_credit(struct race *race)
{
	struct rein_scope_result result;

	if (race->credited &&
	    rein_credit(race->device, race->budget, race->credit, &result))
		cli_note(race->cli, "no credit was given to %s: %s", race->budget,
			 result.message);
}

static int end(struct race *race)
{
	int ret;
	size_t i;

	/* What it has left writes no more into what is copied. */
	if (race->winner) {
		cell_kill(&race->winner->cell);
		give_credit(race);
	}
	ret = exit_of(race);
	if (!race->winner)
		rein_scope_cancel(race->scope, "rein race: no replica has succeeded", NULL);
	for (i = 0; i < race->started; i++)
		finish_replica(race, &race->replicas[i]);
	say_race(race);
	return ret;
}

/* A budget that isn't there is a mistake; better said before anything was begun. */
static int check_budget(struct race *race)
{
	struct rein_take_want want = { .tokens = 1 };
	struct rein_rate rate;
	char option[128];
	int ret;

	if (!race->budget)
		return 0;
	snprintf(want.name, sizeof(want.name), "%s", race->budget);
	snprintf(option, sizeof(option), "--budget %s", race->budget);
	ret = cli_connect(race->cli);
	if (ret)
		return ret;
	if (rein_rate(race->cli->rein, &want, 1, &rate) != -ENOENT)
		return 0;
	return cli_fail(race->cli, CODE_TAKE_UNKNOWN, option, NULL,
			"no limit of that name binds this cgroup");
}

static int begin(struct race *race)
{
	const struct rein_scope_opts opts = {
		.name = race->name,
		.has_timeout = race->timed,
		.timeout_ns = race->timeout_ns,
		.owned = true,
	};
	struct rein_scope_result result;
	int ret;

	ret = cli_device(race->cli, &race->device);
	if (!ret)
		ret = check_budget(race);
	if (ret)
		return ret;
	race->replicas = calloc(race->n, sizeof(*race->replicas));
	if (!race->replicas)
		return cli_fail(race->cli, CODE_CELL, NULL, NULL, "out of memory");
	ret = rein_race_new(race->device, REIN_POLICY_FIRST, &opts, &result);
	if (ret < 0)
		return scope_fail(race->cli, NULL, "no race can be made", -ret, &result);
	race->scope = ret;
	race->id = result.id;
	return 0;
}

static int run(struct race *race)
{
	watch(race);
	return end(race);
}

/**
 * race_main() - rein race
 * @cli:	the command
 * @argc:	how many words
 * @argv:	they
 *
 * Return: the exit code.
 */
int race_main(struct cli *cli, int argc, char **argv)
{
	struct race race = { .cli = cli, .device = -1, .scope = -1 };
	int words, ret;

	race.command = command_split(argc, argv, &words);
	if (cli->file)
		ret = cli_fail(cli, CODE_BATCH, "race", "run it on its own",
			       "a command has no place in a batch");
	else
		ret = take_line(&race, words, argv);
	if (ret || signals_hold(cli, &race.signals))
		return EXIT_COMMAND_FAILED;
	ret = begin(&race);
	ret = ret ? command_status(ret) : run(&race);
	if (race.device >= 0)
		close(race.device);
	if (race.scope >= 0)
		close(race.scope);
	free(race.replicas);
	if (race.stop) {
		fflush(NULL);
		signals_die(race.stop);
	}
	signals_release(&race.signals);
	return ret;
}
