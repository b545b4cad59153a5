/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that heal: what is to be done when a watch comes to its step exec.
 *
 * Promise: of one watch at most one runs at a time, and if it comes to that step once more
 * meanwhile, one more after it; of all watches there are no more than HOOKS_MAX. All are
 * reaped.
 */
#ifndef REIN_CLI_HOOK_H
#define REIN_CLI_HOOK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rein.h"

struct cli;

#define HOOKS_MAX	64

/* How many variables it is told by. */
#define HOOK_VARIABLES	7

/**
 * struct hook - one that runs
 * @watch:	because of which watch
 * @pid:	of it
 * @next:	the variables of who is to run after it, NULL: nobody
 */
struct hook {
	uint64_t watch;
	pid_t pid;
	char **next;
};

/**
 * struct hooks - those that run
 * @n:		how many
 * @hook:	they
 */
struct hooks {
	size_t n;
	struct hook hook[HOOKS_MAX];
};

bool hooks_want(const struct rein_watch *watch);
void hooks_run(struct cli *cli, struct hooks *hooks, const char *command,
	       const struct rein_watch *watch);
void hooks_reap(struct cli *cli, struct hooks *hooks, const char *command);
void hooks_forget(struct hooks *hooks);

#endif /* REIN_CLI_HOOK_H */
