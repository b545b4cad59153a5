// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of a cgroup that are per socket: each of its sockets has buckets of its own, by a copy
 * of the limit that is made when its first packet has been seen.
 *
 * All is sent over loopback, from sockets that were made in the cgroup, to one that was not.
 * CHURN says how many sockets are made and closed in all.
 */
#define _GNU_SOURCE
#include <netinet/tcp.h>

#define CGROUP		CGROOT "/test-per-socket"
#define COPIES		"/sys/module/rein/parameters/copies"
#define AGAIN		"; run: make check TESTS=per-socket"

#include "sockets.h"

#define SENDERS		3

FIXTURE(per_socket) {
	struct rein *rein;
	int dir, rx, tx[SENDERS];
	int port;
	char copies[16];
};

/* What a parameter is. */
static bool get_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, text, size - 1);

	close(fd);
	if (got > 0)
		text[got] = '\0';
	return got > 0;
}

/* They stay of the cgroup they are made in. */
static int sender_inside(int type, int port)
{
	int fd = -1;

	if (enter(CGROUP))
		fd = sender(type, port);
	return enter(CGROOT) ? fd : -1;
}

FIXTURE_SETUP(per_socket)
{
	unsigned int i;

	ASSERT_EQ(0, system("ip link set lo up"));
	ASSERT_TRUE(get_file(COPIES, self->copies, sizeof(self->copies)));
	ASSERT_EQ(0, rein_open(&self->rein));
	self->dir = make_cgroup(CGROUP);
	ASSERT_LE(0, self->dir);
	self->rx = receiver(SOCK_DGRAM, &self->port);
	ASSERT_LE(0, self->rx);
	for (i = 0; i < SENDERS; i++) {
		self->tx[i] = sender_inside(SOCK_DGRAM, self->port);
		ASSERT_LE(0, self->tx[i]);
	}
	/* Others' tests have closed theirs, which may not have been seen yet. */
	ASSERT_TRUE(become_sockets(self->rein, 0));
}

FIXTURE_TEARDOWN(per_socket)
{
	struct rein_limit_request request = { .name = "each", .cgroup_fd = self->dir };
	unsigned int i;

	EXPECT_TRUE(put_file(COPIES, self->copies));
	for (i = 0; i < SENDERS; i++)
		close(self->tx[i]);
	close(self->rx);
	rein_limit_change(self->rein, REIN_CMD_LIMIT_DEL, &request);
	EXPECT_TRUE(become_sockets(self->rein, 0))
		TH_LOG("expected no limit on a socket to be left, seen %llu" AGAIN,
		       (unsigned long long)sockets(self->rein));
	close(self->dir);
	rmdir(CGROUP);
	rein_close(self->rein);
}

/* --- asking -------------------------------------------------------------------------- */

static int change_each(struct rein *rein, unsigned int command, int dir, uint32_t resource,
		       uint64_t burst)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = burst,
	};
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = dir, .per_socket = command == REIN_CMD_LIMIT_ADD,
		.has_resource = true, .resource = resource, .tiers = &tier, .n_tiers = 1,
	};

	return rein_limit_change(rein, command, &request);
}

static int add_each(struct rein *rein, int dir, uint32_t resource, uint64_t burst)
{
	return change_each(rein, REIN_CMD_LIMIT_ADD, dir, resource, burst);
}

static bool get_each(struct rein *rein, int dir, struct rein_limit *limit)
{
	struct rein_limit_request request = { .name = "each", .cgroup_fd = dir };

	return !rein_limit_get(rein, &request, copy_limit, limit);
}

static bool has_copies(struct rein *rein, int dir, unsigned int n)
{
	struct rein_limit limit = { };

	return get_each(rein, dir, &limit) && limit.per_socket && limit.sockets == n;
}

/* A copy comes soon after the first packet, and goes within about a second of its socket. */
static bool become_copies(struct rein *rein, int dir, unsigned int n)
{
	uint64_t end = now_ns() + LONG;

	while (!has_copies(rein, dir, n)) {
		if (now_ns() >= end)
			return false;
		usleep(1000);
	}
	return true;
}

#define HAVE_COPIES(n)									\
	ASSERT_TRUE(become_copies(self->rein, self->dir, n))				\
		TH_LOG("expected copies: %u" AGAIN, n)

