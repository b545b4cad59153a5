// SPDX-License-Identifier: GPL-2.0
/*
 * stress SECONDS SEED DIRECTORY ADDRESS: below a cgroup directory, many
 * processes at the same time add, change and delete limits, make and remove
 * cgroups and network namespaces, and read everything, while others send
 * datagrams to the address, connect to it and to themselves, and move from
 * cgroup to cgroup. Says how often what
 * was done; fails if the kernel gave an answer that it should not give.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "genl.h"

#define SECOND		1000000000ULL
#define CONFIGURERS	4
#define SENDERS		3
#define NETWORKERS	1
#define PROCESSES	(CONFIGURERS + SENDERS + NETWORKERS)

/* Nested, so that limits have ancestors that come and go. */
static const char *const paths[] = {
	"a", "a/b", "a/b/c", "a/b/c/d", "a/e", "a/e/f", "g", "g/h",
};

#define PATHS	(sizeof(paths) / sizeof(paths[0]))

enum op {
	ADD, SET, REPLACE, DEL, GET, DUMP, CHAIN, RECORDS, STAT, MKDIR, RMDIR, FLUSH, FORCE,
	SEND, CONNECT, MOVE, NETNS, OPS
};

static const char *const op_names[OPS] = {
	"add", "set", "replace", "del", "get", "dump", "chain", "records", "stat", "mkdir",
	"rmdir", "flush", "force", "send", "connect", "move", "netns",
};

/* A limit's name says what it meters, so that what is set fits. */
static const struct {
	const char *name;
	uint32_t resource;
	bool per_socket;
} limits[] = {
	{ "k", REIN_RESOURCE_EGRESS, false },
	{ "l", REIN_RESOURCE_EGRESS, false },
	{ "m", REIN_RESOURCE_EGRESS, false },
	{ "s", REIN_RESOURCE_EGRESS, true },
	{ "t", REIN_RESOURCE_EGRESS, true },
	{ "c", REIN_RESOURCE_CONNECT, false },
	{ "a", REIN_RESOURCE_ACCEPT, false },
};

#define LIMITS	(sizeof(limits) / sizeof(limits[0]))

/* Shared by all processes. */
struct shared {
	unsigned long done[OPS];
	unsigned long worked[OPS];
	unsigned long wrong;
};

static struct shared *shared;
static const char *directory, *address;
static time_t end;
static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	return rand_r(&seed) % n;
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void count(enum op op, bool worked)
{
	__atomic_add_fetch(&shared->done[op], 1, __ATOMIC_RELAXED);
	if (worked)
		__atomic_add_fetch(&shared->worked[op], 1, __ATOMIC_RELAXED);
}

static const char *path_of(unsigned int i)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, paths[i]);
	return path;
}

static void put_values(struct genl_msg *msg, uint32_t resource)
{
	static const uint64_t rates[] = { 0, 1, 1000, 20000, 1000000, 1000000000 };
	static const uint64_t calls[] = { 0, 1, 5, 100, 1000, 100000 };
	static const uint32_t overs[] = { REIN_OVER_REFUSE, REIN_OVER_OBSERVE, REIN_OVER_WAIT };
	bool packets = resource == REIN_RESOURCE_EGRESS;
	unsigned int n = 1 + pick(3);

	while (n-- && packets)
		genl_put_tier(msg, pick(4) ? REIN_UNIT_BYTES : REIN_UNIT_PACKETS,
			      rates[pick(6)], SECOND, 1 + pick(100000));
	if (packets) {
		genl_put_u32(msg, REIN_A_LIMIT_OVER, pick(2) ? REIN_OVER_WAIT : pick(4));
	} else {
		genl_put_tier(msg, REIN_UNIT_CALLS, calls[pick(6)], SECOND, 1 + pick(10));
		genl_put_u32(msg, REIN_A_LIMIT_OVER,
			     overs[pick(resource == REIN_RESOURCE_CONNECT ? 3 : 2)]);
	}
	if (!pick(3))
		genl_put_u64(msg, REIN_A_LIMIT_PATIENCE_NS, SECOND / 1000 * (1 + pick(500)));
	if (!pick(4))
		genl_put_u64(msg, REIN_A_LIMIT_QUEUE, 65536 << pick(5));
	if (!pick(4))
		genl_put_u64(msg, REIN_A_LIMIT_FOR_NS, SECOND / 1000 * (1 + pick(300)));
}

