// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the fields behind the name, of which the first is the third, see proc(5). */
#define START_FIELD	20

/**
 * process_parse_start() - when a process was started
 * @stat:	its /proc/PID/stat
 * @start:	where it goes, in ticks since boot
 *
 * The name of a process may have blanks and parentheses in it, but nothing behind it has.
 *
 * Return: 0 or -1.
 */
int process_parse_start(const char *stat, uint64_t *start)
{
	const char *p = strrchr(stat, ')');
	int field;

	for (field = 0; p && field < START_FIELD; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p && sscanf(p, "%" SCNu64, start) == 1 ? 0 : -1;
}

/**
 * process_start() - when a process was started
 * @pid:	which
 * @start:	where it goes, in ticks since boot
 *
 * Return: 0 or a negative errno.
 */
int process_start(pid_t pid, uint64_t *start)
{
	char path[64], text[1024];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	/* If it ended meanwhile there is nothing to be read. */
	return process_parse_start(text, start) ? -ESRCH : 0;
}

/**
 * process_get_fd() - have a descriptor of another process, too
 * @pid:	which
 * @fd:		its number there
 *
 * Return: a descriptor or a negative errno.
 */
int process_get_fd(pid_t pid, int fd)
{
	int process = syscall(SYS_pidfd_open, pid, 0), got;

	if (process < 0)
		return -errno;
	got = syscall(SYS_pidfd_getfd, process, fd, 0);
	if (got < 0)
		got = -errno;
	close(process);
	return got;
}
