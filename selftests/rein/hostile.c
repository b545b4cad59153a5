// SPDX-License-Identifier: GPL-2.0
/*
 * A user without privileges who wants to do harm: threads that share descriptors of the device,
 * scopes, races, watches and reservations, and in the middle of each other's calls close them,
 * put others in their place, take the memory away, fork and pass them on; and one who wants to
 * know what there is where he may not look.
 *
 * CALLS says how many calls each thread does, TEST_SEED where it begins.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/stat.h>

#include "watch.h"

#include <kselftest_harness.h>

#define CGROUP		CGROOT "/test-hostile"
#define AGAIN		"; run: make check TESTS=hostile"

#define THREADS		4
#define SLOTS		24
#define FIRST_FD	200
#define PAGES_SIZE	(1 << 20)

FIXTURE(hostile) {
	int fd, dir;
	uint64_t raw;
};

FIXTURE_SETUP(hostile)
{
	self->fd = genl_socket();
	ASSERT_EQ(0, genl_resolve(self->fd));
	self->dir = make_cgroup(CGROUP);
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, add_call(self->fd, "slow", self->dir, REIN_OVER_WAIT, 1, SECOND / 100, 10));
	self->raw = newest(self->fd, RAW);
}

/* Nothing of it all is left, which takes a moment. */
static uint64_t left_over(int fd)
{
	uint64_t end = now_ns() + LONG, left;

	do {
		left = stat_number(fd, REIN_A_STAT_SCOPES) + stat_number(fd, REIN_A_STAT_WATCHES) +
		       get_parameter("/sys/module/rein/refcnt");
		if (!left)
			break;
		usleep(10000);
	} while (now_ns() < end);
	return left;
}

FIXTURE_TEARDOWN(hostile)
{
	kill_all(self->dir);
	flush_all(self->fd);
	EXPECT_EQ(0, left_over(self->fd))
		TH_LOG("expected no scope, no watch and no user of the module" AGAIN);
	EXPECT_EQ(self->raw, newest(self->fd, RAW))
		TH_LOG("an error had no meaning: rein errors list" AGAIN);
	close(self->dir);
	EXPECT_EQ(0, rmdir(CGROUP)) TH_LOG("%s" AGAIN, strerror(errno));
	close(self->fd);
}

/* --- descriptors, and memory, that go while they are used ------------------------------ */

/* What calls came to. */
enum { PASSED, NO_FD, NO_ACCESS, NO_REQUEST, STOPPED, OTHER, ENDS };

static const char *const ends[ENDS] = {
	"done", "bad descriptor", "bad memory", "bad request", "interrupted", "otherwise refused",
};

static const unsigned long requests[] = {
	REIN_IOC_TAKE, REIN_IOC_RESERVE, REIN_IOC_CLAIM, REIN_IOC_SCOPE, REIN_IOC_OPEN,
	REIN_IOC_OBSERVE, REIN_IOC_CANCEL, REIN_IOC_BIND, REIN_IOC_RACE, REIN_IOC_JOIN,
	REIN_IOC_WIN, REIN_IOC_GRANT, REIN_IOC_RESULT, REIN_IOC_CREDIT, REIN_IOC_WATCH,
	REIN_IOC_LOOK, REIN_IOC_BEAT, REIN_IOC_ARM, REIN_IOC_TEST, REIN_IOC_UNWATCH,
};

/**
 * struct attack - what the threads share
 * @calls:	how many each is to do
 * @seed:	where its random numbers begin
 * @pages:	two pages that each of them may lose at any time
 * @pair:	a pair of sockets that descriptors are passed through
 * @came:	how many calls came to which end
 */
struct attack {
	uint64_t calls, seed;
	char *pages;
	int pair[2];
	uint64_t came[ENDS];
};

static struct attack *attack;

static int any_fd(uint64_t *dice)
{
	return FIRST_FD + dice_of(dice, SLOTS);
}

static unsigned int end_of(long ret)
{
	if (ret >= 0)
		return PASSED;
	switch (errno) {
	case EBADF:
		return NO_FD;
	case EFAULT:
		return NO_ACCESS;
	case EINVAL:
	case ENOTTY:
		return NO_REQUEST;
	case EINTR:
		return STOPPED;
	default:
		return OTHER;
	}
}

static void came(long ret)
{
	__atomic_add_fetch(&attack->came[end_of(ret)], 1, __ATOMIC_RELAXED);
}

