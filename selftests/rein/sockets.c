// SPDX-License-Identifier: GPL-2.0
/*
 * Limits on sockets, by librein: what they meter, how long they live, and what somebody
 * without privileges may do to his own.
 *
 * All is sent over loopback, where a datagram has arrived, or was refused, when send() returns
 * or very soon. CHURN says how many sockets are made and closed in all.
 */
#define _GNU_SOURCE
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#define LIMITS_PER_USER	"/sys/module/rein/parameters/limits_per_user"
#define CGROUP		CGROOT "/test-sockets"
#define AGAIN		"; run: make check TESTS=sockets"

#include "sockets.h"

FIXTURE(sockets) {
	struct rein *rein;
	int rx, tx;
	int port;
	uint64_t before;
};

FIXTURE_SETUP(sockets)
{
	ASSERT_EQ(0, system("ip link set lo up"));
	ASSERT_EQ(0, rein_open(&self->rein));
	self->rx = receiver(SOCK_DGRAM, &self->port);
	ASSERT_LE(0, self->rx);
	self->tx = sender(SOCK_DGRAM, self->port);
	ASSERT_LE(0, self->tx);
	/* Others' tests have closed theirs, which may not have been seen yet. */
	ASSERT_TRUE(become_sockets(self->rein, 0));
}

FIXTURE_TEARDOWN(sockets)
{
	if (self->rx >= 0)
		close(self->rx);
	if (self->tx >= 0)
		close(self->tx);
	EXPECT_TRUE(become_sockets(self->rein, 0))
		TH_LOG("expected no limit on a socket to be left, seen %llu" AGAIN,
		       (unsigned long long)sockets(self->rein));
	rein_close(self->rein);
}

/* --- what is metered --------------------------------------------------------------------- */

TEST_F(sockets, egress)
{
	int other = sender(SOCK_DGRAM, self->port);

	ASSERT_EQ(0, limit_packets(self->rein, "out", self->tx, REIN_RESOURCE_EGRESS, 3));
	sends(self->tx, 10);
	SEEN(3, arrive(self->rx, 3), "datagrams of the limited socket");
	SEEN(3, counted(self->rein, "out", self->tx, REIN_A_STATS_PASSED), "passed");
	SEEN(7, counted(self->rein, "out", self->tx, REIN_A_STATS_REFUSED), "refused");
	sends(other, 10);
	SEEN(10, arrive(self->rx, 10), "datagrams of another one");
	SEEN(10, counted(self->rein, "out", -1, REIN_A_STATS_SEEN), "seen, by its name alone");
	close(other);
}

TEST_F(sockets, ingress)
{
	int port, other = receiver(SOCK_DGRAM, &port), tx = sender(SOCK_DGRAM, port);

	ASSERT_EQ(0, limit_packets(self->rein, "in", self->rx, REIN_RESOURCE_INGRESS, 4));
	sends(self->tx, 10);
	SEEN(4, arrive(self->rx, 4), "datagrams that reach the limited socket");
	SEEN(6, counted(self->rein, "in", self->rx, REIN_A_STATS_REFUSED), "refused");
	sends(tx, 10);
	SEEN(10, arrive(other, 10), "datagrams that reach another one");
	close(tx);
	close(other);
}

TEST_F(sockets, raw)
{
	struct icmphdr ping = { .type = ICMP_ECHO };
	struct sockaddr_in addr = local(0);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, limit_packets(self->rein, "raw", fd, REIN_RESOURCE_EGRESS, 2));
	for (i = 0; i < 5; i++)
		sendto(fd, &ping, sizeof(ping), 0, (struct sockaddr *)&addr, sizeof(addr));
	SEEN(2, counted(self->rein, "raw", fd, REIN_A_STATS_PASSED), "pings that went out");
	SEEN(3, counted(self->rein, "raw", fd, REIN_A_STATS_REFUSED), "pings that did not");
	close(fd);
}

