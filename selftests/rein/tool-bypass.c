// SPDX-License-Identifier: GPL-2.0
/*
 * Try to get packets out past a limit, by one way, as fast as they go.
 *
 *	tool-bypass [OPTION]... WAY ADDRESS PORT
 *	tool-bypass -l WAY ADDRESS PORT		take streams of that kind there, until killed
 *
 *	-n BYTES	so many (default 1200000)
 *	-t MS		give up after that long (default 8000)
 *	-w FIFO		when there is a socket say "ready", go on when somebody has opened
 *			FIFO for writing
 *	-f FD		the ways udp and tcp: that is the socket, connected
 *	-d DEVICE	of the ways that name one (default v1)
 *	-m MAC		where the ways of AF_PACKET go (default: broadcast)
 *	-a ADDRESS	where from say the packets whose headers we write (10.0.1.1)
 *	-s NAME		the way give: to whoever asks there; take: ask there
 *
 * See the table at the end for the ways. Refusals don't count as errors, who would give up?
 * Says "tried BYTES": without headers, those refused included. Exit status 4: there
 * is no such way on this machine, and says "lacks" what.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uring.h"

#define SIZE		1400	/* of a datagram */
#define MANY		8	/* processes, threads, datagrams at once */
#ifndef AF_SMC
#define AF_SMC		43
#endif
#define IPPROTO_L2TP_IP	115
#define IPPROTO_NONE_YET 253	/* for experiments, RFC 3692 */

static const char *address, *source = "10.0.1.1", *device = "v1", *fifo, *name;
static int port, given = -1;
static long want = 1200000, patience = 8000, tried;
static int64_t deadline;
static char buf[1 << 16];
static unsigned char mac[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-bypass: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* @got < 0: this kernel hasn't got it, or not for us. */
static void need(int got, const char *what)
{
	if (got >= 0)
		return;
	printf("lacks %s (%s)\n", what, strerror(errno));
	exit(4);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool refused(int error)
{
	return error == ENOBUFS || error == EAGAIN || error == ECONNREFUSED || error == EPERM ||
	       error == EINTR || error == ENOMEM;
}

/* To be asked after each try: is there another one? @got: what it returned. */
static bool more(ssize_t got, size_t size)
{
	if (got < 0 && !refused(errno))
		die("send");
	tried += size;
	return tried < want && now_ms() < deadline;
}

static void ready(void)
{
	int fd;

	if (!fifo)
		return;
	puts("ready");
	fflush(stdout);
	fd = open(fifo, O_RDONLY);
	if (fd < 0)
		die(fifo);
	close(fd);
	fifo = NULL;
	deadline = now_ms() + patience;
}

/* --- addresses ------------------------------------------------------------------- */

static bool v6(void)
{
	return strchr(address, ':');
}

static socklen_t to(struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *four = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (v6()) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
			die(address);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	if (inet_pton(AF_INET, address, &four->sin_addr) != 1)
		die(address);
	return sizeof(*four);
}

/* Options that this kernel may lack are said by name. */
static void set(int fd, int level, int option, int value, const char *what)
{
	need(setsockopt(fd, level, option, &value, sizeof(value)), what);
}

static int datagrams(int protocol)
{
	int fd = given >= 0 ? given :
		 socket(v6() ? AF_INET6 : AF_INET, SOCK_DGRAM, protocol);

	need(fd, "datagrams of this protocol");
	return fd;
}

static int connected(void)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);
	int fd = datagrams(0);

	if (given < 0 && connect(fd, (void *)&sa, len))
		die("connect");
	ready();
	return fd;
}

/* --- datagrams -------------------------------------------------------------------- */

static void flood(int fd)
{
	while (more(send(fd, buf, SIZE, 0), SIZE))
		;
}

static void flood_to(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);

	while (more(sendto(fd, buf, SIZE, 0, (void *)&sa, len), SIZE))
		;
}

static void way_udp(void)
{
	flood(connected());
}

static void way_unconnected(void)
{
	flood_to(datagrams(0));
}

static void way_udplite(void)
{
	flood_to(datagrams(IPPROTO_UDPLITE));
}

