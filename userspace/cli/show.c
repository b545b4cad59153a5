// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>
#include <string.h>

#include "cli.h"
#include "format.h"

static const uint32_t stats_order[] = {
	REIN_A_STATS_SEEN, REIN_A_STATS_PASSED, REIN_A_STATS_RELEASED, REIN_A_STATS_REFUSED,
	REIN_A_STATS_OVERFLOW, REIN_A_STATS_STALE, REIN_A_STATS_TEARDOWN, REIN_A_STATS_NOMEM,
	REIN_A_STATS_CANCELLED, REIN_A_STATS_EXPIRED, REIN_A_STATS_QUEUED, REIN_A_STATS_HELD,
	REIN_A_STATS_SHORT, REIN_A_STATS_MARKED, REIN_A_STATS_OBSERVED,
};

/*
 * What there were of requests, and what they cost: packets and bytes, or calls
 * and tokens.
 */
static void show_count(struct out *out, const struct rein_count *count, bool calls, bool shown,
		       bool table)
{
	const char *lead = shown ? "" : NULL;

	out_num(out, calls ? "calls" : "packets", lead, count->packets);
	if (shown && calls)
		out_text(out, table ? " calls\t" : " calls ");
	else if (shown)
		out_text(out, table ? " packets\t" : "p ");
	out_about(out, calls ? "tokens" : "bytes", lead, count->bytes,
		  calls ? REIN_UNIT_CALLS : REIN_UNIT_BYTES);
	if (shown && calls)
		out_text(out, " tokens");
}

/**
 * show_stats() - print statistics
 * @out:	where
 * @key:	of the object in JSON
 * @stats:	what
 * @calls:	they are of calls and tokens, not of packets and bytes
 * @text:	how they look as text
 */
void show_stats(struct out *out, const char *key, const struct rein_stats *stats, bool calls,
		enum stats_text text)
{
	size_t i;

	out_object(out, key);
	if (text == STATS_LINE)
		out_text(out, "\n ");
	for (i = 0; i < sizeof(stats_order) / sizeof(stats_order[0]); i++) {
		const struct rein_count *count = &stats->count[stats_order[i]];
		const char *name = rein_stats_name(stats_order[i]);
		bool table = text == STATS_TABLE;
		bool shown = table || (text == STATS_LINE && (!i || count->packets));

		out_object(out, name);
		if (shown) {
			out_text(out, table ? "\n  " : i ? ", " : " ");
			out_text(out, name);
			out_text(out, table ? ":\t" : " ");
		}
		show_count(out, count, calls, shown, table);
		out_end(out);
	}
	out_end(out);
}

/**
 * show_tier() - print a tier as an object
 * @out:	where
 * @tier:	what
 * @lead:	before the rate
 * @burst:	before the burst, NULL: not shown
 * @tokens:	before the tokens there are, NULL: not shown
 * @debt:	before the tokens owed, NULL: not shown
 */
void show_tier(struct out *out, const struct rein_tier *tier, const char *lead,
	       const char *burst, const char *tokens, const char *debt)
{
	out_object(out, NULL);
	out_rate(out, lead, tier);
	out_size(out, "burst_tokens", burst, tier->burst, tier->unit);
	out_about(out, "tokens", tokens, tier->tokens, tier->unit);
	out_about(out, "debt_tokens", tier->debt ? debt : NULL, tier->debt, tier->unit);
	out_end(out);
}

static void show_for(struct out *out, const struct rein_limit *limit, const char *lead)
{
	if (limit->expires)
		out_left(out, "for_ns", lead, limit->for_ns);
	else
		out_null(out, "for_ns", NULL);
}

static void show_patience(struct out *out, const struct rein_limit *limit, const char *lead)
{
	if (limit->patience_ns && limit->patience_ns != REIN_FOREVER_NS) {
		out_ns(out, "patience_ns", lead, limit->patience_ns);
		return;
	}
	out_null(out, "patience_ns", NULL);
	out_str(out, NULL, lead, "none");
}

static void show_queue(struct out *out, const struct rein_limit *limit, const char *lead)
{
	if (limit->resource != REIN_RESOURCE_CALL) {
		out_size(out, "queue_bytes", lead, limit->queue, REIN_UNIT_BYTES);
		return;
	}
	out_num(out, "queue_waiters", lead, limit->queue);
	if (lead)
		out_text(out, " waiters");
}

/* Most limits have none. */
static void show_credit(struct out *out, const struct rein_limit *limit, const char *lead)
{
	char text[16];

	if (!limit->credit)
		return;
	snprintf(text, sizeof(text), "%u.%06u", limit->credit / 1000000, limit->credit % 1000000);
	out_num(out, "credit_millionths", NULL, limit->credit);
	out_str(out, NULL, lead, text);
}

static const char *state_name(const struct rein_limit *limit)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established", [TCP_SYN_SENT] = "syn-sent",
		[TCP_SYN_RECV] = "syn-recv",	   [TCP_FIN_WAIT1] = "fin-wait-1",
		[TCP_FIN_WAIT2] = "fin-wait-2",	   [TCP_TIME_WAIT] = "time-wait",
		[TCP_CLOSE] = "unconnected",	   [TCP_CLOSE_WAIT] = "close-wait",
		[TCP_LAST_ACK] = "last-ack",	   [TCP_LISTEN] = "listen",
		[TCP_CLOSING] = "closing",
	};

	return limit->socket_state < sizeof(names) / sizeof(names[0]) ?
	       names[limit->socket_state] : NULL;
}

