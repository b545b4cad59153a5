// SPDX-License-Identifier: GPL-2.0
/*
 * Watches, very many, and many things done with them at once: none is lost, none is left, and
 * what one finds is found in time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <kselftest_harness.h>
#include "watch.h"

#define TOP		CGROOT "/test-many"

#define AGAIN		"run: make check TESTS=watch-many"
#define TIMEOUT		110

/* So many are armed, where the kernel isn't slow and there is memory for them. */
#define MANY		(is_debug() ? 1000U : 100000U)
#define MANY_MB		400

/**
 * struct many - what every test has
 * @fd:		the netlink socket
 * @dev:	the device
 * @top:	a cgroup
 * @before:	how many scopes there were
 * @watches:	how many watches
 * @raw:	the newest record of an error without a meaning
 * @most:	how many a user may have
 * @looks:	and how often these may be looked at
 * @gaps:	how long the machine stood still
 */
FIXTURE(many) {
	int fd;
	int dev;
	int top;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
	uint64_t most;
	uint64_t looks;
	struct gaps gaps;
};

FIXTURE_SETUP(many) {
	OPENS_WATCHES();
	self->top = make_cgroup(TOP);
	ASSERT_LE(0, self->top);
	self->most = get_parameter(WATCHES_PER_USER);
	self->looks = get_parameter(LOOKS_PER_USER);
	ASSERT_TRUE(set_parameter(WATCHES_PER_USER, MANY + 10000));
	ASSERT_TRUE(set_parameter(LOOKS_PER_USER, 1000000));
	ASSERT_TRUE(allow_files(MANY + 1000));
	ASSERT_TRUE(gaps_begin(&self->gaps));
}

FIXTURE_TEARDOWN(many) {
	gaps_end(&self->gaps);
	set_parameter(WATCHES_PER_USER, self->most);
	set_parameter(LOOKS_PER_USER, self->looks);
	put_file(TOP "/cgroup.freeze", "0");
	kill_all(self->top);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	close(self->top);
	EXPECT_EQ(0, rmdir(TOP)) {
		TH_LOG("%s; " AGAIN, strerror(errno));
	}
	CLOSES_WATCHES();
}

/* KiB, a line of /proc/meminfo. */
static uint64_t meminfo(const char *what)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t value = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, what, strlen(what)))
			value = strtoull(line + strlen(what), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static uint64_t kernel_memory(void)
{
	return meminfo("Slab:") + meminfo("Percpu:") + meminfo("VmallocUsed:");
}

/* ns that a beat takes, of those @n, one after the other; UINT64_MAX: one has failed. */
static uint64_t time_beats(const int *fds, unsigned int n)
{
	const unsigned int beats = 2000;
	uint64_t from = now_ns();
	unsigned int i;

	for (i = 0; i < beats; i++)
		if (watch_beat(fds[i * 7919ULL % n]))
			return UINT64_MAX;
	return (now_ns() - from) / beats;
}

TEST_F_TIMEOUT(many, very_many, TIMEOUT)
{
	static int fds[100000];
	uint64_t from, memory, one;
	struct rein_watch_state state;
	struct watch_ask ask;
	unsigned int i, n = MANY;
	int fd;

	if (meminfo("MemAvailable:") < MANY_MB << 10)
		n = 1000;
	memory = kernel_memory();
	from = now_ns();
	for (i = 0; i < n; i++) {
		fds[i] = watch_new(self->dev, REIN_WATCH_ARM, HOUR);
		ASSERT_LE(0, fds[i]) {
			TH_LOG("%u: %s (%.128s); " AGAIN, i, strerror(-fds[i]),
			       said.answer.message);
		}
		if (!i)
			one = time_beats(fds, 1);
	}
	EXPECT_EQ(self->watches + n, count_watches(self->fd));
	TH_LOG("%u watches were made and armed in %llu ms, %llu bytes each with their files", n,
	       (unsigned long long)(now_ns() - from) / MS,
	       (unsigned long long)((kernel_memory() - memory) << 10) / n);
	TH_LOG("a beat took %llu ns of one, %llu ns of all", (unsigned long long)one,
	       (unsigned long long)time_beats(fds, n));
	/* Another one among them is seen in time. */
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), 100 * MS, 0);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	for (i = 0; i < 5; i++) {
		uint64_t to;

		memset(&state, 0, sizeof(state));
		from = now_ns();
		SUCCEEDS(watch_arm(fd));
		to = now_ns();
		COMES(fd, &state, REIN_COUNT_EXPIRE, i + 1);
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + 100 * MS, to + 100 * MS,
		      &self->gaps);
	}
	close(fd);
	from = now_ns();
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, watch_disarm(fds[i]));
		ASSERT_EQ(0, watch_arm(fds[i]));
	}
	TH_LOG("disarmed, and armed again, in %llu ms", (unsigned long long)(now_ns() - from) / MS);
	from = now_ns();
	close_all(fds, n);
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
	TH_LOG("gone in %llu ms; %lld KiB more than before", (unsigned long long)(now_ns() - from) /
	       MS, (long long)(kernel_memory() - memory));
}

