/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command says of itself, as sd_notify(3) has it.
 *
 * Promise: whatever arrives is no more than ignored, and no descriptor that comes with it
 * stays open. Who has sent it is what the kernel says, not the sender.
 */
#ifndef REIN_CLI_NOTIFY_H
#define REIN_CLI_NOTIFY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

/* The longest that is read: as systemd. */
#define NOTIFY_MAX	4096

enum notice_says {
	/* READY=1 */
	NOTICE_READY = 1 << 0,
	/* WATCHDOG=1 */
	NOTICE_BEAT = 1 << 1,
	/* WATCHDOG=trigger */
	NOTICE_TRIGGER = 1 << 2,
	/* WATCHDOG_USEC= */
	NOTICE_EVERY = 1 << 3,
	/* EXTEND_TIMEOUT_USEC= */
	NOTICE_EXTEND = 1 << 4,
	/* STOPPING=1 */
	NOTICE_STOPPING = 1 << 5,
	/* STATUS= */
	NOTICE_STATUS = 1 << 6,
	/* MAINPID= */
	NOTICE_MAIN = 1 << 7,
	/* BARRIER=1 */
	NOTICE_BARRIER = 1 << 8,
};

/**
 * struct notice - one message
 * @says:	of enum notice_says
 * @every_us:	of NOTICE_EVERY
 * @extend_us:	of NOTICE_EXTEND
 * @main:	of NOTICE_MAIN
 * @status:	of NOTICE_STATUS, as much of it as there is room for
 */
struct notice {
	uint32_t says;
	uint64_t every_us;
	uint64_t extend_us;
	pid_t main;
	char status[256];
};

/**
 * struct notify - where messages arrive; begin with NOTIFY_NONE
 * @fd:		readable when there is one
 * @directory:	a new one, for the socket alone
 * @address:	of the socket: its path is what NOTIFY_SOCKET has to be
 */
struct notify {
	int fd;
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un address;
};

#define NOTIFY_NONE	((struct notify){ .fd = -1 })

void notify_parse(char *text, size_t len, struct notice *notice);
int notify_open(struct notify *notify);
int notify_take(const struct notify *notify, struct notice *notice, pid_t *pid);
void notify_close(struct notify *notify);

#endif /* REIN_CLI_NOTIFY_H */
