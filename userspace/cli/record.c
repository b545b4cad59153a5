// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cli.h"
#include "format.h"

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

/* As in: adding limit web (netlink.c:211). */
static void show_step(struct out *out, const struct rein_step *step, bool text)
{
	out_object(out, NULL);
	out_str(out, "what", text ? "\n  while:\t" : NULL, step->what);
	out_str(out, "name", text ? " " : NULL, step->name);
	out_str(out, "function", NULL, step->function);
	out_str(out, "file", text ? " (" : NULL, step->file);
	out_num(out, "line", text && step->file ? ":" : NULL, step->line);
	if (text && step->file)
		out_text(out, ")");
	out_end(out);
}

static void show_lists(struct out *out, const struct rein_record *record, bool text)
{
	size_t i;

	out_object(out, "values");
	for (i = 0; i < record->n_values; i++)
		show_value(out, &record->values[i], text);
	out_end(out);
	out_list(out, "while");
	for (i = 0; i < record->n_steps; i++)
		show_step(out, &record->steps[i], text);
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

/* Bugs are red, where there are colours. */
static void paint(struct out *out, const struct rein_record *record)
{
	if (record->kind == REIN_KIND_BUG)
		out_paint(out, true);
}

static void unpaint(struct out *out, const struct rein_record *record)
{
	if (record->kind == REIN_KIND_BUG)
		out_paint(out, false);
}

static void show_message(struct out *out, const struct rein_record *record)
{
	paint(out, record);
	out_str(out, "message", "", record->message);
	unpaint(out, record);
}

/* Pick the lead of the full form or of the row. */
#define LEAD(full_lead, row_lead)	(full ? (full_lead) : (row_lead))

static void show_what(struct out *out, const struct rein_record *record, bool full)
{
	out_id(out, "id", LEAD("record ", "\n"), record->id);
	out_date(out, "time", LEAD("\n  time:\t", "\t"), record->time_ns, full ? 9 : 3);
	out_text(out, LEAD("\n  code:\t", "\t"));
	paint(out, record);
	out_code(out, "code", "", record->code);
	unpaint(out, record);
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
	out_text(out, LEAD("\n  message:\t", "\t"));
	show_message(out, record);
	out_str(out, "hint", LEAD("\n  hint:\t", NULL), record->hint);
}

static void show_who(struct out *out, const struct rein_record *record, bool full)
{
	out_str(out, "cgroup", LEAD("\n  cgroup:\t", NULL), record->cgroup);
	show_id(out, "cgroup_id", LEAD(record->cgroup ? " (id " : "\n  cgroup:\t(id ", NULL),
		record->cgroup_id);
	if (full && record->cgroup_id)
		out_text(out, ")");
	out_str(out, "scope_name", LEAD("\n  scope:\t", NULL), record->scope);
	show_id(out, "scope_id", LEAD(record->scope ? " (id " : "\n  scope:\t(id ", NULL),
		record->scope_id);
	if (full && record->scope_id)
		out_text(out, ")");
	out_str(out, "watch_name", LEAD("\n  watch:\t", NULL), record->watch);
	show_id(out, "watch_id", LEAD(record->watch ? " (id " : "\n  watch:\t(id ", NULL),
		record->watch_id);
	if (full && record->watch_id)
		out_text(out, ")");
	if (record->has_socket)
		show_socket(out, &record->socket, LEAD("\n  socket:\t", NULL));
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
	show_id(out, "cause", NULL, record->cause);
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

/* A record in a line of its own, of text only. */
void show_record_line(struct out *out, const struct rein_record *record)
{
	out_id(out, NULL, "", record->id);
	out_date(out, NULL, " ", record->time_ns, 3);
	out_text(out, " ");
	paint(out, record);
	out_code(out, NULL, "", record->code);
	unpaint(out, record);
	out_str(out, NULL, record->limit ? " limit " : NULL, record->limit);
	out_text(out, " ");
	show_message(out, record);
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
