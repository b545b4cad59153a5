// SPDX-License-Identifier: GPL-2.0
/*
 * Make connections, or begin flows, and say how each went in a line of its own:
 * "ok" or the name of an errno, and the milliseconds it took.
 *
 *	tool-connect [OPTION]... ADDRESS PORT...
 *
 *	-n COUNT	connections, or datagrams, to each PORT (default 1)
 *	-w MS		give up after that long: "timeout" (default 10000)
 *	-i MS		pause after each
 *	-p		all at once; lines are in the order in which they end
 *	-f		with the first byte in the SYN (TCP Fast Open)
 *	-k MS		keep them open for that long after the last one
 *	-b PORT		from that port, and until the other end has closed
 *	-u		UDP: all from one socket, which is not connected
 *	-c		UDP: one connected socket for each PORT
 *	-r		raw: ICMP echo requests; PORT is a sequence number
 *
 * One that timed out is closed at once, the others at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS	1024

static long count = 1, wait_ms = 10000, pause_ms, keep_ms, from;
static bool parallel, fast, udp, connected, raw;
static struct pollfd fds[CONNECTIONS];
static double began[CONNECTIONS];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-connect: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void say(int err, double since)
{
	printf("%s %.1f\n",
	       err < 0 ? "timeout" : err ? strerrorname_np(err) : "ok", now_ms() - since);
}

static socklen_t read_address(const char *text, int port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
	struct sockaddr_in *four = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		return sizeof(*six);
	}
	if (inet_pton(AF_INET, text, &four->sin_addr) != 1)
		die(text);
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	return sizeof(*four);
}

/* --- TCP -------------------------------------------------------------------- */

/* poll() reports hang-ups even of who wants no events, but not if it is < 0. */
static void leave(int i)
{
	fds[i].events = 0;
	fds[i].fd = -fds[i].fd - 1;
}

static void bind_to(int fd, int family)
{
	struct sockaddr_storage any = { .ss_family = family };
	int one = 1;

	((struct sockaddr_in *)&any)->sin_port = htons(from);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&any, sizeof(any)))
		die("bind");
}

/* Until the other end closes it. */
static void drain(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char buf[64];

	while (poll(&in, 1, wait_ms) == 1 && read(fd, buf, sizeof(buf)) > 0)
		;
}

/* Begin connection i. */
static void begin(int i, const char *address, int port)
{
	struct sockaddr_storage to;
	socklen_t len = read_address(address, port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), got;

	if (fd < 0)
		die("socket");
	if (from)
		bind_to(fd, to.ss_family);
	fds[i].fd = fd;
	fds[i].events = POLLOUT;
	began[i] = now_ms();
	if (fast)
		got = sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, len);
	else
		got = connect(fd, (void *)&to, len);
	/* Of what was sent with the SYN it is yet to be seen whether it was taken. */
	if (got > 0 || (got < 0 && errno == EINPROGRESS))
		return;
	say(got ? errno : 0, began[i]);
	leave(i);
}

/* See what became of those that go on. Returns how many still do. */
static int look(int n)
{
	int i, err, going = 0;
	socklen_t len;

	for (i = 0; i < n; i++) {
		if (!fds[i].events)
			continue;
		if (fds[i].revents) {
			len = sizeof(err);
			if (getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &err, &len))
				die("SO_ERROR");
			say(err, began[i]);
			if (from && !err)
				drain(fds[i].fd);
		} else if (now_ms() - began[i] >= wait_ms) {
			say(-1, began[i]);
			close(fds[i].fd);
		} else {
			going++;
			continue;
		}
		leave(i);
	}
	return going;
}

static void finish(int n)
{
	while (look(n)) {
		if (poll(fds, n, 10) < 0 && errno != EINTR)
			die("poll");
	}
}

static void connections(const char *address, char **ports, int n_ports)
{
	int i, n = count * n_ports;

	if (n > CONNECTIONS) {
		errno = E2BIG;
		die("-n");
	}
	for (i = 0; i < n; i++) {
		begin(i, address, atoi(ports[i % n_ports]));
		if (!parallel)
			finish(i + 1);
		if (pause_ms)
			sleep_ms(pause_ms);
	}
	finish(n);
	sleep_ms(keep_ms);
}

/* --- datagrams ----------------------------------------------------------------- */

static void echo_request(char *buf, int sequence)
{
	struct icmphdr *icmp = (struct icmphdr *)buf;
	unsigned int sum;

	memset(icmp, 0, sizeof(*icmp));
	icmp->type = ICMP_ECHO;
	icmp->un.echo.sequence = htons(sequence);
	sum = ICMP_ECHO + htons(sequence);
	icmp->checksum = ~((sum & 0xffff) + (sum >> 16));
}

static void datagrams(const char *address, char **ports, int n_ports)
{
	struct sockaddr_storage to;
	char buf[64] = "flow";
	int fd[64], i, port;
	socklen_t len;
	double start;

	if (n_ports > 64)
		die("too many ports");
	for (i = 0; i < n_ports; i++) {
		len = read_address(address, atoi(ports[i]), &to);
		if (i && !connected) {
			fd[i] = fd[0];
			continue;
		}
		fd[i] = raw ? socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) :
			      socket(to.ss_family, SOCK_DGRAM, 0);
		if (fd[i] < 0 || (connected && connect(fd[i], (void *)&to, len)))
			die("socket");
	}
	for (i = 0; i < count * n_ports; i++) {
		port = i % n_ports;
		len = read_address(address, raw ? 0 : atoi(ports[port]), &to);
		if (raw)
			echo_request(buf, atoi(ports[port]));
		start = now_ms();
		if (connected)
			port = send(fd[port], buf, sizeof(buf), 0);
		else
			port = sendto(fd[port], buf, sizeof(buf), 0, (void *)&to, len);
		say(port < 0 ? errno : 0, start);
		if (pause_ms)
			sleep_ms(pause_ms);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { CONNECTIONS + 64, CONNECTIONS + 64 };
	int opt;

	setlinebuf(stdout);
	setrlimit(RLIMIT_NOFILE, &files);
	while ((opt = getopt(argc, argv, "n:w:i:k:b:pfucr")) != -1) {
		switch (opt) {
		case 'n':
			count = atol(optarg);
			break;
		case 'w':
			wait_ms = atol(optarg);
			break;
		case 'i':
			pause_ms = atol(optarg);
			break;
		case 'k':
			keep_ms = atol(optarg);
			break;
		case 'b':
			from = atol(optarg);
			break;
		case 'p':
			parallel = true;
			break;
		case 'f':
			fast = true;
			break;
		case 'r':
			raw = true;
			udp = true;
			break;
		case 'c':
			connected = true;
			/* fall through */
		case 'u':
			udp = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2) {
		fputs("tool-connect: see the top of its source\n", stderr);
		return 2;
	}
	if (udp)
		datagrams(argv[optind], argv + optind + 1, argc - optind - 1);
	else
		connections(argv[optind], argv + optind + 1, argc - optind - 1);
	return 0;
}
