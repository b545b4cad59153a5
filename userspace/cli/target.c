// SPDX-License-Identifier: GPL-2.0
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "cli.h"
#include "process.h"

static int fail_socket(struct cli *cli, const char *option, int err)
{
	if (err == EBADF)
		return cli_fail(cli, CODE_SOCKET, option,
				"see what it has open: ls -l /proc/PID/fd",
				"that process has no such descriptor");
	return cli_fail(cli, CODE_SOCKET, option, NULL,
			"the socket of that process can't be had: %s",
			strerror(err));
}

/**
 * target_open_socket() - have a socket of a process
 * @cli:	the command
 * @text:	as given by --socket: PID:FD, or self:FD, one that rein was started with
 * @fd:		where the descriptor goes; the caller closes it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int target_open_socket(struct cli *cli, const char *text, int *fd)
{
	unsigned int pid = 0, number;
	char option[256];
	int end = 0, got;

	snprintf(option, sizeof(option), "--socket %s", text);
	if (sscanf(text, "self:%9u%n", &number, &end) != 1 &&
	    (sscanf(text, "%9u:%9u%n", &pid, &number, &end) != 2 || !pid))
		end = 0;
	if (!end || text[end])
		return cli_fail(cli, CODE_VALUE, option,
				"write: --socket PID:FD, see ls -l /proc/PID/fd",
				"'%.80s' is not a process and a descriptor of it", text);
	/* To have that of another process one must be allowed to trace it. */
	got = pid ? process_get_fd(pid, number) : fcntl(number, F_DUPFD_CLOEXEC, 3);
	if (got < 0 && !pid)
		got = -errno;
	if (got < 0)
		return fail_socket(cli, option, -got);
	*fd = got;
	return 0;
}

/**
 * target_check() - do the options name one target at most?
 * @cli:	the command
 * @args:	the options
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int target_check(struct cli *cli, const struct opt_args *args)
{
	if (!opt_find(args, "cgroup") || !opt_find(args, "socket"))
		return 0;
	return cli_fail(cli, CODE_USAGE, NULL, "name one: --cgroup PATH or --socket PID:FD",
			"a target is a cgroup or a socket");
}

/**
 * target_open() - have what the options name as the target of a limit
 * @cli:	the command
 * @args:	the options: --cgroup, --socket, or none of them, checked
 * @request:	gets it, to be closed by target_close(), also on failure
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int target_open(struct cli *cli, const struct opt_args *args, struct rein_limit_request *request)
{
	const char *cgroup = opt_value(args, "cgroup");
	const char *sock = opt_value(args, "socket");
	int ret = 0;

	request->cgroup_fd = -1;
	if (cgroup)
		return cgroup_open(cli, cgroup, &request->cgroup_fd);
	if (sock)
		ret = target_open_socket(cli, sock, &request->socket_fd);
	request->has_socket = sock && !ret;
	return ret;
}

/**
 * target_close() - undo target_open()
 * @request:	what was asked for
 */
void target_close(struct rein_limit_request *request)
{
	if (request->cgroup_fd >= 0)
		close(request->cgroup_fd);
	if (request->has_socket)
		close(request->socket_fd);
}
