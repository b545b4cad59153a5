// SPDX-License-Identifier: GPL-2.0
/*
 * A daemon that speaks to systemd, or to who is like it: sd_notify(3), without libsystemd.
 *
 *	tool-notify WORD...
 *
 *	NAME=VALUE	is sent, as it is
 *	barrier		wait until all of that was heeded (BARRIER=1)
 *	beat:MS:N	N beats (WATCHDOG=1), one every MS
 *	beat:FILE:MS	one every MS until there is FILE
 *	usec		print WATCHDOG_USEC, if WATCHDOG_PID is this process
 *	make:FILE	make FILE
 *	hang		do nothing any more
 *	exit:N		end with status N; at the end of all words: with 0
 *
 * Ends with 2 if one of them can't be done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long who is to heed it may take, in ms. */
#define PATIENCE	30000

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-notify: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* A descriptor goes with it, unless that is -1. */
static void notify(const char *text, int fd)
{
	static int sock = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { .msg_name = &address, .msg_namelen = sizeof(address),
			      .msg_iov = &iov, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || *path != '/' || strlen(path) >= sizeof(address.sun_path))
		die("NOTIFY_SOCKET");
	strcpy(address.sun_path, path);
	if (sock < 0)
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(fd)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		die(text);
}

static void barrier(void)
{
	struct pollfd end = { 0 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe2");
	notify("BARRIER=1", ends[1]);
	close(ends[1]);
	end.fd = ends[0];
	if (poll(&end, 1, PATIENCE) != 1 || !(end.revents & POLLHUP))
		die("BARRIER=1 is not heeded");
	close(ends[0]);
}

static void beat(const char *word)
{
	char file[256] = "";
	unsigned int ms, n = 0;
	struct timespec time;

	if (sscanf(word, "beat:%u:%u", &ms, &n) != 2 &&
	    sscanf(word, "beat:%255[^:]:%u", file, &ms) != 2)
		die(word);
	time = (struct timespec){ ms / 1000, ms % 1000 * 1000000L };
	while (*file ? access(file, F_OK) != 0 : n-- != 0) {
		notify("WATCHDOG=1", -1);
		nanosleep(&time, NULL);
	}
}

static void usec(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *text = getenv("WATCHDOG_USEC");

	if (!pid || atoi(pid) != getpid() || !text)
		die("WATCHDOG_PID, WATCHDOG_USEC");
	printf("%s\n", text);
	fflush(stdout);
}

static void make(const char *file)
{
	int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0)
		die(file);
	close(fd);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strchr(word, '='))
			notify(word, -1);
		else if (!strcmp(word, "barrier"))
			barrier();
		else if (!strncmp(word, "beat:", 5))
			beat(word);
		else if (!strcmp(word, "usec"))
			usec();
		else if (!strncmp(word, "make:", 5))
			make(word + 5);
		else if (!strncmp(word, "exit:", 5))
			return atoi(word + 5);
		else if (!strcmp(word, "hang"))
			for (;;)
				pause();
		else
			die(word);
	}
	return 0;
}
