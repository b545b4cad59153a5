/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that go on until they are told to stop, and the events that they print.
 */
#ifndef REIN_CLI_LISTEN_H
#define REIN_CLI_LISTEN_H

#include <stdbool.h>

struct cli;
struct out;
struct rein_record;

void event_begin(struct out *out, const char *lead, const char *event);
void event_end(struct out *out);
void event_record(struct out *out, const struct rein_record *record);
void event_listening(struct cli *cli);

int listen_run(struct cli *cli, int fd, int interval_ms,
	       int (*fn)(struct cli *cli, bool readable, void *arg), void *arg);

#endif /* REIN_CLI_LISTEN_H */