static void way_many(void)
{
	struct iovec iov = { buf, SIZE };
	struct mmsghdr msgs[MANY];
	int fd = connected(), i;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < MANY; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (more(sendmmsg(fd, msgs, MANY, 0), MANY * SIZE))
		;
}

static void way_gso(void)
{
	int fd = connected();

	set(fd, IPPROTO_UDP, UDP_SEGMENT, SIZE, "UDP_SEGMENT");
	while (more(send(fd, buf, SIZE * 40, 0), SIZE * 40))
		;
}

/* The smallest segments that there are cost most headers. */
static void way_gso_small(void)
{
	int fd = connected();

	set(fd, IPPROTO_UDP, UDP_SEGMENT, 1, "UDP_SEGMENT");
	while (more(send(fd, buf, 60, 0), 60 * 29))
		;
}

static void way_fragments(void)
{
	int fd = connected();

	while (more(send(fd, buf, 8000, 0), 8000))
		;
}

static void way_msg_more(void)
{
	int fd = connected();

	do {
		if (send(fd, buf, SIZE / 2, MSG_MORE) < 0)
			more(-1, 0);
	} while (more(send(fd, buf, SIZE / 2, 0), SIZE));
}

static void way_cork(void)
{
	int fd = connected(), i, on = 1, off = 0;

	do {
		setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof(on));
		for (i = 0; i < 7; i++)
			if (send(fd, buf, SIZE / 7, 0) < 0)
				more(-1, 0);
	} while (more(setsockopt(fd, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)), SIZE));
}

/* What has been sent without a copy is told of on the error queue. */
static void reap(int fd)
{
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	while (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		msg.msg_controllen = sizeof(control);
}

static void way_udp_zerocopy(void)
{
	int fd = connected();
	struct pollfd told = { .fd = fd };

	set(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
	while (more(send(fd, buf, SIZE, MSG_ZEROCOPY), SIZE)) {
		/* There is room for only so much that isn't told of yet. */
		poll(&told, 1, 2);
		reap(fd);
	}
}

static void way_multicast(void)
{
	struct ip_mreqn from = { .imr_ifindex = if_nametoindex(device) };
	int fd = datagrams(0);

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof(from)))
		die("IP_MULTICAST_IF");
	from.imr_multiaddr.s_addr = inet_addr(address);
	/* Somebody here listens: there is a copy for him. */
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &from, sizeof(from)))
		die("IP_ADD_MEMBERSHIP");
	flood_to(fd);
}

static void way_broadcast(void)
{
	int fd = datagrams(0);

	set(fd, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
	flood_to(fd);
}

/* --- what programs may say about a socket ------------------------------------------ */

static void way_mark(void)
{
	int fd = connected();

	set(fd, SOL_SOCKET, SO_MARK, 7, "SO_MARK");
	flood(fd);
}

static void way_priority(void)
{
	int fd = connected();

	set(fd, SOL_SOCKET, SO_PRIORITY, 6, "SO_PRIORITY");
	flood(fd);
}

static void way_device(void)
{
	int fd = datagrams(0);

	need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)),
	     "SO_BINDTODEVICE");
	set(fd, SOL_SOCKET, SO_DONTROUTE, 1, "SO_DONTROUTE");
	flood_to(fd);
}

static void way_bound(void)
{
	int fd = datagrams(0);

	need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)),
	     "SO_BINDTODEVICE");
	flood_to(fd);
}

/* Each at a time of its own. */
static void way_txtime(void)
{
	struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };
	char control[CMSG_SPACE(sizeof(uint64_t))] = { 0 };
	struct iovec iov = { buf, SIZE };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = connected();
	uint64_t when;

	need(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof(txtime)), "SO_TXTIME");
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_TXTIME;
	cmsg->cmsg_len = CMSG_LEN(sizeof(when));
	do {
		when = (now_ms() + 1) * 1000000;
		memcpy(CMSG_DATA(cmsg), &when, sizeof(when));
	} while (more(sendmsg(fd, &msg, 0), SIZE));
}

/* From an address that isn't ours. */
static void way_transparent(void)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = datagrams(0);

	set(fd, IPPROTO_IP, IP_TRANSPARENT, 1, "IP_TRANSPARENT");
	from.sin_addr.s_addr = inet_addr("192.0.2.1");
	if (bind(fd, (void *)&from, sizeof(from)))
		die("bind");
	flood_to(fd);
}

