// SPDX-License-Identifier: GPL-2.0
/*
 * Watches that are beaten by packets: those that a cgroup, or a socket, sends or receives.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>

#include <kselftest_harness.h>
#include "watch.h"

#define TOP		CGROOT "/test-traffic"
#define A		TOP "/a"
#define B		A "/b"
#define C		TOP "/c"

/* Cgroups from this level on are looked for in another way. */
#define DEEP		70

#define AGAIN		"run: make check TESTS=watch-traffic"
#define TIMEOUT		110

/* --- packets ------------------------------------------------------------------------------ */

/* Two datagram sockets on the loopback device: what the first sends the second receives. */
static bool udp_pair(int pair[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t size = sizeof(to);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pair[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return pair[0] >= 0 && pair[1] >= 0 && !bind(pair[1], (struct sockaddr *)&to, sizeof(to)) &&
	       !getsockname(pair[1], (struct sockaddr *)&to, &size) &&
	       !connect(pair[0], (struct sockaddr *)&to, sizeof(to));
}

static void close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* Returns whether all of them have arrived. */
static bool send_packets(const int pair[2], unsigned int n)
{
	struct pollfd pfd = { .fd = pair[1], .events = POLLIN };
	char buf[16];

	for (; n; n--)
		if (send(pair[0], "packet", 6, 0) != 6 || poll(&pfd, 1, 5000) != 1 ||
		    recv(pair[1], buf, sizeof(buf), 0) != 6)
			return false;
	return true;
}

static bool loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &ifr);

	close(fd);
	return up;
}

/**
 * struct sender - for act_send()
 * @n:		how many packets
 * @unshare:	CLONE_NEWNET: in a network namespace of its own
 */
struct sender {
	unsigned int n;
	int unshare;
};

static void act_send(void *arg)
{
	const struct sender *sender = arg;
	int pair[2];

	if (sender->unshare && (unshare(sender->unshare) || !loopback_up()))
		_exit(1);
	_exit(udp_pair(pair) && send_packets(pair, sender->n) ? 0 : 2);
}

/* From a cgroup; returns how that ended, as waitpid() says. */
static int send_from(const char *cgroup, unsigned int n, int unshare)
{
	struct sender sender = { n, unshare };

	return wait_child(run_inside(cgroup, act_send, &sender));
}

/* --- what every test has ------------------------------------------------------------------ */

/**
 * struct traffic - this process stays at the top of all cgroups
 * @fd:		the netlink socket
 * @dev:	the device
 * @top:	a cgroup
 * @a:		one below
 * @b:		below that
 * @c:		beside @a
 * @before:	how many scopes there were
 * @watches:	how many watches
 * @raw:	the newest record of an error without a meaning
 * @pair:	sockets
 * @gaps:	how long the machine stood still
 */
FIXTURE(traffic) {
	int fd;
	int dev;
	int top;
	int a;
	int b;
	int c;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
	int pair[2];
	struct gaps gaps;
};

FIXTURE_SETUP(traffic) {
	OPENS_WATCHES();
	self->top = make_cgroup(TOP);
	self->a = make_cgroup(A);
	self->b = make_cgroup(B);
	self->c = make_cgroup(C);
	ASSERT_LE(0, self->b);
	ASSERT_LE(0, self->c);
	ASSERT_TRUE(udp_pair(self->pair));
	ASSERT_TRUE(gaps_begin(&self->gaps));
}

FIXTURE_TEARDOWN(traffic) {
	gaps_end(&self->gaps);
	close_pair(self->pair);
	close(self->top);
	close(self->a);
	close(self->b);
	close(self->c);
	rmdir(C);
	rmdir(B);
	rmdir(A);
	EXPECT_EQ(0, rmdir(TOP)) {
		TH_LOG("%s; " AGAIN, strerror(errno));
	}
	CLOSES_WATCHES();
}

/* Of the watches that are made here, by descriptor. */
static uint64_t ids[256];

static int made(int fd)
{
	if (fd >= 0 && fd < (int)(sizeof(ids) / sizeof(ids[0])))
		ids[fd] = said.id;
	return fd;
}

static int over_socket(int dev, int sock, uint32_t flags, uint64_t every)
{
	struct watch_ask ask;

	ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM | flags);
	return made(watch_make(dev, watch_every(watch_socket(&ask, sock), every, 0)));
}

