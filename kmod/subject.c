// SPDX-License-Identifier: GPL-2.0
/*
 * Subjects. See subject.h.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/math64.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/stacktrace.h>
#include <linux/time_namespace.h>
#include <net/sock.h>

#include "call.h"
#include "cgroup.h"
#include "clock.h"
#include "subject.h"

/* How many processes of a cgroup are told of. */
#define TOLD		4

/* What /proc/PID/stat counts in: it has been so on all machines for long. */
#define TICKS		100

/* --- processes ------------------------------------------------------------------------- */

static int fail_process(struct rein_answer *answer, u32 pid)
{
	return rein_call_fail(answer, REIN_E_WATCH_NO_PROCESS,
			      "there is no such process",
			      "there is no process %u, or it was started at another time",
			      pid);
}

static int fail_forbidden(struct rein_answer *answer, const char *what)
{
	return rein_call_fail(answer, REIN_E_WATCH_FORBIDDEN,
			      "this needs the right to send it signals, its cgroup.kill, or CAP_NET_ADMIN",
			      "user %u may not keep a watch over %s",
			      from_kuid(&init_user_ns, current_uid()), what);
}

/* Ticks since the machine was started, as the caller's time namespace has it. */
static u64 start_of(const struct task_struct *task)
{
	u64 ns = task->start_boottime + rein_clock_offset(REIN_CLOCK_BOOTTIME);

	return div_u64(ns, NSEC_PER_SEC / TICKS);
}

static bool is_process(struct pid *pid, u64 start)
{
	const struct task_struct *task;
	bool is;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	is = task && (!start || start_of(task) == start);
	rcu_read_unlock();
	return is;
}

/*
 * What the kernel sends comes from outside of any container, and so ends the init of one
 * too, which those inside can't.
 */
static bool is_own_init(struct pid *pid)
{
	return is_child_reaper(pid) &&
	       ns_of_pid(pid) == task_active_pid_ns(current);
}

static int get_process(struct rein_subject *subject,
		       const struct rein_watch_args *args, bool ends,
		       struct rein_answer *answer)
{
	subject->pid = args->pid ? find_get_pid(args->pid) :
				   get_task_pid(current, PIDTYPE_TGID);
	if (!subject->pid || !is_process(subject->pid, args->start))
		return fail_process(answer, args->pid);
	/* The kernel's own check, and that of security modules. */
	if (kill_pid(subject->pid, 0, 0))
		return fail_forbidden(answer, "that process");
	if (ends && is_own_init(subject->pid))
		return rein_call_fail(answer, REIN_E_WATCH_FORBIDDEN,
				      "the init of one's own container can't be signalled by a watch",
				      "process %u is the init of the caller's namespace: no step may end it",
				      args->pid);
	return 0;
}

/* Under RCU. A leader may have gone while other threads go on. */
static bool process_there(struct pid *pid)
{
	const struct task_struct *task = pid_task(pid, PIDTYPE_TGID);

	return task && !(READ_ONCE(task->exit_state) &&
			 thread_group_empty((struct task_struct *)task));
}

/* --- cgroups --------------------------------------------------------------------------- */

static int get_kill(struct rein_subject *subject, int fd,
		    struct rein_answer *answer)
{
	if (fd == REIN_NO_FD)
		return 0;
	subject->kill = fget(fd);
	if (subject->kill && rein_cgroup_is_kill(subject->kill, subject->cgrp))
		return 0;
	return rein_call_fail(answer, REIN_E_WATCH_KILL,
			      "this is not the cgroup.kill of that cgroup, open for writing",
			      "what was passed is not the cgroup.kill of the cgroup, open for writing, or the cgroup is threaded");
}

static int get_cgroup(struct rein_subject *subject,
		      const struct rein_watch_args *args,
		      struct rein_answer *answer)
{
	struct cgroup *cgrp = cgroup_get_from_fd(args->fd);
	int err;

	if (cgrp == ERR_PTR(-ENOENT))
		return rein_call_fail(answer, REIN_E_WATCH_CGROUP_GONE,
				      "the cgroup was removed",
				      "the cgroup that a watch was to be kept over was removed");
	if (IS_ERR(cgrp))
		return rein_call_fail(answer, REIN_E_NOT_A_CGROUP,
				      "this is not a cgroup2 directory",
				      "what a watch was to be kept over is not a cgroup2 directory");
	subject->cgrp = cgrp;
	err = get_kill(subject, args->kill_fd, answer);
	if (err)
		return err;
	if ((subject->kill && rein_cgroup_below_own_root(cgrp)) ||
	    ns_capable(&init_user_ns, CAP_NET_ADMIN))
		return 0;
	return fail_forbidden(answer, "that cgroup");
}

/* --- sockets --------------------------------------------------------------------------- */

static int get_socket(struct rein_subject *subject, int fd,
		      struct rein_answer *answer)
{
	int err;
	struct socket *sock = sockfd_lookup(fd, &err);

