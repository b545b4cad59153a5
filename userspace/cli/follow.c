// SPDX-License-Identifier: GPL-2.0
/*
 * "rein errors follow": records as they are made.
 *
 * An administrator in the initial network namespace is told of each by a notification.
 * Ids have no gaps: who was too slow sees by them what he missed, reads it again, and
 * says what is gone. All others ask again and again for what is newer than the last.
 */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "filter.h"
#include "listen.h"

/* How often to ask where nothing is said, and whether the module is still there. */
#define INTERVAL_MS	500

/**
 * struct follower - somebody who reads records as they are made
 * @cli:	the command
 * @filter:	which are wanted
 * @events:	where notifications come from, NULL: they don't
 * @next:	id of the first record that wasn't read yet
 * @to:		id of the last one to be read now
 * @skip:	how many of those that are wanted are not to be shown
 */
struct follower {
	struct cli *cli;
	const struct filter *filter;
	struct rein *events;
	uint64_t next;
	uint64_t to;
	uint64_t skip;
};

static void event_begin(struct out *out, const char *event)
{
	out_object(out, NULL);
	out_str(out, "event", NULL, event);
}

static void event_end(struct out *out)
{
	out_end(out);
	out_flush(out);
	fflush(out->file);
}

static void range_event(struct follower *follower, const char *event, uint64_t from, uint64_t to)
{
	struct out *out = &follower->cli->out;

	event_begin(out, event);
	out_text(out, event);
	out_id(out, "from", ": records ", from);
	out_id(out, "to", " to ", to);
	event_end(out);
}

static void record_event(struct follower *follower, const struct rein_record *record)
{
	struct out *out = &follower->cli->out;

	event_begin(out, "record");
	out_object(out, "record");
	if (out->json)
		show_record_row(out, record);
	else
		show_record_line(out, record);
	out_end(out);
	event_end(out);
}

/* Of records that are read, each in turn: @next is where a gap would begin. */
static void take_read(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	if (record->id < follower->next || record->id > follower->to)
		return;
	if (follower->events && record->id > follower->next)
		range_event(follower, "gone", follower->next, record->id - 1);
	follower->next = record->id + 1;
	if (filter_wants(follower->filter, record))
		record_event(follower, record);
}

/* Read what there is up to an id. Without the kernel's filter: gaps tell what is gone. */
static int read_up_to(struct follower *follower, uint64_t to)
{
	struct rein_record_filter filter = { .from = follower->next };
	struct cli *cli = follower->cli;

	follower->to = to;
	if (rein_record_dump(cli->rein, &filter, take_read, follower))
		return cli_fail_kernel(cli, NULL);
	if (follower->events && follower->next <= to)
		range_event(follower, "gone", follower->next, to);
	follower->next = to + 1;
	return EXIT_OK;
}

/* --- told ------------------------------------------------------------------------ */

static int catch_up(struct follower *follower, uint64_t to)
{
	if (to < follower->next)
		return EXIT_OK;
	range_event(follower, "missed", follower->next, to);
	return read_up_to(follower, to);
}

static void take_told(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	/* It was read again already. */
	if (record->id < follower->next)
		return;
	/* If that fails, so will the next request, which can say so. */
	if (record->id > follower->next)
		catch_up(follower, record->id - 1);
	follower->next = record->id + 1;
	if (filter_wants(follower->filter, record))
		record_event(follower, record);
}

static void take_limit(const struct rein_limit *limit, void *arg)
{
	(void)limit;
	(void)arg;
}

static void take_stat(const struct rein_stat *stat, void *arg)
{
	*(struct rein_stat *)arg = *stat;
}

static int told(struct cli *cli, bool readable, void *arg)
{
	struct follower *follower = arg;
	struct rein_stat stat;
	int ret = 0;

	if (readable) {
		ret = rein_receive(follower->events, take_limit, take_told, follower);
		if (!ret || ret == -EINTR)
			return EXIT_OK;
	}
	/* Events were lost; or there were none, perhaps for want of the module. */
	if (rein_stat_get(cli->rein, take_stat, &stat))
		return cli_fail_kernel(cli, NULL);
	if (ret && ret != -ENOBUFS)
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "no more events: %s",
				strerror(-ret));
	return ret ? catch_up(follower, stat.records_newest) : EXIT_OK;
}

/* --- asking ---------------------------------------------------------------------- */

static int asks(struct cli *cli, bool readable, void *arg)
{
	struct follower *follower = arg;
	struct rein_stat stat;

	(void)readable;
	if (rein_stat_get(cli->rein, take_stat, &stat))
		return cli_fail_kernel(cli, NULL);
	if (stat.records_newest < follower->next)
		return EXIT_OK;
	/* Whether they would have been shown to who asks is not known any more. */
	if (stat.records_oldest > follower->next)
		range_event(follower, "gone", follower->next, stat.records_oldest - 1);
	return read_up_to(follower, stat.records_newest);
}

/* --- the beginning ---------------------------------------------------------------- */

static void take_count(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	follower->skip += record->id < follower->next && filter_wants(follower->filter, record);
}

static void take_old(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	if (record->id >= follower->next || !filter_wants(follower->filter, record))
		return;
	if (follower->skip)
		follower->skip--;
	else
		record_event(follower, record);
}

/* What there is already, if that was asked for. */
static int show_old(struct follower *follower)
{
	const struct filter *filter = follower->filter;
	struct cli *cli = follower->cli;

	if (!filter->last && !filter->kernel.since_ns)
		return EXIT_OK;
	if (filter->last && rein_record_dump(cli->rein, &filter->kernel, take_count, follower))
		return cli_fail_kernel(cli, NULL);
	follower->skip -= follower->skip < filter->last ? follower->skip : filter->last;
	if (rein_record_dump(cli->rein, &filter->kernel, take_old, follower))
		return cli_fail_kernel(cli, NULL);
	return EXIT_OK;
}

/* Be told, if that can be: @events stays NULL if not. */
static int subscribe(struct follower *follower, struct rein **events)
{
	struct cli *cli = follower->cli;
	struct rein_stat stat;

	if (rein_open(events))
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "there is no way to listen");
	if (!rein_subscribe(*events, REIN_MCGRP_ERRORS))
		follower->events = *events;
	else if (rein_last_error(*events)->err != EPERM)
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "%s",
				rein_last_error(*events)->message);
	/* From here on nothing goes unnoticed, nor does the module itself. */
	rein_pin(cli->rein);
	if (rein_stat_get(cli->rein, take_stat, &stat))
		return cli_fail_kernel(cli, NULL);
	if (!stat.events)
		follower->events = NULL;
	follower->next = stat.records_newest + 1;
	return EXIT_OK;
}

static void listening_event(struct cli *cli)
{
	if (!cli->out.json) {
		if (!cli->quiet)
			fputs("listening\n", stderr);
		return;
	}
	event_begin(&cli->out, "listening");
	event_end(&cli->out);
}

/**
 * follow_run() - show records as they are made
 * @cli:	the command, connected
 * @filter:	which are wanted
 *
 * Return: the exit code.
 */
int follow_run(struct cli *cli, const struct filter *filter)
{
	struct follower follower = { .cli = cli, .filter = filter };
	struct rein *events = NULL;
	int ret;

	/* One document a line, and not more lines. */
	cli->out.pretty = false;
	ret = subscribe(&follower, &events);
	if (!ret)
		ret = show_old(&follower);
	if (!ret) {
		listening_event(cli);
		ret = listen_run(cli, follower.events ? rein_fd(events) : -1, INTERVAL_MS,
				 follower.events ? told : asks, &follower);
	}
	rein_close(events);
	return ret;
}
