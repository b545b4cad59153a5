/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Forms that run a COMMAND: what stands behind "--".
 *
 * Promise: its status is theirs, and those of rein itself are others.
 */
#ifndef REIN_CLI_COMMAND_H
#define REIN_CLI_COMMAND_H

#include <stdbool.h>

struct cli;

char **command_split(int argc, char **argv, int *words);
bool command_follows(int argc, char **argv);
char **command_number(char **words, unsigned int number);
void command_signals(const struct cli *cli);
int command_status(int ret);
int command_fail(struct cli *cli, const char *command, int err);

#endif /* REIN_CLI_COMMAND_H */
