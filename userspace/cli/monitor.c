// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "listen.h"

/* The longest name of an event, and two blanks. */
#define EVENT_WIDTH	10

static void end_event(struct out *out)
{
	out_end(out);
	out_flush(out);
	fflush(out->file);
}

static void limit_event(const struct rein_limit *limit, void *arg)
{
	struct out *out = arg;

	out_object(out, NULL);
	out_word(out, "event", "", rein_event_name(limit->event), limit->event);
	/* Lines are printed one by one, so this column is made by hand. */
	while (!out->json && out->len < EVENT_WIDTH)
		out_text(out, " ");
	out_object(out, "limit");
	show_limit_row(out, limit, false);
	out_end(out);
	end_event(out);
}

static void record_event(const struct rein_record *record, void *arg)
{
	struct out *out = arg;

	out_object(out, NULL);
	out_str(out, "event", "", "record");
	while (!out->json && out->len < EVENT_WIDTH)
		out_text(out, " ");
	out_object(out, "record");
	/* The same words as in a list, on the line of the event. */
	if (out->json)
		show_record_row(out, record);
	else
		show_record_line(out, record);
	out_end(out);
	end_event(out);
}

/* The kernel was faster than this reader; that is an event, too. */
static void lost_event(struct cli *cli)
{
	struct out *out = &cli->out;

	if (!out->json) {
		fputs("lost: events came faster than they were read\n"
		      "hint: see what is now: rein limit list, rein errors list\n", stderr);
		return;
	}
	out_object(out, NULL);
	out_str(out, "event", NULL, "lost");
	end_event(out);
}

static void listening_event(struct cli *cli)
{
	struct out *out = &cli->out;

	if (!out->json) {
		if (!cli->quiet)
			fputs("listening\n", stderr);
		return;
	}
	out_object(out, NULL);
	out_str(out, "event", NULL, "listening");
	end_event(out);
}

static int take_event(struct cli *cli, bool readable, void *arg)
{
	int ret;

	(void)readable;
	(void)arg;
	ret = rein_receive(cli->rein, limit_event, record_event, &cli->out);
	if (ret == -ENOBUFS)
		lost_event(cli);
	else if (ret && ret != -EINTR)
		return cli_fail_kernel(cli, NULL);
	return EXIT_OK;
}

static void take_events(const struct rein_stat *stat, void *arg)
{
	*(bool *)arg = stat->events;
}

/* Who listens where nothing is said would wait for ever. */
static int check_place(struct cli *cli)
{
	bool events = true;

	if (rein_stat_get(cli->rein, take_events, &events))
		return cli_fail_kernel(cli, NULL);
	if (!events)
		return cli_fail(cli, CODE_ELSEWHERE, NULL, NULL,
				"no events are sent to this network namespace");
	return 0;
}

static int subscribe(struct cli *cli, const struct opt_args *args)
{
	static const char *const groups[] = { REIN_MCGRP_LIMITS, REIN_MCGRP_ERRORS };
	size_t i;
	int ret;

	for (i = 0; i < args->n_words; i++)
		if (strcmp(args->words[i], groups[0]) && strcmp(args->words[i], groups[1]))
			return cli_fail(cli, CODE_USAGE, args->words[i], "there are: limits errors",
					"there are no events called '%s'", args->words[i]);
	if (cli->file)
		return cli_fail(cli, CODE_BATCH, "monitor", "run it on its own",
				"monitor never ends, so it has no place in a batch");
	ret = cli_connect(cli);
	if (!ret)
		ret = check_place(cli);
	if (ret)
		return ret;
	for (i = 0; i < args->n_words; i++)
		if (rein_subscribe(cli->rein, args->words[i]))
			return cli_fail_kernel(cli, NULL);
	for (i = 0; i < 2 && !args->n_words; i++)
		if (rein_subscribe(cli->rein, groups[i]))
			return cli_fail_kernel(cli, NULL);
	return 0;
}

int monitor_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt no_opts[] = { { 0 } };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = subscribe(cli, &args);
	if (ret)
		return ret;
	/* One document a line, and not more lines. */
	cli->out.pretty = false;
	listening_event(cli);
	return listen_run(cli, rein_fd(cli->rein), -1, take_event, NULL);
}