/* One more descriptor, of any kind, that is good. */
static int make_any(int dev, uint64_t *dice)
{
	struct rein_take_want want = { .name = "slow", .tokens = 1 };
	struct rein_take_args take = {
		.n_wants = 1, .wants = (uintptr_t)&want, .scope_fd = REIN_NO_FD,
	};

	switch (dice_of(dice, 9)) {
	case 0:
		return open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC);
	case 1:
		return scope_new(dev, REIN_NO_FD);
	case 2:
		return scope_owned(dev, any_fd(dice));
	case 3:
		return scope_observe(any_fd(dice));
	case 4:
		return race_new(dev, dice_of(dice, 3));
	case 5:
		return race_join(any_fd(dice));
	case 6:
		return watch_new(dev, 0, MS * (1 + dice_of(dice, 20)));
	case 7:
		return ioctl(dev, REIN_IOC_RESERVE, &take);
	default:
		return receive_fd(attack->pair[0]);
	}
}

/* Whoever is in a call on what was there has to live with it. */
static void replace(int dev, uint64_t *dice)
{
	int fd = make_any(dev, dice);

	if (fd < 0)
		return;
	came(dup3(fd, any_fd(dice), O_CLOEXEC));
	close(fd);
}

/* Where arguments are: good, half there, nowhere, or of another's thread's making. */
static void *any_memory(uint64_t *dice, char *good)
{
	switch (dice_of(dice, 8)) {
	case 0:
		return attack->pages + 4096 - dice_of(dice, 256);
	case 1:
		return attack->pages + dice_of(dice, 8192);
	case 2:
		return NULL;
	case 3:
		return (void *)(uintptr_t)random_step(dice);
	default:
		return good;
	}
}

/* Arguments of a request, as often good as not. */
static void fill(void *memory, size_t size, unsigned long request, uint64_t *dice)
{
	struct rein_take_want *want = memory + 2048;
	struct rein_take_args *take = memory;
	uint64_t *at = memory;

	memset(memory, 0, size);
	while (dice_of(dice, 3))
		at[dice_of(dice, 32)] = dice_of(dice, 2) ? dice_of(dice, 16) : random_step(dice);
	if (request != REIN_IOC_TAKE && request != REIN_IOC_RESERVE)
		return;
	strcpy(want->name, "slow");
	want->tokens = 1 + dice_of(dice, 12);
	take->n_wants = 1;
	take->wants = (uintptr_t)any_memory(dice, (char *)want);
	take->scope_fd = dice_of(dice, 2) ? any_fd(dice) : REIN_NO_FD;
}

static void request_any(uint64_t *dice)
{
	unsigned long request = requests[dice_of(dice, sizeof(requests) / sizeof(requests[0]))];
	char memory[4096] __attribute__((aligned(8)));
	int fd;

	fill(memory, sizeof(memory), request, dice);
	if (!dice_of(dice, 8))
		request ^= random_step(dice) & 0x3fff0000;
	fd = ioctl(any_fd(dice), request, any_memory(dice, memory));
	came(fd);
	/* Of those that make a descriptor: standard ones are never theirs. */
	if (fd > 2 && fd < FIRST_FD)
		close(fd);
}

static void read_any(uint64_t *dice)
{
	char memory[4096], path[64];
	int fd = any_fd(dice);

	if (dice_of(dice, 4)) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		came(read(fd, any_memory(dice, memory), dice_of(dice, sizeof(memory))));
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	came(read(fd, memory, sizeof(memory)));
	close(fd);
}

static void write_any(uint64_t *dice)
{
	char memory[4096] = "WATCHDOG=1\n";

	came(write(any_fd(dice), any_memory(dice, memory), dice_of(dice, 64)));
}

