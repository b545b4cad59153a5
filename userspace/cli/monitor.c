// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "hook.h"
#include "listen.h"
#include "watch.h"

/* The longest name of an event, and two blanks. */
#define EVENT_WIDTH	10

/* How often to look whether the module is still there, if nothing happens. */
#define ALIVE_MS	1000

static const char *const groups[] = {
	REIN_MCGRP_LIMITS, REIN_MCGRP_ERRORS, REIN_MCGRP_SCOPES, REIN_MCGRP_WATCHES,
};

#define GROUPS	(sizeof(groups) / sizeof(groups[0]))

/**
 * struct monitor - who listens
 * @cli:	the command
 * @events:	where they come from
 * @command:	what heals, NULL: nothing
 * @hooks:	those that run
 */
struct monitor {
	struct cli *cli;
	struct rein *events;
	const char *command;
	struct hooks hooks;
};

/* Lines are printed one by one, so this column is made by hand. */
static void pad(struct out *out)
{
	while (!out->json && out->len < EVENT_WIDTH)
		out_text(out, " ");
}

static void limit_event(const struct rein_limit *limit, void *arg)
{
	struct monitor *monitor = arg;
	struct out *out = &monitor->cli->out;

	out_object(out, NULL);
	out_word(out, "event", "", rein_event_name(limit->event), limit->event);
	pad(out);
	out_object(out, "limit");
	show_limit_row(out, limit, false);
	out_end(out);
	event_end(out);
}

static void record_event(const struct rein_record *record, void *arg)
{
	struct monitor *monitor = arg;
	struct out *out = &monitor->cli->out;

	event_begin(out, "", "record");
	pad(out);
	event_record(out, record);
}

static void scope_event(const struct rein_scope *scope, void *arg)
{
	struct monitor *monitor = arg;
	struct out *out = &monitor->cli->out;

	out_object(out, NULL);
	out_word(out, "event", "", rein_scope_event_name(scope->event), scope->event);
	pad(out);
	out_object(out, "scope");
	show_scope_event(out, scope);
	out_end(out);
	event_end(out);
}

static void watch_event(const struct rein_watch *watch, void *arg)
{
	struct monitor *monitor = arg;
	struct out *out = &monitor->cli->out;

	out_object(out, NULL);
	out_word(out, "event", "", rein_watch_event_name(watch->event), watch->event);
	pad(out);
	out_object(out, "watch");
	show_watch_event(out, watch);
	out_end(out);
	event_end(out);
	if (monitor->command && hooks_want(watch))
		hooks_run(monitor->cli, &monitor->hooks, monitor->command, watch);
}

/* The kernel was faster than this reader; that is an event, too. */
static void lost_event(struct cli *cli)
{
	struct out *out = &cli->out;

	if (!out->json) {
		fputs("lost: events came faster than they were read\n"
		      "hint: see what is now: rein limit, scope and watch list, rein errors list\n",
		      stderr);
		return;
	}
	event_begin(out, NULL, "lost");
	event_end(out);
}

static void take_events(const struct rein_stat *stat, void *arg)
{
	*(bool *)arg = stat->events;
}

static int take_event(struct cli *cli, bool readable, void *arg)
{
	static const struct rein_events fns = {
		.limit = limit_event, .record = record_event, .scope = scope_event,
		.watch = watch_event,
	};
	struct monitor *monitor = arg;
	bool events;
	int ret;

	hooks_reap(monitor->cli, &monitor->hooks, monitor->command);
	/* Events don't say that there will be no more of them. */
	if (!readable)
		return rein_stat_get(cli->rein, take_events, &events) ?
		       cli_fail_kernel(cli, NULL) : EXIT_OK;
	ret = rein_receive_events(monitor->events, &fns, monitor);
	if (ret == -ENOBUFS)
		lost_event(cli);
	else if (ret && ret != -EINTR)
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "%s",
				rein_last_error(monitor->events)->message);
	return EXIT_OK;
}

/* Who listens where nothing is said would wait for ever. */
static int check_place(struct cli *cli)
{
	bool events = true;

	rein_pin(cli->rein);
	if (rein_stat_get(cli->rein, take_events, &events))
		return cli_fail_kernel(cli, NULL);
	if (!events)
		return cli_fail(cli, CODE_ELSEWHERE, NULL, NULL,
				"no events are sent to this network namespace");
	return 0;
}

/* What heals has to be told of watches. */
static int check_exec(struct cli *cli, const struct opt_args *args)
{
	const char *command = opt_value(args, "exec");
	bool watches = !args->n_words;
	size_t i;

	for (i = 0; i < args->n_words; i++)
		watches |= !strcmp(args->words[i], REIN_MCGRP_WATCHES);
	if (command && !watches)
		return cli_fail(cli, CODE_USAGE, "--exec", "write: rein monitor watches --exec CMD",
				"only what becomes of watches can be healed");
	if (command && !*command)
		return cli_fail(cli, CODE_USAGE, "--exec", NULL, "the command is empty");
	return 0;
}

static int check_words(struct cli *cli, const struct opt_args *args)
{
	size_t i, j;

	for (i = 0; i < args->n_words; i++) {
		for (j = 0; j < GROUPS && strcmp(args->words[i], groups[j]); j++)
			;
		if (j == GROUPS)
			return cli_fail(cli, CODE_USAGE, args->words[i],
					"there are: limits errors scopes watches",
					"there are no events called '%s'", args->words[i]);
	}
	if (cli->file)
		return cli_fail(cli, CODE_BATCH, "monitor", "run it on its own",
				"monitor never ends, so it has no place in a batch");
	return 0;
}

/* Not on the connection that requests are made on: their answers would be in between. */
static int subscribe(struct cli *cli, const struct opt_args *args, struct rein **events)
{
	struct fault fault;
	int i, ret;

	ret = cli_connect(cli);
	if (!ret)
		ret = check_place(cli);
	if (ret)
		return ret;
	if (rein_open(events))
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "there is no way to listen");
	for (i = 0; i < (int)args->n_words && !ret; i++)
		ret = rein_subscribe(*events, args->words[i]);
	for (i = 0; i < (int)GROUPS && !args->n_words && !ret; i++)
		ret = rein_subscribe(*events, groups[i]);
	if (!ret)
		return 0;
	fault_set(&fault, ret == -EPERM ? CODE_PERMISSION : CODE_NETLINK, NULL, NULL, "%s",
		  rein_last_error(*events)->message);
	fault.exit = EXIT_REFUSED;
	return fault_report(cli, &fault);
}

int monitor_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = { { "exec", 0, "CMD", false }, { 0 } };
	struct monitor monitor = { .cli = cli };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = check_words(cli, &args);
	if (!ret)
		ret = check_exec(cli, &args);
	if (!ret)
		ret = subscribe(cli, &args, &monitor.events);
	if (!ret) {
		monitor.command = opt_value(&args, "exec");
		/* One document a line, and not more lines. */
		cli->out.pretty = false;
		event_listening(cli);
		ret = listen_run(cli, rein_fd(monitor.events), ALIVE_MS, take_event, &monitor);
	}
	rein_close(monitor.events);
	hooks_forget(&monitor.hooks);
	return ret;
}
