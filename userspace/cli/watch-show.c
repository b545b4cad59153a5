// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cli.h"
#include "signals.h"
#include "watch.h"

/* Goes on after "silent: ". */
const char *watch_fault_text(uint32_t fault)
{
	switch (fault) {
	case REIN_FAULT_SILENT:
		return "too few beats in a cycle";
	case REIN_FAULT_MANY:
		return "too many beats in a cycle";
	case REIN_FAULT_LATE:
		return "a unit of work lasts too long";
	case REIN_FAULT_EARLY:
		return "a unit of work was over too soon";
	case REIN_FAULT_ORDER:
		return "a checkpoint came out of order";
	case REIN_FAULT_TEST:
		return "none, it was a test";
	default:
		return "nobody said which";
	}
}

/* --- JSON ---------------------------------------------------------------------------- */

/* What its rules say, each 0 where nothing is said. */
static void show_rules_keys(struct out *out, const struct rein_watch_rules *rules)
{
	out_num_or_null(out, "every_ns", rules->every_ns, rules->every_ns);
	out_num_or_null(out, "grace_ns", rules->grace_ns, rules->grace_ns);
	out_num_or_null(out, "pretimeout_ns", rules->pretimeout_ns, rules->pretimeout_ns);
	out_num_or_null(out, "unit_min_ns", rules->unit_min_ns, rules->unit_min_ns);
	out_num_or_null(out, "unit_max_ns", rules->unit_max_ns, rules->unit_max_ns);
	out_num(out, "miss", NULL, rules->miss);
	out_num_or_null(out, "beats_min", rules->every_ns, rules->min);
	out_num_or_null(out, "beats_max", rules->max, rules->max);
}

/* @from: -1: it may be the first. */
static void show_pair(struct out *out, int from, int to)
{
	out_object(out, NULL);
	if (from < 0)
		out_null(out, "from", NULL);
	else
		out_num(out, "from", out->json ? NULL : "", from);
	out_num(out, "to", ">", to);
	out_end(out);
}

/* As the option has it; the lead stands before each. */
static void show_order(struct out *out, const struct rein_watch_rules *rules, const char *lead)
{
	int from, to;

	out_list(out, "order");
	for (from = -1; from < REIN_CHECKPOINTS; from++) {
		uint32_t next = from < 0 ? rules->first : rules->next[from];

		for (to = 0; to < REIN_CHECKPOINTS; to++) {
			if (!(next & 1U << to))
				continue;
			out_text(out, lead);
			show_pair(out, from, to);
			lead = ",";
		}
	}
	out_end(out);
}

static void show_beat_keys(struct out *out, const struct rein_watch *watch)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} ways[] = {
		{ REIN_WATCH_SLOT, "slot" },
		{ REIN_WATCH_STAMP, "stamp" },
		{ REIN_WATCH_EGRESS, "egress" },
		{ REIN_WATCH_INGRESS, "ingress" },
	};
	size_t i;

	out_list(out, "beat_by");
	out_str(out, "", NULL, "call");
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (watch->flags & ways[i].flag)
			out_str(out, "", NULL, ways[i].name);
	out_end(out);
	out_bool(out, "token", NULL, watch->flags & REIN_WATCH_TOKEN);
	out_bool(out, "owned", NULL, watch->flags & REIN_WATCH_OWNED);
}

static void show_state_keys(struct out *out, const struct rein_watch *watch)
{
	out_word(out, "state", NULL, rein_watch_status_name(watch->status), watch->status);
	out_bool(out, "frozen", NULL, watch->frozen);
	out_num_or_null(out, "left_ns", watch->has_left, watch->left_ns);
	out_word_or_null(out, "fault", rein_fault_name(watch->fault), watch->fault);
	out_num(out, "misses", NULL, watch->misses);
	out_id_or_null(out, "record", watch->record);
	out_num_or_null(out, "idle_ns", watch->has_idle, watch->idle_ns);
	out_str(out, "unit", NULL, watch->unit);
	out_num_or_null(out, "unit_ns", watch->unit, watch->unit_ns);
	out_num(out, "beats", NULL, watch->beats);
	out_num(out, "begins", NULL, watch->begins);
	out_num(out, "ends", NULL, watch->ends);
	out_num(out, "faults", NULL, watch->faults);
	out_num(out, "expiries", NULL, watch->expiries);
}