static void poll_any(uint64_t *dice)
{
	struct pollfd pfd[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		pfd[i] = (struct pollfd){ .fd = any_fd(dice), .events = POLLIN | POLLPRI };
	came(poll(pfd, 3, dice_of(dice, 3)));
}

static void map_any(uint64_t *dice)
{
	int prot = PROT_READ | (dice_of(dice, 2) ? PROT_WRITE : 0);
	size_t size = 4096 << dice_of(dice, 2);
	char *page = mmap(NULL, size, prot, dice_of(dice, 4) ? MAP_SHARED : MAP_PRIVATE,
			  any_fd(dice), 0);

	came(page == MAP_FAILED ? -1 : 0);
	if (page == MAP_FAILED)
		return;
	*(volatile char *)page;
	/* Beats, if that is what it is for. */
	if (prot & PROT_WRITE)
		*(volatile uint64_t *)page = random_step(dice);
	munmap(page, size);
}

/* Somebody else's memory and descriptors are not the same from here on. */
static void disturb(uint64_t *dice)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	pid_t pid;

	switch (dice_of(dice, 8)) {
	case 0:
		pid = fork();
		if (!pid) {
			close_range(FIRST_FD, FIRST_FD + dice_of(dice, SLOTS), 0);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return;
	case 1:
	case 2:
		send_fd(attack->pair[1], any_fd(dice));
		return;
	default:
		mprotect(attack->pages + 4096 * dice_of(dice, 2), 4096, prots[dice_of(dice, 3)]);
	}
}

static void *attack_on(void *arg)
{
	uint64_t dice = attack->seed + (uintptr_t)arg, i;
	int dev = open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC);

	for (i = 0; i < attack->calls; i++) {
		switch (dice_of(&dice, 16)) {
		case 0 ... 3:
			replace(dev, &dice);
			break;
		case 4:
			close(any_fd(&dice));
			break;
		case 5:
			disturb(&dice);
			break;
		case 6:
			read_any(&dice);
			break;
		case 7:
			write_any(&dice);
			break;
		case 8:
			poll_any(&dice);
			break;
		case 9:
			map_any(&dice);
			break;
		default:
			request_any(&dice);
		}
	}
	close(dev);
	return NULL;
}

/* Has whoever waits look up again and again. */
static void interrupt_until(pthread_t *threads, unsigned int n)
{
	struct timespec soon;
	unsigned int i;

	for (i = 0; i < n;) {
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 2000000;
		if (soon.tv_nsec >= 1000000000) {
			soon.tv_nsec -= 1000000000;
			soon.tv_sec++;
		}
		if (!pthread_timedjoin_np(threads[i], NULL, &soon)) {
			threads[i++] = 0;
			continue;
		}
		for (unsigned int j = i; j < n; j++)
			pthread_kill(threads[j], SIGUSR1);
	}
}

static void attack_as_nobody(void *arg)
{
	struct sigaction action = { .sa_handler = no_action };
	pthread_t threads[THREADS];
	unsigned int i;

	(void)arg;
	if (!become_nobody() ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, attack->pair))
		_exit(98);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, attack_on, (void *)(uintptr_t)i))
			_exit(97);
	interrupt_until(threads, THREADS);
}

TEST_F_TIMEOUT(hostile, descriptors, 300)
{
	const char *calls = getenv("CALLS");
	unsigned int i;
	int status;
	pid_t pid;

	attack = mmap(NULL, sizeof(*attack), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, attack);
	/* What is behind them is nothing that a long answer may change. */
	attack->pages = mmap(NULL, PAGES_SIZE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, attack->pages);
	ASSERT_EQ(0, mprotect(attack->pages, 8192, PROT_READ | PROT_WRITE));
	attack->calls = calls ? strtoull(calls, NULL, 0) : is_debug() ? 5000 : 20000;
	attack->seed = choose_seed();
	pid = run_inside(CGROUP, attack_as_nobody, NULL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status)
		TH_LOG("expected it to end by itself, seen status %#x; TEST_SEED=%llu" AGAIN,
		       status, (unsigned long long)attack->seed);
	for (i = 0; i < ENDS; i++) {
		TH_LOG("%llu %s", (unsigned long long)attack->came[i], ends[i]);
		/* Who waits is rarely interrupted where tokens come fast. */
		EXPECT_TRUE(i == STOPPED || attack->came[i] >= attack->calls / 1000)
			TH_LOG("expected more of that; TEST_SEED=%llu" AGAIN,
			       (unsigned long long)attack->seed);
	}
	munmap(attack->pages, PAGES_SIZE);
	munmap(attack, sizeof(*attack));
}

/* --- what is elsewhere ------------------------------------------------------------------- */

#define ELSEWHERE	CGROOT "/test-hostile-elsewhere"

/**
 * struct guess - what somebody is told of a limit, or rather not
 * @asked:	what netlink answers to who asks for it
 * @err:	errno of a take
 * @take:	what is said of it
 * @scope:	errno of who wants to open a scope of that name
 */
struct guess {
	struct genl_answer asked;
	int err, scope;
	struct rein_take_args take;
};

/**
 * struct guesses - of a limit and a scope that are there, and of others that are not
 * @there:	...
 * @nowhere:	...
 * @namespaces:	in which namespaces of his own
 * @listed:	how many limits he is told of
 * @seen:	how many scopes
 */
struct guesses {
	struct guess there, nowhere;
	int namespaces;
	unsigned int listed, seen;
};