/* Each datagram to another port begins a flow. */
TEST_F(sockets, connect)
{
	int port, other = receiver(SOCK_DGRAM, &port), fd = socket(AF_INET, SOCK_DGRAM, 0), i;

	ASSERT_EQ(0, limit_packets(self->rein, "flows", fd, REIN_RESOURCE_CONNECT, 1));
	for (i = 0; i < 6; i++) {
		struct sockaddr_in addr = local(i % 2 ? port : self->port);

		sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr));
	}
	SEEN(3, arrive(self->rx, 3), "datagrams of the first flow");
	SEEN(0, recv(other, &i, sizeof(i), MSG_DONTWAIT) >= 0, "datagrams of the second");
	close(other);
	close(fd);
}

TEST_F(sockets, accept)
{
	int port, listener = receiver(SOCK_STREAM, &port), one, two;

	ASSERT_EQ(0, limit_packets(self->rein, "calls", listener, REIN_RESOURCE_ACCEPT, 1));
	one = sender(SOCK_STREAM, port);
	EXPECT_LE(0, one);
	two = sender(SOCK_STREAM, port);
	EXPECT_EQ(-1, two) TH_LOG("expected the second caller to be refused" AGAIN);
	EXPECT_EQ(ECONNREFUSED, errno);
	close(one);
	close(listener);
}

/* A connection that is there already, and what it has on its way when its limit closes. */
TEST_F(sockets, tcp)
{
	int port, listener = receiver(SOCK_STREAM, &port), tx = sender(SOCK_STREAM, port);
	int rx = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd pfd = { .fd = rx, .events = POLLIN };
	char buf[16];

	ASSERT_LE(0, rx);
	ASSERT_EQ(4, send(tx, "open", 4, 0));
	ASSERT_EQ(4, recv(rx, buf, sizeof(buf), 0));
	/* One packet is let pass, and none after it: not even a retransmission. */
	ASSERT_EQ(0, limit_packets(self->rein, "in", rx, REIN_RESOURCE_INGRESS, 1));
	ASSERT_EQ(3, send(tx, "one", 3, 0));
	ASSERT_EQ(3, recv(rx, buf, sizeof(buf), 0));
	ASSERT_EQ(3, send(tx, "two", 3, 0));
	EXPECT_EQ(0, poll(&pfd, 1, 500)) TH_LOG("expected nothing to arrive" AGAIN);
	/* The bucket, which has a burst of 1, is full at once at this rate. */
	ASSERT_EQ(0, delete_limit(self->rein, "in", rx));
	EXPECT_EQ(1, poll(&pfd, 1, 20000)) TH_LOG("expected it to arrive without the limit" AGAIN);
	EXPECT_EQ(3, recv(rx, buf, sizeof(buf), 0));
	/* It is not its listener's, nor the listener its. */
	ASSERT_EQ(0, limit_packets(self->rein, "listener", listener, REIN_RESOURCE_INGRESS, 1));
	ASSERT_EQ(5, send(tx, "three", 5, 0));
	EXPECT_EQ(5, recv(rx, buf, sizeof(buf), 0));
	SEEN(0, counted(self->rein, "listener", listener, REIN_A_STATS_SEEN), "the listener's");
	close(tx);
	close(rx);
	close(listener);
}

/* --- with limits above it ------------------------------------------------------------------ */

/* In a cgroup of its own, that has a limit. */
static void send_from_cgroup(void *arg)
{
	int *pair = arg, port, rx = receiver(SOCK_DGRAM, &port), tx = sender(SOCK_DGRAM, port);
	char byte;

	if (!send_fd(pair[1], tx) || read(pair[1], &byte, 1) != 1)
		_exit(1);
	sends(tx, 10);
	byte = arrive(rx, 4);
	if (write(pair[1], &byte, 1) != 1)
		_exit(2);
	pause();
}

