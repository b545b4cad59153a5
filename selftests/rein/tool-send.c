// SPDX-License-Identifier: GPL-2.0
/*
 * Send for a while, or until SIGTERM, and say how it went, as JSON in one line.
 *
 *	tool-send [OPTION]... ADDRESS PORT
 *
 *	-t SECONDS	for that long (default 5)
 *	-n COUNT	at most that many writes
 *	-s SIZE		bytes in each (TCP: 65536, UDP: 1400)
 *	-u		UDP, as fast as the socket takes it
 *	-r RATE		UDP packets per second (not faster than that)
 *	-b SIZE		TCP: SO_SNDBUF
 *	-m RATE,BURST	UDP: also count how many an ideal policer would let
 *			pass, in layer 3 bytes per second and bytes
 *	-M RATE,BURST	the same in packets
 *	-e		UDP: set ECT(0) and ignore what becomes of it
 *	-E		UDP: ask for errors (IP_RECVERR), go on after one
 *	-p		UDP: send an echo request RATE times a second (default
 *			50), measure round trips
 *
 * UDP:  sent, bytes, pause_ms (the longest between two tries), ideal (packets,
 *	 with -m), errors: number by errno's name
 * TCP:  sent, bytes, retransmits (segments), late_retransmits (after the first
 *	 second), ssthresh (2^31 - 1: there was no congestion), connect_ms
 * echo: sent, lost, min_us, p50_us, p95_us, max_us
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double seconds = 5, rate;
static long count = -1, size;
static int sndbuf;
static bool udp, ect, ask, echo;
static double ideal_rate, ideal_burst, ideal_cost;
static char buf[1 << 17];
static volatile sig_atomic_t stop;

static struct error {
	int number;
	long times;
} errors[8];

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-send: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void sleep_until(int64_t t)
{
	struct timespec ts = { t / 1000000000, t % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void saw_error(int number)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].times && errors[i].number != number)
			continue;
		errors[i].number = number;
		errors[i].times++;
		return;
	}
}

static void print_errors(void)
{
	const char *comma = "";
	size_t i;

	printf("\"errors\": {");
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (!errors[i].times)
			continue;
		printf("%s\"%s\": %ld", comma, strerrorname_np(errors[i].number),
		       errors[i].times);
		comma = ", ";
	}
	printf("}");
}

static int open_socket(const char *address, int port)
{
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	struct sockaddr_in four = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};
	bool v6 = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	int one = 1, tos = 2, fd;

	if (!v6 && inet_pton(AF_INET, address, &four.sin_addr) != 1)
		die(address);
	fd = socket(v6 ? AF_INET6 : AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (ect && setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			      v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos)))
		die("ECT");
	if (ask && setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			      v6 ? IPV6_RECVERR : IP_RECVERR, &one, sizeof(one)))
		die("IP_RECVERR");
	if (sndbuf && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)))
		die("SO_SNDBUF");
	if (connect(fd, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		    v6 ? sizeof(six) : sizeof(four)))
		die("connect");
	return fd;
}

/* An emulated machine may stop for longer than a burst lasts. */
static bool ideal(int64_t t)
{
	static double tokens = -1;
	static int64_t last;

	if (tokens < 0)
		tokens = ideal_burst;
	else
		tokens += (t - last) * ideal_rate / 1e9;
	last = t;
	if (tokens > ideal_burst)
		tokens = ideal_burst;
	if (tokens < ideal_cost)
		return false;
	tokens -= ideal_cost;
	return true;
}

/* --- UDP ------------------------------------------------------------------ */

