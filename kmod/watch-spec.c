// SPDX-License-Identifier: GPL-2.0
/*
 * What a watch shall be. See watch-spec.h.
 */
#include <linux/signal.h>
#include <linux/uaccess.h>

#include "call.h"
#include "own.h"
#include "pulse.h"
#include "scope.h"
#include "scope-file.h"
#include "socket.h"
#include "spec.h"
#include "watch-spec.h"

#define SLOT_FLAGS	(REIN_WATCH_SLOT | REIN_WATCH_STAMP)
#define TRAFFIC_FLAGS	(REIN_WATCH_EGRESS | REIN_WATCH_INGRESS)
#define KNOWN_FLAGS	(REIN_WATCH_OWNED | REIN_WATCH_ARM | REIN_WATCH_TOKEN | SLOT_FLAGS | \
			 TRAFFIC_FLAGS)

static const char *traffic_wrong(const struct rein_watch_args *args)
{
	if (!(args->flags & TRAFFIC_FLAGS))
		return NULL;
	if (args->subject == REIN_SUBJECT_PROCESS)
		return "packets are those of a cgroup, or of a socket";
	if (!args->rules.every_ns)
		return "traffic needs a cycle";
	if (args->flags & (SLOT_FLAGS | REIN_WATCH_TOKEN))
		return "packets have no token, and a slot beats by itself";
	return NULL;
}

/* What is looked at now and then needs a cycle to know how often. */
static const char *flags_wrong(const struct rein_watch_args *args)
{
	if (args->flags & ~KNOWN_FLAGS)
		return "a flag is not known";
	if (hweight32(args->flags & SLOT_FLAGS) > 1)
		return "a slot has a counter, or a time";
	if (args->flags & SLOT_FLAGS && !args->rules.every_ns)
		return "a slot needs a cycle";
	/* Of all times that are stored only the last one is seen. */
	if (args->flags & REIN_WATCH_STAMP &&
	    (args->rules.min != 1 || args->rules.max))
		return "a time in a slot is one beat: at least one in a cycle, and any number";
	/* What is stored in a slot carries no token: it would get around them. */
	if (args->flags & SLOT_FLAGS && args->flags & REIN_WATCH_TOKEN)
		return "beats in a slot have no token";
	return traffic_wrong(args);
}

static const char *subject_wrong(const struct rein_watch_args *args)
{
	bool process = args->subject == REIN_SUBJECT_PROCESS;

	if (!args->subject || args->subject > REIN_SUBJECT_SOCKET)
		return "there is no such kind of subject";
	if (process && args->fd != REIN_NO_FD)
		return "a process has no descriptor";
	if (!process && (args->pid || args->start))
		return "what is no process has no number";
	if (args->subject != REIN_SUBJECT_CGROUP && args->kill_fd != REIN_NO_FD)
		return "only a cgroup has a cgroup.kill";
	return NULL;
}

static const char *args_wrong(const struct rein_watch_args *args)
{
	const char *wrong = flags_wrong(args) ?: subject_wrong(args);

	if (wrong)
		return wrong;
	if (!rein_name_fits(args->name))
		return "the name can't be used";
	if (args->wants >> REIN_WATCH_COUNTS)
		return "what it wants is not known";
	if (args->n_steps > REIN_STEPS_MAX)
		return "it has too many steps";
	if (!rein_pulse_rules_good(&args->rules))
		return "its rules contradict each other, or a time is out of range";
	return NULL;
}

/* Is it one that can be done to this subject, with what was passed? */
static const char *step_wrong(const struct rein_watch_args *args,
			      const struct rein_watch_step *step)
{
	const bool socket = args->subject == REIN_SUBJECT_SOCKET;

	if (!step->kind || step->kind > REIN_STEP_EXEC)
		return "a step is not known";
	if (step->kind == REIN_STEP_SIGNAL ? !valid_signal(step->signal) || !step->signal :
					     step->signal)
		return "the signal of a step is not known";
	if (step->delay_ns > REIN_RULE_MAX_NS)
		return "the delay of a step is out of range";
	switch (step->kind) {
	case REIN_STEP_SIGNAL:
		return socket ? "a socket takes no signals" : NULL;
	case REIN_STEP_KILL:
		if (socket)
			return "a socket can't be killed";
		return args->subject == REIN_SUBJECT_CGROUP &&
		       args->kill_fd == REIN_NO_FD ?
		       "to kill a cgroup needs its cgroup.kill" : NULL;
	case REIN_STEP_CANCEL:
		return args->scope_fd == REIN_NO_FD ?
		       "to cancel needs a scope" : NULL;
	case REIN_STEP_RESET:
		return socket ? NULL : "only a socket can be reset";
	}
	return NULL;
}

