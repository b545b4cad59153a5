/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bindings: scopes that are bound to cgroups. What is done in such a cgroup, or below,
 * ends with the scope: takes; packets that wait; the scopes that are bound to cgroups
 * below; and, if so asked, its processes.
 *
 * A binding lasts until its cgroup is removed, and keeps the scope until then.
 *
 * Locking: bindings are found under RCU, and changed under a mutex inside of which
 * families' locks come (see scope.h). What a scope's end brings about is done by work,
 * without a lock of ours where processes are killed.
 */
#ifndef REIN_BIND_H
#define REIN_BIND_H

#include <linux/types.h>
#include <linux/rein_dev.h>

struct cgroup;
struct rein_scope;

int rein_bind(struct rein_scope *scope, struct rein_bind_args *args);
struct rein_scope *rein_bind_find(struct cgroup *cgrp, u64 *deadline);
bool rein_bind_covers(const struct rein_scope *scope, struct cgroup *cgrp);
struct cgroup *rein_bind_cgroup(const struct rein_scope *scope, bool *kills);
void rein_bind_end(struct rein_scope *scope);

int rein_bind_init(void);
void rein_bind_exit(void);

#endif /* REIN_BIND_H */