static void send_datagrams(int fd)
{
	int64_t start = now(), end = start + seconds * 1e9, t;
	int64_t last = start, pause = 0;
	long sent = 0, tries = 0, passed = 0;

	while ((t = now()) < end && tries != count && !stop) {
		if (rate && tries >= (t - start) * rate / 1e9) {
			sleep_until(t + (rate > 500 ? 2000000 : 200000));
			continue;
		}
		tries++;
		if (t - last > pause)
			pause = t - last;
		last = t;
		passed += ideal(t);
		if (send(fd, buf, size, 0) == size)
			sent++;
		else if (errno != EINTR)
			saw_error(errno);
	}
	printf("{\"sent\": %ld, \"bytes\": %ld, \"pause_ms\": %lld, \"ideal\": %ld, ",
	       sent, sent * size, (long long)pause / 1000000, passed);
	print_errors();
	printf("}\n");
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct ping {
	char word[8];
	int64_t time;
};

static void ping(int fd)
{
	int64_t start = now(), end = start + seconds * 1e9, due = start, t;
	int64_t *took = calloc(seconds * rate + 2, sizeof(*took));
	struct timeval patience = { 0, 1000 };
	struct ping p = { .word = "echo" };
	long sent = 0, got = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* The last answers have a second of their own. */
	while ((t = now()) < end + 1000000000 && (t < end || got < sent)) {
		if (t >= due && t < end) {
			p.time = t;
			send(fd, &p, sizeof(p), 0);
			sent++;
			due += 1e9 / rate;
		}
		if (recv(fd, buf, sizeof(buf), 0) == sizeof(p) && got < sent)
			took[got++] = now() - ((struct ping *)buf)->time;
	}
	qsort(took, got, sizeof(*took), by_value);
	printf("{\"sent\": %ld, \"lost\": %ld", sent, sent - got);
	if (got)
		printf(", \"min_us\": %lld, \"p50_us\": %lld, \"p95_us\": %lld, \"max_us\": %lld",
		       (long long)took[0] / 1000,
		       (long long)took[got / 2] / 1000,
		       (long long)took[got * 95 / 100] / 1000,
		       (long long)took[got - 1] / 1000);
	printf("}\n");
}

/* --- TCP ------------------------------------------------------------------ */

/*
 * A send that blocks ends with the time, not before: each that is made anew
 * would push what TCP holds back.
 */
static void interrupt_at_end(void)
{
	struct itimerval timer = {
		.it_value = { (time_t)seconds,
			      (seconds - (time_t)seconds) * 1e6 + 1 },
		.it_interval = { 0, 100000 },
	};

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void send_stream(int fd, double connect_ms)
{
	int64_t start = now();
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	long sent = 0, bytes = 0;
	unsigned int early = 0;
	ssize_t got;

	interrupt_at_end();
	while (!stop && sent != count) {
		if (now() - start < 1000000000) {
			getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
			early = info.tcpi_total_retrans;
		}
		got = send(fd, buf, size, MSG_NOSIGNAL);
		if (got < 0 && errno != EINTR) {
			saw_error(errno);
			break;
		}
		if (got > 0) {
			sent++;
			bytes += got;
		}
	}
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	printf("{\"sent\": %ld, \"bytes\": %ld, \"retransmits\": %u, ",
	       sent, bytes, info.tcpi_total_retrans);
	printf("\"late_retransmits\": %u, \"ssthresh\": %u, \"connect_ms\": %.1f, ",
	       info.tcpi_total_retrans - early, info.tcpi_snd_ssthresh,
	       connect_ms);
	print_errors();
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct linger abort = { 1, 0 };
	int64_t start;
	int opt, fd;

	while ((opt = getopt(argc, argv, "t:n:s:r:b:m:M:ueEp")) != -1) {
		switch (opt) {
		case 't':
			seconds = atof(optarg);
			break;
		case 'n':
			count = atol(optarg);
			break;
		case 's':
			size = atol(optarg);
			break;
		case 'r':
			rate = atof(optarg);
			break;
		case 'b':
			sndbuf = atoi(optarg);
			break;
		case 'M':
			ideal_cost = 1;
			/* fall through */
		case 'm':
			if (sscanf(optarg, "%lf,%lf", &ideal_rate, &ideal_burst) != 2)
				return 2;
			break;
		case 'u':
			udp = true;
			break;
		case 'e':
			udp = true;
			ect = true;
			break;
		case 'E':
			udp = true;
			ask = true;
			break;
		case 'p':
			udp = true;
			echo = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2) {
		fputs("tool-send: see the top of its source\n", stderr);
		return 2;
	}
	if (!size)
		size = udp ? 1400 : 65536;
	if (size > (long)sizeof(buf))
		size = sizeof(buf);
	if (echo && !rate)
		rate = 50;
	if (!ideal_cost)
		ideal_cost = size + (strchr(argv[optind], ':') ? 48 : 28);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	start = now();
	fd = open_socket(argv[optind], atoi(argv[optind + 1]));
	if (echo)
		ping(fd);
	else if (udp)
		send_datagrams(fd);
	else
		send_stream(fd, (now() - start) / 1e6);
	/* Don't go on sending what is in the buffer. */
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	return 0;
}