/* What was counted, by the limit and all its copies. */
static uint64_t each_counted(struct rein *rein, int dir, unsigned int stat)
{
	struct rein_limit limit;

	return get_each(rein, dir, &limit) ? limit.stats.count[stat].packets : UINT64_MAX;
}

static void add_up(const struct rein_limit *limit, void *arg)
{
	*(unsigned int *)arg += !!limit->copy_of;
}

static unsigned int listed(struct rein *rein, bool copies)
{
	struct rein_limit_request request = { .name = "each", .cgroup_fd = -1, .copies = copies };
	unsigned int n = 0;

	rein_limit_dump(rein, &request, add_up, &n);
	return n;
}

/* --- each its own ------------------------------------------------------------------------ */

TEST_F(per_socket, each_has_its_own)
{
	unsigned int i;

	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 5));
	/* The first packet of each is the limit's own. */
	for (i = 0; i < SENDERS; i++)
		sends(self->tx[i], 1);
	SEEN(SENDERS, arrive(self->rx, SENDERS), "first datagrams");
	HAVE_COPIES(SENDERS);
	for (i = 0; i < SENDERS; i++) {
		sends(self->tx[i], 20);
		SEEN(5, arrive(self->rx, 5), "datagrams of one, with a burst of 5");
	}
	SEEN(SENDERS * 6, each_counted(self->rein, self->dir, REIN_A_STATS_PASSED), "passed");
	SEEN(SENDERS * 15, each_counted(self->rein, self->dir, REIN_A_STATS_REFUSED), "refused");
	SEEN(SENDERS * 21, each_counted(self->rein, self->dir, REIN_A_STATS_SEEN), "seen");
	/* What those have counted that are closed is not forgotten. */
	close(self->tx[0]);
	HAVE_COPIES(SENDERS - 1);
	SEEN(SENDERS * 6, each_counted(self->rein, self->dir, REIN_A_STATS_PASSED), "still");
	SEEN(SENDERS * 21, each_counted(self->rein, self->dir, REIN_A_STATS_SEEN), "seen, still");
	self->tx[0] = sender_inside(SOCK_DGRAM, self->port);
	ASSERT_LE(0, self->tx[0]);
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "the first of a new one");
	HAVE_COPIES(SENDERS);
}

/* Without a copy they share one bucket, however many they are: no way to have more. */
TEST_F(per_socket, shared_at_first)
{
	unsigned int i, n = 40, got;

	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 5));
	for (i = 0; i < n; i++) {
		int fd = sender_inside(SOCK_DGRAM, self->port);

		sends(fd, 1);
		close(fd);
	}
	got = arrive(self->rx, n);
	EXPECT_EQ(5, got) TH_LOG("one datagram of each of %u sockets: expected 5, seen %u" AGAIN,
				 n, got);
	HAVE_COPIES(0);
	SEEN(n, each_counted(self->rein, self->dir, REIN_A_STATS_SEEN), "seen in all");
}

TEST_F(per_socket, ingress)
{
	int port, rx, tx;

	ASSERT_TRUE(enter(CGROUP));
	rx = receiver(SOCK_DGRAM, &port);
	ASSERT_TRUE(enter(CGROOT));
	tx = sender(SOCK_DGRAM, port);
	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_INGRESS, 4));
	sends(tx, 1);
	SEEN(1, arrive(rx, 1), "first datagram");
	HAVE_COPIES(1);
	sends(tx, 10);
	SEEN(4, arrive(rx, 4), "datagrams, with a burst of 4");
	close(rx);
	close(tx);
	HAVE_COPIES(0);
}

/* Who floods its own has others wait for nothing. */
TEST_F(per_socket, wait)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 10, .rate_period_ns = SECOND, .burst = 1,
	};
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = self->dir, .per_socket = true,
		.has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_over = true, .over = REIN_OVER_WAIT, .tiers = &tier, .n_tiers = 1,
	};
	struct rein_limit limit;
	uint64_t began;

	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram");
	HAVE_COPIES(1);
	sends(self->tx[1], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram of another");
	HAVE_COPIES(2);
	sends(self->tx[0], 15);
	SEEN(1, arrive(self->rx, 0), "a burst of it");
	began = now_ns();
	sends(self->tx[1], 1);
	/* Of 14 that wait, at ten a second, some may go meanwhile. */
	EXPECT_LE(1, arrive(self->rx, 0)) TH_LOG("expected one not to wait" AGAIN);
	EXPECT_GT(SECOND, now_ns() - began) TH_LOG("expected it at once" AGAIN);
	/* Waiting packets go with what they wait for. */
	request = (struct rein_limit_request){ .name = "each", .cgroup_fd = self->dir };
	ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
	EXPECT_LT(0, limit.stats.count[REIN_A_STATS_QUEUED].packets);
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_DEL, &request));
	EXPECT_LE(10, arrive(self->rx, 15)) TH_LOG("expected those that waited to go" AGAIN);
}

