// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "scope.h"

/* --- JSON ---------------------------------------------------------------------------- */

/* How and when it ended, or will. */
static void show_end_keys(struct out *out, const struct rein_scope *scope)
{
	out_num_or_null(out, "left_ns", scope->has_left, scope->left_ns);
	out_word_or_null(out, "cause", rein_cause_name(scope->cause), scope->cause);
	out_id_or_null(out, "origin", scope->origin);
	out_str(out, "reason", NULL, scope->reason);
	out_id_or_null(out, "record", scope->record);
	if (scope->cause)
		out_date(out, "time", NULL, scope->time_ns, 9);
	else
		out_null(out, "time", NULL);
	out_num_or_null(out, "time_ns", scope->cause, scope->time_ns);
}

/* All of them; they have no text. */
static void show_scope_keys(struct out *out, const struct rein_scope *scope)
{
	out_id(out, "id", NULL, scope->id);
	out_str(out, "name", NULL, scope->name);
	out_id_or_null(out, "parent", scope->parent);
	out_num(out, "depth", NULL, scope->depth);
	show_end_keys(out, scope);
	out_num(out, "children", NULL, scope->children);
	out_num(out, "waiters", NULL, scope->waiters);
	out_num_or_null(out, "pid", scope->pid, scope->pid);
	out_str(out, "comm", NULL, scope->comm);
	out_num_or_null(out, "uid", scope->has_uid, scope->uid);
	out_str(out, "cgroup", NULL, scope->cgroup);
	out_id_or_null(out, "cgroup_id", scope->cgroup_id);
	out_bool(out, "kills", NULL, scope->kills);
	out_word_or_null(out, "race", rein_policy_name(scope->race), scope->race);
	out_num_or_null(out, "number", scope->number, scope->number);
	out_num_or_null(out, "winner", scope->winner, scope->winner);
}

/* --- a line ----------------------------------------------------------------------------- */

static const char *state_of(const struct rein_scope *scope)
{
	const char *cause = rein_cause_name(scope->cause);

	if (scope->cause)
		return cause ? cause : "done";
	return scope->winner ? "decided" : "open";
}

/**
 * show_scope_row() - print a scope as a line of a table
 * @out:	where; the caller makes the object
 * @scope:	what
 */
void show_scope_row(struct out *out, const struct rein_scope *scope)
{
	out_id(out, NULL, "\n", scope->id);
	out_cell(out, scope->name);
	out_cell(out, state_of(scope));
	if (scope->has_left)
		out_left(out, NULL, "\t", scope->left_ns);
	else
		out_null(out, NULL, "\t");
	if (scope->parent)
		out_id(out, NULL, "\t", scope->parent);
	else
		out_null(out, NULL, "\t");
	out_num(out, NULL, "\t", scope->children);
	out_num(out, NULL, "\t", scope->waiters);
	out_cell(out, scope->cgroup);
	show_scope_keys(out, scope);
}

/**
 * show_scope_event() - print a scope, and what became of it, in a line of its own
 * @out:	where; the caller makes the object
 * @scope:	what
 */
void show_scope_event(struct out *out, const struct rein_scope *scope)
{
	out_id(out, NULL, "scope ", scope->id);
	out_str(out, NULL, " ", scope->name);
	switch (scope->event) {
	case REIN_SCOPE_EVENT_MADE:
		if (scope->number)
			out_num(out, NULL, "  replica ", scope->number);
		if (scope->parent)
			out_id(out, NULL, scope->number ? " of scope " : "  in scope ",
			       scope->parent);
		if (scope->has_left)
			out_left(out, NULL, "  left ", scope->left_ns);
		break;
	case REIN_SCOPE_EVENT_BOUND:
		out_str(out, NULL, "  to ", scope->cgroup);
		break;
	case REIN_SCOPE_EVENT_DONE:
		out_str(out, NULL, "  ", state_of(scope));
		out_str(out, NULL, ": ", scope->reason);
		if (scope->origin != scope->id)
			out_id(out, NULL, "  from scope ", scope->origin);
		break;
	case REIN_SCOPE_EVENT_DECIDED:
		out_num(out, NULL, "  won by replica ", scope->winner);
		break;
	}
	show_scope_keys(out, scope);
}

/* --- all of it ---------------------------------------------------------------------------- */

/* When, why, who. */
static void show_end(struct out *out, const struct rein_scope *scope)
{
	if (!scope->cause) {
		out_str(out, NULL, "\n  state:\t", state_of(scope));
		if (scope->has_left)
			out_left(out, NULL, "\n  left:\t", scope->left_ns);
		return;
	}
	out_str(out, NULL, "\n  state:\tdone: ", state_of(scope));
	out_str(out, NULL, ": ", scope_cause_text(scope->cause));
	out_date(out, NULL, "\n  time:\t", scope->time_ns, 9);
	out_str(out, NULL, "\n  reason:\t", scope->reason);
	if (scope->record) {
		out_id(out, NULL, "\n  record:\t", scope->record);
		out_id(out, NULL, " (rein errors show ", scope->record);
		out_text(out, ")");
	}
}

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

static void show_cgroup(struct out *out, const struct rein_scope *scope)
{
	if (!scope->cgroup_id)
		return;
	out_text(out, "\n  cgroup:\t");
	out_str(out, NULL, "", scope->cgroup);
	out_id(out, NULL, scope->cgroup ? " (id " : "(id ", scope->cgroup_id);
	out_text(out, scope->kills ? "), killed at the end" : ")");
}

/**
 * show_scope_full() - print all there is to know about a scope
 * @out:	where; the caller makes the object
 * @scope:	what
 */
void show_scope_full(struct out *out, const struct rein_scope *scope)
{
	out_str(out, NULL, "scope ", scope->name ? scope->name : "without a name");
	out_id(out, NULL, " (id ", scope->id);
	out_text(out, ")");
	show_end(out, scope);
	show_race(out, scope);
	out_num(out, NULL, "\n  children:\t", scope->children);
	out_num(out, NULL, "\n  waiters:\t", scope->waiters);
	show_cgroup(out, scope);
	show_maker(out, scope->pid, scope->comm, scope->has_uid, scope->uid);
	show_scope_keys(out, scope);
}
