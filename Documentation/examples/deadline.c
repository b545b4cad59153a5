// SPDX-License-Identifier: GPL-2.0
/*
 * A deadline that is passed on: a parent has so much time, and lets another process work
 * within it.
 *
 *	deadline MS PIECES
 *
 * The child inherits the descriptor of a scope, and asks before each of its PIECES of 10
 * ms whether anybody still wants it: by a load from memory, no system call. The parent
 * waits for both in an epoll loop. What it would send over a socket to a process that is
 * there already is the same descriptor.
 *
 * With librein installed: cc deadline.c $(pkg-config --cflags --libs rein)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rein.h>

#define MS	1000000ULL

static int fail(const char *what, int err)
{
	fprintf(stderr, "deadline: %s: %s\n", what, strerror(err));
	return 1;
}

/* --- the child --------------------------------------------------------------------- */

static int work(int scope, int pieces)
{
	const struct timespec piece = { .tv_nsec = 10 * MS };
	const struct rein_scope_page *page = rein_scope_map(scope);
	int done;

	if (!page)
		return fail("the scope can't be mapped", errno);
	for (done = 0; done < pieces && !rein_scope_cancelled(page); done++)
		nanosleep(&piece, NULL);
	printf("child: %d of %d pieces, %s\n", done, pieces,
	       done < pieces ? "nobody wants more" : "all of them");
	rein_scope_unmap(page);
	return done < pieces;
}

static pid_t start(int scope, char *pieces)
{
	char fd[16];
	pid_t pid;

	snprintf(fd, sizeof(fd), "%d", scope);
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	/* It is close-on-exec, unless somebody says otherwise. */
	fcntl(scope, F_SETFD, 0);
	execl("/proc/self/exe", "deadline", "--child", fd, pieces, NULL);
	_exit(127);
}

/* --- the parent -------------------------------------------------------------------- */

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void say_done(int scope)
{
	struct rein_scope_done done;

	if (read(scope, &done, sizeof(done)) == sizeof(done))
		printf("parent: the scope is done: %s\n", rein_cause_name(done.cause));
}

static int loop(int epoll, int scope, int child)
{
	struct epoll_event event;

	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		if (event.data.fd == child)
			return 0;
		say_done(scope);
		/* Told once; now the child has to notice. */
		epoll_ctl(epoll, EPOLL_CTL_DEL, scope, NULL);
	}
	return fail("epoll_wait", errno);
}

static int run(uint64_t timeout_ns, char *pieces)
{
	struct rein_scope_opts opts = {
		.name = "example",
		.has_timeout = true,
		.timeout_ns = timeout_ns,
		.owned = true,
	};
	int dev = rein_dev_open(), epoll = epoll_create1(EPOLL_CLOEXEC), scope, child, status;
	struct rein_scope_result result;
	pid_t pid;

	if (dev < 0)
		return fail(REIN_DEV_PATH, -dev);
	scope = rein_scope_new(dev, &opts, &result);
	if (scope < 0)
		return fail(result.message, -scope);
	pid = start(scope, pieces);
	child = syscall(SYS_pidfd_open, pid, 0);
	if (pid < 0 || child < 0 || epoll < 0 || watch(epoll, scope) || watch(epoll, child))
		return fail("the child can't be watched", errno);
	if (loop(epoll, scope, child) || waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && !strcmp(argv[1], "--child"))
		return work(atoi(argv[2]), atoi(argv[3]));
	if (argc != 3) {
		fprintf(stderr, "usage: deadline MS PIECES\n");
		return 2;
	}
	return run(atoi(argv[1]) * MS, argv[2]);
}
