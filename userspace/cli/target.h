/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets: the cgroup or the socket that a limit is attached to.
 */
#ifndef REIN_CLI_TARGET_H
#define REIN_CLI_TARGET_H

struct cli;
struct opt_args;
struct rein_limit_request;

int target_check(struct cli *cli, const struct opt_args *args);
int target_open(struct cli *cli, const struct opt_args *args, struct rein_limit_request *request);
int target_open_socket(struct cli *cli, const char *text, int *fd);
void target_close(struct rein_limit_request *request);

#endif /* REIN_CLI_TARGET_H */