/* The socket that it is attached to; of that of a cgroup nothing is in the text. */
static void show_limit_socket(struct out *out, const struct rein_limit *limit, const char *lead,
			      const char *next)
{
	if (!limit->has_socket) {
		out_null(out, "socket", NULL);
		return;
	}
	show_socket(out, &limit->socket, lead);
	out_word(out, "socket_state", lead ? next : NULL, state_name(limit), limit->socket_state);
	out_num(out, "socket_uid", lead ? ", owner uid " : NULL, limit->socket_uid);
	if (limit->has_maker)
		out_num(out, "socket_maker_uid", lead ? ", limit made by uid " : NULL,
			limit->socket_maker);
	else
		out_null(out, "socket_maker_uid", NULL);
}

static void show_per_socket_keys(struct out *out, const struct rein_limit *limit)
{
	out_bool(out, "per_socket", NULL, limit->per_socket);
	out_num_or_null(out, "sockets", limit->per_socket, limit->sockets);
	out_id_or_null(out, "copy_of", limit->copy_of);
}

/**
 * show_per_socket() - print in a line of a table who shares a limit's buckets
 * @out:	where
 * @limit:	what; of most nothing is in the text
 */
void show_per_socket(struct out *out, const struct rein_limit *limit)
{
	show_per_socket_keys(out, limit);
	if (limit->per_socket) {
		out_num(out, NULL, "\tper socket (", limit->sockets);
		out_text(out, ")");
	}
	if (limit->copy_of)
		out_id(out, NULL, "\tcopy of id ", limit->copy_of);
}

static void show_per_socket_full(struct out *out, const struct rein_limit *limit)
{
	show_per_socket_keys(out, limit);
	if (limit->per_socket) {
		out_num(out, NULL, "\n  per-socket:\tyes, ", limit->sockets);
		out_text(out, limit->sockets == 1 ? " socket has buckets of its own" :
						    " sockets have buckets of their own");
	}
	if (limit->copy_of)
		out_id(out, NULL, "\n  copy of:\tid ", limit->copy_of);
}

/**
 * show_limit_row() - print a limit as a line of a table
 * @out:	where
 * @limit:	what
 * @stats:	with what became of its requests
 */
void show_limit_row(struct out *out, const struct rein_limit *limit, bool stats)
{
	size_t i;

	out_str(out, "name", "limit ", limit->name);
	out_str(out, "cgroup", "\t", limit->cgroup);
	out_word(out, "resource", "\t", rein_resource_name(limit->resource), limit->resource);
	out_list(out, "tiers");
	for (i = 0; i < limit->n_tiers; i++)
		show_tier(out, &limit->tiers[i], i ? ", " : "\t", " burst ", NULL, NULL);
	out_end(out);
	out_word(out, "over", "\tover ", rein_over_name(limit->over), limit->over);
	show_patience(out, limit, limit->over == REIN_OVER_WAIT ? "\tpatience " : NULL);
	show_queue(out, limit, NULL);
	show_credit(out, limit, NULL);
	show_for(out, limit, "\tfor ");
	out_id(out, "id", NULL, limit->id);
	out_id(out, "cgroup_id", NULL, limit->cgroup_id);
	out_num(out, "level", NULL, limit->level);
	show_limit_socket(out, limit, "\t", ", ");
	show_per_socket(out, limit);
	if (stats)
		show_stats(out, "stats", &limit->stats, !is_packet_resource(limit->resource),
			   STATS_LINE);
}

/**
 * show_limit_full() - print all there is to know about a limit
 * @out:	where
 * @limit:	what
 */
void show_limit_full(struct out *out, const struct rein_limit *limit)
{
	size_t i;

	out_str(out, "name", "limit ", limit->name);
	out_id(out, "id", " (id ", limit->id);
	out_str(out, "cgroup", ")\n  cgroup:\t", limit->cgroup);
	out_id(out, "cgroup_id", " (id ", limit->cgroup_id);
	out_num(out, "level", ", level ", limit->level);
	out_text(out, ")");
	show_limit_socket(out, limit, "\n  socket:\t", "\n  state:\t");
	show_per_socket_full(out, limit);
	out_word(out, "resource", "\n  resource:\t", rein_resource_name(limit->resource),
		 limit->resource);
	out_list(out, "tiers");
	for (i = 0; i < limit->n_tiers; i++)
		show_tier(out, &limit->tiers[i], "\n  rate:\t", ", burst ", ", tokens ",
			  ", debt ");
	out_end(out);
	out_word(out, "over", "\n  over:\t", rein_over_name(limit->over), limit->over);
	show_patience(out, limit, "\n  patience:\t");
	show_queue(out, limit, "\n  queue:\t");
	show_credit(out, limit, "\n  credit:\t");
	show_for(out, limit, "\n  for:\t");
	if (limit->has_stats)
		show_stats(out, "stats", &limit->stats, !is_packet_resource(limit->resource),
			   STATS_TABLE);
}