static int over_cgroup(int dev, int dir, uint32_t flags, uint64_t every)
{
	struct watch_ask ask;

	ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM | flags);
	return made(watch_make(dev, watch_every(watch_cgroup(&ask, dir, REIN_NO_FD), every, 0)));
}

/*
 * How many beats there were in all. With a cycle of an hour it is looked at when it is armed
 * anew, and not before.
 */
static uint64_t beats(int rein, int fd)
{
	struct watch_view view = { };

	return watch_arm(fd) || read_watch(rein, ids[fd], &view) ? UINT64_MAX : view.beats;
}

/* --- what is counted ------------------------------------------------------------------------ */

TEST_F_TIMEOUT(traffic, of_a_socket, TIMEOUT)
{
	const uint32_t both = REIN_WATCH_EGRESS | REIN_WATCH_INGRESS;
	int sends = SUCCEEDS(over_socket(self->dev, self->pair[0], REIN_WATCH_EGRESS, HOUR));
	int sends_in = SUCCEEDS(over_socket(self->dev, self->pair[0], REIN_WATCH_INGRESS, HOUR));
	int gets = SUCCEEDS(over_socket(self->dev, self->pair[1], REIN_WATCH_INGRESS, HOUR));
	int gets_any = SUCCEEDS(over_socket(self->dev, self->pair[1], both, HOUR));
	struct watch_ask ask;
	int other[2];

	ASSERT_TRUE(udp_pair(other));
	EXPECT_TRUE(send_packets(self->pair, 5));
	EXPECT_TRUE(send_packets(other, 7));
	EXPECT_EQ(5, beats(self->fd, sends));
	EXPECT_EQ(0, beats(self->fd, sends_in));
	EXPECT_EQ(5, beats(self->fd, gets));
	EXPECT_EQ(5, beats(self->fd, gets_any));
	/* They share the counts, but not what each has seen; those who come have seen nothing. */
	close(gets);
	EXPECT_TRUE(send_packets(self->pair, 2));
	gets = SUCCEEDS(over_socket(self->dev, self->pair[1], REIN_WATCH_INGRESS, HOUR));
	EXPECT_TRUE(send_packets(self->pair, 1));
	EXPECT_EQ(8, beats(self->fd, gets_any));
	EXPECT_EQ(1, beats(self->fd, gets));
	EXPECT_EQ(8, beats(self->fd, sends));
	/* Nor has one that is beaten in another way before it is armed. */
	close(gets);
	watch_socket(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_INGRESS), self->pair[1]);
	gets = SUCCEEDS(made(watch_make(self->dev, watch_every(&ask, HOUR, 0))));
	SUCCEEDS(watch_beat(gets));
	EXPECT_EQ(1, beats(self->fd, gets));
	close_pair(other);
	close(sends);
	close(sends_in);
	close(gets);
	close(gets_any);
}

TEST_F_TIMEOUT(traffic, of_a_cgroup_and_all_below, TIMEOUT)
{
	const uint32_t both = REIN_WATCH_EGRESS | REIN_WATCH_INGRESS;
	int top = SUCCEEDS(over_cgroup(self->dev, self->top, REIN_WATCH_EGRESS, HOUR));
	int a = SUCCEEDS(over_cgroup(self->dev, self->a, REIN_WATCH_INGRESS, HOUR));
	int b = SUCCEEDS(over_cgroup(self->dev, self->b, both, HOUR));
	int c = SUCCEEDS(over_cgroup(self->dev, self->c, both, HOUR));

	EXPECT_EQ(0, send_from(B, 3, 0));
	EXPECT_EQ(3, beats(self->fd, top));
	EXPECT_EQ(3, beats(self->fd, a));
	EXPECT_EQ(6, beats(self->fd, b));
	EXPECT_EQ(0, beats(self->fd, c));
	/* Wherever they go. */
	EXPECT_EQ(0, send_from(A, 4, CLONE_NEWNET));
	EXPECT_EQ(7, beats(self->fd, top));
	EXPECT_EQ(7, beats(self->fd, a));
	EXPECT_EQ(6, beats(self->fd, b));
	/* This one's sockets are those of a cgroup above. */
	EXPECT_TRUE(send_packets(self->pair, 5));
	EXPECT_EQ(7, beats(self->fd, top));
	close(top);
	close(a);
	close(b);
	close(c);
}