static void show_subject_keys(struct out *out, const struct rein_watch *watch)
{
	out_word(out, "subject", NULL, rein_subject_name(watch->subject), watch->subject);
	out_num_or_null(out, "subject_pid", watch->subject_pid, watch->subject_pid);
	out_str(out, "cgroup", NULL, watch->cgroup);
	out_id_or_null(out, "cgroup_id", watch->cgroup_id);
	if (watch->has_socket)
		show_socket(out, &watch->socket, NULL);
	else
		out_null(out, "socket", NULL);
}

/* All but steps and order, which have text, too. */
static void show_watch_keys(struct out *out, const struct rein_watch *watch)
{
	out_id(out, "id", NULL, watch->id);
	out_str(out, "name", NULL, watch->name);
	show_state_keys(out, watch);
	show_subject_keys(out, watch);
	show_rules_keys(out, &watch->rules);
	show_beat_keys(out, watch);
	out_num(out, "at_step", NULL, watch->at_step);
	out_num_or_null(out, "pid", watch->pid, watch->pid);
	out_str(out, "comm", NULL, watch->comm);
	out_num_or_null(out, "uid", watch->has_uid, watch->uid);
}

/* --- steps ------------------------------------------------------------------------------ */

/* Those that have no name have a number. */
static void show_signal(struct out *out, const char *key, const char *lead, uint32_t sig)
{
	const char *name = signals_name(sig);

	out_word(out, key, lead, strncmp(name, "SIG", 3) ? NULL : name, sig);
}

static void show_step(struct out *out, const struct rein_watch_step *step, bool done,
		      const char *lead)
{
	out_object(out, NULL);
	out_word(out, "kind", lead, rein_step_name(step->kind), step->kind);
	if (step->kind == REIN_STEP_SIGNAL)
		show_signal(out, "signal", lead ? " " : NULL, step->signal);
	else
		out_null(out, "signal", NULL);
	out_ns(out, "delay_ns", lead && step->delay_ns ? " after " : NULL, step->delay_ns);
	out_bool(out, "done", NULL, done);
	if (lead && done)
		out_text(out, ", done");
	out_end(out);
}

static void show_steps(struct out *out, const struct rein_watch *watch, const char *lead,
		       const char *next)
{
	uint32_t at = watch->status == REIN_WATCH_EXPIRED ? watch->at_step : 0;
	size_t i;

	out_list(out, "steps");
	for (i = 0; i < watch->n_steps; i++)
		show_step(out, &watch->steps[i], i < at, i ? next : lead);
	out_end(out);
}

/**
 * show_watch_steps() - print what is done when a watch has expired, a line each
 * @out:	where
 * @watch:	which
 */
void show_watch_steps(struct out *out, const struct rein_watch *watch)
{
	show_steps(out, watch, "\n  step:\t", "\n  step:\t");
}

/* --- a line ----------------------------------------------------------------------------- */

/* What it is kept over, in a word or two. */
static void show_subject(struct out *out, const struct rein_watch *watch, const char *lead)
{
	out_word(out, NULL, lead, rein_subject_name(watch->subject), watch->subject);
	if (watch->subject_pid)
		out_num(out, NULL, " ", watch->subject_pid);
	out_str(out, NULL, " ", watch->cgroup);
}

static void show_counts(struct out *out, const struct rein_watch *watch)
{
	out_num(out, NULL, "\t", watch->beats);
	out_num(out, NULL, "\t", watch->begins);
	out_num(out, NULL, "\t", watch->ends);
	out_num(out, NULL, "\t", watch->faults);
	out_num(out, NULL, "\t", watch->expiries);
}