/* Who is one too many waits alone, wherever it is: those who have their own go on. */
TEST_F(per_socket, waits_alone)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 10, .rate_period_ns = RATE_DAY_NS, .burst = 30,
	};
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = self->dir, .per_socket = true,
		.has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_over = true, .over = REIN_OVER_WAIT, .has_patience = true,
		.patience_ns = DAY, .tiers = &tier, .n_tiers = 1,
	};
	struct rein_limit limit;

	ASSERT_TRUE(put_file(COPIES, "1"));
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram");
	HAVE_COPIES(1);
	/* Another limit of its own, or none: where it waits is not the same place. */
	ASSERT_EQ(0, limit_packets(self->rein, "own", self->tx[2], REIN_RESOURCE_EGRESS, 100));
	sends(self->tx[1], 28);
	sends(self->tx[2], 3);
	sends(self->tx[1], 2);
	SEEN(29, arrive(self->rx, 29), "what was left to share");
	ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
	SEEN(4, limit.stats.count[REIN_A_STATS_QUEUED].packets, "that wait");
	sends(self->tx[0], 20);
	SEEN(20, arrive(self->rx, 20), "of one who has its own, while others wait");
	tier.rate_period_ns = SECOND;
	request = (struct rein_limit_request){ .name = "each", .cgroup_fd = self->dir,
					       .tiers = &tier, .n_tiers = 1 };
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_SET, &request));
	SEEN(4, arrive(self->rx, 4), "those who waited, when the rate is another");
}

/* Of @bytes, a number first. */
static void send_numbered(int fd, uint32_t number, size_t bytes)
{
	static char data[60000];

	memcpy(data, &number, sizeof(number));
	send(fd, data, bytes, 0);
}

/* The number of the next datagram and its size; 0 if none comes for long. */
static ssize_t next_numbered(int fd, uint32_t *number)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static char data[60000];
	ssize_t got;

	if (poll(&pfd, 1, 5000) != 1)
		return 0;
	got = recv(fd, data, sizeof(data), 0);
	memcpy(number, data, sizeof(*number));
	return got;
}

/* As much as a limit per socket has wait on its way in, in all, unless it is told to have more. */
#define QUEUE		(64 << 20)

/* A limit that has others wait for as long as it takes. */
static int wait_for_tokens(struct rein *rein, const char *name, int dir, int fd,
			   uint32_t resource, const struct rein_tier *tier)
{
	struct rein_limit_request request = {
		.name = name, .cgroup_fd = fd < 0 ? dir : -1, .per_socket = !strcmp(name, "each"),
		.has_socket = fd >= 0, .socket_fd = fd,
		.has_resource = true, .resource = resource,
		.has_over = true, .over = REIN_OVER_WAIT, .has_patience = true,
		.patience_ns = DAY, .has_queue = true, .queue = QUEUE,
		.tiers = tier, .n_tiers = 1,
	};

	return rein_limit_change(rein, REIN_CMD_LIMIT_ADD, &request);
}

/* As many tokens as there are packets, so that nobody waits for them any more. */
static int open_up(struct rein *rein, const char *name, int dir, int fd)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS, .rate_tokens = 1000000, .rate_period_ns = SECOND,
		.burst = 1000,
	};
	struct rein_limit_request request = {
		.name = name, .cgroup_fd = fd < 0 ? dir : -1, .has_socket = fd >= 0,
		.socket_fd = fd, .tiers = &tier, .n_tiers = 1,
	};

	return rein_limit_change(rein, REIN_CMD_LIMIT_SET, &request);
}

