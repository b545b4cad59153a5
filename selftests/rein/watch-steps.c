// SPDX-License-Identifier: GPL-2.0
/*
 * What watches are kept over, how that gets stuck, freezes and goes; and what is done then,
 * step by step: signals, kills, scopes that are cancelled, connections that are reset.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <kselftest_harness.h>
#include "watch.h"

#define TOP		CGROOT "/test-steps"
#define A		TOP "/a"
#define B		A "/b"

#define AGAIN		"run: make check TESTS=watch-steps"
#define TIMEOUT		110

/* How long a cycle is here, where that matters little. */
#define CYCLE		(is_debug() ? 500 * MS : 60 * MS)

/**
 * struct steps - what every test has; this process stays at the top of all cgroups
 * @fd:		the netlink socket
 * @dev:	the device
 * @top:	a cgroup
 * @a:		one below
 * @b:		below that
 * @before:	how many scopes there were
 * @watches:	how many watches
 * @raw:	the newest record of an error without a meaning
 * @gaps:	how long the machine stood still
 */
FIXTURE(steps) {
	int fd;
	int dev;
	int top;
	int a;
	int b;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
	struct gaps gaps;
};

FIXTURE_SETUP(steps) {
	OPENS_WATCHES();
	self->top = make_cgroup(TOP);
	self->a = make_cgroup(A);
	self->b = make_cgroup(B);
	ASSERT_LE(0, self->b);
	ASSERT_TRUE(gaps_begin(&self->gaps));
}

FIXTURE_TEARDOWN(steps) {
	gaps_end(&self->gaps);
	put_file(A "/cgroup.freeze", "0");
	kill_all(self->top);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	close(self->top);
	close(self->a);
	close(self->b);
	rmdir(B);
	rmdir(A);
	EXPECT_EQ(0, rmdir(TOP)) {
		TH_LOG("%s; " AGAIN, strerror(errno));
	}
	CLOSES_WATCHES();
}

