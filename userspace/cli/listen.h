/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that go on until they are told to stop.
 */
#ifndef REIN_CLI_LISTEN_H
#define REIN_CLI_LISTEN_H

struct cli;

int listen_run(struct cli *cli, int fd, int interval_ms,
	       int (*fn)(struct cli *cli, bool readable, void *arg), void *arg);

#endif /* REIN_CLI_LISTEN_H */
