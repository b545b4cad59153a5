/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what happens to requests, as it happens. Of what goes wrong they say less
 * than the records, but each time and not only the first; of the rest they are the only
 * word. They cost nothing while nobody listens.
 *
 * Times are CLOCK_MONOTONIC, in ns; sizes are tokens. Documentation/tracing.rst is for
 * those who use them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rein

#if !defined(REIN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define REIN_TRACE_H

#include <linux/tracepoint.h>

#include "admit.h"
#include "limit.h"
#include "record.h"
#include "target.h"

/* Programs that read traces can't know what our enums are. */
TRACE_DEFINE_ENUM(REIN_RESOURCE_EGRESS);
TRACE_DEFINE_ENUM(REIN_RESOURCE_INGRESS);
TRACE_DEFINE_ENUM(REIN_RESOURCE_CONNECT);
TRACE_DEFINE_ENUM(REIN_RESOURCE_ACCEPT);
TRACE_DEFINE_ENUM(REIN_RESOURCE_CALL);
TRACE_DEFINE_ENUM(REIN_GO);
TRACE_DEFINE_ENUM(REIN_WAIT);
TRACE_DEFINE_ENUM(REIN_REFUSE);

#define rein_show_resource(resource)			\
	__print_symbolic(resource,			\
		{ REIN_RESOURCE_EGRESS, "egress" },	\
		{ REIN_RESOURCE_INGRESS, "ingress" },	\
		{ REIN_RESOURCE_CONNECT, "connect" },	\
		{ REIN_RESOURCE_ACCEPT, "accept" },	\
		{ REIN_RESOURCE_CALL, "call" })

#define rein_show_decision(decision)			\
	__print_symbolic(decision,			\
		{ REIN_GO, "go" },			\
		{ REIN_WAIT, "wait" },			\
		{ REIN_REFUSE, "refuse" })

/* Longer than any name or unit of a value. */
#define REIN_TRACE_WORD		12

/* A chain was asked; its limits are named by the one nearest to the socket or task. */
TRACE_EVENT(admit,
	TP_PROTO(const struct rein_chain *chain, const u64 *cost,
		 const u64 *tokens, enum rein_decision decision),
	TP_ARGS(chain, cost, tokens, decision),
	TP_STRUCT__entry(
		__field(u64, limit)
		__field(u64, cgroup)
		__field(u64, bytes)
		__field(u64, packets)
		__field(u64, tokens)
		__field(u32, limits)
		__field(u8, resource)
		__field(u8, decision)
	),
	TP_fast_assign(
		const struct rein_limit *limit = chain->limits[0];

		__entry->limit = limit->id;
		__entry->cgroup = cgroup_id(limit->target->cgrp);
		__entry->bytes = tokens ? 0 : cost[REIN_UNIT_BYTES];
		__entry->packets = tokens ? 0 : cost[REIN_UNIT_PACKETS];
		__entry->tokens = tokens ? tokens[0] : cost[REIN_UNIT_CALLS];
		__entry->limits = chain->n;
		__entry->resource = limit->resource;
		__entry->decision = decision;
	),
	TP_printk("limit=%llu cgroup=%llu limits=%u resource=%s bytes=%llu packets=%llu tokens=%llu decision=%s",
		  __entry->limit, __entry->cgroup, __entry->limits,
		  rein_show_resource(__entry->resource), __entry->bytes,
		  __entry->packets, __entry->tokens,
		  rein_show_decision(__entry->decision))
);

