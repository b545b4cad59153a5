// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of tool-send, cheap enough not to be in the way.
 *
 *	tool-sink [-r] [-c] PORT...
 *
 *	-r		share the ports with others that do (SO_REUSEPORT)
 *	-c		close connections as soon as they are there
 *
 * On each PORT, IPv4 and IPv6: TCP is read and thrown away; UDP is not even
 * read, except datagrams that begin with "echo", which are sent back. Goes
 * into the background when all ports are open, and prints its pid.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER	(1ULL << 32)
#define DATAGRAMS	(1ULL << 33)

static int epoll;
static bool shared, closing;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-sink: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void watch(int fd, uint64_t kind)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u64 = kind | (unsigned int)fd,
	};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
}

/* Whatever isn't an echo is dropped by the kernel. */
static void echoes_only(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6563686f, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)))
		die("SO_ATTACH_FILTER");
}

static void open_port(const char *text)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_port = htons(atoi(text)),
	};
	int tcp = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int one = 1;

	if (tcp < 0 || udp < 0)
		die("socket");
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (shared && (setsockopt(tcp, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
		       setsockopt(udp, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))))
		die("SO_REUSEPORT");
	echoes_only(udp);
	if (bind(tcp, (struct sockaddr *)&addr, sizeof(addr)) ||
	    bind(udp, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(tcp, 128))
		die(text);
	watch(tcp, LISTENER);
	watch(udp, DATAGRAMS);
}

static void detach(void)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		die("fork");
	if (pid) {
		printf("%d\n", pid);
		exit(0);
	}
	setsid();
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);	/* or whoever reads that waits for us */
}

static void echo(int fd)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);
	static char buf[65536];
	ssize_t got;

	while ((got = recvfrom(fd, buf, sizeof(buf), 0,
			       (struct sockaddr *)&addr, &len)) >= 0) {
		sendto(fd, buf, got, 0, (struct sockaddr *)&addr, len);
		len = sizeof(addr);
	}
}

static void serve(uint64_t data)
{
	int fd = (uint32_t)data, conn;

	if (data & LISTENER) {
		conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
		if (conn >= 0 && closing)
			close(conn);
		else if (conn >= 0)
			watch(conn, 0);
	} else if (data & DATAGRAMS) {
		echo(fd);
	} else {
		/* MSG_TRUNC: nothing is copied. */
		ssize_t got = recv(fd, NULL, 1 << 24, MSG_TRUNC);

		if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
			close(fd);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event ev[64];
	int i, got;

	while ((i = getopt(argc, argv, "rc")) != -1) {
		shared |= i == 'r';
		closing |= i == 'c';
	}
	epoll = epoll_create1(0);
	if (optind == argc || epoll < 0)
		die("usage: tool-sink [-r] [-c] PORT...");
	for (i = optind; i < argc; i++)
		open_port(argv[i]);
	detach();
	for (;;) {
		got = epoll_wait(epoll, ev, 64, -1);
		for (i = 0; i < got; i++)
			serve(ev[i].data.u64);
	}
}