/* --- raw ------------------------------------------------------------------------- */

static int raw(int protocol)
{
	int fd = socket(v6() ? AF_INET6 : AF_INET, SOCK_RAW, protocol);

	need(fd, "raw sockets");
	/* To raw IPv6 a port means a protocol. */
	port = 0;
	return fd;
}

static void way_raw(void)
{
	flood_to(raw(IPPROTO_NONE_YET));
}

/* Returns the length of the packet, which is made in buf. */
static int write_header4(void)
{
	struct iphdr *ip = (void *)buf;
	struct udphdr *udp = (void *)(ip + 1);
	unsigned int sum = 0, i;

	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			      .tot_len = htons(SIZE) };
	ip->saddr = inet_addr(source);
	ip->daddr = inet_addr(address);
	for (i = 0; i < sizeof(*ip) / 2; i++)
		sum += ((uint16_t *)ip)[i];
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	udp->dest = htons(port);
	udp->len = htons(SIZE - sizeof(*ip));
	return SIZE;
}

static void write_header6(void)
{
	struct ip6_hdr *ip = (void *)buf;
	struct udphdr *udp = (void *)(ip + 1);

	ip->ip6_flow = htonl(6 << 28);
	ip->ip6_plen = htons(SIZE - sizeof(*ip));
	ip->ip6_nxt = IPPROTO_UDP;
	ip->ip6_hlim = 64;
	inet_pton(AF_INET6, "fd00:1::1", &ip->ip6_src);
	inet_pton(AF_INET6, address, &ip->ip6_dst);
	udp->dest = htons(port);
	udp->len = htons(SIZE - sizeof(*ip));
}

static void way_header(void)
{
	if (v6())
		write_header6();
	else
		write_header4();
	flood_to(raw(IPPROTO_RAW));
}

static void write_echo(void)
{
	struct icmphdr *icmp = (void *)buf;

	icmp->type = v6() ? 128 : ICMP_ECHO;
	port = 0;
}

static void way_ping(void)
{
	int fd = datagrams(v6() ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	write_echo();
	flood_to(fd);
}

static void way_l2tp(void)
{
	flood_to(datagrams(IPPROTO_L2TP_IP));
}

static int packets(int type, struct sockaddr_ll *ll)
{
	int fd = socket(AF_PACKET, type, 0);

	need(fd, "AF_PACKET");
	*ll = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				    .sll_halen = ETH_ALEN };
	ll->sll_ifindex = if_nametoindex(device);
	memcpy(ll->sll_addr, mac, ETH_ALEN);
	return fd;
}

static void way_packet(void)
{
	struct sockaddr_ll ll;
	int fd = packets(SOCK_DGRAM, &ll), len = write_header4();

	while (more(sendto(fd, buf, len, 0, (void *)&ll, sizeof(ll)), len))
		;
}

static void frames(bool direct)
{
	struct sockaddr_ll ll;
	int fd = packets(SOCK_RAW, &ll), len = write_header4() + ETH_HLEN;
	struct ethhdr *eth = (void *)buf;

	if (direct)
		set(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS");
	memmove(buf + ETH_HLEN, buf, SIZE);
	memcpy(eth->h_dest, mac, ETH_ALEN);
	memset(eth->h_source, 2, ETH_ALEN);
	eth->h_proto = htons(ETH_P_IP);
	while (more(sendto(fd, buf, len, 0, (void *)&ll, sizeof(ll)), len))
		;
}

static void way_frames(void)
{
	frames(false);
}

static void way_frames_direct(void)
{
	frames(true);
}

/* --- streams ---------------------------------------------------------------------- */

typedef ssize_t (*push_fn)(int fd);

/* A stream that is closed sends no more, not even what it was given. */
static void abort_at_close(int fd)
{
	struct linger abort = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
}

static int left(void)
{
	int64_t ms = deadline - now_ms();

	return ms > 0 ? ms : 0;
}

/* False if there is no answer in time, or this one. */
static bool established(int fd)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = ETIMEDOUT;

	if (poll(&out, 1, left()) == 1)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	errno = error;
	return !error;
}

