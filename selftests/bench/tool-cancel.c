// SPDX-License-Identifier: GPL-2.0
/*
 * How long it takes from the cancellation of a scope until what it ends has ended, and
 * how long other ways of ending it take: a table of medians and of the longest, in us.
 *
 *	tool-cancel ROUNDS
 *
 * In a guest, as root, with a cgroup2 mount and the limit "never" (call, over wait) on
 * its root, and another one (egress, over wait) on the cgroup tool-cancel-held, neither of
 * which has any tokens. What is measured side by side is measured in turn, round by round.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>

#include <rein.h>

#define CGROOT		"/sys/fs/cgroup"
#define DIRECTORY	CGROOT "/tool-cancel"
#define HELD		CGROOT "/tool-cancel-held/bound"
#define ROUNDS_MAX	10000

static int dev;
static int dir;
static int cgroup_kill;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "tool-cancel: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(const char *what, int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	die(what);
	return -1;
}

/* --- who waits ----------------------------------------------------------------------- */

static struct {
	int scope;
	uint64_t ended_ns;
} waiter;

static void *wait_in_take(void *unused)
{
	struct rein_take_want want = { "never", 1 };
	int ret = rein_take_in(dev, waiter.scope, &want, 1, 0, 0, NULL);

	waiter.ended_ns = now_ns();
	if (ret != -ECANCELED)
		check("the take was not cancelled", ret ? ret : -EINVAL);
	return unused;
}

static void *wait_in_read(void *unused)
{
	struct rein_scope_done done;

	if (read(waiter.scope, &done, sizeof(done)) != sizeof(done))
		die("read");
	waiter.ended_ns = now_ns();
	return unused;
}

/* Until the other thread sleeps. */
static void until_it_waits(pid_t tid)
{
	char path[64], text[256], *state;
	int fd, len;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		fd = open(path, O_RDONLY);
		len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		close(fd);
		text[len > 0 ? len : 0] = '\0';
		state = strrchr(text, ')');
	} while (!state || state[2] != 'S');
}

static pthread_barrier_t ready;
static pid_t waiter_tid;
static void *(*waiter_fn)(void *);

static void *begin_wait(void *unused)
{
	waiter_tid = syscall(SYS_gettid);
	pthread_barrier_wait(&ready);
	return waiter_fn(unused);
}

static uint64_t time_waiter(void *(*fn)(void *))
{
	pthread_t thread;
	uint64_t since;

	waiter.scope = check("a scope", rein_scope_new(dev, NULL, NULL));
	waiter_fn = fn;
	pthread_barrier_init(&ready, NULL, 2);
	if (pthread_create(&thread, NULL, begin_wait, NULL))
		die("a thread");
	pthread_barrier_wait(&ready);
	until_it_waits(waiter_tid);
	since = now_ns();
	check("cancel", rein_scope_cancel(waiter.scope, NULL, NULL));
	pthread_join(thread, NULL);
	close(waiter.scope);
	return waiter.ended_ns - since;
}

static uint64_t time_take(void)
{
	return time_waiter(wait_in_take);
}

static uint64_t time_read(void)
{
	return time_waiter(wait_in_read);
}

/* --- who dies ------------------------------------------------------------------------- */

