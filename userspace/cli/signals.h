/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that end rein, while there is something to be put in order first.
 *
 * Promise: none ends it before; none that was ignored when it began is heeded; and in
 * the end it dies of the signal, as whoever waits for it expects.
 */
#ifndef REIN_CLI_SIGNALS_H
#define REIN_CLI_SIGNALS_H

#include <signal.h>

/**
 * struct signals - those that are held
 * @before:	what was blocked before
 * @fd:		readable when there is one
 */
struct signals {
	sigset_t before;
	int fd;
};

struct cli;

int signals_hold(struct cli *cli, struct signals *signals);
int signals_take(const struct signals *signals);
void signals_release(struct signals *signals);
void signals_die(int sig);
const char *signals_name(int sig);
int signals_parse(const char *text);

#endif /* REIN_CLI_SIGNALS_H */
