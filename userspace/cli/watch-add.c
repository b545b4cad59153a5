// SPDX-License-Identifier: GPL-2.0
/*
 * rein watch add: a watch that stays when rein has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cli.h"
#include "process.h"
#include "scope.h"
#include "target.h"
#include "watch.h"

/**
 * struct add - a watch as the command line describes it
 * @args:	the options and the name
 * @rules:	what it expects
 * @opts:	what the kernel is asked
 * @option:	by which it is named what it is kept over, as it was typed
 * @cgroup:	directory of the cgroup it is kept over, or that the process is in; or -1
 * @id:		of the watch
 */
struct add {
	struct opt_args args;
	struct watch_rules rules;
	struct rein_watch_opts opts;
	char option[256];
	int cgroup;
	uint64_t id;
};

/* --- what it is kept over -------------------------------------------------------------- */

static int take_cgroup(struct cli *cli, struct add *add, const char *path)
{
	int ret;

	ret = cgroup_open(cli, path, &add->cgroup);
	if (ret)
		return ret;
	add->opts.fd = add->cgroup;
	return 0;
}

static int take_pid(struct cli *cli, struct add *add, const char *text)
{
	struct parse_error error;
	uint64_t pid;
	int ret;

	if (parse_number(text, "process ID", INT_MAX, &pid, &error))
		return cli_fail_parse(cli, "--pid", text, &error);
	ret = process_start(pid, &add->opts.start);
	if (ret)
		return cli_fail(cli, CODE_NO_PROCESS, add->option, NULL, "%s",
				ret == -ESRCH ? "there is no such process" : strerror(-ret));
	add->opts.pid = pid;
	return watch_rules_do(&add->rules, REIN_STEP_CANCEL) ?
		       cgroup_open_pid(cli, text, &add->cgroup) : 0;
}

static int take_socket(struct cli *cli, struct add *add, const char *text)
{
	return target_open_socket(cli, text, &add->opts.fd);
}

static int take_subject(struct cli *cli, struct add *add)
{
	static const struct {
		const char *name;
		uint32_t subject;
		int (*take)(struct cli *cli, struct add *add, const char *text);
	} ways[] = {
		{ "cgroup", REIN_SUBJECT_CGROUP, take_cgroup },
		{ "pid", REIN_SUBJECT_PROCESS, take_pid },
		{ "socket", REIN_SUBJECT_SOCKET, take_socket },
	};
	const char *value = NULL;
	size_t i, way = 0;
	int n = 0, ret;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!opt_find(&add->args, ways[i].name))
			continue;
		value = opt_value(&add->args, ways[i].name);
		way = i;
		n++;
	}
	if (n != 1)
		return cli_fail(cli, CODE_USAGE, NULL,
				"name one: --cgroup PATH, --pid PID or --socket PID:FD",
				n ? "a watch is kept over one thing" : "a watch needs a target");
	add->opts.subject = ways[way].subject;
	ret = watch_rules_take(cli, &add->args, add->opts.subject, &add->rules);
	if (ret)
		return ret;
	snprintf(add->option, sizeof(add->option), "--%s %s", ways[way].name, value);
	return ways[way].take(cli, add, value);
}

/* --- what beats it --------------------------------------------------------------------- */

static int fail_beat(struct cli *cli, const char *by, const char *hint, const char *what)
{
	char option[64];

	snprintf(option, sizeof(option), "--beat %s", by);
	return cli_fail(cli, CODE_USAGE, option, hint, "%s", what);
}

/* Packets, if that was said. */
static int take_beat(struct cli *cli, struct add *add)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} ways[] = {
		{ "egress", REIN_WATCH_EGRESS },
		{ "ingress", REIN_WATCH_INGRESS },
		{ "any", REIN_WATCH_EGRESS | REIN_WATCH_INGRESS },
	};
	const char *by = opt_value(&add->args, "beat");
	size_t i;

	if (!by)
		return 0;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(by, ways[i].name))
			break;
	if (i == sizeof(ways) / sizeof(ways[0]))
		return fail_beat(cli, by, "one of: egress ingress any",
				 "there is no such traffic");
	if (add->opts.subject == REIN_SUBJECT_PROCESS)
		return fail_beat(cli, by, "name one: --cgroup PATH, --socket PID:FD",
				 "packets are those of a cgroup, or of a socket");
	if (!add->rules.rules.every_ns)
		return fail_beat(cli, by, "give it a cycle: --every TIME",
				 "packets are counted in cycles");
	if (opt_find(&add->args, "token"))
		return fail_beat(cli, by, "leave out --token", "packets carry no token");
	add->opts.flags |= ways[i].flags;
	return 0;
}

/* --- what it needs for its steps --------------------------------------------------------- */

/*
 * For the step kill, and for who has no privilege as proof that he may kill them. A threaded
 * cgroup can't be killed, but watched by who needs no proof.
 */