static int stream(int family, int protocol, const char *what)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, protocol);

	need(fd, what);
	abort_at_close(fd);
	if (connect(fd, (void *)&sa, len) && errno != EINPROGRESS)
		die("connect");
	if (!established(fd))
		die("connect");
	return fd;
}

static int tcp(void)
{
	int fd = given;

	if (fd < 0)
		fd = stream(v6() ? AF_INET6 : AF_INET, 0, "TCP");
	ready();
	return fd;
}

/* Until the other end has it all, or the time is over. */
static void drain(int fd)
{
	struct timespec moment = { 0, 10000000 };
	int unsent = 1;

	while (!ioctl(fd, SIOCOUTQ, &unsent) && unsent && left())
		nanosleep(&moment, NULL);
}

static void pour(int fd, push_fn push)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	ssize_t got;

	do {
		poll(&out, 1, left());
		got = push(fd);
	} while (more(got, got > 0 ? got : 0));
	drain(fd);
}

static ssize_t by_send(int fd)
{
	return send(fd, buf, 1 << 14, MSG_NOSIGNAL);
}

static ssize_t by_zerocopy(int fd)
{
	reap(fd);
	return send(fd, buf, 1 << 14, MSG_NOSIGNAL | MSG_ZEROCOPY);
}

static int file(void)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("data", 0);
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			die("memfd");
	}
	return fd;
}

static ssize_t by_sendfile(int fd)
{
	off_t from = 0;

	return sendfile(fd, file(), &from, 1 << 14);
}

static ssize_t by_splice(int fd)
{
	static int ends[2] = { -1, -1 };
	static ssize_t held;
	loff_t from = 0;
	ssize_t got;

	if (ends[0] < 0 && pipe(ends))
		die("pipe");
	if (!held)
		held = splice(file(), &from, ends[1], NULL, 1 << 14, 0);
	got = splice(ends[0], NULL, fd, NULL, held, SPLICE_F_NONBLOCK);
	held -= got > 0 ? got : 0;
	return got;
}

static void way_tcp(void)
{
	pour(tcp(), by_send);
}

static void way_sendfile(void)
{
	pour(tcp(), by_sendfile);
}

static void way_splice(void)
{
	pour(tcp(), by_splice);
}

static void way_tcp_zerocopy(void)
{
	int fd = tcp();

	set(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
	pour(fd, by_zerocopy);
}

static int tls(void)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 },
	};
	int fd = tcp();

	need(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4), "the module tls");
	need(setsockopt(fd, SOL_TLS, TLS_TX, &key, sizeof(key)), "AES-GCM for TLS");
	return fd;
}

static void way_tls(void)
{
	pour(tls(), by_send);
}

static void way_tls_sendfile(void)
{
	pour(tls(), by_sendfile);
}

static void way_mptcp(void)
{
	pour(stream(v6() ? AF_INET6 : AF_INET, IPPROTO_MPTCP, "MPTCP"), by_send);
}

static void way_sctp(void)
{
	pour(stream(v6() ? AF_INET6 : AF_INET, IPPROTO_SCTP, "the module sctp"), by_send);
}

static void way_smc(void)
{
	pour(stream(AF_SMC, v6(), "the module smc"), by_send);
}

/* Each connection sends all of its data with the SYN, as it knows a cookie, or needs none. */
static void way_fast_open(void)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);
	ssize_t got;
	int fd;

	do {
		fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		abort_at_close(fd);
		got = sendto(fd, buf, 1200, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&sa, len);
		if (got < 0 && errno == EINPROGRESS)
			errno = EAGAIN;
		close(fd);
	} while (more(got, 1200));
}

/* Nothing but SYNs. */
static void way_syn(void)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);
	int fd, got;

	do {
		fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		abort_at_close(fd);
		got = connect(fd, (void *)&sa, len);
		if (got < 0 && errno == EINPROGRESS)
			got = 0;
		close(fd);
	} while (more(got, 60));
}

/* What a socket that is being repaired has queued is sent when it is not any more. */
static void way_repair(void)
{
	int fd, got;

	do {
		fd = stream(v6() ? AF_INET6 : AF_INET, 0, "TCP");
		/* One alone is to be more than what a limit lets pass. */
		set(fd, SOL_SOCKET, SO_SNDBUF, 1 << 17, "SO_SNDBUF");
		set(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON, "TCP_REPAIR");
		set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, 2, "TCP_REPAIR_QUEUE");
		got = send(fd, buf, 1 << 16, MSG_NOSIGNAL);
		set(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF, "TCP_REPAIR");
		drain(fd);
		close(fd);
	} while (more(got, 1 << 16));
}

