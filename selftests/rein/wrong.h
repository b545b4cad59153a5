/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tools have that ask wrongly: WHAT DIRECTORY NAME, see tool-wrong.c.
 */
#ifndef REIN_SELFTESTS_WRONG_H
#define REIN_SELFTESTS_WRONG_H

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fault.h"
#include "scope.h"

/* One WHAT, and what it does; the exit status. */
struct act {
	const char *what;
	int (*act)(void);
};

static const char *directory, *name;

static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(2);
}

static inline int refused(uint64_t record)
{
	if (record)
		printf("record: %llu (rein errors show %llu)\n", (unsigned long long)record,
		       (unsigned long long)record);
	return 0;
}

static inline int connect_to_rein(void)
{
	int fd = genl_socket();

	if (fd < 0 || genl_resolve(fd))
		die("netlink");
	return fd;
}

static inline int open_directory(void)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(directory);
	return fd;
}

static inline int open_device(void)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);

	if (dev < 0)
		die(REIN_DEV_PATH);
	return dev;
}

static inline void limit_files(rlim_t n)
{
	struct rlimit limit = { n, n };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

/* What a request of scope.h returned: was it refused, and is there a record? */
static inline int told_off(int ret)
{
	return ret < 0 ? refused(said.answer.record) : 1;
}

static inline int good(int fd)
{
	if (fd >= 0)
		return fd;
	errno = -fd;
	die(said.answer.message);
}

/* A directory below, of which nobody else knows. */
static inline int make_below(char *path, size_t size)
{
	int dir;

	snprintf(path, size, "%s/below", directory);
	if (mkdir(path, 0755))
		die(path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(path);
	return dir;
}

static inline void go_as_nobody(void)
{
	if (!become_nobody())
		die("setresuid");
}

static inline int run_act(const struct act *acts, size_t n, int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 4 && i < n; i++) {
		if (strcmp(acts[i].what, argv[1]))
			continue;
		directory = argv[2];
		name = argv[3];
		return acts[i].act();
	}
	fprintf(stderr, "%s: see the top of its source\n", argv[0]);
	return 2;
}

#endif /* REIN_SELFTESTS_WRONG_H */
