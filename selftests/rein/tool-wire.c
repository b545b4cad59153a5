// SPDX-License-Identifier: GPL-2.0
/*
 * What arrives at a network device, packet by packet, and questions about it.
 *
 *	tool-wire capture DEVICE FILE	goes into the background and prints its
 *					pid; FILE is there after SIGTERM
 *	tool-wire bytes FILE PORTS [FROM [TO]]
 *	tool-wire packets FILE PORTS [FROM [TO]]
 *	tool-wire largest FILE PORTS [FROM [TO]]	bytes of one GSO packet
 *	tool-wire ce FILE PORTS [FROM [TO]]
 *	tool-wire rate FILE PORTS [FROM [TO]]	bits per second
 *	tool-wire gap FILE PORTS [FROM [TO]]	the longest pause, in ms
 *	tool-wire stall FILE PORTS [FROM [TO]]		of a CPU, the longest, in ms
 *	tool-wire stalls FILE PORTS MS [FROM [TO]]	how many were longer
 *	tool-wire lost FILE PORTS MS [FROM [TO]]
 *	tool-wire excess FILE PORTS RATE [FROM [TO]]
 *	tool-wire bins FILE PORTS WIDTH [FROM [TO]]	bytes in each WIDTH ms
 *
 * PORTS are destination ports, separated by commas, with t or u in front those
 * of TCP or UDP only. FROM and TO are seconds
 * since the first packet to one of them, or, if they are that large, since
 * 1970; without TO: up to the last. Bytes are those of layer 3, as they would
 * be on a wire: each segment of a GSO packet with headers of its own. excess
 * is the smallest burst that makes the traffic conform to RATE (bits per
 * second): the most bytes in any interval above what RATE gives in it. lost is
 * how many seconds a bucket that is full after MS ms could have lost because
 * one of the CPUs stood still for longer: a machine that is emulated on a busy
 * host stops now and then, which no limiter can make up for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SNAP	192
#define BATCH	64
#define TICK	5000000		/* ns */
#define STALL	10000000	/* ns */

struct packet {
	uint64_t time;		/* ns since 1970 */
	uint32_t bytes;		/* of layer 3, on the wire */
	uint16_t segments;
	uint16_t port;		/* destination */
	uint8_t proto;
	uint8_t ecn;
	uint8_t pad[6];
};

