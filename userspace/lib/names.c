// SPDX-License-Identifier: GPL-2.0
#include "rein.h"

static const char *name_of(const char *const *names, size_t size, uint32_t value)
{
	return value < size / sizeof(names[0]) ? names[value] : NULL;
}

const char *rein_resource_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_RESOURCE_EGRESS] = "egress",
		[REIN_RESOURCE_INGRESS] = "ingress",
		[REIN_RESOURCE_CONNECT] = "connect",
		[REIN_RESOURCE_ACCEPT] = "accept",
		[REIN_RESOURCE_CALL] = "call",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_unit_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_UNIT_BYTES] = "bytes",
		[REIN_UNIT_PACKETS] = "packets",
		[REIN_UNIT_CALLS] = "calls",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_over_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_OVER_REFUSE] = "refuse",
		[REIN_OVER_WAIT] = "wait",
		[REIN_OVER_MARK] = "mark",
		[REIN_OVER_OBSERVE] = "observe",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_kind_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_KIND_EDGE] = "edge",
		[REIN_KIND_BUG] = "bug",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_severity_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_SEVERITY_INFO] = "info",
		[REIN_SEVERITY_NOTICE] = "notice",
		[REIN_SEVERITY_WARNING] = "warning",
		[REIN_SEVERITY_ERROR] = "error",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_event_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_EVENT_ADDED] = "added",
		[REIN_EVENT_CHANGED] = "changed",
		[REIN_EVENT_DELETED] = "deleted",
		[REIN_EVENT_EXPIRED] = "expired",
		[REIN_EVENT_ORPHANED] = "orphaned",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_stats_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_A_STATS_SEEN] = "seen",
		[REIN_A_STATS_PASSED] = "passed",
		[REIN_A_STATS_RELEASED] = "released",
		[REIN_A_STATS_REFUSED] = "refused",
		[REIN_A_STATS_OVERFLOW] = "overflow",
		[REIN_A_STATS_STALE] = "stale",
		[REIN_A_STATS_TEARDOWN] = "teardown",
		[REIN_A_STATS_NOMEM] = "nomem",
		[REIN_A_STATS_CANCELLED] = "cancelled",
		[REIN_A_STATS_EXPIRED] = "expired",
		[REIN_A_STATS_QUEUED] = "queued",
		[REIN_A_STATS_HELD] = "held",
		[REIN_A_STATS_SHORT] = "short",
		[REIN_A_STATS_MARKED] = "marked",
		[REIN_A_STATS_OBSERVED] = "observed",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_cause_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_CAUSE_NONE] = "none",
		[REIN_CAUSE_TIMEOUT] = "timeout",
		[REIN_CAUSE_USER] = "user",
		[REIN_CAUSE_PARENT] = "parent",
		[REIN_CAUSE_DUPLICATE] = "duplicate",
		[REIN_CAUSE_OWNER_EXIT] = "owner-exit",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_scope_event_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_SCOPE_EVENT_MADE] = "made",
		[REIN_SCOPE_EVENT_BOUND] = "bound",
		[REIN_SCOPE_EVENT_DONE] = "done",
		[REIN_SCOPE_EVENT_DECIDED] = "decided",
		[REIN_SCOPE_EVENT_GONE] = "gone",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_policy_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_POLICY_FIRST] = "first",
		[REIN_POLICY_LAST] = "last",
		[REIN_POLICY_ASK] = "ask",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_subject_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_SUBJECT_PROCESS] = "process",
		[REIN_SUBJECT_CGROUP] = "cgroup",
		[REIN_SUBJECT_SOCKET] = "socket",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_step_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_STEP_RECORD] = "record",
		[REIN_STEP_SIGNAL] = "signal",
		[REIN_STEP_CANCEL] = "cancel",
		[REIN_STEP_KILL] = "kill",
		[REIN_STEP_RESET] = "reset",
		[REIN_STEP_EXEC] = "exec",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_fault_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_FAULT_NONE] = "none",
		[REIN_FAULT_SILENT] = "silent",
		[REIN_FAULT_MANY] = "many",
		[REIN_FAULT_LATE] = "late",
		[REIN_FAULT_EARLY] = "early",
		[REIN_FAULT_ORDER] = "order",
		[REIN_FAULT_TEST] = "test",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_watch_status_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_WATCH_OFF] = "off",
		[REIN_WATCH_RUNNING] = "running",
		[REIN_WATCH_EXPIRED] = "expired",
		[REIN_WATCH_GONE] = "gone",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_watch_event_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_WATCH_EVENT_MADE] = "made",
		[REIN_WATCH_EVENT_ARMED] = "armed",
		[REIN_WATCH_EVENT_DISARMED] = "disarmed",
		[REIN_WATCH_EVENT_WARNED] = "warned",
		[REIN_WATCH_EVENT_MISSED] = "missed",
		[REIN_WATCH_EVENT_EXPIRED] = "expired",
		[REIN_WATCH_EVENT_STEP] = "step",
		[REIN_WATCH_EVENT_RESUMED] = "resumed",
		[REIN_WATCH_EVENT_GONE] = "gone",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_watch_count_name(uint32_t value)
{
	static const char *const names[] = {
		[REIN_COUNT_BEAT] = "beat",
		[REIN_COUNT_BEGIN] = "begin",
		[REIN_COUNT_END] = "end",
		[REIN_COUNT_MISS] = "miss",
		[REIN_COUNT_EXPIRE] = "expired",
		[REIN_COUNT_STEP] = "step",
		[REIN_COUNT_RESUME] = "resumed",
		[REIN_COUNT_GONE] = "gone",
	};

	return name_of(names, sizeof(names), value);
}

const char *rein_version(void)
{
	return REIN_VERSION;
}