/**
 * show_watch_row() - print a watch as a line of a table
 * @out:	where; the caller makes the object
 * @watch:	what
 * @stats:	how often what happened, too
 */
void show_watch_row(struct out *out, const struct rein_watch *watch, bool stats)
{
	out_id(out, NULL, "\n", watch->id);
	out_cell(out, watch->name);
	out_word(out, NULL, "\t", rein_watch_status_name(watch->status), watch->status);
	if (watch->frozen)
		out_text(out, ", frozen");
	show_subject(out, watch, "\t");
	if (watch->rules.every_ns)
		out_ns(out, NULL, "\t", watch->rules.every_ns);
	else
		out_null(out, NULL, "\t");
	if (watch->has_left)
		out_left(out, NULL, "\t", watch->left_ns);
	else
		out_null(out, NULL, "\t");
	out_num(out, NULL, "\t", watch->misses);
	out_num(out, NULL, "/", watch->rules.miss);
	out_cell(out, watch->unit);
	if (stats && !out->json)
		show_counts(out, watch);
	show_watch_keys(out, watch);
	if (out->json) {
		show_order(out, &watch->rules, NULL);
		show_steps(out, watch, NULL, NULL);
	}
}

static void show_fault(struct out *out, const struct rein_watch *watch, const char *lead)
{
	out_word(out, NULL, lead, rein_fault_name(watch->fault), watch->fault);
	out_str(out, NULL, ": ", watch_fault_text(watch->fault));
}

/* Which step it was, and what became of it. */
static void show_step_event(struct out *out, const struct rein_watch *watch)
{
	if (watch->at_step < watch->n_steps) {
		const struct rein_watch_step *step = &watch->steps[watch->at_step];

		out_word(out, NULL, "  ", rein_step_name(step->kind), step->kind);
		if (step->kind == REIN_STEP_SIGNAL)
			show_signal(out, NULL, " ", step->signal);
	}
	if (watch->test)
		out_text(out, ", only told of");
	else if (watch->err)
		out_str(out, NULL, ", failed: ", strerror(watch->err));
}

/**
 * show_watch_event() - print a watch, and what became of it, in a line of its own
 * @out:	where; the caller makes the object
 * @watch:	what
 */
void show_watch_event(struct out *out, const struct rein_watch *watch)
{
	out_id(out, NULL, "watch ", watch->id);
	out_str(out, NULL, " ", watch->name);
	switch (watch->event) {
	case REIN_WATCH_EVENT_MADE:
		show_subject(out, watch, "  over ");
		break;
	case REIN_WATCH_EVENT_MISSED:
	case REIN_WATCH_EVENT_EXPIRED:
		show_fault(out, watch, "  ");
		out_str(out, NULL, ", in unit ", watch->unit);
		break;
	case REIN_WATCH_EVENT_WARNED:
		out_str(out, NULL, "  in unit ", watch->unit);
		break;
	case REIN_WATCH_EVENT_STEP:
		show_step_event(out, watch);
		break;
	}
	if (watch->record)
		out_id(out, NULL, "  record ", watch->record);
	show_watch_keys(out, watch);
	out_bool(out, "test", NULL, watch->test);
	out_num_or_null(out, "errno", watch->err, watch->err);
	if (out->json) {
		show_order(out, &watch->rules, NULL);
		show_steps(out, watch, NULL, NULL);
	}
}

/* --- all of it ---------------------------------------------------------------------------- */

static void show_state(struct out *out, const struct rein_watch *watch)
{
	out_word(out, NULL, "\n  state:\t", rein_watch_status_name(watch->status), watch->status);
	if (watch->frozen)
		out_text(out, ", frozen: time doesn't count");
	if (watch->fault)
		show_fault(out, watch, "\n  fault:\t");
	out_num(out, NULL, "\n  misses:\t", watch->misses);
	out_num(out, NULL, " in a row, puts up with ", watch->rules.miss);
	if (watch->record) {
		out_id(out, NULL, "\n  record:\t", watch->record);
		out_id(out, NULL, " (rein errors show ", watch->record);
		out_text(out, ")");
	}
	if (watch->has_left)
		out_left(out, NULL, "\n  left:\t", watch->left_ns);
	if (watch->unit) {
		out_str(out, NULL, "\n  unit:\t", watch->unit);
		out_left(out, NULL, ", for ", watch->unit_ns);
	}
}

