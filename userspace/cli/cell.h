/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cgroup below rein's own, for one command and all that it starts.
 *
 * Promise: the command is in there from its first instruction on, so that nothing
 * that it forks is ever elsewhere, unless it moves there by itself. What is in
 * there can be signalled and killed as a whole, and when nothing is left the cgroup is
 * removed, with those that were made in it.
 */
#ifndef REIN_CLI_CELL_H
#define REIN_CLI_CELL_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct cli;

/**
 * struct cell - such a cgroup; begin with CELL_NONE
 * @parent:	directory of rein's own cgroup
 * @dir:	its directory
 * @events:	its cgroup.events, to be polled for POLLPRI; then cell_populated()
 * @kill:	its cgroup.kill, open for writing
 * @name:	of the directory in that of the parent
 * @path:	of the parent, as rein sees it
 */
struct cell {
	int parent;
	int dir;
	int events;
	int kill;
	char name[128];
	char path[PATH_MAX];
};

#define CELL_NONE	((struct cell){ .parent = -1, .dir = -1, .events = -1, .kill = -1 })

/**
 * struct launch - how a command is started
 * @command:	it, ended by NULL
 * @mask:	the signals that it finds blocked
 * @input:	what it reads, -1: what rein would
 * @output:	where it writes, -1: where rein would
 * @errors:	likewise
 * @pid_name:	variable of its environment that is its PID, or NULL
 */
struct launch {
	char **command;
	const sigset_t *mask;
	int input;
	int output;
	int errors;
	const char *pid_name;
};

/**
 * struct process - a command that was started
 * @pid:	of it
 * @fd:		readable when it has ended
 */
struct process {
	pid_t pid;
	int fd;
};

int cell_make(struct cli *cli, const char *name, unsigned int number, struct cell *cell);
int cell_start(struct cli *cli, const struct cell *cell, const struct launch *launch,
	       struct process *process);
int cell_reap(struct process *process, bool *killed);
bool cell_populated(const struct cell *cell);
bool cell_has(const struct cell *cell, pid_t pid);
void cell_kill(const struct cell *cell);
void cell_signal(const struct cell *cell, int sig);
void cell_remove(struct cli *cli, struct cell *cell);

#endif /* REIN_CLI_CELL_H */