DECLARE_EVENT_CLASS(over,
	TP_PROTO(const struct rein_limit *limit, u16 code,
		 const struct rein_value *value),
	TP_ARGS(limit, code, value),
	TP_STRUCT__entry(
		__field(u64, limit)
		__field(u64, cgroup)
		__field(u64, wanted)
		__field(u64, number)
		__field(u64, retry_after)
		__field(u16, code)
		__field(u8, resource)
		__array(char, name, REIN_NAME_MAX + 1)
		__array(char, unit, REIN_TRACE_WORD)
		__array(char, what, REIN_TRACE_WORD)
		__array(char, what_unit, REIN_TRACE_WORD)
	),
	TP_fast_assign(
		__entry->limit = limit->id;
		__entry->cgroup = cgroup_id(limit->target->cgrp);
		__entry->wanted = value[0].number;
		__entry->number = value[1].number;
		__entry->retry_after = value[2].number;
		__entry->code = code;
		__entry->resource = limit->resource;
		strscpy(__entry->name, limit->name, sizeof(__entry->name));
		strscpy(__entry->unit, value[0].unit ?: "",
			sizeof(__entry->unit));
		strscpy(__entry->what, value[1].name ?: "nothing",
			sizeof(__entry->what));
		strscpy(__entry->what_unit, value[1].unit ?: "",
			sizeof(__entry->what_unit));
	),
	TP_printk("code=REIN-E%04u name=%s limit=%llu cgroup=%llu resource=%s wanted=%llu%s %s=%llu%s retry_after=%lluns",
		  __entry->code, __entry->name, __entry->limit,
		  __entry->cgroup, rein_show_resource(__entry->resource),
		  __entry->wanted, __entry->unit, __entry->what,
		  __entry->number, __entry->what_unit, __entry->retry_after)
);

/* A limit was the reason why a request was refused, dropped or given up. */
DEFINE_EVENT(over, refuse,
	TP_PROTO(const struct rein_limit *limit, u16 code,
		 const struct rein_value *value),
	TP_ARGS(limit, code, value)
);

/* A request passed that a limit would have refused, did it not only observe. */
DEFINE_EVENT(over, observe,
	TP_PROTO(const struct rein_limit *limit, u16 code,
		 const struct rein_value *value),
	TP_ARGS(limit, code, value)
);

/* A packet, or a take (of no bytes), begins to wait. */
TRACE_EVENT(wait,
	TP_PROTO(const struct rein_target *target, u64 bytes, u64 when),
	TP_ARGS(target, bytes, when),
	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(u64, bytes)
		__field(u64, when)
	),
	TP_fast_assign(
		__entry->cgroup = cgroup_id(target->cgrp);
		__entry->bytes = bytes;
		__entry->when = when;
	),
	TP_printk("cgroup=%llu bytes=%llu when=%llu", __entry->cgroup,
		  __entry->bytes, __entry->when)
);

/* What has waited goes on. */
TRACE_EVENT(release,
	TP_PROTO(const struct rein_target *target, u64 bytes, u64 waited),
	TP_ARGS(target, bytes, waited),
	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(u64, bytes)
		__field(u64, waited)
	),
	TP_fast_assign(
		__entry->cgroup = cgroup_id(target->cgrp);
		__entry->bytes = bytes;
		__entry->waited = waited;
	),
	TP_printk("cgroup=%llu bytes=%llu waited=%llu", __entry->cgroup,
		  __entry->bytes, __entry->waited)
);

/* A record was made: not each time that something is counted into one. */
TRACE_EVENT(record,
	TP_PROTO(const struct rein_record *rec),
	TP_ARGS(rec),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, limit)
		__field(u64, cgroup)
		__field(u16, code)
		__array(char, message, REIN_RECORD_MESSAGE)
	),
	TP_fast_assign(
		__entry->id = rec->id;
		__entry->limit = rec->limit_id;
		__entry->cgroup = rec->cgroup_id;
		__entry->code = rec->info->number;
		strscpy(__entry->message, rec->message,
			sizeof(__entry->message));
	),
	TP_printk("id=%llu code=REIN-E%04u limit=%llu cgroup=%llu message=\"%s\"",
		  __entry->id, __entry->code, __entry->limit,
		  __entry->cgroup, __entry->message)
);

#endif /* REIN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