/* Far below the root. */
TEST_F_TIMEOUT(traffic, of_cgroups_far_below, TIMEOUT)
{
	char path[sizeof(C) + 2 * DEEP] = C;
	int dir[3] = { -1, -1, -1 }, fd[3], i;
	size_t len = strlen(path);
	const int at[3] = { DEEP - 12, DEEP - 4, DEEP };

	for (i = 1; i <= DEEP; i++) {
		len += sprintf(path + len, "/d");
		ASSERT_EQ(0, mkdir(path, 0755));
		if (i == at[0] || i == at[1] || i == at[2])
			dir[i == at[0] ? 0 : i == at[1] ? 1 : 2] =
				open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	for (i = 0; i < 3; i++)
		fd[i] = SUCCEEDS(over_cgroup(self->dev, dir[i], REIN_WATCH_EGRESS, HOUR));
	EXPECT_EQ(0, send_from(path, 3, 0));
	path[strlen(C) + 2 * at[1]] = '\0';
	EXPECT_EQ(0, send_from(path, 2, 0));
	EXPECT_EQ(5, beats(self->fd, fd[0]));
	EXPECT_EQ(5, beats(self->fd, fd[1]));
	EXPECT_EQ(3, beats(self->fd, fd[2]));
	for (i = 0; i < 3; i++) {
		close(fd[i]);
		close(dir[i]);
	}
	for (i = DEEP; i; i--) {
		path[strlen(C)] = '\0';
		for (len = strlen(C); len < strlen(C) + 2 * (size_t)i; len += 2)
			sprintf(path + len, "/d");
		EXPECT_EQ(0, rmdir(path));
	}
}

/* --- what is missed ------------------------------------------------------------------------- */

TEST_F_TIMEOUT(traffic, falls_silent, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? SECOND : 200 * MS;
	int fd = SUCCEEDS(over_socket(self->dev, self->pair[0], REIN_WATCH_EGRESS, cycle));
	struct rein_watch_state state = { };

	FALLS_SILENT(fd, &state, cycle, ASSERT_TRUE(send_packets(self->pair, 1)), &self->gaps);
	/* It comes back. */
	ASSERT_TRUE(send_packets(self->pair, 1));
	COMES(fd, &state, REIN_COUNT_RESUME, 1);
	close(fd);
}

/* A flood is as wrong as silence, if that is the rule. */
TEST_F_TIMEOUT(traffic, comes_too_often, TIMEOUT)
{
	struct rein_watch_state state = { };
	struct watch_ask ask;
	int fd;

	watch_socket(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM | REIN_WATCH_INGRESS),
		     self->pair[1]);
	watch_every(&ask, SECOND, 0)->args.rules.max = 100;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	EXPECT_TRUE(send_packets(self->pair, 150));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(REIN_FAULT_MANY, state.fault);
	close(fd);
}

static void act_pause(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* Packets go on arriving for what is frozen: they are none of the cycle that stands still. */
TEST_F_TIMEOUT(traffic, frozen, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? 3 * SECOND : SECOND;
	struct rein_watch_state state = { };
	struct watch_ask ask;
	int pair[2], fd, i;
	pid_t pid;

	/* Sockets are those of the cgroup that they are made in. */
	ASSERT_TRUE(enter(A));
	ASSERT_TRUE(udp_pair(pair));
	ASSERT_TRUE(enter(CGROOT));
	pid = run_inside(A, act_pause, NULL);
	watch_cgroup(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM | REIN_WATCH_INGRESS),
		     self->a, REIN_NO_FD);
	watch_every(&ask, cycle, 0)->args.rules.max = 100;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	EXPECT_TRUE(send_packets(pair, 1));
	EXPECT_TRUE(put_file(A "/cgroup.freeze", "1"));
	for (i = 0; i < 20; i++) {
		EXPECT_TRUE(send_packets(pair, 25));
		usleep(cycle / 20000);
	}
	EXPECT_TRUE(put_file(A "/cgroup.freeze", "0"));
	for (i = 0; i < 30; i++) {
		EXPECT_TRUE(send_packets(pair, 1));
		usleep(cycle / 10000);
	}
	EXPECT_FALSE(watch_read(fd, &state) && state.count[REIN_COUNT_MISS]) {
		TH_LOG("fault %u, of %llu beats; " AGAIN, state.fault,
		       (unsigned long long)state.count[REIN_COUNT_BEAT]);
	}
	close(fd);
	kill(pid, SIGKILL);
	wait_child(pid);
	close_pair(pair);
	EXPECT_TRUE(wait_empty(self->a));
}

