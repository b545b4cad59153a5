/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cgroup2 hierarchy, as this process sees it.
 *
 * Promise: a process becomes an open directory, which is what the kernel is
 * given: right on hybrid hosts and inside of cgroup namespaces, where a path
 * could mean something else.
 */
#ifndef REIN_HIERARCHY_H
#define REIN_HIERARCHY_H

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct rein_mount - where the cgroup2 hierarchy is mounted
 * @path:	the mount point
 * @root:	which part of the hierarchy it shows
 */
struct rein_mount {
	char path[PATH_MAX];
	char root[PATH_MAX];
};

int rein_find_mount(FILE *mountinfo, struct rein_mount *mount);
int rein_own_mount(struct rein_mount *mount);
int rein_read_cgroup(FILE *cgroups, char *path, size_t size);
int rein_open_below(const struct rein_mount *mount, const char *path);
int rein_open_cgroup_of(const struct rein_mount *mount, const char *file_name, char *path,
			size_t size);

#endif /* REIN_HIERARCHY_H */