/* --- io_uring ----------------------------------------------------------------------- */

static void through_ring(int opcode, unsigned int flags)
{
	struct uring ring;
	int fd = connected(), got;

	need(uring_open(&ring, flags) ? 0 : -1, "io_uring");
	do {
		got = uring_send(&ring, opcode, fd, buf, SIZE);
		if (got < 0) {
			errno = -got;
			if (errno == EINVAL)
				need(-1, "this request of io_uring");
		}
	} while (more(got, SIZE));
}

static void way_ring(void)
{
	through_ring(IORING_OP_SEND, 0);
}

static void way_ring_thread(void)
{
	through_ring(IORING_OP_SEND, IORING_SETUP_SQPOLL);
}

static void way_ring_zerocopy(void)
{
	through_ring(IORING_OP_SEND_ZC, 0);
}

/* A socket that a thread of the kernel's has made. */
static void way_ring_socket(void)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SOCKET,
		.fd = v6() ? AF_INET6 : AF_INET,
		.off = SOCK_DGRAM,
		.flags = IOSQE_ASYNC,
	};
	struct uring ring;
	int fd;

	need(uring_open(&ring, 0) ? 0 : -1, "io_uring");
	fd = uring_do(&ring, &sqe);
	errno = -fd;
	need(fd, "IORING_OP_SOCKET");
	flood_to(fd);
}

/* --- processes ---------------------------------------------------------------------- */

static void way_fork(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		if (fork())
			continue;
		want /= MANY;
		way_unconnected();
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	tried = want;
}

static void *in_thread(void *arg)
{
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);
	int fd = datagrams(0);
	long i;

	(void)arg;
	for (i = 0; i < want / MANY / SIZE && now_ms() < deadline; i++)
		if (sendto(fd, buf, SIZE, 0, (void *)&sa, len) < 0 && !refused(errno))
			die("sendto");
	return NULL;
}

static void way_threads(void)
{
	pthread_t threads[MANY];
	int i;

	for (i = 0; i < MANY; i++)
		if (pthread_create(&threads[i], NULL, in_thread, NULL))
			die("pthread_create");
	for (i = 0; i < MANY; i++)
		pthread_join(threads[i], NULL);
	tried = want;
}

/* Another program, with this one's socket. */
static void way_exec(void)
{
	char fd[16], bytes[16], at[16];

	snprintf(fd, sizeof(fd), "%d", connected());
	snprintf(bytes, sizeof(bytes), "%ld", want);
	snprintf(at, sizeof(at), "%d", port);
	execl("/proc/self/exe", "tool-bypass", "-n", bytes, "-f", fd, "udp", address, at, NULL);
	die("exec");
}

static int meet(bool give)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other;

	strncpy(sa.sun_path + 1, name, sizeof(sa.sun_path) - 2);
	if (!give) {
		while (connect(fd, (void *)&sa, sizeof(sa)) && left())
			usleep(10000);
		return fd;
	}
	if (bind(fd, (void *)&sa, sizeof(sa)) || listen(fd, 1))
		die("listen");
	other = accept(fd, NULL, NULL);
	if (other < 0)
		die("accept");
	return other;
}

static void way_give(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = connected();

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(meet(true), &msg, 0) != 1)
		die("sendmsg");
}

static void way_take(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(meet(false), &msg, 0) != 1)
		die("recvmsg");
	memcpy(&given, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(given));
	flood(given);
}

/* --- the ways ------------------------------------------------------------------------ */