/* Who shares takes turns with all who do, wherever they wait: small ones don't starve large. */
TEST_F(per_socket, takes_turns)
{
	enum { LARGE = 60000, N_LARGE = 4, SMALL = 1000, N_SMALL = 700 };
	struct rein_tier tier = {
		.unit = REIN_UNIT_BYTES,
		.rate_tokens = 2000000, .rate_period_ns = SECOND, .burst = LARGE + 100,
	};
	unsigned int large = 0, small = 0, i;
	int size = 8 << 20;
	uint32_t number;
	ssize_t got;

	ASSERT_TRUE(put_file(COPIES, "0"));
	ASSERT_EQ(0, limit_packets(self->rein, "own", self->tx[2], REIN_RESOURCE_EGRESS, 10000));
	ASSERT_EQ(0, wait_for_tokens(self->rein, "each", self->dir, -1,
				     REIN_RESOURCE_EGRESS, &tier));
	for (i = 1; i <= 2; i++)
		ASSERT_EQ(0, setsockopt(self->tx[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
					sizeof(size)));
	ASSERT_EQ(0, setsockopt(self->rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	for (i = 0; i < 1 + N_LARGE; i++)
		send_numbered(self->tx[1], i, LARGE);
	for (i = 0; i < N_SMALL; i++)
		send_numbered(self->tx[2], i, SMALL);
	while (large < 1 + N_LARGE && (got = next_numbered(self->rx, &number)))
		*(got == LARGE ? &large : &small) += 1;
	SEEN(1 + N_LARGE, large, "large ones");
	EXPECT_GE((N_LARGE + 2) * LARGE / SMALL, small)
		TH_LOG("expected about as many bytes of small ones as of %u large, seen %u" AGAIN,
		       N_LARGE, small);
	SEEN(N_SMALL - small, arrive(self->rx, N_SMALL - small), "small ones, in the end");
}

/* Who gets a copy of what he waits for waits no more, and his packets stay in order. */
TEST_F(per_socket, goes_on_in_order)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 10, .rate_period_ns = RATE_DAY_NS, .burst = 20,
	};
	const struct rein_tier own = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 10, .rate_period_ns = RATE_DAY_NS, .burst = 10,
	};
	uint32_t number, i;

	ASSERT_TRUE(put_file(COPIES, "0"));
	ASSERT_EQ(0, wait_for_tokens(self->rein, "own", -1, self->tx[2],
				     REIN_RESOURCE_EGRESS, &own));
	ASSERT_EQ(0, wait_for_tokens(self->rein, "each", self->dir, -1,
				     REIN_RESOURCE_EGRESS, &tier));
	sends(self->tx[1], 20);
	SEEN(20, arrive(self->rx, 20), "that use up what is shared");
	/* These wait for what is shared. */
	for (i = 0; i < 4; i++)
		send_numbered(self->tx[2], i, 8);
	SEEN(0, arrive(self->rx, 0), "of one that shares it");
	ASSERT_TRUE(put_file(COPIES, self->copies));
	do {
		send_numbered(self->tx[2], i++, 8);
		ASSERT_GT(100, i) TH_LOG("expected to get a copy" AGAIN);
		/* It asks with a packet, but not again within a tenth of a second. */
		usleep(20000);
	} while (!has_copies(self->rein, self->dir, 1));
	for (; i < 14; i++)
		send_numbered(self->tx[2], i, 8);
	/* By its own limit ten may go, and then the rest. */
	for (i = 0; i < 14; i++) {
		if (i == 10)
			ASSERT_EQ(0, open_up(self->rein, "own", -1, self->tx[2]));
		ASSERT_LT(0, next_numbered(self->rx, &number))
			TH_LOG("expected datagram %u, seen none" AGAIN, i);
		SEEN(i, number, "datagrams in order");
	}
}

