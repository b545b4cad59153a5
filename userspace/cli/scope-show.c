// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "scope.h"

/* An ID or a number that may be absent. */
static void show_some_id(struct out *out, const char *key, const char *lead, uint64_t id)
{
	if (id)
		out_id(out, key, lead, id);
	else
		out_null(out, key, NULL);
}

static void show_some(struct out *out, const char *key, const char *lead, uint64_t number)
{
	if (number)
		out_num(out, key, lead, number);
	else
		out_null(out, key, NULL);
}

/* A name, which is "-" in a table if there is none. */
static void show_name(struct out *out, const char *key, const char *lead, const char *name)
{
	if (name)
		out_str(out, key, lead, name);
	else
		out_null(out, key, lead);
}

/* What has no word as text is a key all the same. */
static void show_keys(struct out *out, const struct rein_scope *scope)
{
	out_num(out, "depth", NULL, scope->depth);
	show_some_id(out, "origin", NULL, scope->origin);
	out_str(out, "reason", NULL, scope->reason);
	show_some_id(out, "record", NULL, scope->record);
	if (scope->cause)
		out_date(out, "time", NULL, scope->time_ns, 9);
	else
		out_null(out, "time", NULL);
	show_some(out, "time_ns", NULL, scope->time_ns);
	show_some(out, "pid", NULL, scope->pid);
	out_str(out, "comm", NULL, scope->comm);
	if (scope->has_uid)
		out_num(out, "uid", NULL, scope->uid);
	else
		out_null(out, "uid", NULL);
	show_some_id(out, "cgroup_id", NULL, scope->cgroup_id);
	out_bool(out, "kills", NULL, scope->kills);
	if (scope->race)
		out_word(out, "race", NULL, rein_policy_name(scope->race), scope->race);
	else
		out_null(out, "race", NULL);
	show_some(out, "number", NULL, scope->number);
	show_some(out, "winner", NULL, scope->winner);
}

static void show_left(struct out *out, const struct rein_scope *scope, const char *lead)
{
	if (scope->has_left)
		out_left(out, "left_ns", lead, scope->left_ns);
	else
		out_null(out, "left_ns", lead);
}

static void show_cause(struct out *out, const struct rein_scope *scope, const char *lead)
{
	if (scope->cause)
		out_word(out, "cause", lead, rein_cause_name(scope->cause), scope->cause);
	else
		out_null(out, "cause", NULL);
}

/**
 * show_scope_row() - print a scope as a line of a table
 * @out:	where
 * @scope:	what
 */
void show_scope_row(struct out *out, const struct rein_scope *scope)
{
	out_id(out, "id", "", scope->id);
	show_name(out, "name", "\t", scope->name);
	show_cause(out, scope, "\t");
	if (!scope->cause)
		out_text(out, scope->winner ? "\tdecided" : "\topen");
	show_left(out, scope, "\t");
	if (scope->parent)
		out_id(out, "parent", "\t", scope->parent);
	else
		out_null(out, "parent", "\t");
	out_num(out, "children", "\t", scope->children);
	out_num(out, "waiters", "\t", scope->waiters);
	show_name(out, "cgroup", "\t", scope->cgroup);
	show_keys(out, scope);
}

/* The end of a scope, as text: when, why, who. */
static void show_end(struct out *out, const struct rein_scope *scope)
{
	if (!scope->cause) {
		out_str(out, NULL, "\n  state:\t", scope->winner ? "decided" : "open");
		if (scope->has_left)
			out_left(out, NULL, "\n  left:\t", scope->left_ns);
		return;
	}
	out_word(out, NULL, "\n  state:\tdone: ", rein_cause_name(scope->cause), scope->cause);
	out_str(out, NULL, ": ", scope_cause_text(scope->cause));
	out_date(out, NULL, "\n  time:\t", scope->time_ns, 9);
	out_str(out, NULL, "\n  reason:\t", scope->reason);
	if (scope->record) {
		out_id(out, NULL, "\n  record:\t", scope->record);
		out_id(out, NULL, " (rein errors show ", scope->record);
		out_text(out, ")");
	}
}

/* What it has to do with a race, as text. */
static void show_race(struct out *out, const struct rein_scope *scope)
{
	if (scope->race) {
		out_word(out, NULL, "\n  race:\t", rein_policy_name(scope->race), scope->race);
		if (scope->winner)
			out_num(out, NULL, ", won by replica ", scope->winner);
	}
	if (scope->number)
		out_num(out, NULL, "\n  replica:\t", scope->number);
}

static void show_maker(struct out *out, const struct rein_scope *scope)
{
	if (!scope->pid && !scope->comm && !scope->has_uid)
		return;
	out_text(out, "\n  made by:\t");
	if (scope->pid)
		out_num(out, NULL, "pid ", scope->pid);
	out_str(out, NULL, scope->pid ? ", " : "", scope->comm);
	if (scope->has_uid)
		out_num(out, NULL, scope->pid || scope->comm ? ", uid " : "uid ", scope->uid);
}

/**
 * show_scope_full() - print all there is to know about a scope
 * @out:	where
 * @scope:	what
 */
void show_scope_full(struct out *out, const struct rein_scope *scope)
{
	out_text(out, "scope ");
	out_str(out, "name", "", scope->name);
	out_id(out, "id", scope->name ? " (id " : "(id ", scope->id);
	out_text(out, ")");
	show_end(out, scope);
	show_cause(out, scope, NULL);
	show_left(out, scope, NULL);
	show_race(out, scope);
	show_some_id(out, "parent", NULL, scope->parent);
	out_num(out, "children", "\n  children:\t", scope->children);
	out_num(out, "waiters", "\n  waiters:\t", scope->waiters);
	out_str(out, "cgroup", "\n  cgroup:\t", scope->cgroup);
	if (scope->cgroup_id) {
		out_id(out, NULL, scope->cgroup ? " (id " : "\n  cgroup:\t(id ", scope->cgroup_id);
		out_text(out, scope->kills ? "), killed at the end" : ")");
	}
	show_maker(out, scope);
	show_keys(out, scope);
}
