// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli.h"
#include "listen.h"

/* At once, also from a write that nobody reads: there is nothing to be put in order. */
static void stop(int sig)
{
	(void)sig;
	_exit(EXIT_OK);
}

/* An event is an object with its name, and a line of its own, at once. */
void event_begin(struct out *out, const char *lead, const char *event)
{
	out_object(out, NULL);
	out_str(out, "event", lead, event);
}

void event_end(struct out *out)
{
	out_end(out);
	out_flush(out);
	fflush(out->file);
}

/* What a record is as an event, after its name. */
void event_record(struct out *out, const struct rein_record *record)
{
	out_object(out, "record");
	if (out->json)
		show_record_row(out, record);
	else
		show_record_line(out, record);
	out_end(out);
	event_end(out);
}

/* From here on it hears everything. */
void event_listening(struct cli *cli)
{
	if (cli->out.json) {
		event_begin(&cli->out, NULL, "listening");
		event_end(&cli->out);
	} else if (!cli->quiet) {
		fputs("listening\n", stderr);
	}
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
	struct sigaction action = { .sa_handler = stop };
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = fileno(cli->out.file) },	/* its reader is gone: POLLERR, POLLHUP */
	};
	int ret = EXIT_OK;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!ret && !ferror(cli->out.file)) {
		int ready = poll(fds, 2, interval_ms);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0 || fds[1].revents)
			break;
		ret = fn(cli, fds[0].revents, arg);
	}
	return ret;
}