static bool expected(int err)
{
	switch (err) {
	case 0:
	case EEXIST:	/* add */
	case ENOENT:	/* no such limit */
	case ENOTUNIQ:	/* or several */
	case EBADF:	/* the cgroup is gone */
	case ENODEV:	/* or going */
	case ENOSPC:	/* 33 in a chain */
		return true;
	}
	return false;
}

static void ask(int fd, enum op op, struct genl_msg *msg)
{
	struct genl_answer answer;
	int err = genl_ask(fd, msg, &answer, NULL, NULL);

	count(op, !err && !answer.err);
	if (err || !expected(answer.err)) {
		__atomic_add_fetch(&shared->wrong, 1, __ATOMIC_RELAXED);
		fprintf(stderr, "# %s: %s (%s)\n", op_names[op],
			strerror(err ? -err : answer.err), answer.text);
	}
}

static void limit_op(int fd, enum op op, struct genl_msg *msg)
{
	static const uint8_t commands[] = {
		[ADD] = REIN_CMD_LIMIT_ADD, [SET] = REIN_CMD_LIMIT_SET,
		[REPLACE] = REIN_CMD_LIMIT_REPLACE, [DEL] = REIN_CMD_LIMIT_DEL,
		[GET] = REIN_CMD_LIMIT_GET,
	};
	int dir = open(path_of(pick(PATHS)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned int which = pick(LIMITS);

	if (dir < 0)
		return;
	genl_begin(msg, commands[op], 0);
	genl_put_string(msg, REIN_A_LIMIT_NAME, limits[which].name);
	genl_put_u32(msg, REIN_A_LIMIT_CGROUP_FD, dir);
	if (op <= REPLACE) {
		genl_put_u32(msg, REIN_A_LIMIT_RESOURCE, limits[which].resource);
		put_values(msg, limits[which].resource);
		if (limits[which].per_socket)
			genl_put(msg, REIN_A_LIMIT_PER_SOCKET, NULL, 0);
	}
	ask(fd, op, msg);
	close(dir);
}

static void chain(int fd, struct genl_msg *msg)
{
	int dir = open(path_of(pick(PATHS)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	genl_begin(msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put_u32(msg, REIN_A_LIMIT_CGROUP_FD, dir);
	genl_put(msg, REIN_A_LIMIT_CHAIN, NULL, 0);
	ask(fd, CHAIN, msg);
	close(dir);
}

static void simple(int fd, enum op op, uint8_t cmd, uint16_t flags, struct genl_msg *msg)
{
	genl_begin(msg, cmd, flags);
	if (op == FORCE)
		genl_put(msg, REIN_A_FLUSH_FORCE, NULL, 0);
	ask(fd, op, msg);
}

static void configure(void)
{
	static struct genl_msg msg;
	int fd = genl_socket();

	while (now() < end) {
		unsigned int dice = pick(1000);

		if (dice < 350)
			limit_op(fd, pick(2) ? ADD : REPLACE, &msg);
		else if (dice < 500)
			limit_op(fd, SET, &msg);
		else if (dice < 650)
			limit_op(fd, DEL, &msg);
		else if (dice < 700)
			limit_op(fd, GET, &msg);
		else if (dice < 740)
			simple(fd, DUMP, REIN_CMD_LIMIT_GET, NLM_F_DUMP, &msg);
		else if (dice < 780)
			chain(fd, &msg);
		else if (dice < 785)
			simple(fd, RECORDS, REIN_CMD_RECORD_GET, NLM_F_DUMP, &msg);
		else if (dice < 800)
			simple(fd, STAT, REIN_CMD_STAT_GET, 0, &msg);
		else if (dice < 900)
			count(MKDIR, !mkdir(path_of(pick(PATHS)), 0755));
		else if (dice < 990)
			count(RMDIR, !rmdir(path_of(pick(PATHS))));
		else if (dice < 997)
			simple(fd, FLUSH, REIN_CMD_FLUSH, 0, &msg);
		else
			simple(fd, FORCE, REIN_CMD_FLUSH, 0, &msg);
	}
}

static void move(const char *where)
{
	char file[4200];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", where);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	count(MOVE, fd >= 0 && write(fd, "0", 1) == 1);
	if (fd >= 0)
		close(fd);
}

/* A socket belongs to the cgroup that it was made in. */
static void send_some(const char *to, unsigned int n)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	static char data[1400];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, to, &sin.sin_addr);
	while (n--) {
		count(SEND, sendto(fd, data, 1 + pick(sizeof(data)), 0, (void *)&sin,
				   sizeof(sin)) > 0);
		if (!pick(8))
			usleep(1000);
	}
	close(fd);
}

/* A listener of this cgroup, on a port that the kernel chooses. */
static int listen_here(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	inet_pton(AF_INET, "127.0.0.1", &at->sin_addr);
	if (fd >= 0 && (bind(fd, (void *)at, len) || listen(fd, 8) ||
			getsockname(fd, (void *)at, &len))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Some of those that wait are closed at once, others have a moment. */
static void connect_some(const char *to, unsigned int n)
{
	struct sockaddr_in here, sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	int listener = listen_here(&here), fds[16], i = 0;

	inet_pton(AF_INET, to, &sin.sin_addr);
	for (; n-- && i < 16; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		count(CONNECT, !connect(fds[i], (void *)(pick(2) ? &here : &sin), sizeof(sin)) ||
		      errno == EINPROGRESS);
		if (!pick(3))
			close(fds[i--]);
	}
	if (pick(2))
		usleep(5000);
	while (i)
		close(fds[--i]);
	if (listener >= 0)
		close(listener);
}

static void send_on(void)
{
	while (now() < end) {
		move(path_of(pick(PATHS)));
		if (pick(3))
			send_some(address, 1 + pick(60));
		else
			connect_some(address, 1 + pick(20));
		/* So that cgroups become empty, and can be removed. */
		if (!pick(3))
			move(directory);
	}
}

/* What is sent in a namespace that is gone at once. */
static void network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	while (now() < end) {
		move(path_of(pick(PATHS)));
		count(NETNS, !unshare(CLONE_NEWNET));
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ioctl(fd, SIOCSIFFLAGS, &lo);
		close(fd);
		send_some("127.0.0.1", 1 + pick(30));
		connect_some("127.0.0.1", 1 + pick(5));
		usleep(20000);
	}
}

static pid_t start(unsigned int i)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seed += i;
	if (i < CONFIGURERS)
		configure();
	else if (i < CONFIGURERS + SENDERS)
		send_on();
	else
		network();
	/* Nobody is left in a cgroup that shall be removed. */
	move(directory);
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t pids[PROCESSES];
	unsigned int i;
	int fd, status, ret = 0;

	if (argc != 5) {
		fputs("usage: stress SECONDS SEED DIRECTORY ADDRESS\n", stderr);
		return 1;
	}
	end = now() + atoi(argv[1]);
	seed = atoi(argv[2]) * 1000;
	directory = argv[3];
	address = argv[4];
	fd = genl_socket();
	if (fd < 0 || genl_resolve(fd)) {
		fputs("rein is not loaded\n", stderr);
		return 1;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (i = 0; i < PROCESSES; i++)
		pids[i] = start(i);
	for (i = 0; i < PROCESSES; i++)
		if (waitpid(pids[i], &status, 0) < 0 || status)
			ret = 1;
	for (i = 0; i < OPS; i++)
		printf("%s%s %lu (%lu worked)", i ? ", " : "# ", op_names[i], shared->done[i],
		       shared->worked[i]);
	printf("\n");
	return ret || shared->wrong;
}