static void guess(int fd, int dev, const char *name, struct guess *guess)
{
	static struct genl_msg msg;
	struct take take;

	begin(&msg, REIN_CMD_LIMIT_GET, name, -1);
	genl_ask(fd, &msg, &guess->asked, NULL, NULL);
	/* Each has its own, or none: somebody may have used up what he may have. */
	guess->asked.record = 0;
	guess->err = take_now(dev, ask_for(&take, name, 1, REIN_TAKE_TRY, 0));
	guess->take = take.args;
	guess->scope = scope_open(dev, REIN_OPEN_OBSERVE, 0, name);
}

static void count_limit(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	(void)ghdr;
	(void)len;
	(*(unsigned int *)arg)++;
}

static void guess_as_nobody(void *arg)
{
	struct guesses *guesses = arg;
	struct genl_answer answer;
	struct scope_view view;
	static struct genl_msg msg;
	int fd, dev;

	if (guesses->namespaces ? !confine(guesses->namespaces) : !become_nobody())
		_exit(2);
	fd = genl_socket();
	dev = open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC);
	if (genl_resolve(fd) || dev < 0)
		_exit(98);
	guess(fd, dev, "elsewhere", &guesses->there);
	guess(fd, dev, "nowhere--", &guesses->nowhere);
	genl_begin(&msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	if (genl_ask(fd, &msg, &answer, count_limit, &guesses->listed) || answer.err)
		_exit(97);
	if (read_scopes(fd, NULL, &view))
		_exit(96);
	guesses->seen = view.n;
}

/* It makes no difference, but for the name, whether there is something. */
static void same(struct __test_metadata *_metadata, const struct guesses *guesses, const char *who)
{
	const struct guess *there = &guesses->there, *nowhere = &guesses->nowhere;

	EXPECT_EQ(0, memcmp(&there->asked, &nowhere->asked, sizeof(there->asked)))
		TH_LOG("%s, netlink: %d %s, but of nothing %d %s" AGAIN, who, there->asked.err,
		       there->asked.text, nowhere->asked.err, nowhere->asked.text);
	EXPECT_EQ(ENOENT, there->asked.err) TH_LOG("%s, netlink" AGAIN, who);
	EXPECT_EQ(ENOENT, there->err) TH_LOG("%s, a take" AGAIN, who);
	EXPECT_EQ(nowhere->err, there->err) TH_LOG("%s, a take" AGAIN, who);
	EXPECT_EQ(nowhere->take.code, there->take.code);
	EXPECT_STREQ(nowhere->take.message, there->take.message);
	EXPECT_EQ(nowhere->take.limit_id, there->take.limit_id);
	EXPECT_EQ(-ENOENT, there->scope) TH_LOG("%s, a scope" AGAIN, who);
	EXPECT_EQ(nowhere->scope, there->scope) TH_LOG("%s, a scope" AGAIN, who);
	EXPECT_EQ(1, guesses->listed)
		TH_LOG("%s: expected the own limit to be listed, and only that" AGAIN, who);
	EXPECT_EQ(0, guesses->seen) TH_LOG("%s: expected no scope to be listed" AGAIN, who);
}

TEST_F(hostile, names)
{
	static const struct {
		const char *who;
		int namespaces;
	} cases[] = {
		{ "nobody", 0 },
		{ "root of a user and a cgroup namespace", CLONE_NEWUSER | CLONE_NEWCGROUP },
	};
	int dir = make_cgroup(ELSEWHERE), dev, scope, status;
	struct guesses *guesses;
	unsigned int i;
	pid_t pid;

	ASSERT_LE(0, dir);
	ASSERT_EQ(0, add_call(self->fd, "elsewhere", dir, REIN_OVER_WAIT, 1, SECOND, 10));
	dev = open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC);
	scope = scope_named(dev, REIN_NO_FD, "elsewhere");
	ASSERT_LE(0, scope);
	guesses = mmap(NULL, sizeof(*guesses), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, guesses);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(guesses, 0, sizeof(*guesses));
		guesses->namespaces = cases[i].namespaces;
		pid = run_inside(CGROUP, guess_as_nobody, guesses);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status) TH_LOG("%s: could not be tried" AGAIN, cases[i].who);
		same(_metadata, guesses, cases[i].who);
	}
	munmap(guesses, sizeof(*guesses));
	close(scope);
	close(dev);
	close(dir);
	ASSERT_EQ(0, delete(self->fd, "elsewhere", -1));
	EXPECT_EQ(0, rmdir(ELSEWHERE));
}

TEST_HARNESS_MAIN
