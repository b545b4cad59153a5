/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes, and what they have open.
 */
#ifndef REIN_CLI_PROCESS_H
#define REIN_CLI_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

int process_parse_start(const char *stat, uint64_t *start);
int process_start(pid_t pid, uint64_t *start);
int process_get_fd(pid_t pid, int fd);

#endif /* REIN_CLI_PROCESS_H */
