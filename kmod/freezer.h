/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Freezers: for how long what is in a cgroup was frozen, by its cgroup.freeze or by one
 * above. The kernel doesn't keep that; its tracepoints tell when it begins and ends.
 *
 * Where a kernel has no tracepoints a cgroup counts as frozen from when somebody looks and
 * finds it so.
 */
#ifndef REIN_FREEZER_H
#define REIN_FREEZER_H

#include <linux/types.h>

struct cgroup;
struct rein_freezer;

struct rein_freezer *rein_freezer_get(struct cgroup *cgrp);
void rein_freezer_put(struct rein_freezer *freezer);
u64 rein_freezer_total(struct rein_freezer *freezer, u64 now);
bool rein_freezer_frozen(const struct rein_freezer *freezer);
u64 rein_freezer_cgroup_id(const struct rein_freezer *freezer);

int rein_freezer_init(void);
void rein_freezer_exit(void);

#endif /* REIN_FREEZER_H */
