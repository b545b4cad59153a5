// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic that doesn't give up, whatever happens to its limit, its device or
 * its route, until it is killed.
 *
 *	udp ADDRESS PORT [SIZE [PER-SECOND]]	datagrams
 *	tcp ADDRESS PORT			one connection after the other, 8 Mbit/s
 *	sink PORT				takes all of it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FDS	64

static char buffer[65536];

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static void usage(void)
{
	fputs("usage: udp ADDRESS PORT [SIZE [PER-SECOND]] | tcp ADDRESS PORT | sink PORT\n",
	      stderr);
	exit(1);
}

static struct addrinfo *resolve(const char *address, const char *port, int type)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = type };
	struct addrinfo *ai;

	if (getaddrinfo(address, port, &hints, &ai)) {
		fprintf(stderr, "bad address %s:%s\n", address, port);
		exit(1);
	}
	return ai;
}

/* A connected socket; tries until there is a way. */
static int connected(const struct addrinfo *ai)
{
	struct timeval second = { 1, 0 };
	int fd;

	for (;;) {
		fd = socket(ai->ai_family, ai->ai_socktype, 0);
		if (fd < 0) {
			perror("socket");
			exit(1);
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
		if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
			return fd;
		close(fd);
		pause_ms(20);
	}
}

static void udp(const char *address, const char *port, size_t size, unsigned int rate)
{
	struct addrinfo *ai = resolve(address, port, SOCK_DGRAM);
	int fd = connected(ai);

	for (;;) {
		if (send(fd, buffer, size, 0) < 0 && errno != ECONNREFUSED &&
		    errno != EAGAIN && errno != EINTR) {
			close(fd);
			pause_ms(2);
			fd = connected(ai);
		}
		if (rate)
			usleep(1000000 / rate);
	}
}

/* Paced, or it would take all of the machine as soon as nothing limits it. */
static void tcp(const char *address, const char *port)
{
	static const unsigned int pace = 1000000;
	static const struct linger reset = { 1, 0 };
	struct addrinfo *ai = resolve(address, port, SOCK_STREAM);
	unsigned int stuck;
	int fd;

	for (;;) {
		fd = connected(ai);
		setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &pace, sizeof(pace));
		for (stuck = 0; stuck < 3; ) {
			if (send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL) > 0)
				stuck = 0;
			else if (errno == EAGAIN || errno == EINTR)
				stuck++;
			else
				break;
		}
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		pause_ms(20);
	}
}

static int bound(const char *port, int type)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(atoi(port)),
	};
	int one = 1, fd = socket(AF_INET6, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (void *)&any, sizeof(any)) ||
	    (type == SOCK_STREAM && listen(fd, FDS))) {
		perror("sink");
		exit(1);
	}
	return fd;
}

static void sink(const char *port)
{
	struct pollfd fds[FDS] = {
		{ .fd = bound(port, SOCK_DGRAM), .events = POLLIN },
		{ .fd = bound(port, SOCK_STREAM), .events = POLLIN },
	};
	int i, n = 2;

	for (;;) {
		/* What arrives while there is no place is not accepted. */
		fds[1].events = n < FDS ? POLLIN : 0;
		poll(fds, n, -1);
		if (fds[0].revents)
			recv(fds[0].fd, buffer, sizeof(buffer), 0);
		for (i = n - 1; i > 1; i--) {
			if (!fds[i].revents || recv(fds[i].fd, buffer, sizeof(buffer), 0) > 0)
				continue;
			close(fds[i].fd);
			fds[i] = fds[--n];
		}
		if (fds[1].revents & POLLIN && n < FDS) {
			fds[n].fd = accept(fds[1].fd, NULL, NULL);
			fds[n].events = POLLIN;
			fds[n].revents = 0;
			if (fds[n].fd >= 0)
				n++;
		}
	}
}

int main(int argc, char **argv)
{
	bool is_udp = argc > 3 && !strcmp(argv[1], "udp");

	signal(SIGPIPE, SIG_IGN);
	if (is_udp)
		udp(argv[2], argv[3], argc > 4 ? atoi(argv[4]) : 1400,
		    argc > 5 ? atoi(argv[5]) : 0);
	else if (argc == 4 && !strcmp(argv[1], "tcp"))
		tcp(argv[2], argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "sink"))
		sink(argv[2]);
	usage();
}