static int add_kill(struct cli *cli, struct add *add)
{
	bool kill = watch_rules_do(&add->rules, REIN_STEP_KILL);

	if (add->opts.subject != REIN_SUBJECT_CGROUP || (!kill && !geteuid()))
		return 0;
	add->opts.kill_fd = openat(add->cgroup, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	add->opts.has_kill = add->opts.kill_fd >= 0;
	if (add->opts.has_kill || !kill)
		return 0;
	return cli_fail(cli, CODE_CGROUP_OPEN, add->option,
			errno == ENOENT ? "the root of the hierarchy can't be killed" :
					  "run it as root, or as who the cgroup was delegated to",
			"its cgroup.kill can't be opened: %s", strerror(errno));
}

/**
 * struct bound - the scope that is bound to a cgroup
 * @cgroup_id:	of the cgroup
 * @id:		of the scope, 0: there is none
 */
struct bound {
	uint64_t cgroup_id;
	uint64_t id;
};

static void find_bound(const struct rein_scope *scope, void *arg)
{
	struct bound *bound = arg;

	if (scope->cgroup_id == bound->cgroup_id && !scope->cause)
		bound->id = scope->id;
}

/* The scope that the step cancel is about. */
static int add_scope(struct cli *cli, struct add *add)
{
	struct rein_scope_result result;
	struct bound bound = { 0 };
	struct stat stat;
	int ret, device;

	if (!watch_rules_do(&add->rules, REIN_STEP_CANCEL))
		return 0;
	ret = cli_connect(cli);
	if (ret)
		return ret;
	/* The number of the directory is the ID of the cgroup. */
	if (!fstat(add->cgroup, &stat))
		bound.cgroup_id = stat.st_ino;
	if (rein_scope_dump(cli->rein, NULL, find_bound, &bound))
		return cli_fail_kernel(cli, "--on-miss cancel");
	if (!bound.id)
		return cli_fail(cli, CODE_SCOPE_UNKNOWN, "--on-miss cancel",
				"run it in a scope: rein scope run; or let it be killed: --on-miss kill",
				"there is nothing to cancel: no scope is bound to that cgroup");
	ret = cli_device(cli, &device);
	if (ret)
		return ret;
	add->opts.scope_fd = rein_scope_open(device, bound.id, NULL, false, &result);
	close(device);
	add->opts.has_scope = add->opts.scope_fd >= 0;
	return add->opts.has_scope ? 0 :
	       scope_fail(cli, "--on-miss cancel", "the scope can't be opened",
			  -add->opts.scope_fd, &result);
}

/* --- made --------------------------------------------------------------------------------- */

static int say_added(struct cli *cli, const struct add *add)
{
	struct out *out = &cli->out;

	if (!out->json && !cli->verbose)
		return EXIT_OK;
	out_object(out, NULL);
	out_str(out, "result", "", "added");
	out_str(out, "watch", " watch ", add->opts.name);
	out_id(out, "id", " (id ", add->id);
	out_text(out, ")");
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int make(struct cli *cli, struct add *add)
{
	struct rein_watch_result result;
	int ret, device;

	ret = cli_device(cli, &device);
	if (ret)
		return ret;
	add->opts.rules = add->rules.rules;
	add->opts.steps = add->rules.steps;
	add->opts.n_steps = add->rules.n_steps;
	ret = rein_watch_new(device, &add->opts, &result);
	close(device);
	if (ret < 0)
		return watch_fail(cli, add->option, "no watch can be kept", -ret, &result);
	/* It isn't owned: it stays without. */
	close(ret);
	add->id = result.id;
	return say_added(cli, add);
}

static int take_line(struct cli *cli, struct add *add, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "cgroup", 0, "PATH", false },
		{ "pid", 0, "PID", false },
		{ "socket", 0, "PID:FD", false },
		WATCH_RULES,
		{ "beat", 0, "BY", false },
		{ "token", 0, NULL, false },
		{ "off", 0, NULL, false },
		{ 0 },
	};
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &add->args);
	if (!ret)
		ret = opt_words(cli, &add->args, 1, 1, "the NAME of the watch");
	if (!ret)
		ret = named_check(cli, watch_kind.noun, NULL, add->args.words[0]);
	if (ret)
		return ret;
	add->opts.name = add->args.words[0];
	if (!opt_find(&add->args, "off"))
		add->opts.flags |= REIN_WATCH_ARM;
	if (opt_find(&add->args, "token"))
		add->opts.flags |= REIN_WATCH_TOKEN;
	return 0;
}

/**
 * watch_add_main() - rein watch add
 * @cli:	the command
 * @argc:	how many words
 * @argv:	they
 *
 * Return: the exit code.
 */
int watch_add_main(struct cli *cli, int argc, char **argv)
{
	struct add add = { .opts.fd = -1, .cgroup = -1 };
	int ret;

	ret = take_line(cli, &add, argc, argv);
	if (!ret)
		ret = take_subject(cli, &add);
	if (!ret)
		ret = take_beat(cli, &add);
	if (!ret)
		ret = add_kill(cli, &add);
	if (!ret)
		ret = add_scope(cli, &add);
	if (!ret)
		ret = make(cli, &add);
	if (add.opts.has_scope)
		close(add.opts.scope_fd);
	if (add.opts.has_kill)
		close(add.opts.kill_fd);
	if (add.opts.fd >= 0 && add.opts.fd != add.cgroup)
		close(add.opts.fd);
	if (add.cgroup >= 0)
		close(add.cgroup);
	return ret;
}