/* What waits among others when a limit per socket comes has them wait for nothing. */
TEST_F(per_socket, moves_over)
{
	struct rein_tier all = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 100, .rate_period_ns = RATE_DAY_NS, .burst = 1,
	};
	struct rein_tier tier = {
		.unit = REIN_UNIT_BYTES,
		.rate_tokens = 20000, .rate_period_ns = RATE_DAY_NS, .burst = 4000,
	};
	unsigned int i;

	ASSERT_TRUE(put_file(COPIES, "1"));
	ASSERT_EQ(0, wait_for_tokens(self->rein, "all", self->dir, -1,
				     REIN_RESOURCE_EGRESS, &all));
	for (i = 0; i < 5; i++)
		send_numbered(self->tx[1], i, 2100);
	SEEN(1, arrive(self->rx, 1), "of what all may have");
	ASSERT_EQ(0, wait_for_tokens(self->rein, "each", self->dir, -1,
				     REIN_RESOURCE_EGRESS, &tier));
	sends(self->tx[2], 1);
	HAVE_COPIES(1);
	for (i = 0; i < 29; i++)
		send_numbered(self->tx[2], i, 100);
	ASSERT_EQ(0, open_up(self->rein, "all", self->dir, -1));
	/* One large one by what is shared; the small ones by what is their own. */
	SEEN(31, arrive(self->rx, 31), "while others wait");
	sends(self->tx[2], 2);
	SEEN(2, arrive(self->rx, 2), "more of that");
	SEEN(3, counted(self->rein, "all", -1, REIN_A_STATS_QUEUED), "that wait");
	ASSERT_EQ(0, delete_limit(self->rein, "each", -1));
	SEEN(3, arrive(self->rx, 3), "that waited");
	ASSERT_EQ(0, delete_limit(self->rein, "all", -1));
}

/* What waits for something else gets a copy, too, and is counted by that from then on. */
TEST_F(per_socket, inherits)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 10, .rate_period_ns = RATE_DAY_NS, .burst = 1,
	};
	struct rein_limit_request request = {
		.name = "own", .cgroup_fd = -1, .has_socket = true, .socket_fd = self->tx[0],
		.has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_over = true, .over = REIN_OVER_WAIT, .has_patience = true,
		.patience_ns = DAY, .tiers = &tier, .n_tiers = 1,
	};
	struct rein_limit limit;

	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	sends(self->tx[0], 4);
	SEEN(1, arrive(self->rx, 1), "of its own burst");
	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 100));
	sends(self->tx[0], 2);
	HAVE_COPIES(1);
	SEEN(2, each_counted(self->rein, self->dir, REIN_A_STATS_QUEUED), "that it has seen");
	SEEN(5, counted(self->rein, "own", self->tx[0], REIN_A_STATS_QUEUED), "that wait");
	ASSERT_EQ(0, delete_limit(self->rein, "own", self->tx[0]));
	SEEN(5, arrive(self->rx, 5), "that waited");
	ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
	SEEN(0, limit.stats.count[REIN_A_STATS_QUEUED].packets, "that wait, at the end");
	SEEN(5, limit.stats.count[REIN_A_STATS_SEEN].packets, "seen in all");
	SEEN(5, limit.stats.count[REIN_A_STATS_PASSED].packets +
		limit.stats.count[REIN_A_STATS_RELEASED].packets, "passed in all");
}

/* A receiver inside that has its own, and one who sends to it. */
static bool make_pair(int *rx, int *tx)
{
	int port = 0;

	*rx = enter(CGROUP) ? receiver(SOCK_DGRAM, &port) : -1;
	*tx = enter(CGROOT) ? sender(SOCK_DGRAM, port) : -1;
	sends(*tx, 1);
	return *rx >= 0 && *tx >= 0 && arrive(*rx, 1) == 1;
}

/* What waits on its way in is nobody's memory: all together may not have any amount of it. */
TEST_F(per_socket, bounded)
{
	enum { N = 2, LARGE = 60000, SENT = 700, MOST = QUEUE };
	struct rein_tier tier = {
		.unit = REIN_UNIT_BYTES,
		.rate_tokens = 500, .rate_period_ns = SECOND, .burst = 20000,
	};
	const uint64_t most[N] = { MOST / 2, MOST / 2 + MOST / 4 };
	static char large[LARGE];
	struct rein_limit limit;
	int rx[N], tx[N], i, j;

	ASSERT_EQ(0, wait_for_tokens(self->rein, "each", self->dir, -1, REIN_RESOURCE_INGRESS,
				     &tier));
	for (i = 0; i < N; i++)
		ASSERT_TRUE(make_pair(&rx[i], &tx[i]));
	HAVE_COPIES(N);
	/* Each may have as much as it leaves of its own queue, and of what they all may have. */
	for (i = 0; i < N; i++) {
		for (j = 0; j < SENT; j++)
			ASSERT_EQ(LARGE, send(tx[i], large, LARGE, 0));
		ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
		EXPECT_GE(most[i] + 2 * LARGE, limit.stats.count[REIN_A_STATS_QUEUED].bytes)
			TH_LOG("expected no more to wait, of %d sockets" AGAIN, i + 1);
		/* A packet counts with the memory it takes beside its bytes: about one of 80. */
		EXPECT_LE(most[i] - most[i] / 64 - 2 * LARGE,
			  limit.stats.count[REIN_A_STATS_QUEUED].bytes)
			TH_LOG("expected no less to wait, of %d sockets" AGAIN, i + 1);
	}
	ASSERT_EQ(0, delete_limit(self->rein, "each", -1));
	for (i = 0; i < N; i++) {
		close(tx[i]);
		close(rx[i]);
	}
}