static void show_over(struct out *out, const struct rein_watch *watch)
{
	show_subject(out, watch, "\n  over:\t");
	if (watch->cgroup_id) {
		out_id(out, NULL, " (id ", watch->cgroup_id);
		out_text(out, ")");
	}
	if (watch->has_socket && !out->json)
		show_socket(out, &watch->socket, " ");
}

static const char *traffic_name(uint32_t flags)
{
	if (!(flags & REIN_WATCH_INGRESS))
		return "packets that it sends";
	return flags & REIN_WATCH_EGRESS ? "packets that it sends or receives" :
					   "packets that it receives";
}

static void show_cycle(struct out *out, const struct rein_watch_rules *rules)
{
	out_ns(out, NULL, "\n  every:\t", rules->every_ns);
	out_num(out, NULL, ", at least ", rules->min);
	if (rules->max)
		out_num(out, NULL, " and at most ", rules->max);
	out_text(out, rules->min == 1 && !rules->max ? " beat" : " beats");
	if (rules->grace_ns)
		out_ns(out, NULL, ", at first ", rules->grace_ns);
}

static void show_rules(struct out *out, const struct rein_watch *watch)
{
	const struct rein_watch_rules *rules = &watch->rules;

	if (rules->every_ns)
		show_cycle(out, rules);
	if (rules->unit_min_ns || rules->unit_max_ns) {
		out_text(out, "\n  units:\t");
		if (rules->unit_min_ns)
			out_ns(out, NULL, "at least ", rules->unit_min_ns);
		if (rules->unit_max_ns)
			out_ns(out, NULL, rules->unit_min_ns ? ", at most " : "at most ",
			       rules->unit_max_ns);
	}
	show_order(out, rules, "\n  order:\t");
	if (rules->pretimeout_ns)
		out_ns(out, NULL, "\n  warns:\t", rules->pretimeout_ns);
	if (rules->pretimeout_ns)
		out_text(out, " before it expires");
	if (watch->flags & (REIN_WATCH_EGRESS | REIN_WATCH_INGRESS))
		out_str(out, NULL, "\n  beaten by:\t", traffic_name(watch->flags));
	if (watch->flags & REIN_WATCH_TOKEN)
		out_text(out, "\n  token:\teach beat has to carry one");
}

/**
 * show_watch_full() - print all there is to know about a watch
 * @out:	where; the caller makes the object
 * @watch:	what
 */
void show_watch_full(struct out *out, const struct rein_watch *watch)
{
	out_str(out, NULL, "watch ", watch->name ? watch->name : "without a name");
	out_id(out, NULL, " (id ", watch->id);
	out_text(out, ")");
	show_state(out, watch);
	show_over(out, watch);
	show_rules(out, watch);
	show_steps(out, watch, "\n  on miss:\t", "\n\t");
	out_num(out, NULL, "\n  beats:\t", watch->beats);
	if (watch->has_idle) {
		out_left(out, NULL, ", the last one ", watch->idle_ns);
		out_text(out, " ago");
	}
	out_num(out, NULL, "\n  begins:\t", watch->begins);
	out_num(out, NULL, "\n  ends:\t", watch->ends);
	out_num(out, NULL, "\n  faults:\t", watch->faults);
	out_num(out, NULL, "\n  expired:\t", watch->expiries);
	out_text(out, watch->expiries == 1 ? " time" : " times");
	show_maker(out, watch->pid, watch->comm, watch->has_uid, watch->uid);
	show_watch_keys(out, watch);
}