TEST_F(sockets, chain)
{
	int dir = make_cgroup(CGROUP), pair[2], fd;
	struct rein_limit_request request = { .cgroup_fd = -1, .has_socket = true, .chain = true };
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = 4,
	};
	struct rein_limit_request above = {
		.name = "above", .cgroup_fd = dir, .has_resource = true,
		.resource = REIN_RESOURCE_EGRESS, .tiers = &tier, .n_tiers = 1,
	};
	struct links links = { 0 };
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pid = run_inside(CGROUP, send_from_cgroup, pair);
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, limit_packets(self->rein, "own", fd, REIN_RESOURCE_EGRESS, 6));
	/* Above it, and after it. */
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_ADD, &above));
	request.socket_fd = fd;
	ASSERT_EQ(0, rein_limit_dump(self->rein, &request, take_link, &links));
	ASSERT_EQ(2, links.n);
	EXPECT_STREQ("own", links.names[0]);
	EXPECT_TRUE(links.of_socket[0]);
	EXPECT_STREQ("above", links.names[1]);
	EXPECT_FALSE(links.of_socket[1]);

	ASSERT_EQ(1, write(pair[0], &byte, 1));
	ASSERT_EQ(1, read(pair[0], &byte, 1));
	SEEN(4, byte, "datagrams, of the least of both");
	SEEN(4, counted(self->rein, "own", fd, REIN_A_STATS_PASSED), "charged to both, or none");
	/* Without the one above, it is what the socket's has left. */
	above = (struct rein_limit_request){ .name = "above", .cgroup_fd = dir };
	ASSERT_EQ(0, rein_limit_change(self->rein, REIN_CMD_LIMIT_DEL, &above));
	sends(fd, 5);
	SEEN(6, counted(self->rein, "own", fd, REIN_A_STATS_PASSED), "passed in all");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	close(dir);
	rmdir(CGROUP);
}

/* --- how long it lives ------------------------------------------------------------------ */

/* dup(), fork() and SCM_RIGHTS: it is one socket, and has one limit, until the last has gone. */
TEST_F(sockets, passed_on)
{
	int pair[2], twice = dup(self->tx), status;
	pid_t pid;

	ASSERT_EQ(0, limit_packets(self->rein, "one", self->tx, REIN_RESOURCE_EGRESS, 5));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		int fd = receive_fd(pair[1]);

		sends(self->tx, 1);
		close(self->tx);
		close(twice);
		close(pair[0]);
		sends(fd, 1);
		/* The parent has closed its own. */
		if (receive_fd(pair[1]) < 0)
			_exit(1);
		sends(fd, 8);
		_exit(0);
	}
	sends(self->tx, 1);
	sends(twice, 1);
	ASSERT_TRUE(send_fd(pair[0], twice));
	close(self->tx);
	close(twice);
	self->tx = -1;
	ASSERT_TRUE(send_fd(pair[0], self->rx));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	SEEN(5, arrive(self->rx, 5), "datagrams of all who had the socket");
	EXPECT_TRUE(become_sockets(self->rein, 0));
	EXPECT_EQ(-ENOENT, delete_limit(self->rein, "one", -1));
	close(pair[0]);
	close(pair[1]);
}

/* The next socket often gets the same memory. */
TEST_F(sockets, never_confused)
{
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = sender(SOCK_DGRAM, self->port);
		ASSERT_EQ(0, limit_packets(self->rein, "closed", fd, REIN_RESOURCE_EGRESS, 1));
		close(fd);
		fd = sender(SOCK_DGRAM, self->port);
		sends(fd, 3);
		SEEN(3, arrive(self->rx, 3), "datagrams of a new socket");
		close(fd);
	}
}

/* A connection that was closed may have much to send yet: the limit holds until it has. */
TEST_F(sockets, closed_with_data)
{
	int port, listener = receiver(SOCK_STREAM, &port), tx = sender(SOCK_STREAM, port);
	int rx = accept4(listener, NULL, NULL, SOCK_CLOEXEC), status;
	struct rein_tier tier = {
		.unit = REIN_UNIT_BYTES, .rate_tokens = 100000, .rate_period_ns = SECOND,
		.burst = 20000,
	};
	struct rein_limit_request request = {
		.name = "slow", .has_resource = true, .resource = REIN_RESOURCE_EGRESS,
		.has_over = true, .over = REIN_OVER_WAIT, .tiers = &tier, .n_tiers = 1,
	};
	static char data[150000];
	ssize_t got, all = 0;
	uint64_t began;

	ASSERT_EQ(0, rein_socket_limit(self->rein, tx, &request));
	status = sizeof(data) * 2;
	ASSERT_EQ(0, setsockopt(tx, SOL_SOCKET, SO_SNDBUFFORCE, &status, sizeof(status)));
	began = now_ns();
	ASSERT_EQ(sizeof(data), send(tx, data, sizeof(data), 0));
	close(tx);
	while ((got = recv(rx, data, sizeof(data), 0)) > 0)
		all += got;
	SEEN(sizeof(data), all, "bytes of a socket that was closed");
	EXPECT_LE(SECOND, now_ns() - began) TH_LOG("expected it to hold until the end" AGAIN);
	close(rx);
	close(listener);
}

