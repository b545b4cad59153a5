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

#include "hierarchy.h"

struct cli;

int cgroup_open(struct cli *cli, const char *name, int *fd);
int cgroup_open_own(struct cli *cli, char path[PATH_MAX], int *fd);
int cgroup_path(struct cli *cli, const char *name, char *path, size_t size);
int cgroup_open_pid(struct cli *cli, const char *pid, int *fd);

#endif /* REIN_CLI_CGROUP_H */