/* A thousand others that are looked at, and beat; one of all is silent. */
#define OTHERS		1000

struct drummer {
	pthread_t thread;
	bool stop;
	struct rein_watch_slot *slots[OTHERS];
	unsigned int n;
	uint64_t last;
	uint64_t longest;
};

static void *drum(void *arg)
{
	struct drummer *drummer = arg;
	uint64_t now;
	unsigned int i;

	while (!__atomic_load_n(&drummer->stop, __ATOMIC_RELAXED)) {
		now = now_ns();
		if (drummer->last && now - drummer->last > drummer->longest)
			drummer->longest = now - drummer->last;
		drummer->last = now;
		for (i = 0; i < drummer->n; i++)
			slot_beat(drummer->slots[i]);
		usleep(10000);
	}
	return NULL;
}

TEST_F_TIMEOUT(many, one_of_a_thousand, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? 10 * SECOND : SECOND, own = 100 * MS;
	const unsigned int others = is_debug() ? 100 : OTHERS;
	static struct drummer drummer;
	static int fds[OTHERS];
	static char *pages[OTHERS];
	struct rein_watch_state state;
	struct watch_view view;
	uint64_t from, to, id = 0, missed = 0;
	unsigned int i;
	int fd;

	for (i = 0; i < others; i++) {
		fds[i] = watch_new(self->dev, REIN_WATCH_SLOT, cycle);
		ASSERT_LE(0, fds[i]) {
			TH_LOG("%u: %s (%.128s); " AGAIN, i, strerror(-fds[i]),
			       said.answer.message);
		}
		if (!i)
			id = said.id;
		pages[i] = map_slots(fds[i]);
		ASSERT_NE(NULL, pages[i]);
		drummer.slots[i] = (struct rein_watch_slot *)(pages[i] + said.number);
	}
	drummer.n = others;
	ASSERT_EQ(0, pthread_create(&drummer.thread, NULL, drum, &drummer));
	for (i = 0; i < others; i++)
		ASSERT_EQ(0, watch_arm(fds[i]));
	fd = SUCCEEDS(watch_new(self->dev, 0, own));
	for (i = 0; i < 20; i++) {
		from = now_ns();
		SUCCEEDS(watch_arm(fd));
		to = now_ns();
		memset(&state, 0, sizeof(state));
		COMES(fd, &state, REIN_COUNT_EXPIRE, i + 1);
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + own, to + own, &self->gaps);
	}
	for (i = 0; i < others; i++) {
		memset(&state, 0, sizeof(state));
		watch_read(fds[i], &state);
		missed += state.count[REIN_COUNT_MISS];
	}
	__atomic_store_n(&drummer.stop, true, __ATOMIC_RELAXED);
	pthread_join(drummer.thread, NULL);
	if (drummer.longest < cycle - cycle / 20) {
		EXPECT_EQ(0, missed) {
			TH_LOG("false alarms: the longest time without a beat was %llu us; " AGAIN,
			       (unsigned long long)drummer.longest / 1000);
		}
	}
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_LT(1, view.beats);
	for (i = 0; i < others; i++) {
		close(fds[i]);
		unmap_slots(pages[i]);
	}
	close(fd);
}