static const struct way {
	const char *name;
	void (*go)(void);
} ways[] = {
	{ "udp", way_udp },			/* connected */
	{ "unconnected", way_unconnected },
	{ "udplite", way_udplite },
	{ "sendmmsg", way_many },
	{ "gso", way_gso },			/* UDP_SEGMENT, 40 at a time */
	{ "gso-small", way_gso_small },		/* 60 segments of one byte */
	{ "fragments", way_fragments },		/* 8,000 bytes each */
	{ "msg-more", way_msg_more },
	{ "cork", way_cork },
	{ "udp-zerocopy", way_udp_zerocopy },
	{ "multicast", way_multicast },
	{ "broadcast", way_broadcast },
	{ "mark", way_mark },
	{ "priority", way_priority },
	{ "device", way_device },		/* SO_BINDTODEVICE, SO_DONTROUTE */
	{ "bound", way_bound },			/* SO_BINDTODEVICE alone */
	{ "txtime", way_txtime },
	{ "transparent", way_transparent },
	{ "raw", way_raw },
	{ "header", way_header },		/* IP_HDRINCL */
	{ "ping", way_ping },			/* IPPROTO_ICMP of the unprivileged */
	{ "l2tp", way_l2tp },			/* IPPROTO_L2TP, likewise */
	{ "packet", way_packet },		/* AF_PACKET, SOCK_DGRAM */
	{ "frames", way_frames },		/* AF_PACKET, SOCK_RAW */
	{ "frames-direct", way_frames_direct },	/* with PACKET_QDISC_BYPASS */
	{ "tcp", way_tcp },
	{ "sendfile", way_sendfile },
	{ "splice", way_splice },
	{ "tcp-zerocopy", way_tcp_zerocopy },
	{ "tls", way_tls },
	{ "tls-sendfile", way_tls_sendfile },
	{ "mptcp", way_mptcp },
	{ "sctp", way_sctp },
	{ "smc", way_smc },			/* AF_SMC, which falls back to TCP */
	{ "fast-open", way_fast_open },
	{ "syn", way_syn },
	{ "repair", way_repair },
	{ "ring", way_ring },			/* io_uring */
	{ "ring-thread", way_ring_thread },	/* IORING_SETUP_SQPOLL */
	{ "ring-zerocopy", way_ring_zerocopy },
	{ "ring-socket", way_ring_socket },
	{ "fork", way_fork },
	{ "threads", way_threads },
	{ "exec", way_exec },
	{ "give", way_give },			/* a socket, by SCM_RIGHTS */
	{ "take", way_take },
};

static const struct way *find(const char *which)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, which))
			return &ways[i];
	fprintf(stderr, "tool-bypass: there is no way '%s'\n", which);
	exit(2);
}

/* The other end, of protocols that tool-sink doesn't know. */
static void take_streams(const char *kind)
{
	int protocol = !strcmp(kind, "mptcp") ? IPPROTO_MPTCP :
		       !strcmp(kind, "sctp") ? IPPROTO_SCTP : 0;
	int one = 1, backlog = 64, fd, conn;
	struct sockaddr_storage sa;
	socklen_t len = to(&sa);

	fd = socket(sa.ss_family, SOCK_STREAM, protocol);
	need(fd, kind);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof(backlog));
	if (bind(fd, (void *)&sa, len) || listen(fd, backlog))
		die("listen");
	puts("ready");
	fflush(stdout);
	while ((conn = accept(fd, NULL, NULL)) >= 0) {
		while (recv(conn, buf, sizeof(buf), 0) > 0)
			;
		close(conn);
	}
}

int main(int argc, char **argv)
{
	const struct way *way;
	bool listen = false;
	int opt;

	while ((opt = getopt(argc, argv, "n:t:w:f:d:m:a:s:l")) != -1) {
		switch (opt) {
		case 'n':
			want = atol(optarg);
			break;
		case 't':
			patience = atol(optarg);
			break;
		case 'w':
			fifo = optarg;
			break;
		case 'f':
			given = atoi(optarg);
			break;
		case 'd':
			device = optarg;
			break;
		case 'm':
			if (sscanf(optarg, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1],
				   &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
				return 2;
			break;
		case 'a':
			source = optarg;
			break;
		case 's':
			name = optarg;
			break;
		case 'l':
			listen = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 3) {
		fputs("tool-bypass: see the top of its source\n", stderr);
		return 2;
	}
	address = argv[optind + 1];
	port = atoi(argv[optind + 2]);
	deadline = now_ms() + patience;
	if (listen) {
		take_streams(argv[optind]);
		return 0;
	}
	way = find(argv[optind]);
	way->go();
	printf("tried %ld\n", tried);
	return 0;
}