static int get_steps(struct rein_watch_spec *spec, struct rein_answer *answer)
{
	const struct rein_watch_args *args = spec->args;
	const size_t size = args->n_steps * sizeof(spec->steps[0]);
	const char *wrong;
	unsigned int i;

	if (copy_from_user(spec->steps, u64_to_user_ptr(args->steps), size))
		return rein_call_fail(answer, REIN_E_DEV_FAULT,
				      "the arguments are not in the caller's memory",
				      "%zu bytes of steps are not in the caller's memory",
				      size);
	for (i = 0; i < args->n_steps; i++) {
		wrong = step_wrong(args, &spec->steps[i]);
		if (wrong)
			return rein_call_wrong(answer, REIN_E_WATCH_MALFORMED, wrong);
	}
	return 0;
}

static bool ends(const struct rein_watch_spec *spec)
{
	unsigned int i;

	for (i = 0; i < spec->args->n_steps; i++)
		if (spec->steps[i].kind == REIN_STEP_SIGNAL ||
		    spec->steps[i].kind == REIN_STEP_KILL)
			return true;
	return false;
}

static int get_scope(struct rein_watch_spec *spec, struct rein_answer *answer)
{
	enum rein_code code;

	if (spec->args->scope_fd == REIN_NO_FD)
		return 0;
	spec->scope = rein_scope_of_fd(spec->args->scope_fd, false, &code);
	if (spec->scope)
		return 0;
	return rein_call_fail(answer, REIN_E_WATCH_SCOPE,
			      "the descriptor is not that of a scope",
			      "descriptor %d is not that of a scope, or an observer's",
			      spec->args->scope_fd);
}

static int get_slot(struct rein_watch_spec *spec,
		    struct rein_slot_source *source, struct rein_answer *answer)
{
	if (!(spec->args->flags & SLOT_FLAGS))
		return 0;
	if (rein_slot_get(&spec->slot, source))
		return rein_call_no_memory(answer, "for a slot");
	return 0;
}

static int fail_traffic_many(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_WATCH_TRAFFIC_MANY,
			      "the user has as many watches over traffic as one may have",
			      "user %u has %u watches over traffic and limits on sockets already",
			      from_kuid(&init_user_ns, current_uid()),
			      rein_own_most());
}

static int get_traffic(struct rein_watch_spec *spec, struct rein_answer *answer)
{
	const u32 flags = spec->args->flags;
	const struct sock *sk = spec->subject.sk;
	int err;

	if (!(flags & TRAFFIC_FLAGS))
		return 0;
	if (sk && !rein_socket_counted(sk, flags & REIN_WATCH_INGRESS))
		return rein_call_wrong(answer, REIN_E_WATCH_MALFORMED,
				       "this socket's packets can't be counted: MPTCP's are its connections', and of what arrives only TCP's and UDP's are");
	err = rein_traffic_get(&spec->traffic, spec->subject.cgrp, spec->subject.sk,
			       flags & REIN_WATCH_EGRESS, flags & REIN_WATCH_INGRESS);
	if (err == -EDQUOT)
		return fail_traffic_many(answer);
	return err ? rein_call_no_memory(answer, "to count packets") : 0;
}

/**
 * rein_watch_spec_read() - what a watch shall be
 * @spec:	filled in; to be undone by rein_watch_spec_done(), also on failure
 * @args:	see the ABI
 * @source:	where its slot comes from
 * @answer:	why not
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_spec_read(struct rein_watch_spec *spec,
			 const struct rein_watch_args *args,
			 struct rein_slot_source *source,
			 struct rein_answer *answer)
{
	const char *wrong = args_wrong(args);
	int err;

	*spec = (struct rein_watch_spec){ .args = args };
	if (wrong)
		return rein_call_wrong(answer, REIN_E_WATCH_MALFORMED, wrong);
	err = get_steps(spec, answer) ?: get_scope(spec, answer) ?:
	      get_slot(spec, source, answer);
	return err ?: rein_subject_get(&spec->subject, args, ends(spec), answer) ?:
	       get_traffic(spec, answer);
}

/**
 * rein_watch_spec_done() - undo rein_watch_spec_read()
 * @spec:	what no watch has taken over
 */
void rein_watch_spec_done(struct rein_watch_spec *spec)
{
	rein_traffic_put(&spec->traffic);
	rein_subject_put(&spec->subject);
	rein_scope_put(spec->scope);
	rein_slot_put(&spec->slot);
}