	if (sock && (sock->sk->sk_family == AF_INET ||
		     sock->sk->sk_family == AF_INET6)) {
		subject->sk = sock->sk;
		sock_hold(subject->sk);
	}
	if (sock)
		sockfd_put(sock);
	if (subject->sk)
		return 0;
	return rein_call_fail(answer, REIN_E_WATCH_NOT_SOCKET,
			      "the descriptor is not that of a socket",
			      "descriptor %d is not that of a socket of the families inet and inet6",
			      fd);
}

/* --- coming and going -------------------------------------------------------------------- */

/**
 * rein_subject_get() - what a watch is to be kept over
 * @subject:	filled in; to be undone by rein_subject_put(), also on failure
 * @args:	see the ABI
 * @ends:	a step may end it
 * @answer:	why not
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_subject_get(struct rein_subject *subject,
		     const struct rein_watch_args *args, bool ends,
		     struct rein_answer *answer)
{
	subject->kind = args->subject;
	INIT_LIST_HEAD(&subject->exit.entry);
	switch (args->subject) {
	case REIN_SUBJECT_PROCESS:
		return get_process(subject, args, ends, answer);
	case REIN_SUBJECT_CGROUP:
		return get_cgroup(subject, args, answer);
	default:
		return get_socket(subject, args->fd, answer);
	}
}

/**
 * rein_subject_put() - undo rein_subject_get()
 * @subject:	the subject
 */
void rein_subject_put(struct rein_subject *subject)
{
	put_pid(subject->pid);
	if (subject->kill)
		fput(subject->kill);
	if (subject->cgrp)
		cgroup_put(subject->cgrp);
	if (subject->sk)
		sock_put(subject->sk);
}

/**
 * rein_subject_listen() - be told when a process exits
 * @subject:	the subject; of others nothing is told
 * @on_exit:	called under a spinlock with interrupts off
 *
 * As pidfds do. It may have exited before: look after this.
 */
void rein_subject_listen(struct rein_subject *subject,
			 wait_queue_func_t on_exit)
{
	if (!subject->pid)
		return;
	init_waitqueue_func_entry(&subject->exit, on_exit);
	add_wait_queue(&subject->pid->wait_pidfd, &subject->exit);
}

/**
 * rein_subject_ignore() - undo rein_subject_listen(), if that was done
 * @subject:	the subject; nothing is told any more
 */
void rein_subject_ignore(struct rein_subject *subject)
{
	if (subject->exit.func)
		remove_wait_queue(&subject->pid->wait_pidfd, &subject->exit);
	subject->exit.func = NULL;
}

/* --- what it does ---------------------------------------------------------------------- */

/**
 * rein_subject_there() - is it there?
 * @subject:	the subject
 *
 * Context: any.
 *
 * Return: false once the process has exited, the cgroup was removed, or the socket was
 * closed; that stays so.
 */
bool rein_subject_there(const struct rein_subject *subject)
{
	bool there;

	if (subject->sk)
		return !sock_flag(subject->sk, SOCK_DEAD);
	if (subject->cgrp)
		return !rein_cgroup_dead(subject->cgrp);
	rcu_read_lock();
	there = process_there(subject->pid);
	rcu_read_unlock();
	return there;
}

/**
 * rein_subject_empty() - is it a cgroup without any process?
 * @subject:	the subject
 *
 * Context: any.
 *
 * Return: whether it is.
 */
bool rein_subject_empty(const struct rein_subject *subject)
{
	return subject->cgrp && !cgroup_is_populated(subject->cgrp);
}

/**
 * rein_subject_is_current() - does the caller belong to it?
 * @subject:	the subject
 *
 * Return: whether he is the process, or in the cgroup.
 */
bool rein_subject_is_current(const struct rein_subject *subject)
{
	struct cgroup *own;
	bool is;

	if (subject->pid)
		return task_tgid(current) == subject->pid;
	if (!subject->cgrp)
		return false;
	own = rein_cgroup_current();
	is = cgroup_is_descendant(own, subject->cgrp);
	cgroup_put(own);
	return is;
}

/**
 * rein_subject_cgroup() - the cgroup that it is, or is in
 * @subject:	the subject
 *
 * Context: any.
 *
 * Return: the cgroup, with a reference; NULL: the process has gone, or its cgroup is just
 * going.
 */
struct cgroup *rein_subject_cgroup(const struct rein_subject *subject)
{
	const struct task_struct *task;
	struct cgroup *cgrp = subject->cgrp;

	rcu_read_lock();
	if (subject->sk) {
		cgrp = sock_cgroup_ptr(&subject->sk->sk_cgrp_data);
	} else if (subject->pid) {
		task = pid_task(subject->pid, PIDTYPE_TGID);
		cgrp = task ? task_dfl_cgroup((struct task_struct *)task) : NULL;
	}
	if (cgrp && !css_tryget(&cgrp->self))
		cgrp = NULL;
	rcu_read_unlock();
	return cgrp;
}

/* --- what is done to it ------------------------------------------------------------------ */