/* --- anything at any time ------------------------------------------------------------------ */

#define MESS_THREADS	4
#define MESS_WATCHES	12

/* Watches that all threads have; some are closed. */
static int fds[MESS_WATCHES];

struct mess {
	pthread_t thread;
	int dev;
	int top;
	int kill_fd;
	uint64_t end;
	uint64_t random;
	pid_t pid;
	char *page;
	const char *wrong;
};

static void keep(struct mess *mess, int fd)
{
	int old = __atomic_exchange_n(&fds[dice_of(&mess->random, MESS_WATCHES)], fd,
				      __ATOMIC_SEQ_CST);

	if (old >= 0)
		close(old);
}

/* A process in the cgroup, another one each time. */
static void mess_process(struct mess *mess)
{
	if (mess->pid) {
		kill(mess->pid, SIGKILL);
		waitpid(mess->pid, NULL, 0);
	}
	mess->pid = fork();
	if (!mess->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(TOP);
		for (;;)
			pause();
	}
}

static int mess_make(struct mess *mess)
{
	static const uint32_t flags[] = {
		REIN_WATCH_ARM, REIN_WATCH_ARM, 0, REIN_WATCH_ARM | REIN_WATCH_SLOT,
		REIN_WATCH_ARM | REIN_WATCH_STAMP,
	};
	uint64_t *random = &mess->random;
	struct watch_ask ask;
	int fd;

	ask_watch(&ask, REIN_WATCH_OWNED | flags[dice_of(random, 5)]);
	if (dice_of(random, 4))
		watch_every(&ask, (1 + dice_of(random, 20)) * MS, dice_of(random, 3));
	if (ask.args.rules.every_ns && !dice_of(random, 3))
		ask.args.rules.max = 1 + dice_of(random, 4);
	if (!dice_of(random, 3))
		watch_units(&ask, dice_of(random, 2) * MS, (1 + dice_of(random, 10)) * MS);
	if (!dice_of(random, 4)) {
		ask.args.rules.first = 1 + dice_of(random, 65535);
		ask.args.rules.next[dice_of(random, 16)] = random_step(random);
	}
	if (dice_of(random, 3))
		watch_pid(&ask, mess->pid);
	else
		watch_cgroup(&ask, mess->top, mess->kill_fd);
	if (dice_of(random, 2))
		watch_step(&ask, dice_of(random, 2) ? REIN_STEP_RECORD : REIN_STEP_EXEC, 0,
			   dice_of(random, 3) * MS);
	if (!dice_of(random, 6))
		watch_step(&ask, REIN_STEP_SIGNAL, SIGCONT, dice_of(random, 3) * MS);
	if (!dice_of(random, 12))
		watch_step(&ask, REIN_STEP_KILL, 0, dice_of(random, 5) * MS);
	fd = watch_make(mess->dev, &ask);
	if (fd >= 0)
		keep(mess, fd);
	return fd < 0 ? fd : 0;
}