static void act_pause(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* Ends with the number of the signal that comes, which the caller has blocked. */
static void act_sigwait(void *arg)
{
	sigset_t *set = arg;

	_exit(sigwaitinfo(set, NULL));
}

/* Those who are made from now on have this blocked from their beginning. */
static void block(sigset_t *set, int sig)
{
	sigemptyset(set);
	sigaddset(set, sig);
	sigprocmask(SIG_BLOCK, set, NULL);
}

/* The signal that a child was killed by, 0: none. */
static int killed_by(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* A watch that is to expire as soon as it is armed. */
static struct watch_ask *ask_soon(struct watch_ask *ask)
{
	return watch_every(ask_watch(ask, REIN_WATCH_OWNED), CYCLE, 0);
}

/* --- step by step -------------------------------------------------------------------------- */

TEST_F_TIMEOUT(steps, one_after_the_other, TIMEOUT)
{
	static const uint64_t delays[] = { 0, 50 * MS, 0, 150 * MS };
	struct rein_watch_state state;
	struct watch_record record;
	uint64_t id, due, to;
	struct watch_view view;
	struct watch_ask ask;
	unsigned int i;
	int fd;

	ask_soon(&ask);
	for (i = 0; i < 4; i++)
		watch_step(&ask, REIN_STEP_RECORD, 0, delays[i]);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	memset(&state, 0, sizeof(state));
	due = now_ns() + CYCLE;
	SUCCEEDS(watch_arm(fd));
	to = now_ns() + CYCLE;
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	for (i = 0; i < 4; i++) {
		due += delays[i];
		to += delays[i];
		COMES(fd, &state, REIN_COUNT_STEP, i + 1);
		ASSERT_TRUE(wait_watch_records(self->fd, WATCH_STEP, id, i + 1, &record));
		/* Others may have been done by now. */
		if (record.n == i + 1)
			IN_TIME(record.boottime_ns - boottime_ahead(), due, to, &self->gaps);
		EXPECT_NE(0, record.cause);
	}
	/* It names what was missed, or that it has expired, which names that. */
	if (record.cause != state.record) {
		ASSERT_EQ(0, read_watch_record(self->fd, record.cause, &record));
		EXPECT_EQ(WATCH_EXPIRED, (int)record.code);
		EXPECT_EQ(state.record, record.cause);
	}
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(4, view.at_step);
	EXPECT_EQ(4, state.count[REIN_COUNT_STEP]);
	/* Again, each time that it expires. */
	SUCCEEDS(watch_arm(fd));
	COMES(fd, &state, REIN_COUNT_STEP, 8);
	EXPECT_EQ(2, state.count[REIN_COUNT_EXPIRE]);
	close(fd);
}

/* What is still to come is left out when it beats, or is armed or disarmed or ends. */
TEST_F_TIMEOUT(steps, left_out, TIMEOUT)
{
	const uint64_t delay = is_debug() ? 5 * SECOND : SECOND;
	struct rein_watch_state state;
	struct watch_record record;
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd, i;

	for (i = 0; i < 4; i++) {
		pid = run_inside(A, act_pause, NULL);
		watch_step(watch_pid(ask_soon(&ask), pid), REIN_STEP_RECORD, 0, 0);
		watch_step(&ask, REIN_STEP_KILL, 0, delay);
		fd = SUCCEEDS(watch_make(self->dev, &ask));
		id = said.id;
		memset(&state, 0, sizeof(state));
		SUCCEEDS(watch_arm(fd));
		COMES(fd, &state, REIN_COUNT_STEP, 1);
		if (i == 0) {
			SUCCEEDS(watch_beat(fd));
			COMES(fd, &state, REIN_COUNT_RESUME, 1);
			EXPECT_TRUE(wait_watch_records(self->fd, WATCH_RESUMED, id, 1, &record));
		} else if (i == 1) {
			SUCCEEDS(watch_arm_as(fd, REIN_ARM_EVERY, HOUR, 0));
		} else if (i == 2) {
			SUCCEEDS(watch_disarm(fd));
		} else {
			SUCCEEDS(watch_end(fd));
		}
		/* Nothing tells that nothing is done: it is waited for until it was due. */
		usleep((delay + slack_ns()) / 1000);
		EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG)) {
			TH_LOG("it was killed all the same; " AGAIN);
		}
		watch_read(fd, &state);
		EXPECT_EQ(1, state.count[REIN_COUNT_STEP]);
		close(fd);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* --- signals and kills --------------------------------------------------------------------- */

TEST_F_TIMEOUT(steps, a_signal_to_a_process, TIMEOUT)
{
	struct watch_record record;
	struct watch_ask ask;
	sigset_t set;
	uint64_t id;
	pid_t pid;
	int fd;

	block(&set, SIGUSR1);
	pid = run_inside(NULL, act_sigwait, &set);
	watch_step(watch_pid(ask_soon(&ask), pid), REIN_STEP_SIGNAL, SIGUSR1, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	SUCCEEDS(watch_arm(fd));
	EXPECT_EQ(SIGUSR1, wait_child(pid));
	EXPECT_TRUE(wait_watch_records(self->fd, WATCH_STEP, id, 1, &record));
	EXPECT_TRUE(watch_over(fd));
	close(fd);
}

TEST_F_TIMEOUT(steps, a_signal_to_all_of_a_cgroup, TIMEOUT)
{
	int fd, kill_fd = open_kill(self->a), i;
	struct watch_ask ask;
	pid_t pids[8];
	sigset_t set;

	block(&set, SIGUSR2);
	for (i = 0; i < 8; i++)
		pids[i] = run_inside(i % 2 ? A : B, act_sigwait, &set);
	watch_step(watch_cgroup(ask_soon(&ask), self->a, kill_fd), REIN_STEP_SIGNAL, SIGUSR2, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	SUCCEEDS(watch_arm(fd));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(SIGUSR2, wait_child(pids[i])) {
			TH_LOG("number %d, in the cgroup %s; " AGAIN, i,
			       i % 2 ? "itself" : "below");
		}
	close(fd);
	close(kill_fd);
}

TEST_F_TIMEOUT(steps, a_process_is_killed, TIMEOUT)
{
	struct watch_record record;
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd;

	pid = run_inside(NULL, act_pause, NULL);
	watch_step(watch_pid(ask_soon(&ask), pid), REIN_STEP_KILL, 0, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	SUCCEEDS(watch_arm(fd));
	EXPECT_EQ(SIGKILL, killed_by(pid));
	EXPECT_TRUE(wait_watch_records(self->fd, WATCH_STEP, id, 1, &record));
	/* It is over: what it was kept over is not there any more. */
	EXPECT_TRUE(watch_over(fd));
	EXPECT_TRUE(wait_watch_records(self->fd, WATCH_EXITED, id, 1, &record));
	close(fd);
}

TEST_F_TIMEOUT(steps, a_fork_bomb_is_killed, TIMEOUT)
{
	int fd, kill_fd = open_kill(self->a);
	struct watch_ask ask;
	pid_t pid;

	pid = run_inside(B, bomb, NULL);
	EXPECT_TRUE(wait_crowded(self->b, 20));
	watch_step(watch_cgroup(ask_soon(&ask), self->a, kill_fd), REIN_STEP_KILL, 0, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	SUCCEEDS(watch_arm(fd));
	EXPECT_TRUE(wait_empty(self->a)) {
		TH_LOG("it lives on; " AGAIN);
	}
	waitpid(pid, NULL, 0);
	close(fd);
	close(kill_fd);
}

/* Kills of a cgroup need the file, and the right one. */
TEST_F(steps, wrong_kill_files)
{
	struct watch_ask ask;
	int fd, i;

	watch_step(watch_cgroup(ask_soon(&ask), self->a, REIN_NO_FD), REIN_STEP_KILL, 0, 0);
	fd = watch_make(self->dev, &ask);
	EXPECT_EQ(-EINVAL, fd);
	EXPECT_EQ(NULL, said_wrong(EINVAL));
	for (i = 0; i < 4; i++) {
		fd = i == 0 ? open_at(self->a, "cgroup.procs", O_WRONLY) :
		     i == 1 ? open_kill(self->b) :
		     i == 2 ? open_at(self->a, "cgroup.kill", O_PATH) : dup(self->dev);
		watch_step(watch_cgroup(ask_soon(&ask), self->a, fd), REIN_STEP_KILL, 0, 0);
		FAILS(EINVAL, WATCH_KILL, watch_make(self->dev, &ask));
		close(fd);
	}
	/* One that was just removed. */
	ASSERT_EQ(0, rmdir(B));
	watch_cgroup(ask_soon(&ask), self->b, REIN_NO_FD);
	FAILS(ENODEV, WATCH_CGROUP_GONE, watch_make(self->dev, &ask));
}

/* As nobody: with a kill file of its own, and without; a signal to what isn't its own. */
static void watch_as_nobody(int dev, int dir, int kill_fd, int sock, struct report *report)
{
	struct watch_ask ask;

	if (!become_nobody())
		_exit(1);
	note(report, 0, watch_make(dev, watch_cgroup(ask_soon(&ask), dir, REIN_NO_FD)));
	note(report, 1, watch_make(dev, watch_cgroup(ask_soon(&ask), dir, kill_fd)));
	note(report, 2, watch_make(dev, watch_pid(ask_soon(&ask), 1)));
	/* Who has a socket may. */
	note(report, 3, watch_make(dev, watch_socket(ask_soon(&ask), sock)));
	note(report, 4, watch_make(dev, watch_pid(ask_soon(&ask), getpid())));
}

TEST_F(steps, without_privileges)
{
	int kill_fd = open_kill(self->a), sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct report *report = new_report();
	pid_t pid = fork();

	if (!pid) {
		watch_as_nobody(self->dev, self->a, kill_fd, sock, report);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 0));
	EXPECT_LE(0, noted(report, 1));
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 2));
	EXPECT_LE(0, noted(report, 3));
	EXPECT_LE(0, noted(report, 4));
	close(sock);
	close(kill_fd);
	munmap(report, sizeof(*report));
}

/**
 * struct turncoat - a process that is nobody's and becomes root's
 * @go:		a pipe: when to
 * @done:	likewise: that it has
 */
struct turncoat {
	int go[2];
	int done[2];
};

static void act_turncoat(void *arg)
{
	struct turncoat *turncoat = arg;
	char byte = 0;

	/* Who may signal it is told by its real and its saved user. */
	if (setresuid(NOBODY, 0, NOBODY) || write(turncoat->done[1], &byte, 1) != 1 ||
	    read(turncoat->go[0], &byte, 1) != 1 || setresuid(0, 0, 0) ||
	    write(turncoat->done[1], &byte, 1) != 1)
		_exit(1);
	act_pause(NULL);
}

/* Signals are sent as far as who has made the watch may send them by then. */
TEST_F_TIMEOUT(steps, a_step_that_fails, TIMEOUT)
{
	uint64_t *id = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct turncoat turncoat;
	struct watch_record record;
	struct watch_ask ask;
	pid_t target, maker;
	char byte = 0;
	int fd;

	/* All who are no administrators have 16 records, and one more a second: two of these. */
	usleep(2500000);
	ASSERT_EQ(0, pipe2(turncoat.go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(turncoat.done, O_CLOEXEC));
	target = run_inside(B, act_turncoat, &turncoat);
	ASSERT_EQ(1, read(turncoat.done[0], &byte, 1));
	maker = fork();
	if (!maker) {
		if (!become_nobody())
			_exit(1);
		watch_every(ask_watch(&ask, 0), CYCLE, 0);
		watch_step(watch_pid(&ask, target), REIN_STEP_SIGNAL, SIGTERM, 0);
		watch_step(&ask, REIN_STEP_KILL, 0, 0);
		fd = watch_make(self->dev, &ask);
		*id = said.id;
		_exit(fd < 0 ? -fd : 0);
	}
	ASSERT_EQ(0, wait_child(maker));
	ASSERT_EQ(1, write(turncoat.go[1], &byte, 1));
	ASSERT_EQ(1, read(turncoat.done[0], &byte, 1));
	fd = SUCCEEDS(watch_look(self->dev, 0, *id));
	SUCCEEDS(watch_arm(fd));
	/* Both, one after the other: that one fails doesn't keep the next from being tried. */
	ASSERT_TRUE(wait_watch_records(self->fd, WATCH_STEP_FAILED, *id, 2, &record)) {
		TH_LOG("expected two records that steps failed, seen %u; " AGAIN, record.n);
	}
	EXPECT_EQ(EPERM, record.err);
	EXPECT_EQ(0, waitpid(target, NULL, WNOHANG));
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	EXPECT_TRUE(watch_over(fd));
	close(fd);
	close_all((int[]){ turncoat.go[0], turncoat.go[1], turncoat.done[0], turncoat.done[1] },
		  4);
	munmap(id, 4096);
}

/* --- scopes, connections, listeners -------------------------------------------------------- */

TEST_F_TIMEOUT(steps, a_scope_is_cancelled, TIMEOUT)
{
	int scope = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "of-a-watch")), fd, eye;
	struct rein_scope_done done;
	struct scope_record record;
	struct watch_ask ask;
	uint64_t scope_id = said.id;

	eye = SUCCEEDS(scope_observe(scope));
	ask_soon(&ask)->args.scope_fd = scope;
	fd = SUCCEEDS(watch_make(self->dev, watch_step(&ask, REIN_STEP_CANCEL, 0, 0)));
	/* The watch keeps it. */
	close(scope);
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	SUCCEEDS(watch_arm(fd));
	EXPECT_EQ(REIN_CAUSE_USER, scope_wait(eye));
	ASSERT_TRUE(scope_read(eye, &done));
	EXPECT_EQ(scope_id, done.origin);
	ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
	EXPECT_EQ(scope_id, record.scope_id);
	close(eye);
	close(fd);
}

/* A connection over loopback: of who calls, and of who is called; false: there is none. */
static bool connect_loopback(int fds[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(to);
	bool done;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	done = !bind(listener, (void *)&to, sizeof(to)) && !listen(listener, 1) &&
	       !getsockname(listener, (void *)&to, &len) &&
	       !connect(fds[0], (void *)&to, sizeof(to));
	fds[1] = done ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
	close(listener);
	return fds[1] >= 0;
}

/* What reading comes to when it comes to something: an errno, 0: there was something to read. */
static int read_error(int sock)
{
	char byte;

	scope_events(sock, POLLIN, LONG_MS);
	return recv(sock, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
}

TEST_F_TIMEOUT(steps, a_connection_is_reset, TIMEOUT)
{
	struct watch_record record;
	struct watch_view view;
	struct watch_ask ask;
	int fds[2], fd;
	uint64_t id;

	if (system("ip link set lo up"))
		SKIP(return, "lo can't be set up");
	ASSERT_TRUE(connect_loopback(fds));
	watch_step(watch_socket(ask_soon(&ask), fds[0]), REIN_STEP_RESET, 0, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(REIN_SUBJECT_SOCKET, view.subject);
	EXPECT_TRUE(watch_has(&view, REIN_A_WATCH_SOCKET));
	SUCCEEDS(watch_arm(fd));
	EXPECT_EQ(ETIMEDOUT, read_error(fds[0]));
	EXPECT_EQ(ECONNRESET, read_error(fds[1]));
	EXPECT_TRUE(wait_watch_records(self->fd, WATCH_STEP, id, 1, &record));
	close(fds[0]);
	EXPECT_TRUE(watch_over(fd));
	close(fds[1]);
	close(fd);
}

/* Of one that has none to be reset. */
TEST_F(steps, no_connection)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct watch_ask ask;

	FAILS(EBADF, WATCH_NOT_SOCKET, watch_make(self->dev, watch_socket(ask_soon(&ask), sock)));
	close(sock);
	/* A kill of a socket, and a cgroup that is reset. */
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	watch_step(watch_socket(ask_soon(&ask), sock), REIN_STEP_KILL, 0, 0);
	FAILS(EINVAL, WATCH_MALFORMED, watch_make(self->dev, &ask));
	watch_step(watch_socket(ask_soon(&ask), sock), REIN_STEP_SIGNAL, SIGTERM, 0);
	FAILS(EINVAL, WATCH_MALFORMED, watch_make(self->dev, &ask));
	watch_step(watch_cgroup(ask_soon(&ask), self->a, REIN_NO_FD), REIN_STEP_RESET, 0, 0);
	FAILS(EINVAL, WATCH_MALFORMED, watch_make(self->dev, &ask));
	fd = SUCCEEDS(watch_make(self->dev, watch_socket(ask_soon(&ask), sock)));
	close(fd);
	close(sock);
}

TEST_F_TIMEOUT(steps, listeners_are_to_do_something, TIMEOUT)
{
	int fd, ear = listen_to_watches();
	struct watch_event event;
	struct watch_ask ask;
	uint64_t id;

	ASSERT_LE(0, ear);
	watch_step(watch_step(ask_soon(&ask), REIN_STEP_RECORD, 0, 0), REIN_STEP_EXEC, 0, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	SUCCEEDS(watch_arm(fd));
	do {
		hear_watch(ear, 0, &event);
		ASSERT_EQ(0, event.err) {
			TH_LOG("expected the second step, seen: %s; " AGAIN, strerror(event.err));
		}
	} while (event.watch.event != REIN_WATCH_EVENT_STEP || !event.watch.at_step);
	EXPECT_EQ(id, event.watch.id);
	EXPECT_EQ(1, event.watch.at_step);
	EXPECT_FALSE(event.test);
	EXPECT_FALSE(watch_has(&event.watch, REIN_A_WATCH_ERRNO));
	close(fd);
	close(ear);
}

/* --- tests --------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(steps, tested, TIMEOUT)
{
	struct rein_watch_state state;
	struct watch_record record;
	struct watch_view view;
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd;

	pid = run_inside(NULL, act_pause, NULL);
	watch_pid(watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), HOUR, 5), pid);
	watch_step(&ask, REIN_STEP_SIGNAL, SIGTERM, 0);
	fd = SUCCEEDS(watch_make(self->dev, watch_step(&ask, REIN_STEP_KILL, 0, HOUR)));
	id = said.id;
	/* Told of, all at once, and not done. */
	SUCCEEDS(watch_test(fd, 0));
	EXPECT_TRUE(wait_watch_records(self->fd, WATCH_TESTED, id, 1, &record));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(REIN_WATCH_RUNNING, view.status);
	EXPECT_EQ(0, view.expiries);
	EXPECT_EQ(0, view.misses);
	EXPECT_EQ(0, view.at_step);
	/* For real. */
	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_test(fd, REIN_TEST_REAL));
	EXPECT_EQ(SIGTERM, killed_by(pid));
	EXPECT_TRUE(watch_over(fd));
	ASSERT_TRUE(watch_read(fd, &state));
	EXPECT_EQ(1, state.count[REIN_COUNT_EXPIRE]);
	close(fd);
	/* What has expired can't be tested, until it is armed. */
	fd = SUCCEEDS(watch_make(self->dev, ask_soon(&ask)));
	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_arm(fd));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FAILS(EINVAL, WATCH_NOT_ARMED, watch_test(fd, 0));
	SUCCEEDS(watch_arm_as(fd, REIN_ARM_EVERY, HOUR, 0));
	SUCCEEDS(watch_test(fd, REIN_TEST_REAL));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	EXPECT_EQ(REIN_FAULT_TEST, state.fault);
	EXPECT_EQ(REIN_WATCH_EXPIRED, state.status);
	close(fd);
}

/* --- what it is kept over goes ------------------------------------------------------------- */

/* It is over: with that record, and nothing was missed. */
#define IS_OVER(at, id) do {								\
	struct watch_record over_;							\
	struct rein_watch_state last_;							\
											\
	EXPECT_TRUE(watch_over(at)) {							\
		TH_LOG("it is kept over nothing; " AGAIN);				\
	}										\
	memset(&last_, 0, sizeof(last_));						\
	EXPECT_TRUE(watch_read(at, &last_));						\
	EXPECT_EQ(REIN_WATCH_GONE, last_.status);					\
	EXPECT_EQ(1, last_.count[REIN_COUNT_GONE]);					\
	EXPECT_EQ(0, last_.count[REIN_COUNT_MISS]);					\
	ASSERT_EQ(0, read_watch_record(self->fd, last_.record, &over_));		\
	EXPECT_EQ(WATCH_EXITED, (int)over_.code) {					\
		TH_LOG("its record: %s; " AGAIN, over_.message);			\
	}										\
	EXPECT_EQ(id, over_.watch_id);							\
} while (0)

TEST_F_TIMEOUT(steps, a_process_exits, TIMEOUT)
{
	struct watch_ask ask;
	uint64_t id, from;
	pid_t pid;
	int fd, i;

	for (i = 0; i < 2; i++) {
		pid = run_inside(NULL, act_pause, NULL);
		watch_pid(watch_every(ask_watch(&ask, i ? REIN_WATCH_OWNED : REIN_WATCH_OWNED |
						REIN_WATCH_ARM), HOUR, 0), pid);
		fd = SUCCEEDS(watch_make(self->dev, &ask));
		id = said.id;
		from = now_ns();
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		IS_OVER(fd, id);
		/* Not only at the end of a window. */
		EXPECT_GE(from + LONG, now_ns());
		close(fd);
	}
}

static void *stay(void *arg)
{
	act_pause(arg);
	return NULL;
}

/* One whose first thread has gone is there still. */
static void act_headless(void *arg)
{
	pthread_t thread;

	(void)arg;
	if (!pthread_create(&thread, NULL, stay, NULL))
		syscall(SYS_exit, 0);
	_exit(1);
}

TEST_F_TIMEOUT(steps, a_first_thread_exits, TIMEOUT)
{
	struct rein_watch_state state;
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd;

	pid = run_inside(NULL, act_headless, NULL);
	fd = SUCCEEDS(watch_make(self->dev, watch_pid(ask_soon(&ask), pid)));
	id = said.id;
	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_arm(fd));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(REIN_FAULT_SILENT, state.fault);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_TRUE(watch_over(fd));
	EXPECT_LT(0, id);
	close(fd);
}