/* Under RCU. */
static bool is_in(struct task_struct *task, struct cgroup *cgrp)
{
	return !(task->flags & PF_KTHREAD) &&
	       cgroup_is_descendant(task_dfl_cgroup(task), cgrp);
}

/*
 * To each of a cgroup, one by one: what is forked meanwhile may be missed, and to end all of
 * one is for cgroup.kill. Returns the first error of a process that is still there.
 */
static int signal_cgroup(struct cgroup *cgrp, int signal, struct pid *by)
{
	struct task_struct *task;
	int err = 0, ret;

	rcu_read_lock();
	for_each_process(task) {
		if (!is_in(task, cgrp))
			continue;
		ret = rein_cgroup_spares(task, by) ? -EPERM :
		      kill_pid(task_tgid(task), signal, 0);
		if (ret && ret != -ESRCH && !err)
			err = ret;
	}
	rcu_read_unlock();
	return err;
}

/**
 * rein_subject_signal() - send it a signal
 * @subject:	a process or a cgroup
 * @signal:	which one
 * @cred:	as whom: he has to be allowed to, now
 * @by:		the process that he was
 *
 * Return: 0 or a negative errno; of what has gone meanwhile there is nobody left.
 */
int rein_subject_signal(const struct rein_subject *subject, int signal,
			const struct cred *cred, struct pid *by)
{
	const struct cred *old = override_creds(cred);
	int err;

	if (subject->cgrp)
		err = signal_cgroup(subject->cgrp, signal, by);
	else
		err = kill_pid(subject->pid, signal, 0);
	revert_creds(old);
	return err == -ESRCH ? 0 : err;
}

/**
 * rein_subject_kill() - kill it
 * @subject:	a process, or a cgroup with its cgroup.kill
 * @cred:	as whom, of a process
 * @by:		the process that he was
 *
 * Return: 0 or a negative errno, as rein_subject_signal().
 */
int rein_subject_kill(const struct rein_subject *subject,
		      const struct cred *cred, struct pid *by)
{
	return subject->kill ?
	       rein_cgroup_kill(subject->kill, subject->cgrp, by) :
	       rein_subject_signal(subject, SIGKILL, cred, by);
}

/**
 * rein_subject_reset() - abort the connection of a socket
 * @subject:	the subject
 *
 * Waits for who has the socket locked.
 *
 * Return: 0 or a negative errno.
 */
int rein_subject_reset(const struct rein_subject *subject)
{
	struct sock *sk = subject->sk;

	if (!sk->sk_prot->diag_destroy)
		return -EOPNOTSUPP;
	return sk->sk_prot->diag_destroy(sk, ETIMEDOUT);
}

/* --- what it is at ----------------------------------------------------------------------- */

/* A few of a cgroup, with references. */
static unsigned int first_of(struct cgroup *cgrp, struct pid **pids,
			     unsigned int max)
{
	struct task_struct *task;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process(task) {
		if (n == max)
			break;
		if (is_in(task, cgrp))
			pids[n++] = get_pid(task_tgid(task));
	}
	rcu_read_unlock();
	return n;
}

/* By the number that who made the watch knows it by. */
static int tell_task(struct task_struct *task, struct pid *by, char *text,
		     size_t size)
{
	return scnprintf(text, size, " %d %s %c",
			 task_tgid_nr_ns(task, ns_of_pid(by)), task->comm,
			 task_state_to_char(task));
}

static unsigned int tell_process(struct pid *pid, struct pid *by, char *text,
				 size_t size,
				 unsigned long *stack, unsigned int frames,
				 unsigned int *depth)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);
	unsigned int n = 0;

	if (!task)
		return 0;
	n = tell_task(task, by, text, size);
	/* Of the first of them: that of one that runs says nothing. */
	if (!*depth && !task_is_running(task))
		*depth = stack_trace_save_tsk(task, stack, frames, 0);
	put_task_struct(task);
	return n;
}

/**
 * rein_subject_state() - what it does right now
 * @subject:	the subject
 * @by:		who made the watch
 * @text:	set to the number, name and state (as of ps(1)) of a few of its processes
 * @size:	of that
 * @stack:	where the first of them that sleeps is in the kernel
 * @frames:	room for that
 *
 * Return: how many of @frames there are; 0 as well where the kernel doesn't tell modules.
 */
unsigned int rein_subject_state(const struct rein_subject *subject,
				struct pid *by, char *text, size_t size, unsigned long *stack,
				unsigned int frames)
{
	struct pid *pids[TOLD];
	unsigned int n = 0, i, at = 0, depth = 0;

	*text = '\0';
	if (subject->cgrp)
		n = first_of(subject->cgrp, pids, TOLD);
	else if (subject->pid)
		pids[n++] = get_pid(subject->pid);
	for (i = 0; i < n; i++) {
		at += tell_process(pids[i], by, text + at, size - at, stack,
				   frames, &depth);
		put_pid(pids[i]);
	}
	return depth;
}
