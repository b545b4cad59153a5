// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroups. See cgroup.h.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "cgroup.h"
#include "netlink-view.h"

/* Those who want to know: limits, bindings and watches. */
static struct delayed_work *lookers[3];

static struct rein_cgroup_probe rmdir_probe;

/**
 * rein_cgroup_current() - the caller's cgroup
 *
 * Return: the cgroup, with a reference.
 */
struct cgroup *rein_cgroup_current(void)
{
	struct cgroup *cgrp;

	rcu_read_lock();
	do {
		cgrp = task_dfl_cgroup(current);
	} while (!css_tryget(&cgrp->self));
	rcu_read_unlock();
	return cgrp;
}

/**
 * rein_cgroup_look() - have work run when a cgroup has gone
 * @work:	the work; it should look every REIN_CGROUP_LOOK, too, as there may be no
 *		tracepoints in the kernel
 *
 * Context: while the module is loaded, before rein_cgroup_init().
 */
void rein_cgroup_look(struct delayed_work *work)
{
	unsigned int i = 0;

	while (i < ARRAY_SIZE(lookers) - 1 && lookers[i])
		i++;
	lookers[i] = work;
}

/* Called under a spinlock with interrupts off: only pass it on. */
static void on_rmdir(void *data, struct cgroup *cgrp, const char *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lookers); i++)
		if (lookers[i])
			mod_delayed_work(system_power_efficient_wq, lookers[i],
					 0);
}

struct search {
	const char *name;
	struct tracepoint *found;
};

static void match(struct tracepoint *point, void *arg)
{
	struct search *search = arg;

	if (!strcmp(point->name, search->name))
		search->found = point;
}

/**
 * rein_cgroup_probe() - be told what becomes of cgroups
 * @probe:	who; to be undone by rein_cgroup_unprobe()
 * @name:	of the tracepoint
 * @run:	called under a spinlock with interrupts off
 *
 * Nothing is told where the kernel has no such tracepoint.
 *
 * Context: a task; may sleep. So for the next one.
 */
void rein_cgroup_probe(struct rein_cgroup_probe *probe, const char *name,
		       void (*run)(void *data, struct cgroup *cgrp,
				   const char *path))
{
	struct search search = { .name = name };

	for_each_kernel_tracepoint(match, &search);
	probe->point = search.found;
	probe->run = run;
	if (probe->point && tracepoint_probe_register(probe->point, run, NULL))
		probe->point = NULL;
}

/**
 * rein_cgroup_unprobe() - undo rein_cgroup_probe()
 * @probe:	who; nothing is told any more
 */
void rein_cgroup_unprobe(struct rein_cgroup_probe *probe)
{
	if (!probe->point)
		return;
	tracepoint_probe_unregister(probe->point, probe->run, NULL);
	tracepoint_synchronize_unregister();
}

/* --- killing ------------------------------------------------------------------------- */

/**
 * rein_cgroup_is_kill() - can a file kill all that is in a cgroup?
 * @file:	the file
 * @cgrp:	the cgroup
 *
 * Return: whether it is that cgroup's cgroup.kill, opened by who may write to it.
 */
bool rein_cgroup_is_kill(const struct file *file, const struct cgroup *cgrp)
{
	const struct dentry *dentry = file->f_path.dentry;

	return file_inode(file)->i_sb->s_magic == CGROUP2_SUPER_MAGIC &&
	       file->f_mode & FMODE_WRITE &&
	       !strcmp(dentry->d_name.name, "cgroup.kill") &&
	       d_inode(dentry->d_parent)->i_private == cgrp->kn &&
	       cgrp->dom_cgrp == cgrp;
}

/**
 * rein_cgroup_below_own_root() - is a cgroup below the root of the caller's cgroup namespace?
 * @cgrp:	the cgroup
 *
 * That root is not his to kill, where cgroups are mounted with nsdelegate, although he
 * can open its cgroup.kill; nor does it become so by making a namespace further down.
 *
 * Return: whether it is.
 */
bool rein_cgroup_below_own_root(struct cgroup *cgrp)
{
	struct cgroup *root = (struct cgroup *)rein_view_root();

	return cgrp != root && cgroup_is_descendant(cgrp, root);
}

/**
 * rein_cgroup_spares() - is a process the init of a container that another one is in?
 * @task:	the process
 * @by:		the other one
 *
 * What a worker of the kernel sends comes from outside of any container, and so ends its init,
 * which nobody inside can.
 *
 * Context: under RCU.
 *
 * Return: whether it is.
 */
bool rein_cgroup_spares(struct task_struct *task, struct pid *by)
{
	struct pid_namespace *ns = ns_of_pid(by);
	struct pid *pid = task_tgid(task);

	/* One that is just going has none any more. */
	if (!pid || !is_child_reaper(pid))
		return false;
	while (ns && ns != ns_of_pid(pid))
		ns = ns->parent;
	/* That of the host is safe by itself. */
	return ns && ns != &init_pid_ns;
}

static bool has_spared(struct cgroup *cgrp, struct pid *by)
{
	struct task_struct *task;
	bool has = false;

	if (ns_of_pid(by) == &init_pid_ns)
		return false;
	rcu_read_lock();
	for_each_process(task)
		if (rein_cgroup_spares(task, by) &&
		    cgroup_is_descendant(task_dfl_cgroup(task), cgrp)) {
			has = true;
			break;
		}
	rcu_read_unlock();
	return has;
}

/**
 * rein_cgroup_kill() - kill all that is in a cgroup
 * @kill:	its cgroup.kill, see rein_cgroup_is_kill()
 * @cgrp:	the cgroup
 * @by:		the process that wants it so
 *
 * As whoever opened the file: that is who may do it. Not where that would end the init of the
 * container that @by is in.
 *
 * Context: a task; may sleep. No lock of ours is held.
 *
 * Return: 0 or a negative errno; of a cgroup that was removed meanwhile there is nobody
 * left.
 */
int rein_cgroup_kill(struct file *kill, struct cgroup *cgrp, struct pid *by)
{
	const struct cred *old;
	loff_t pos = 0;
	ssize_t ret;

	if (has_spared(cgrp, by))
		return -EPERM;
	old = override_creds(kill->f_cred);
	ret = kernel_write(kill, "1", 1, &pos);
	revert_creds(old);
	return ret < 0 && ret != -ENODEV && ret != -ENOENT ? ret : 0;
}

/* --- those that go ------------------------------------------------------------------- */

/**
 * rein_cgroup_init() - listen for dying cgroups
 */
void rein_cgroup_init(void)
{
	rein_cgroup_probe(&rmdir_probe, "cgroup_rmdir", on_rmdir);
}

/**
 * rein_cgroup_exit() - undo rein_cgroup_init(): no work is begun any more
 */
void rein_cgroup_exit(void)
{
	rein_cgroup_unprobe(&rmdir_probe);
}