/* --- what can't be ---------------------------------------------------------------------------- */

TEST_F_TIMEOUT(traffic, what_contradicts_itself, TIMEOUT)
{
	const uint32_t out = REIN_WATCH_OWNED | REIN_WATCH_EGRESS;
	struct watch_ask ask;
	int fd;

	/* A process. */
	FAILS(EINVAL, WATCH_MALFORMED,
	      watch_make(self->dev, watch_every(ask_watch(&ask, out), SECOND, 0)));
	/* No cycle. */
	FAILS(EINVAL, WATCH_MALFORMED,
	      watch_make(self->dev, watch_socket(ask_watch(&ask, out), self->pair[0])));
	/* A slot, or a token. */
	FAILS(EINVAL, WATCH_MALFORMED,
	      over_socket(self->dev, self->pair[0], REIN_WATCH_EGRESS | REIN_WATCH_SLOT, SECOND));
	FAILS(EINVAL, WATCH_MALFORMED,
	      over_socket(self->dev, self->pair[0], REIN_WATCH_INGRESS | REIN_WATCH_STAMP, SECOND));
	FAILS(EINVAL, WATCH_MALFORMED,
	      over_socket(self->dev, self->pair[0], REIN_WATCH_INGRESS | REIN_WATCH_TOKEN, SECOND));
	/* What can't be counted. */
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	ASSERT_LE(0, fd);
	FAILS(EINVAL, WATCH_MALFORMED, over_socket(self->dev, fd, REIN_WATCH_INGRESS, SECOND));
	close(SUCCEEDS(over_socket(self->dev, fd, REIN_WATCH_EGRESS, SECOND)));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0) {
		TH_LOG("this kernel has no MPTCP");
	} else {
		FAILS(EINVAL, WATCH_MALFORMED,
		      over_socket(self->dev, fd, REIN_WATCH_EGRESS, SECOND));
		close(fd);
	}
}

/* As nobody: over sockets of his own, until he may have no more. */
TEST_F_TIMEOUT(traffic, as_many_as_a_user_may_have, TIMEOUT)
{
	const uint64_t most = get_parameter(LIMITS_PER_USER);
	struct report *report = new_report();
	pid_t pid;
	int i;

	ASSERT_TRUE(set_parameter(LIMITS_PER_USER, 3));
	pid = fork();
	if (!pid) {
		if (!become_nobody())
			_exit(1);
		for (i = 0; i < 4; i++)
			note(report, i, over_socket(self->dev, self->pair[i % 2],
						    REIN_WATCH_EGRESS, HOUR));
		/* What is over can be had again, though its descriptor is open. */
		watch_end(report->ret[0]);
		note(report, 4, over_socket(self->dev, self->pair[0], REIN_WATCH_INGRESS, HOUR));
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	for (i = 0; i < 3; i++)
		EXPECT_LE(0, noted(report, i));
	FAILS(EDQUOT, WATCH_TRAFFIC_MANY, noted(report, 3));
	EXPECT_LE(0, noted(report, 4));
	ASSERT_TRUE(set_parameter(LIMITS_PER_USER, most));
	munmap(report, sizeof(*report));
}

/* It ends with what it is kept over, and leaves nothing behind. */
TEST_F_TIMEOUT(traffic, ends_with_its_subject, TIMEOUT)
{
	struct rein_watch_state state = { };
	int pair[2], fd, dir;

	ASSERT_TRUE(udp_pair(pair));
	fd = SUCCEEDS(over_socket(self->dev, pair[0], REIN_WATCH_EGRESS, HOUR));
	EXPECT_TRUE(send_packets(pair, 1));
	close_pair(pair);
	COMES(fd, &state, REIN_COUNT_GONE, 1);
	close(fd);

	dir = make_cgroup(C "/x");
	fd = SUCCEEDS(over_cgroup(self->dev, dir, REIN_WATCH_EGRESS, HOUR));
	EXPECT_EQ(0, send_from(C "/x", 1, 0));
	close(dir);
	EXPECT_EQ(0, rmdir(C "/x"));
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_GONE, 1);
	close(fd);
}

TEST_HARNESS_MAIN
