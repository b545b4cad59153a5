/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of cgroups.
 *
 * Promise: a name becomes an open directory, which is what the kernel is
 * given: right on hybrid hosts and inside of cgroup namespaces, where a path
 * could mean something else.
 */
#ifndef REIN_CLI_CGROUP_H
#define REIN_CLI_CGROUP_H

#include <limits.h>
#include <stdio.h>

struct cli;

/**
 * struct cgroup_mount - where the cgroup2 hierarchy is mounted
 * @path:	the mount point
 * @root:	which part of the hierarchy it shows
 */
struct cgroup_mount {
	char path[PATH_MAX];
	char root[PATH_MAX];
};

int cgroup_find_mount(FILE *mountinfo, struct cgroup_mount *mount);
int cgroup_read_own(FILE *cgroups, char *path, size_t size);
int cgroup_open(struct cli *cli, const char *name, int *fd);
int cgroup_open_pid(struct cli *cli, const char *pid, int *fd);

#endif /* REIN_CLI_CGROUP_H */