static void open_cgroup(void)
{
	if (mkdir(DIRECTORY, 0755) && errno != EEXIST)
		die(DIRECTORY);
	dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cgroup_kill = open(DIRECTORY "/cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (dir < 0 || cgroup_kill < 0)
		die(DIRECTORY);
}

/* The cgroup is to be a new one, where a scope is bound to it. */
static void close_cgroup(void)
{
	close(cgroup_kill);
	close(dir);
	while (rmdir(DIRECTORY) && errno == EBUSY)
		;
}

static pid_t start(void)
{
	int procs = open(DIRECTORY "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	char text[16];
	pid_t pid = fork();

	if (!pid)
		while (true)
			pause();
	snprintf(text, sizeof(text), "%d", pid);
	if (pid < 0 || write(procs, text, strlen(text)) < 0)
		die("a process in the cgroup");
	close(procs);
	return pid;
}

static uint64_t until_dead(pid_t pid, uint64_t since)
{
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	return now_ns() - since;
}

static uint64_t time_scope(void)
{
	int scope = check("a scope", rein_scope_new(dev, NULL, NULL));
	uint64_t since, took;
	pid_t pid;

	open_cgroup();
	check("bind", rein_scope_bind(scope, dir, cgroup_kill, 0, NULL));
	pid = start();
	since = now_ns();
	check("cancel", rein_scope_cancel(scope, NULL, NULL));
	took = until_dead(pid, since);
	close(scope);
	close_cgroup();
	return took;
}

static uint64_t time_deadline(void)
{
	struct rein_scope_opts opts = { .has_deadline = true };
	int scope;
	uint64_t took;
	pid_t pid;

	open_cgroup();
	pid = start();
	opts.deadline_ns = now_ns() + 20000000;
	scope = check("a scope", rein_scope_new(dev, &opts, NULL));
	check("bind", rein_scope_bind(scope, dir, cgroup_kill, 0, NULL));
	took = until_dead(pid, opts.deadline_ns);
	close(scope);
	close_cgroup();
	return took;
}

static uint64_t time_cgroup_kill(void)
{
	uint64_t since, took;
	pid_t pid;

	open_cgroup();
	pid = start();
	since = now_ns();
	if (write(cgroup_kill, "1", 1) != 1)
		die("cgroup.kill");
	took = until_dead(pid, since);
	close_cgroup();
	return took;
}

static uint64_t time_kill(void)
{
	uint64_t since, took;
	pid_t pid;

	open_cgroup();
	pid = start();
	since = now_ns();
	kill(pid, SIGKILL);
	took = until_dead(pid, since);
	close_cgroup();
	return took;
}

/* As timeout(1) does it: a timer that signals, and then a kill. */
static uint64_t time_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec in = { .it_value.tv_nsec = 20000000 };
	uint64_t deadline, took;
	timer_t timer;
	sigset_t set;
	pid_t pid;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	open_cgroup();
	pid = start();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		die("timer_create");
	deadline = now_ns() + 20000000;
	timer_settime(timer, 0, &in, NULL);
	sigwait(&set, &sig);
	kill(pid, SIGKILL);
	took = until_dead(pid, deadline);
	timer_delete(timer);
	close_cgroup();
	return took;
}

/* --- what is dropped ------------------------------------------------------------------- */

static void enter(const char *procs)
{
	int fd = open(procs, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		die(procs);
	close(fd);
}

/* A socket is where it was made, whoever sends by it. */
static int held_socket(void)
{
	int fd;

	enter(HELD "/cgroup.procs");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("a socket");
	enter(CGROOT "/cgroup.procs");
	return fd;
}

/* How much of what was sent by a socket is still there: until it was freed, all of it. */
static int unsent(int fd)
{
	int bytes;

	if (ioctl(fd, SIOCOUTQ, &bytes))
		die("SIOCOUTQ");
	return bytes;
}

static uint64_t time_packet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int scope = check("a scope", rein_scope_new(dev, NULL, NULL)), fd;
	uint64_t since, took;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (mkdir(HELD, 0755))
		die(HELD);
	dir = open(HELD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check("bind", rein_scope_bind(scope, dir, REIN_NO_FD, 0, NULL));
	fd = held_socket();
	if (sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)) != 1)
		die("sendto");
	if (!unsent(fd))
		check("the packet does not wait", -EINVAL);
	since = now_ns();
	check("cancel", rein_scope_cancel(scope, NULL, NULL));
	while (unsent(fd))
		;
	took = now_ns() - since;
	close(fd);
	close(dir);
	close(scope);
	while (rmdir(HELD) && errno == EBUSY)
		;
	return took;
}

/* --- the table ------------------------------------------------------------------------- */

static struct {
	const char *name;
	uint64_t (*time)(void);
	uint64_t took[ROUNDS_MAX];
} ways[] = {
	{ "cancel: read() of the scope returns", time_read, { 0 } },
	{ "cancel: a take that waits returns", time_take, { 0 } },
	{ "cancel: a packet that waits is dropped", time_packet, { 0 } },
	{ "cancel: a process of its cgroup is dead", time_scope, { 0 } },
	{ "  for comparison: cgroup.kill", time_cgroup_kill, { 0 } },
	{ "  for comparison: kill(2)", time_kill, { 0 } },
	{ "deadline: a process of its cgroup is dead", time_deadline, { 0 } },
	{ "  for comparison: a timer, and kill(2)", time_timer, { 0 } },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 0, i;
	size_t way;

	if (!rounds || rounds > ROUNDS_MAX)
		return 2;
	dev = check(REIN_DEV_PATH, rein_dev_open());
	for (i = 0; i < rounds; i++)
		for (way = 0; way < WAYS; way++)
			ways[way].took[i] = ways[way].time();
	printf("%-44s %10s %10s\n", "", "median us", "longest us");
	for (way = 0; way < WAYS; way++) {
		qsort(ways[way].took, rounds, sizeof(uint64_t), by_time);
		printf("%-44s %10.0f %10.0f\n", ways[way].name, ways[way].took[rounds / 2] / 1e3,
		       ways[way].took[rounds - 1] / 1e3);
	}
	return 0;
}
