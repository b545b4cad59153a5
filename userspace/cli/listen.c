// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "listen.h"

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/**
 * listen_run() - go on until SIGINT, SIGTERM, or nobody reads the output any more
 * @cli:	the command
 * @fd:		where something may come from, or -1
 * @interval_ms: how long to wait for it, -1: for ever
 * @fn:		called when @fd is readable or the time is over; ends it if it returns
 *		an exit code that is not EXIT_OK
 * @arg:	handed to @fn
 *
 * Return: the exit code.
 */
int listen_run(struct cli *cli, int fd, int interval_ms,
	       int (*fn)(struct cli *cli, bool readable, void *arg), void *arg)
{
	int signals = signals_open(), exit = EXIT_OK;
	struct pollfd fds[3] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = fileno(cli->out.file) },	/* POLLERR: its reader is gone */
		{ .fd = signals, .events = POLLIN },
	};

	while (!exit && !ferror(cli->out.file)) {
		int ret = poll(fds, 3, interval_ms);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 || fds[1].revents & (POLLERR | POLLNVAL) || fds[2].revents)
			break;
		exit = fn(cli, fds[0].revents, arg);
	}
	if (signals >= 0)
		close(signals);
	return exit;
}