/* Something with a descriptor that another thread may close meanwhile. */
static int mess_step(struct mess *mess)
{
	static const char *const units[] = { "a", "b" };
	int fd = __atomic_load_n(&fds[dice_of(&mess->random, MESS_WATCHES)], __ATOMIC_SEQ_CST);
	uint64_t *random = &mess->random;
	struct rein_watch_state state;

	switch (dice_of(random, 16)) {
	case 0:
	case 1:
		return mess_make(mess);
	case 2:
		mess_process(mess);
		return 0;
	case 3:
		put_file(TOP "/cgroup.freeze", dice_of(random, 2) ? "1" : "0");
		return 0;
	case 4:
		return watch_begin(fd, units[dice_of(random, 2)], dice_of(random, 3) * MS);
	case 5:
		return watch_finish(fd, units[dice_of(random, 2)]);
	case 6:
		return watch_checkpoint(fd, dice_of(random, REIN_CHECKPOINTS));
	case 7:
		return watch_arm_as(fd, dice_of(random, 3) ? 0 : REIN_ARM_OFF, 0, 0);
	case 8:
		return watch_test(fd, dice_of(random, 4) ? 0 : REIN_TEST_REAL);
	case 9:
		return dice_of(random, 4) ? 0 : watch_end(fd);
	case 10:
		keep(mess, -1);
		return 0;
	case 11:
		/* Nonblocking: another thread may read it first. */
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return read(fd, &state, sizeof(state)) < 0 ? -errno : 0;
	case 12:
		if (mess->page)
			unmap_slots(mess->page);
		mess->page = map_slots(fd);
		if (mess->page)
			slot_beat((struct rein_watch_slot *)mess->page);
		return 0;
	default:
		return watch_beat(fd);
	}
}

/* What any of it may come to. */
static bool may_be(int ret)
{
	static const int may[] = {
		0, EBADF, ENOENT, EIDRM, EINVAL, ESRCH, EAGAIN, ENOTTY, ENODEV,
	};
	size_t i;

	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		if (-ret == may[i])
			return true;
	return false;
}

static void *mess_about(void *arg)
{
	struct mess *mess = arg;
	int ret;

	mess_process(mess);
	while (now_ns() < mess->end && !mess->wrong) {
		ret = mess_step(mess);
		if (!may_be(ret))
			mess->wrong = strerror(-ret);
		if (!dice_of(&mess->random, 10))
			usleep(dice_of(&mess->random, 3000));
	}
	if (mess->page)
		unmap_slots(mess->page);
	return NULL;
}

/* Several threads, and two processes that have the same descriptors at first. */
static const char *mess_in_threads(FIXTURE_DATA(many) *self, uint64_t seed, uint64_t end)
{
	static struct mess messes[MESS_THREADS];
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < MESS_THREADS; i++) {
		messes[i] = (struct mess){
			.dev = self->dev, .top = self->top, .kill_fd = open_kill(self->top),
			.end = end, .random = seed + i,
		};
		if (pthread_create(&messes[i].thread, NULL, mess_about, &messes[i]))
			return "no thread";
	}
	for (i = 0; i < MESS_THREADS; i++) {
		pthread_join(messes[i].thread, NULL);
		wrong = messes[i].wrong ?: wrong;
		kill(messes[i].pid, SIGKILL);
		waitpid(messes[i].pid, NULL, 0);
		close(messes[i].kill_fd);
	}
	for (i = 0; i < MESS_WATCHES; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return wrong;
}

TEST_F_TIMEOUT(many, anything_at_any_time, TIMEOUT)
{
	uint64_t seed = choose_seed(), end = now_ns() + (is_debug() ? 30 : 10) * SECOND;
	const char *wrong;
	unsigned int i;
	pid_t pid;

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	for (i = 0; i < MESS_WATCHES; i++)
		fds[i] = watch_new(self->dev, REIN_WATCH_ARM, (1 + i) * MS);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wrong = mess_in_threads(self, seed + 1000, end);
		if (wrong)
			fprintf(stderr, "# the other process: %s\n", wrong);
		_exit(!!wrong);
	}
	wrong = mess_in_threads(self, seed, end);
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("%s; " AGAIN, wrong);
	}
	EXPECT_EQ(0, wait_child(pid)) {
		TH_LOG("the other process; " AGAIN);
	}
	/* What is left of them is looked for when this ends. */
}

TEST_HARNESS_MAIN