TEST_F_TIMEOUT(steps, a_cgroup_goes, TIMEOUT)
{
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd;

	/* Removed. */
	watch_cgroup(watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), HOUR, 0),
		     self->b, REIN_NO_FD);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	ASSERT_EQ(0, rmdir(B));
	IS_OVER(fd, id);
	close(fd);
	/* Empty at the end of a window. */
	pid = run_inside(A, act_pause, NULL);
	fd = SUCCEEDS(watch_make(self->dev, watch_cgroup(ask_soon(&ask), self->a, REIN_NO_FD)));
	id = said.id;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ASSERT_TRUE(wait_empty(self->a));
	SUCCEEDS(watch_arm(fd));
	IS_OVER(fd, id);
	close(fd);
}

TEST_F_TIMEOUT(steps, a_socket_is_closed, TIMEOUT)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	struct watch_ask ask;
	int sock, fd, copy;
	uint64_t id;
	size_t i;

	for (i = 0; i < 2; i++) {
		sock = socket(i ? AF_INET : AF_INET6, types[i] | SOCK_CLOEXEC, 0);
		if (sock < 0)
			sock = socket(AF_INET, types[i] | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, sock);
		watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), HOUR, 0);
		fd = SUCCEEDS(watch_make(self->dev, watch_socket(&ask, sock)));
		id = said.id;
		copy = dup(sock);
		close(sock);
		EXPECT_EQ(0, scope_events(fd, 0, 0));
		close(copy);
		IS_OVER(fd, id);
		close(fd);
	}
}