/* Small ones take more than what is in them. */
TEST_F_TIMEOUT(per_socket, bounded_small, 120)
{
	enum { SENT = 60000, MOST = QUEUE, LEAST = 512 };
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = SENT, .rate_period_ns = RATE_DAY_NS, .burst = 1,
	};
	uint64_t waiting;
	int rx, tx, i;

	if (is_debug())
		SKIP(return, "60,000 packets take minutes on this kernel");
	ASSERT_EQ(0, wait_for_tokens(self->rein, "each", self->dir, -1, REIN_RESOURCE_INGRESS,
				     &tier));
	ASSERT_TRUE(make_pair(&rx, &tx));
	HAVE_COPIES(1);
	for (i = 0; i < SENT; i++)
		ASSERT_EQ(1, send(tx, "", 1, 0));
	waiting = each_counted(self->rein, self->dir, REIN_A_STATS_QUEUED);
	TH_LOG("%llu small ones wait", (unsigned long long)waiting);
	EXPECT_GE(MOST / 2 / LEAST, waiting) TH_LOG("expected no more to wait" AGAIN);
	EXPECT_LE(MOST / 2 / LEAST / 4, waiting) TH_LOG("expected no less to wait" AGAIN);
	ASSERT_EQ(0, delete_limit(self->rein, "each", -1));
	close(tx);
	close(rx);
}

TEST_F(per_socket, tcp)
{
	int port, listener = receiver(SOCK_STREAM, &port);
	int tx = sender_inside(SOCK_STREAM, port), rx;
	struct rein_tier tier = {
		.unit = REIN_UNIT_BYTES, .rate_tokens = 100000, .rate_period_ns = SECOND,
		.burst = 20000,
	};
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = self->dir, .per_socket = true,
		.has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_over = true, .over = REIN_OVER_WAIT, .tiers = &tier, .n_tiers = 1,
	};
	static char data[300000];
	int size = sizeof(data) * 2;
	ssize_t got, all = 0;
	uint64_t began;

	rx = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, rx);
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	ASSERT_EQ(0, setsockopt(tx, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	began = now_ns();
	ASSERT_EQ(sizeof(data), send(tx, data, sizeof(data), 0));
	HAVE_COPIES(1);
	shutdown(tx, SHUT_WR);
	while ((got = recv(rx, data, sizeof(data), 0)) > 0)
		all += got;
	SEEN(sizeof(data), all, "bytes of a connection");
	/* Of two buckets, the shared and its own, at most, and as much debt of each. */
	EXPECT_LE(SECOND, now_ns() - began) TH_LOG("expected it to take longer" AGAIN);
	close(tx);
	close(rx);
	close(listener);
}

/* --- as the limit, so the copies ------------------------------------------------------------ */

TEST_F(per_socket, changes)
{
	struct rein_limit limit;

	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 5));
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram");
	HAVE_COPIES(1);
	sends(self->tx[0], 3);
	SEEN(3, arrive(self->rx, 3), "three more");
	/* Tokens are kept: two are left, and it may hold more from now on. */
	ASSERT_EQ(0, change_each(self->rein, REIN_CMD_LIMIT_SET, self->dir, REIN_RESOURCE_EGRESS,
				 100));
	HAVE_COPIES(1);
	sends(self->tx[0], 5);
	SEEN(2, arrive(self->rx, 2), "what was left");
	/* One that comes now is made like that. */
	sends(self->tx[1], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram of another");
	HAVE_COPIES(2);
	sends(self->tx[1], 120);
	SEEN(100, arrive(self->rx, 100), "of a burst of 100");
	ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
	EXPECT_TRUE(limit.per_socket);
}

