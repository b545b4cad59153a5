/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subjects: what a watch is kept over, a process, a cgroup or a socket; whether it is still
 * there, what it does, and what can be done to it.
 *
 * Context: a task that may sleep, unless it says otherwise.
 */
#ifndef REIN_SUBJECT_H
#define REIN_SUBJECT_H

#include <linux/rein_dev.h>
#include <linux/wait.h>

struct cgroup;
struct cred;
struct file;
struct pid;
struct rein_answer;
struct rein_record;
struct sock;

/**
 * struct rein_subject - what a watch is kept over
 * @kind:	of enum rein_subject_kind
 * @pid:	of a process, holds a reference
 * @cgrp:	of a cgroup, likewise
 * @sk:		of a socket, likewise
 * @kill:	the cgroup's cgroup.kill, likewise; NULL: there is none
 * @exit:	waits for the end of the process
 */
struct rein_subject {
	u32 kind;
	struct pid *pid;
	struct cgroup *cgrp;
	struct sock *sk;
	struct file *kill;
	struct wait_queue_entry exit;
};

int rein_subject_get(struct rein_subject *subject,
		     const struct rein_watch_args *args, bool ends,
		     struct rein_answer *answer);
void rein_subject_put(struct rein_subject *subject);

void rein_subject_listen(struct rein_subject *subject,
			 wait_queue_func_t on_exit);
void rein_subject_ignore(struct rein_subject *subject);

bool rein_subject_there(const struct rein_subject *subject);
bool rein_subject_empty(const struct rein_subject *subject);
bool rein_subject_is_current(const struct rein_subject *subject);
struct cgroup *rein_subject_cgroup(const struct rein_subject *subject);

struct pid_namespace;
int rein_subject_signal(const struct rein_subject *subject, int signal,
			const struct cred *cred, struct pid *by);
int rein_subject_kill(const struct rein_subject *subject,
		      const struct cred *cred, struct pid *by);
int rein_subject_reset(const struct rein_subject *subject);
unsigned int rein_subject_state(const struct rein_subject *subject,
				struct pid *by, char *text,
				size_t size, unsigned long *stack,
				unsigned int frames);

#endif /* REIN_SUBJECT_H */
