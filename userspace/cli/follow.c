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
#include "ids.h"
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
 * @behind:	what @next was when the last silence was found to be no silence, or 0
 * @skip:	how many of those that are wanted are not to be shown
 * @ids:	of those read now, ascending
 * @ret:	the exit code of a request that failed where nobody could return it
 */
struct follower {
	struct cli *cli;
	const struct filter *filter;
	struct rein *events;
	uint64_t next;
	uint64_t to;
	uint64_t behind;
	uint64_t skip;
	struct ids ids;
	int ret;
};

static void range_event(struct follower *follower, const char *event, uint64_t from, uint64_t to)
{
	struct out *out = &follower->cli->out;

	event_begin(out, "", event);
	out_id(out, "from", ": records ", from);
	out_id(out, "to", " to ", to);
	event_end(out);
}

static void show(struct follower *follower, const struct rein_record *record)
{
	struct out *out = &follower->cli->out;

	if (!filter_wants(follower->filter, record))
		return;
	event_begin(out, NULL, "record");
	event_record(out, record);
}

/* Of records that are read, each in turn. */
static void take_read(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	if (record->id < follower->next || record->id > follower->to)
		return;
	ids_add(&follower->ids, record->id);
	show(follower, record);
}

/* Of those that were to be read up to an id, name those that were not. */
static void show_gone(struct follower *follower, uint64_t to)
{
	const struct ids *ids = &follower->ids;
	uint64_t from = follower->next;
	size_t i;

	for (i = 0; i < ids->n && ids->id[i] <= to; i++) {
		if (ids->id[i] > from)
			range_event(follower, "gone", from, ids->id[i] - 1);
		from = ids->id[i] + 1;
	}
	if (from <= to)
		range_event(follower, "gone", from, to);
}

/* Read what there is up to an id. Without the kernel's filter: gaps tell what is gone. */
static int read_up_to(struct follower *follower, uint64_t to)
{
	struct rein_record_filter filter = { .from = follower->next };
	struct cli *cli = follower->cli;

	follower->to = to;
	follower->ids.n = 0;
	return rein_record_dump(cli->rein, &filter, take_read, follower) ?
	       cli_fail_kernel(cli, NULL) : EXIT_OK;
}

/* --- told ------------------------------------------------------------------------ */

static int catch_up(struct follower *follower, uint64_t to)
{
	int ret;

	if (to < follower->next)
		return EXIT_OK;
	range_event(follower, "missed", follower->next, to);
	ret = read_up_to(follower, to);
	if (ret)
		return ret;
	show_gone(follower, to);
	follower->next = to + 1;
	return EXIT_OK;
}

static void take_told(const struct rein_record *record, void *arg)
{
	struct follower *follower = arg;

	/* It was read again already. */
	if (record->id < follower->next || follower->ret)
		return;
	follower->ret = catch_up(follower, record->id - 1);
	if (follower->ret)
		return;
	follower->next = record->id + 1;
	show(follower, record);
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

/*
 * Nothing was told for a while, though there is something. After an overrun the kernel
 * drops what comes until all that had come before was read, and doesn't say so again. It
 * may be on its way as well; not for two whiles.
 */
static int too_quiet(struct follower *follower, uint64_t newest)
{
	if (newest < follower->next || follower->behind != follower->next) {
		follower->behind = newest < follower->next ? 0 : follower->next;
		return EXIT_OK;
	}
	follower->behind = 0;
	return catch_up(follower, newest);
}

static int told(struct cli *cli, bool readable, void *arg)
{
	struct follower *follower = arg;
	struct rein_stat stat = { 0 };
	int ret = 0;

	if (readable) {
		ret = rein_receive(follower->events, take_limit, take_told, follower);
		if (!ret || ret == -EINTR || follower->ret)
			return follower->ret;
	}
	/* Events were lost; or there were none, perhaps for want of the module. */
	if (rein_stat_get(cli->rein, take_stat, &stat))
		return cli_fail_kernel(cli, NULL);
	if (!ret)
		return too_quiet(follower, stat.records_newest);
	if (ret != -ENOBUFS)
		return cli_fail(cli, CODE_NETLINK, NULL, NULL, "no more events: %s",
				strerror(-ret));
	return catch_up(follower, stat.records_newest);
}

/* --- asking ---------------------------------------------------------------------- */

static int asks(struct cli *cli, bool readable, void *arg)
{
	struct follower *follower = arg;
	struct rein_stat stat = { 0 };
	uint64_t to;
	int ret;

	(void)readable;
	if (rein_stat_get(cli->rein, take_stat, &stat))
		return cli_fail_kernel(cli, NULL);
	to = stat.records_newest;
	if (to < follower->next)
		return EXIT_OK;
	ret = read_up_to(follower, to);
	if (!ret && rein_stat_get(cli->rein, take_stat, &stat))
		ret = cli_fail_kernel(cli, NULL);
	if (ret)
		return ret;
	/*
	 * What was not read and made room by now may have been what could be read; what
	 * did not make room is not for who asks.
	 */
	show_gone(follower, stat.records_oldest <= to ? stat.records_oldest - 1 : to);
	follower->next = to + 1;
	return EXIT_OK;
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
		show(follower, record);
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
	struct rein_stat stat = { 0 };

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
		event_listening(cli);
		ret = listen_run(cli, follower.events ? rein_fd(events) : -1, INTERVAL_MS,
				 follower.events ? told : asks, &follower);
	}
	rein_close(events);
	ids_free(&follower.ids);
	return ret;
}
