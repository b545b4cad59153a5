/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups, and processes in them.
 */
#ifndef REIN_SELFTESTS_CGROUP_H
#define REIN_SELFTESTS_CGROUP_H

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "scope.h"

#define CGROOT		"/sys/fs/cgroup"

static inline int make_cgroup(const char *path)
{
	mkdir(path, 0755);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline int open_at(int dir, const char *name, int flags)
{
	return openat(dir, name, flags | O_CLOEXEC);
}

static inline int open_kill(int dir)
{
	return open_at(dir, "cgroup.kill", O_WRONLY);
}

/* Waits until there is no process in a cgroup, or below. */
static inline bool wait_empty(int dir)
{
	int fd = open_at(dir, "cgroup.events", O_RDONLY);
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	uint64_t end = now_ns() + LONG;
	char text[256];
	ssize_t got;
	bool empty;

	do {
		got = pread(fd, text, sizeof(text) - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		empty = !!strstr(text, "populated 0");
		if (!empty)
			poll(&pfd, 1, 1000);
	} while (!empty && now_ns() < end);
	close(fd);
	return empty;
}

static inline bool is_empty(int dir)
{
	int fd = open_at(dir, "cgroup.events", O_RDONLY);
	char text[256];
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return strstr(text, "populated 0");
}

static inline void kill_all(int dir)
{
	int fd = open_kill(dir);

	if (write(fd, "1", 1) == 1)
		wait_empty(dir);
	close(fd);
}

/*
 * @act in a process of its own, in @cgroup (NULL: where the caller is), which ends then; it is
 * there when this returns.
 */
static inline pid_t run_inside(const char *cgroup, void (*act)(void *arg), void *arg)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		abort();
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if ((cgroup && !enter(cgroup)) || write(ready[1], &byte, 1) != 1)
			_exit(99);
		close(ready[0]);
		close(ready[1]);
		act(arg);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
	return pid;
}

/* For run_inside(): a fork bomb, of somebody who may not have too many processes. */
static inline void bomb(void *arg)
{
	struct rlimit most = { 60, 60 };

	(void)arg;
	if (setrlimit(RLIMIT_NPROC, &most) || !become_nobody())
		_exit(1);
	for (;;) {
		pid_t pid = fork();

		/* The parent goes, or both stay: nobody is there for long. */
		if (pid > 0 && getpid() % 3 == 0)
			_exit(0);
		if (pid < 0)
			usleep(100);
	}
}

/* Waits until so many processes are in a cgroup; false if that takes too long. */
static inline bool wait_crowded(int dir, int least)
{
	uint64_t end = now_ns() + LONG;
	char text[4096];
	int fd, lines = 0;
	ssize_t got, i;

	while (lines < least && now_ns() < end) {
		fd = open_at(dir, "cgroup.procs", O_RDONLY);
		got = read(fd, text, sizeof(text));
		close(fd);
		for (i = 0, lines = 0; i < got; i++)
			lines += text[i] == '\n';
		usleep(10000);
	}
	return lines >= least;
}

#endif /* REIN_SELFTESTS_CGROUP_H */