TEST_F(per_socket, goes)
{
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = 1,
	};
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = self->dir, .per_socket = true,
		.has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_for = true, .for_ns = SECOND, .tiers = &tier, .n_tiers = 1,
	};

	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 1));
	sends(self->tx[0], 1);
	HAVE_COPIES(1);
	SEEN(1, sockets(self->rein), "sockets with limits");
	SEEN(1, listed(self->rein, true), "copies listed");
	SEEN(0, listed(self->rein, false), "copies listed where none are asked for");
	ASSERT_EQ(0, delete_limit(self->rein, "each", -1));
	EXPECT_TRUE(become_sockets(self->rein, 0));
	SEEN(0, listed(self->rein, true), "copies listed when it has gone");
	SEEN(1, arrive(self->rx, 1), "first datagram");
	sends(self->tx[0], 10);
	SEEN(10, arrive(self->rx, 10), "datagrams without it");
	/* By itself. */
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	sends(self->tx[0], 1);
	EXPECT_TRUE(become_sockets(self->rein, 1));
	EXPECT_TRUE(become_sockets(self->rein, 0));
	SEEN(0, listed(self->rein, true), "copies listed when its time was over");
}

/* Its sockets go on, by what binds the cgroup above. */
TEST_F(per_socket, cgroup_removed)
{
	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 1));
	sends(self->tx[0], 1);
	HAVE_COPIES(1);
	sends(self->tx[0], 2);
	ASSERT_EQ(0, rmdir(CGROUP));
	EXPECT_TRUE(become_sockets(self->rein, 0))
		TH_LOG("expected copies to go with the cgroup's limit" AGAIN);
	SEEN(2, arrive(self->rx, 2), "of the three that were sent");
	sends(self->tx[0], 3);
	SEEN(3, arrive(self->rx, 3), "without the limit");
}

/* --- among others ---------------------------------------------------------------------------- */

TEST_F(per_socket, in_its_place)
{
	struct rein_limit_request request = { .cgroup_fd = -1, .has_socket = true, .chain = true };
	struct links links = { 0 };
	char name[] = "own0";

	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 3));
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram");
	HAVE_COPIES(1);
	/* A copy is none of the four that a socket may have; nor is its name taken. */
	for (; name[3] < '3'; name[3]++)
		ASSERT_EQ(0, limit_packets(self->rein, name, self->tx[0], REIN_RESOURCE_EGRESS,
					   100));
	ASSERT_EQ(0, limit_packets(self->rein, "each", self->tx[0], REIN_RESOURCE_EGRESS, 100));
	REFUSED(limit_packets(self->rein, "own4", self->tx[0], REIN_RESOURCE_EGRESS, 100),
		ENOSPC, CHAIN_LONG);
	request.socket_fd = self->tx[0];
	ASSERT_EQ(0, rein_limit_dump(self->rein, &request, take_link, &links));
	SEEN(5, links.n, "limits of the chain: four, and the copy");
	EXPECT_TRUE(links.of_socket[4]);
	sends(self->tx[0], 10);
	SEEN(3, arrive(self->rx, 3), "datagrams of both");
	/* By its name one's own is meant, and then none is there. */
	ASSERT_EQ(0, delete_limit(self->rein, "each", self->tx[0]));
	REFUSED(delete_limit(self->rein, "each", self->tx[0]), ENOENT, LIMIT_UNKNOWN);
	HAVE_COPIES(1);
}

TEST_F(per_socket, wrong)
{
	struct rein_limit_request request = {
		.name = "each", .cgroup_fd = -1, .has_socket = true, .socket_fd = self->tx[0],
		.per_socket = true, .has_resource = true, .resource = REIN_RESOURCE_EGRESS,
	};
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = 1,
	};

	request.tiers = &tier;
	request.n_tiers = 1;
	REFUSED(rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request), EINVAL,
		PER_SOCKET_UNFIT);
	request.has_socket = false;
	request.cgroup_fd = self->dir;
	tier.unit = REIN_UNIT_CALLS;
	request.resource = REIN_RESOURCE_CONNECT;
	REFUSED(rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request), EINVAL,
		PER_SOCKET_UNFIT);
	tier.unit = REIN_UNIT_PACKETS;
	request.resource = REIN_RESOURCE_EGRESS;
	request.per_socket = false;
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &request));
	request.per_socket = true;
	REFUSED(rein_limit_change(self->rein, REIN_CMD_LIMIT_SET, &request), EINVAL,
		PER_SOCKET_UNFIT);
	REFUSED(rein_limit_change(self->rein, REIN_CMD_LIMIT_REPLACE, &request), EINVAL,
		PER_SOCKET_UNFIT);
}