struct header {
	char magic[8];
	uint64_t n;
	uint64_t missed;	/* no room in the socket */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-wire: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- capture -------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct packet *packets;
static uint64_t n, room;

static void add(const struct packet *p)
{
	pthread_mutex_lock(&lock);
	if (n == room) {
		room = room ? 2 * room : 65536;
		packets = realloc(packets, room * sizeof(*packets));
		if (!packets)
			die("memory");
	}
	packets[n++] = *p;
	pthread_mutex_unlock(&lock);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* One on each CPU; a stall is noted like a packet to port 0, with its
 * microseconds as bytes.
 */
static void *watch_cpu(void *arg)
{
	struct timespec tick = { 0, TICK };
	uint64_t before = now(), t;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((long)arg, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (; !stop; before = t) {
		nanosleep(&tick, NULL);
		t = now();
		if (t < before + STALL)
			continue;
		add(&(struct packet){
			.time = before, .bytes = (t - before) / 1000
		});
	}
	return NULL;
}

static void watch_cpus(void)
{
	long i, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;

	for (i = 0; i < cpus; i++)
		if (pthread_create(&thread, NULL, watch_cpu, (void *)i))
			die("pthread_create");
}

static void parse(const unsigned char *buf, size_t len, uint64_t time)
{
	const struct virtio_net_hdr *vnet = (const void *)buf;
	const unsigned char *l3 = buf + sizeof(*vnet) + ETH_HLEN, *l4;
	struct packet p = { .time = time, .segments = 1 };
	unsigned int header;

	if (len < sizeof(*vnet) + ETH_HLEN + sizeof(struct ip6_hdr) + 8)
		return;
	if (l3[0] >> 4 == 4) {
		const struct iphdr *ip = (const void *)l3;

		p.bytes = ntohs(ip->tot_len);
		p.proto = ip->protocol;
		p.ecn = ip->tos & 3;
		l4 = l3 + ip->ihl * 4;
	} else {
		const struct ip6_hdr *ip = (const void *)l3;

		p.bytes = ntohs(ip->ip6_plen) + sizeof(*ip);
		p.proto = ip->ip6_nxt;
		p.ecn = ntohl(ip->ip6_flow) >> 20 & 3;
		l4 = l3 + sizeof(*ip);
	}
	header = l4 - l3;
	if (p.proto == IPPROTO_TCP)
		header += ((const struct tcphdr *)l4)->doff * 4;
	else if (p.proto == IPPROTO_UDP)
		header += 8;
	else
		return;
	p.port = ntohs(*(const uint16_t *)(l4 + 2));
	if (vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE && vnet->gso_size &&
	    p.bytes > header) {
		p.segments = (p.bytes - header + vnet->gso_size - 1) /
			     vnet->gso_size;
		p.bytes += (p.segments - 1) * header;
	}
	add(&p);
}

static uint64_t stamp(struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	}
	return 0;
}

static int receive(int fd)
{
	static unsigned char buf[BATCH][SNAP + sizeof(struct virtio_net_hdr)];
	static char control[BATCH][64];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int i, got;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		msg[i].msg_hdr = (struct msghdr){
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	got = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < got; i++)
		parse(buf[i], msg[i].msg_len, stamp(&msg[i].msg_hdr));
	return got;
}

static int open_device(const char *device)
{
	/* The headers of what comes in. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, SNAP),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, size = 128 << 20;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		die("setsockopt");
	if (!addr.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(device);
	return fd;
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

static void save(const char *path, uint64_t missed)
{
	struct header h = { "reinwir", 0, missed };
	char temp[4096];
	FILE *f;

	pthread_mutex_lock(&lock);
	h.n = n;
	snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "w");
	if (!f || fwrite(&h, sizeof(h), 1, f) != 1 ||
	    fwrite(packets, sizeof(*packets), n, f) != n || fclose(f) ||
	    rename(temp, path))
		die(path);
}

static int capture(const char *device, const char *path)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);
	int fd = open_device(device);

	detach();
	signal(SIGTERM, on_signal);
	watch_cpus();
	/* Packets carry their time: no need to wake up for each. */
	while (!stop || receive(fd) > 0) {
		while (receive(fd) == BATCH)
			;
		if (!stop)
			usleep(10000);
	}
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	save(path, stats.tp_drops);
	return 0;
}

/* --- questions ------------------------------------------------------------ */

static bool wanted(const char *ports, const struct packet *p)
{
	unsigned int proto;
	char *end;

	for (;; ports = end + 1) {
		proto = *ports == 't' ? IPPROTO_TCP :
			*ports == 'u' ? IPPROTO_UDP : 0;
		if (strtoul(proto ? ports + 1 : ports, &end, 10) == p->port &&
		    (!proto || proto == p->proto))
			return true;
		if (*end != ',')
			return false;
	}
}

static struct packet *stalls;
static uint64_t n_stalls;

static int by_time(const void *a, const void *b)
{
	const struct packet *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Keeps those to PORTS only. */
static void load(const char *path, const char *ports)
{
	FILE *f = fopen(path, "r");
	struct header h;
	uint64_t i;

	if (!f || fread(&h, sizeof(h), 1, f) != 1)
		die(path);
	packets = calloc(h.n + 1, sizeof(*packets));
	if (!packets || fread(packets, sizeof(*packets), h.n, f) != h.n)
		die(path);
	fclose(f);
	if (h.missed) {
		fprintf(stderr, "tool-wire: %s: %llu packets missed\n", path,
			(unsigned long long)h.missed);
		exit(3);
	}
	stalls = calloc(h.n + 1, sizeof(*stalls));
	for (i = 0; stalls && i < h.n; i++)
		if (!packets[i].port)
			stalls[n_stalls++] = packets[i];
	qsort(stalls, n_stalls, sizeof(*stalls), by_time);
	for (i = 0; i < h.n; i++)
		if (wanted(ports, &packets[i]))
			packets[n++] = packets[i];
}

static uint64_t when(const char *text, uint64_t otherwise)
{
	double t;

	if (!text)
		return otherwise;
	t = strtod(text, NULL);
	/* A double holds the time of day to a quarter of a microsecond. */
	return t * 1e9 + (t < 1e8 ? packets[0].time : 0);
}

static double excess(double rate, uint64_t first, uint64_t last)
{
	double level = 0, most = 0;
	uint64_t i, before = 0;

	for (i = first; i < last; i++) {
		if (before && packets[i].time > before)
			level -= (packets[i].time - before) * rate / 8e9;
		if (packets[i].time > before)
			before = packets[i].time;
		if (level < 0)
			level = 0;
		level += packets[i].bytes;
		if (level > most)
			most = level;
	}
	return most;
}

/*
 * Between the first and the last packet, so that it doesn't matter where a
 * large one falls; but nobody is let off a pause at the start or at the end.
 */
static double rate(uint64_t from, uint64_t to, uint64_t first, uint64_t last)
{
	uint64_t slack = (to - from) / 10, start, end;
	double bytes = 0;
	uint64_t i;

	if (last - first < 2)
		return 0;
	start = packets[first].time;
	end = packets[last - 1].time;
	if (start - from > slack || to - end > slack) {
		start = from;
		end = to;
	} else {
		last--;
	}
	for (i = first; i < last; i++)
		bytes += packets[i].bytes;
	return bytes * 8e9 / (end - start);
}

static double lost(double ms, uint64_t from, uint64_t to)
{
	uint64_t i, start, end, until = from, sum = 0;

	for (i = 0; i < n_stalls; i++) {
		start = stalls[i].time + ms * 1e6;
		end = stalls[i].time + stalls[i].bytes * 1000ULL;
		if (start < until)
			start = until;
		if (end > to)
			end = to;
		if (end <= start)
			continue;
		sum += end - start;
		until = end;
	}
	return sum / 1e9;
}

static unsigned long stalls_over(double ms, uint64_t from, uint64_t to,
				 double *longest)
{
	unsigned long found = 0;
	uint64_t i;

	for (i = 0; i < n_stalls; i++) {
		double took = stalls[i].bytes / 1e3;

		if (stalls[i].time > to ||
		    stalls[i].time + stalls[i].bytes * 1000ULL < from)
			continue;
		found += took > ms;
		if (took > *longest)
			*longest = took;
	}
	return found;
}

static void bins(double width, uint64_t from, uint64_t to, uint64_t i)
{
	uint64_t end;

	for (; from < to; from = end) {
		unsigned long long bytes = 0;

		end = from + width * 1e6;
		for (; i < n && packets[i].time < end; i++)
			bytes += packets[i].bytes;
		printf("%llu\n", bytes);
	}
}

static int question(const char *what, char **arg)
{
	unsigned long long bytes = 0, count = 0, ce = 0;
	uint64_t from, to, first, last, i, gap = 0, largest = 0;
	double extra = 0, longest = 0;

	load(arg[0], arg[1]);
	arg += 2;
	if (!n) {
		puts("0");
		return 0;
	}
	if (!strcmp(what, "excess") || !strcmp(what, "bins") ||
	    !strcmp(what, "lost") || !strcmp(what, "stalls")) {
		if (!*arg)
			return 1;
		extra = strtod(*arg++, NULL);
	}
	from = when(arg[0], packets[0].time);
	to = when(arg[0] ? arg[1] : NULL, packets[n - 1].time + 1);
	for (first = 0; first < n && packets[first].time < from; first++)
		;
	for (last = first; last < n && packets[last].time < to; last++)
		;
	for (i = first; i < last; i++) {
		if (packets[i].bytes > largest)
			largest = packets[i].bytes;
		bytes += packets[i].bytes;
		count += packets[i].segments;
		ce += packets[i].ecn == 3 ? packets[i].segments : 0;
		if (i > first && packets[i].time > packets[i - 1].time &&
		    packets[i].time - packets[i - 1].time > gap)
			gap = packets[i].time - packets[i - 1].time;
	}
	stalls_over(0, from, to, &longest);
	if (!strcmp(what, "bytes"))
		printf("%llu\n", bytes);
	else if (!strcmp(what, "packets"))
		printf("%llu\n", count);
	else if (!strcmp(what, "largest"))
		printf("%llu\n", (unsigned long long)largest);
	else if (!strcmp(what, "ce"))
		printf("%llu\n", ce);
	else if (!strcmp(what, "rate"))
		printf("%.0f\n", rate(from, to, first, last));
	else if (!strcmp(what, "gap"))
		printf("%.0f\n", gap / 1e6);
	else if (!strcmp(what, "stalls"))
		printf("%lu\n", stalls_over(extra, from, to, &longest));
	else if (!strcmp(what, "stall"))
		printf("%.0f\n", longest);
	else if (!strcmp(what, "lost"))
		printf("%.3f\n", lost(extra, from, to));
	else if (!strcmp(what, "excess"))
		printf("%.0f\n", excess(extra, first, last));
	else if (!strcmp(what, "bins"))
		bins(extra, from, to, first);
	else
		return 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "capture"))
		return capture(argv[2], argv[3]);
	if (argc >= 4 && !question(argv[1], argv + 2))
		return 0;
	fputs("tool-wire: see the top of its source\n", stderr);
	return 2;
}