/* --- frozen ------------------------------------------------------------------------------ */

/* Freezes all of A, or lets it go on; true as soon as it is so. */
static bool freeze(int dir, bool on)
{
	int fd = open_at(dir, "cgroup.events", O_RDONLY);
	uint64_t end = now_ns() + LONG;
	char text[256] = "";
	bool done = put_file(A "/cgroup.freeze", on ? "1" : "0");
	ssize_t got;

	while (done && !strstr(text, on ? "frozen 1" : "frozen 0") && now_ns() < end) {
		got = pread(fd, text, sizeof(text) - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		usleep(1000);
	}
	close(fd);
	return done && now_ns() < end;
}

/*
 * Time doesn't count; but a module isn't told when it begins and ends to be so, and has to
 * look: nothing here is as exact as elsewhere.
 */
TEST_F_TIMEOUT(steps, while_it_is_frozen, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? 2 * SECOND : 400 * MS;
	struct rein_watch_state state;
	struct watch_ask ask;
	struct watch_view view;
	uint64_t id, from, to;
	pid_t pid;
	int fd, i;

	for (i = 0; i < 2; i++) {
		pid = run_inside(B, act_pause, NULL);
		watch_every(ask_watch(&ask, REIN_WATCH_OWNED), cycle, 0);
		/* Above, or the process itself. */
		fd = SUCCEEDS(watch_make(self->dev, i ? watch_pid(&ask, pid) :
					 watch_cgroup(&ask, self->a, REIN_NO_FD)));
		id = said.id;
		ASSERT_TRUE(freeze(self->a, true));
		memset(&state, 0, sizeof(state));
		SUCCEEDS(watch_arm(fd));
		/* Nothing is to be missed: what would tell is waited for, three cycles long. */
		EXPECT_EQ(0, scope_events(fd, POLLIN, 3 * cycle / MS)) {
			TH_LOG("something was missed by who is frozen; " AGAIN);
		}
		ASSERT_EQ(0, read_watch(self->fd, id, &view));
		EXPECT_EQ(REIN_WATCH_RUNNING, view.status);
		EXPECT_TRUE(watch_has(&view, REIN_A_WATCH_FROZEN));
		from = now_ns();
		ASSERT_TRUE(freeze(self->a, false));
		to = now_ns();
		COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle - cycle / 10,
		      to + cycle + cycle / 10, &self->gaps);
		ASSERT_EQ(0, read_watch(self->fd, id, &view));
		EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_FROZEN));
		close(fd);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* --- stuck --------------------------------------------------------------------------------- */