/* --- whose it is ------------------------------------------------------------------------------ */

TEST_F(sockets, own)
{
	struct rein_limit_request request = { .name = "mine" };
	struct rein_tier tier = {
		.unit = REIN_UNIT_PACKETS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = 9,
	};
	struct rein *root = self->rein;
	struct rein_limit limit;
	int tx, i, dir = open(CGROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[8];

	ASSERT_TRUE(put_file(LIMITS_PER_USER, "6"));
	ASSERT_EQ(0, limit_packets(root, "roots", self->tx, REIN_RESOURCE_EGRESS, 2));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	ASSERT_EQ(0, rein_open(&self->rein));
	/* What root has made, on a socket that both have. */
	REFUSED(delete_limit(self->rein, "roots", self->tx), EPERM, PERMISSION);
	REFUSED(limit_by(self->rein, REIN_CMD_LIMIT_SET, "roots", self->tx,
			 REIN_RESOURCE_EGRESS, 99), EPERM, PERMISSION);
	REFUSED(limit_by(self->rein, REIN_CMD_LIMIT_REPLACE, "roots", self->tx,
			 REIN_RESOURCE_EGRESS, 99), EPERM, PERMISSION);
	REFUSED(delete_limit(self->rein, "roots", -1), EPERM, PERMISSION);
	request.cgroup_fd = dir;
	REFUSED(rein_limit_change(self->rein, REIN_CMD_LIMIT_DEL, &request), EPERM,
		PERMISSION);
	/* Another one, however wide, loosens nothing. */
	request.has_resource = true;
	request.resource = REIN_RESOURCE_EGRESS;
	request.tiers = &tier;
	request.n_tiers = 1;
	ASSERT_EQ(0, rein_socket_limit(self->rein, self->tx, &request));
	sends(self->tx, 5);
	SEEN(2, arrive(self->rx, 2), "datagrams that root's limit lets pass");
	ASSERT_EQ(0, get_limit(self->rein, "mine", self->tx, &limit));
	EXPECT_TRUE(limit.has_maker);
	EXPECT_EQ(NOBODY, limit.socket_maker);
	/* It may be changed, and goes as it came. */
	tier.burst = 1;
	EXPECT_EQ(0, rein_socket_limit(self->rein, self->tx, &request));
	/* What may wait by default is no more than what may be asked for. */
	tier.rate_tokens = 1000000;
	tier.rate_period_ns = 1000000000;
	EXPECT_EQ(0, rein_socket_limit(self->rein, self->tx, &request));
	ASSERT_EQ(0, get_limit(self->rein, "mine", self->tx, &limit));
	EXPECT_EQ(1 << 20, limit.queue);
	tier.rate_tokens = 1;
	tier.rate_period_ns = RATE_DAY_NS;
	EXPECT_EQ(0, delete_limit(self->rein, "mine", self->tx));

	request.has_queue = true;
	request.queue = 2 << 20;
	REFUSED(rein_socket_limit(self->rein, self->tx, &request), ERANGE, QUEUE_RANGE);
	request.has_queue = false;
	tx = sender(SOCK_DGRAM, self->port);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		EXPECT_EQ(0, limit_packets(self->rein, name, tx, REIN_RESOURCE_EGRESS, 5));
	}
	REFUSED(limit_packets(self->rein, "fifth", tx, REIN_RESOURCE_EGRESS, 5), ENOSPC,
		CHAIN_LONG);
	EXPECT_EQ(0, limit_packets(self->rein, "in1", tx, REIN_RESOURCE_INGRESS, 5));
	EXPECT_EQ(0, limit_packets(self->rein, "in2", tx, REIN_RESOURCE_INGRESS, 5));
	REFUSED(limit_packets(self->rein, "seventh", tx, REIN_RESOURCE_INGRESS, 5), EDQUOT,
		LIMIT_MANY_OF_USER);
	/* They are given back with the socket. */
	close(tx);
	EXPECT_TRUE(become_sockets(self->rein, 1));
	EXPECT_EQ(0, limit_packets(self->rein, "again", self->tx, REIN_RESOURCE_EGRESS, 5));
	rein_close(self->rein);
	self->rein = root;
	ASSERT_EQ(0, setresuid(0, 0, 0));
	/* Root may do as he likes. */
	EXPECT_EQ(0, delete_limit(root, "again", self->tx));
	EXPECT_TRUE(put_file(LIMITS_PER_USER, "256"));
	close(dir);
}

