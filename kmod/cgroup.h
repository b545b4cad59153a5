/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups: whose one is, what becomes of one, which a module is not told, and what kills
 * all that is in one.
 */
#ifndef REIN_CGROUP_H
#define REIN_CGROUP_H

#include <linux/cgroup.h>

struct delayed_work;
struct file;
struct pid;
struct task_struct;
struct tracepoint;

/* How often dead cgroups are looked for, should nobody tell us of them. */
#define REIN_CGROUP_LOOK	(5 * HZ)

/**
 * rein_cgroup_dead() - was a cgroup removed?
 * @cgrp:	the cgroup
 *
 * css_is_dying() does not say so: from 6.12 on it is about controllers only.
 * This is what the kernel itself asks, in cgroup_is_dead().
 *
 * Return: whether it was; that never changes back.
 */
static inline bool rein_cgroup_dead(const struct cgroup *cgrp)
{
	return !(READ_ONCE(cgrp->self.flags) & CSS_ONLINE);
}

/**
 * struct rein_cgroup_probe - somebody who is told what becomes of cgroups
 * @point:	the tracepoint, NULL: there is none
 * @run:	called with the cgroup
 */
struct rein_cgroup_probe {
	struct tracepoint *point;
	void (*run)(void *data, struct cgroup *cgrp, const char *path);
};

void rein_cgroup_probe(struct rein_cgroup_probe *probe, const char *name,
		       void (*run)(void *data, struct cgroup *cgrp,
				   const char *path));
void rein_cgroup_unprobe(struct rein_cgroup_probe *probe);

bool rein_cgroup_is_kill(const struct file *file, const struct cgroup *cgrp);
bool rein_cgroup_below_own_root(struct cgroup *cgrp);
bool rein_cgroup_spares(struct task_struct *task, struct pid *by);
int rein_cgroup_kill(struct file *kill, struct cgroup *cgrp, struct pid *by);

struct cgroup *rein_cgroup_current(void);
void rein_cgroup_look(struct delayed_work *work);

void rein_cgroup_init(void);
void rein_cgroup_exit(void);

#endif /* REIN_CGROUP_H */