/**
 * struct worker - who beats for a while, and then gets stuck
 * @dev:	the device
 * @how:	he does
 * @cycle:	of his watch
 * @id:		of that
 * @from:	before his last beat
 * @to:		after it; 0: there are some to come
 */
struct worker {
	int dev;
	int how;
	uint64_t cycle;
	uint64_t id;
	uint64_t from;
	uint64_t to;
};

static void act_stuck(struct worker *worker)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	volatile int busy = 1;

	switch (worker->how) {
	case 0:
		raise(SIGSTOP);
		break;
	case 1:
		while (busy)
			;
		break;
	case 2:
		pthread_mutex_lock(&mutex);
		pthread_mutex_lock(&mutex);
		break;
	default:
		/* Until the child is done its parent can't be interrupted: state D. */
		if (!vfork()) {
			for (;;)
				pause();
		}
	}
}

static void act_worker(void *arg)
{
	struct worker *worker = arg;
	struct watch_ask ask;
	struct rein_watch_slot *slot;
	unsigned int i;
	char *page;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_ARM | REIN_WATCH_SLOT), worker->cycle, 0);
	ask.args.rules.pretimeout_ns = worker->cycle / 2;
	fd = watch_make(worker->dev, &ask);
	page = fd < 0 ? NULL : map_slots(fd);
	if (!page)
		_exit(1);
	slot = (struct rein_watch_slot *)(page + said.number);
	__atomic_store_n(&worker->id, said.id, __ATOMIC_RELEASE);
	for (i = 0; i < 50; i++) {
		worker->from = now_ns();
		slot_beat(slot);
		usleep(2000);
	}
	worker->from = now_ns();
	slot_beat(slot);
	__atomic_store_n(&worker->to, now_ns(), __ATOMIC_RELEASE);
	act_stuck(worker);
	_exit(2);
}