/* Delete a limit that isn't there, without a word about where the request is to go. */
static int delete_by(int fd, int sock)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_DEL, "trick", -1);
	genl_put_u32(&msg, REIN_A_LIMIT_SOCKET_FD, sock);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

/* Somebody has root write to a netlink socket that he has opened himself. */
TEST_F(sockets, deputy)
{
	int roots = genl_socket(), nobodys;

	ASSERT_EQ(0, genl_resolve(roots));
	ASSERT_EQ(0, seteuid(NOBODY));
	nobodys = genl_socket();
	EXPECT_EQ(-ENOENT, delete_by(nobodys, self->tx)) TH_LOG("he may ask" AGAIN);
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(-EPERM, delete_by(nobodys, self->tx)) TH_LOG("root was used" AGAIN);
	EXPECT_EQ(-ENOENT, delete_by(roots, self->tx));
	close(nobodys);
	close(roots);
}

TEST_F(sockets, wrong)
{
	int pipes[2], local = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mptcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262);

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	REFUSED(limit_packets(self->rein, "x", pipes[0], REIN_RESOURCE_EGRESS, 1), ENOTSOCK,
		NOT_A_SOCKET);
	REFUSED(limit_packets(self->rein, "x", local, REIN_RESOURCE_EGRESS, 1), ENOTSOCK,
		NOT_A_SOCKET);
	REFUSED(limit_packets(self->rein, "x", 9999, REIN_RESOURCE_EGRESS, 1), ENOTSOCK,
		NOT_A_SOCKET);
	if (mptcp >= 0)
		REFUSED(limit_packets(self->rein, "x", mptcp, REIN_RESOURCE_EGRESS, 1), ENOTSOCK,
			NOT_A_SOCKET);
	REFUSED(limit_packets(self->rein, "x", self->tx, REIN_RESOURCE_CALL, 1), EOPNOTSUPP,
		RESOURCE_UNSUPPORTED);
	close(pipes[0]);
	close(pipes[1]);
	close(local);
	if (mptcp >= 0)
		close(mptcp);
}

/* --- many -------------------------------------------------------------------------- */

TEST_F_TIMEOUT(sockets, many, 300)
{
	const char *env = getenv("CHURN");
	unsigned int all = env ? strtoul(env, NULL, 0) : is_debug() ? 2000 : 20000;
	unsigned int many = all / 4, i;
	struct rlimit most = { many + 64, many + 64 };
	int *fds = calloc(many, sizeof(*fds));
	uint64_t bare, limited, began;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &most));
	for (i = 0; i < many; i++)
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bare = free_memory();
	began = now_ns();
	for (i = 0; i < many; i++)
		ASSERT_EQ(0, limit_packets(self->rein, "many", fds[i], REIN_RESOURCE_EGRESS, 1));
	limited = free_memory();
	SEEN(many, sockets(self->rein), "sockets with a limit");
	TH_LOG("%u limits on sockets in %llu ms, %lld bytes each", many,
	       (unsigned long long)(now_ns() - began) / 1000000,
	       (long long)(bare - limited) / many);
	for (i = 0; i < many; i++)
		close(fds[i]);
	free(fds);
	EXPECT_TRUE(become_sockets(self->rein, 0));
	for (i = 0; i < all; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		ASSERT_EQ(0, limit_packets(self->rein, "many", fd, REIN_RESOURCE_EGRESS, 1));
		close(fd);
	}
	TH_LOG("%u more, each closed at once: %llu of them are still to be seen", all,
	       (unsigned long long)sockets(self->rein));
}

TEST_HARNESS_MAIN