static void find_many(const struct rein_record *record, void *arg)
{
	*(unsigned int *)arg += record->code == COPIES_MANY;
}

/* So many have their own, and the rest share the limit's, until there is place. */
TEST_F(per_socket, too_many)
{
	struct rein_record_filter filter = { .code = COPIES_MANY };
	unsigned int before = 0, after = 0;

	ASSERT_TRUE(put_file(COPIES, "1"));
	rein_record_dump(self->rein, &filter, find_many, &before);
	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 4));
	sends(self->tx[0], 1);
	SEEN(1, arrive(self->rx, 1), "first datagram");
	HAVE_COPIES(1);
	/* Three are left to them both. */
	sends(self->tx[1], 2);
	SEEN(2, arrive(self->rx, 2), "two of the second");
	sends(self->tx[2], 5);
	SEEN(1, arrive(self->rx, 1), "one of the third");
	HAVE_COPIES(1);
	rein_record_dump(self->rein, &filter, find_many, &after);
	EXPECT_EQ(before + 1, after) TH_LOG("expected one record of that, seen %u" AGAIN,
					    after - before);
	sends(self->tx[0], 10);
	SEEN(4, arrive(self->rx, 4), "of the first, that has its own");
	/* There is place. */
	ASSERT_TRUE(put_file(COPIES, self->copies));
	do {
		sends(self->tx[2], 1);
	} while (!arrive(self->rx, 0));
	HAVE_COPIES(2);
}

TEST_F_TIMEOUT(per_socket, many, 300)
{
	const char *env = getenv("CHURN");
	unsigned int all = env ? strtoul(env, NULL, 0) : is_debug() ? 1000 : 10000;
	unsigned int many = all / 4, i;
	struct rlimit most = { many + 64, many + 64 };
	int *fds = calloc(many, sizeof(*fds));
	struct rein_limit limit;
	uint64_t bare, own, began, sent = 0;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &most));
	ASSERT_EQ(0, add_each(self->rein, self->dir, REIN_RESOURCE_EGRESS, 1000000));
	ASSERT_TRUE(enter(CGROUP));
	for (i = 0; i < many; i++)
		fds[i] = sender(SOCK_DGRAM, self->port);
	bare = free_memory();
	began = now_ns();
	/* More than may ask at once: with some later packet all do. */
	do {
		for (i = 0; i < many; i++)
			sends(fds[i], 1);
		sent += many;
		ASSERT_TRUE(get_each(self->rein, self->dir, &limit));
		ASSERT_GT(LONG * 4, now_ns() - began) TH_LOG("%u of %u" AGAIN, limit.sockets, many);
	} while (limit.sockets < many);
	own = free_memory();
	TH_LOG("%u sockets have buckets of their own in %llu ms and %llu packets, %lld bytes each",
	       many, (unsigned long long)(now_ns() - began) / 1000000,
	       (unsigned long long)(sent / many), (long long)(bare - own) / many);
	SEEN(sent, each_counted(self->rein, self->dir, REIN_A_STATS_PASSED), "passed");
	for (i = 0; i < many; i++)
		close(fds[i]);
	HAVE_COPIES(0);
	SEEN(sent, each_counted(self->rein, self->dir, REIN_A_STATS_PASSED), "passed, by none");
	for (i = 0; i < all; i++) {
		fds[i % many] = sender(SOCK_DGRAM, self->port);
		sends(fds[i % many], 2);
		close(fds[i % many]);
	}
	ASSERT_TRUE(enter(CGROOT));
	HAVE_COPIES(0);
	SEEN(sent + 2 * all, each_counted(self->rein, self->dir, REIN_A_STATS_SEEN), "seen in all");
	/* With many there, it goes. */
	ASSERT_TRUE(enter(CGROUP));
	for (i = 0; i < many; i++) {
		fds[i] = sender(SOCK_DGRAM, self->port);
		sends(fds[i], 1);
	}
	ASSERT_TRUE(enter(CGROOT));
	ASSERT_EQ(0, delete_limit(self->rein, "each", -1));
	EXPECT_TRUE(become_sockets(self->rein, 0));
	for (i = 0; i < many; i++)
		close(fds[i]);
	free(fds);
}

TEST_HARNESS_MAIN
