// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
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
	show_for(out, limit, "\tfor ");
	out_id(out, "id", NULL, limit->id);
	out_id(out, "cgroup_id", NULL, limit->cgroup_id);
	out_num(out, "level", NULL, limit->level);
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
	show_for(out, limit, "\n  for:\t");
	if (limit->has_stats)
		show_stats(out, "stats", &limit->stats, !is_packet_resource(limit->resource),
			   STATS_TABLE);
}

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return NULL;
	}
}

static const char *family_name(uint32_t family)
{
	return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" : NULL;
}

static void show_end(struct out *out, const char *key, const char *port_key, const char *lead,
		     const void *address, size_t len, uint32_t port)
{
	if (address)
		out_address(out, key, lead, address, len);
	else
		out_null(out, key, lead);
	/* Not every protocol has ports. */
	if (port)
		out_num(out, port_key, lead ? " port " : NULL, port);
	else
		out_null(out, port_key, NULL);
}

static void show_socket(struct out *out, const struct rein_socket *sock, bool text)
{
	out_object(out, "socket");
	out_word(out, "family", NULL, family_name(sock->family), sock->family);
	out_word(out, "protocol", text ? "\n  socket:\t" : NULL, protocol_name(sock->protocol),
		 sock->protocol);
	show_end(out, "source", "source_port", text ? " from " : NULL, sock->source,
		 sock->source_len, sock->source_port);
	show_end(out, "destination", "destination_port", text ? " to " : NULL, sock->destination,
		 sock->destination_len, sock->destination_port);
	if (sock->cookie)
		out_id(out, "cookie", text ? ", cookie " : NULL, sock->cookie);
	else
		out_null(out, "cookie", NULL);
	out_end(out);
}

static void show_value(struct out *out, const struct rein_value *value, bool text)
{
	const char *name = value->name ? value->name : "value";
	const char *unit = value->unit ? value->unit : "";
	const char *lead = text ? " " : NULL;
	char key[128];

	snprintf(key, sizeof(key), *unit ? "%s_%s" : "%s", name, unit);
	if (text) {
		out_text(out, "\n  ");
		out_str(out, NULL, "", name);
		out_text(out, ":\t");
		lead = "";
	}
	if (!strcmp(unit, "ns"))
		out_left(out, key, lead, value->number);
	else if (!strcmp(unit, "bytes"))
		out_size(out, key, lead, value->number, REIN_UNIT_BYTES);
	else
		out_num(out, key, lead, value->number);
	if (text && *unit && strcmp(unit, "ns") && strcmp(unit, "bytes"))
		out_str(out, NULL, " ", unit);
}

static void show_lists(struct out *out, const struct rein_record *record, bool text)
{
	size_t i;

	out_object(out, "values");
	for (i = 0; i < record->n_values; i++)
		show_value(out, &record->values[i], text);
	out_end(out);
	out_list(out, "stack");
	for (i = 0; i < record->n_stack; i++)
		out_str(out, "", !text ? NULL : i ? "\n\t" : "\n  stack:\t", record->stack[i]);
	out_end(out);
}

/* An ID that may be absent. */
static void show_id(struct out *out, const char *key, const char *lead, uint64_t id)
{
	if (id)
		out_id(out, key, lead, id);
	else
		out_null(out, key, NULL);
}

/* Pick the lead of the full form or of the row. */
#define LEAD(full_lead, row_lead)	(full ? (full_lead) : (row_lead))

static void show_what(struct out *out, const struct rein_record *record, bool full)
{
	out_id(out, "id", LEAD("record ", "\n"), record->id);
	out_date(out, "time", LEAD("\n  time:\t", "\t"), record->time_ns, full ? 9 : 3);
	out_code(out, "code", LEAD("\n  code:\t", "\t"), record->code);
	out_word(out, "kind", LEAD(" (", NULL), rein_kind_name(record->kind), record->kind);
	out_word(out, "severity", LEAD(", ", NULL), rein_severity_name(record->severity),
		 record->severity);
	if (full)
		out_text(out, ")");
	if (record->limit)
		out_str(out, "limit", LEAD("\n  limit:\t", "\t"), record->limit);
	else
		out_null(out, "limit", LEAD(NULL, "\t"));
	show_id(out, "limit_id", LEAD(" (id ", NULL), record->limit_id);
	if (full && record->limit_id)
		out_text(out, ")");
	out_num(out, "count", LEAD("\n  count:\t", "\t"), record->count);
	out_date(out, "last", full && record->count > 1 ? ", last " : NULL, record->last_ns, 9);
	out_str(out, "message", LEAD("\n  message:\t", "\t"), record->message);
	out_str(out, "hint", LEAD("\n  hint:\t", NULL), record->hint);
}

static void show_who(struct out *out, const struct rein_record *record, bool full)
{
	out_str(out, "cgroup", LEAD("\n  cgroup:\t", NULL), record->cgroup);
	show_id(out, "cgroup_id", LEAD(record->cgroup ? " (id " : "\n  cgroup:\t(id ", NULL),
		record->cgroup_id);
	if (full && record->cgroup_id)
		out_text(out, ")");
	if (record->has_socket)
		show_socket(out, &record->socket, full);
	else
		out_null(out, "socket", NULL);
	if (record->pid)
		out_num(out, "pid", LEAD("\n  task:\tpid ", NULL), record->pid);
	else
		out_null(out, "pid", NULL);
	out_str(out, "comm", LEAD(record->pid ? ", " : "\n  task:\t", NULL), record->comm);
	if (record->err)
		out_num(out, "errno", LEAD("\n  errno:\t", NULL), record->err);
	else
		out_null(out, "errno", NULL);
	if (full && record->err)
		out_str(out, NULL, ", ", strerror(record->err));
}

static void show_where(struct out *out, const struct rein_record *record, bool full)
{
	out_str(out, "function", LEAD("\n  site:\t", NULL), record->function);
	out_str(out, "file", LEAD(record->function ? ", " : "\n  site:\t", NULL), record->file);
	out_num(out, "line", full && record->line ? ":" : NULL, record->line);
	show_id(out, "cause", LEAD("\n  cause:\trecord ", NULL), record->cause);
	out_str(out, "host", LEAD("\n  host:\t", NULL), record->host);
	out_str(out, "boot_id", LEAD(", boot ", NULL), record->boot_id);
	out_num(out, "time_ns", NULL, record->time_ns);
	out_num(out, "last_ns", NULL, record->last_ns);
	out_left(out, "boottime_ns", LEAD(", up ", NULL), record->boottime_ns);
	out_str(out, "version", LEAD("\n  module:\t", NULL), record->version);
}

static void show_record(struct out *out, const struct rein_record *record, bool full)
{
	show_what(out, record, full);
	show_who(out, record, full);
	show_lists(out, record, full);
	show_where(out, record, full);
}

/* A record as a line of a table; the caller makes the object. */
void show_record_row(struct out *out, const struct rein_record *record)
{
	show_record(out, record, false);
}

/* All there is to know about a record; the caller makes the object. */
void show_record_full(struct out *out, const struct rein_record *record)
{
	show_record(out, record, true);
	out_code(out, NULL, "\n  see:\trein errors explain ", record->code);
}