TEST_F_TIMEOUT(steps, whoever_is_stuck_is_found, TIMEOUT)
{
	static const char *const hows[] = { "stopped", "a busy loop", "a deadlock", "state D" };
	const uint64_t cycle = is_debug() ? 2 * SECOND : 300 * MS;
	struct worker *worker = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rein_watch_state state;
	struct watch_record record;
	uint64_t id, end;
	pid_t pid;
	int fd, i;

	for (i = 0; i < 4; i++) {
		*worker = (struct worker){ .dev = self->dev, .how = i, .cycle = cycle };
		pid = run_inside(B, act_worker, worker);
		for (end = now_ns() + LONG; now_ns() < end; usleep(1000))
			if (__atomic_load_n(&worker->to, __ATOMIC_ACQUIRE))
				break;
		id = __atomic_load_n(&worker->id, __ATOMIC_ACQUIRE);
		ASSERT_NE(0, id);
		fd = SUCCEEDS(watch_look(self->dev, 0, id));
		memset(&state, 0, sizeof(state));
		COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
		EXPECT_EQ(1, state.count[REIN_COUNT_MISS]) {
			TH_LOG("%s: something was missed before; " AGAIN, hows[i]);
		}
		EXPECT_EQ(51, state.count[REIN_COUNT_BEAT]);
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, worker->from + cycle,
		      worker->to + cycle + cycle / 20, &self->gaps);
		ASSERT_TRUE(find_watch_record(self->fd, WATCH_WARNED, id, &record));
		TH_LOG("%s: %s", hows[i], record.message);
		kill_all(self->b);
		waitpid(pid, NULL, 0);
		EXPECT_TRUE(watch_over(fd));
		close(fd);
	}
	munmap(worker, 4096);
}

/* Over one that was started when it was, and not over another one of that number. */
TEST_F(steps, started_when)
{
	char text[1024] = "", *at;
	struct watch_ask ask;
	uint64_t start = 0;
	ssize_t got;
	int fd, i;

	fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	ASSERT_LT(0, got);
	/* The 22nd field, counted from the one behind the name, which is the third. */
	at = strrchr(text, ')');
	ASSERT_NE(NULL, at);
	for (i = 2; i < 22 && at; i++)
		at = strchr(at + 1, ' ');
	ASSERT_NE(NULL, at);
	start = strtoull(at, NULL, 10);
	ask_watch(&ask, REIN_WATCH_OWNED)->args.start = start;
	fd = SUCCEEDS(watch_make(self->dev, watch_pid(&ask, getpid())));
	close(fd);
	ask.args.start = start + 1;
	FAILS(ESRCH, WATCH_NO_PROCESS, watch_make(self->dev, &ask));
}

TEST_HARNESS_MAIN
