// SPDX-License-Identifier: GPL-2.0
/*
 * Abuses the line: a great many who wait for mixed sets of limits, while the limits
 * come, change and go, and while signals, stops and freezers end waits.
 *
 *	tool-line WAITERS SECONDS SEED DIRECTORY
 *
 * In DIRECTORY, a cgroup, there are a, a/b, a/b/c and z. WAITERS threads, in three
 * processes, take from a/b/c, a/b and a, again and again: tokens of one to three of
 * the names w, x, y, z, in any mode. Meanwhile limits of these names are replaced,
 * deleted and flushed; processes are stopped, frozen and moved, so that all their
 * waits end at once; and somebody tries to take from z, with which none of it has
 * to do.
 *
 * What it says, as JSON: most (how many waited at the same time); for each kind of
 * request, for the storms, and for the tries, how many there were, and what they took
 * on average and at most, in us; ends: what became of the takes, by errno; absurd:
 * answers that can't be; left: limits that did not balance when all were gone; end: how
 * long it took to kill all who still waited, in us.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "take.h"

#define PROCESSES	3
#define STACK		16384
#define PATIENCE_LEAST	SECOND

static const char *const names[] = { "w", "x", "y", "z" };
static const char *const cgroups[PROCESSES] = { "a/b/c", "a/b", "a" };

/* What all processes share. */
static struct {
	volatile bool stop;
	pthread_barrier_t ready;
	uint64_t ends[256];
	uint64_t absurd;
} *shared;

static const char *directory;
static int dev;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-line: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- chance -------------------------------------------------------------------- */

static _Thread_local uint64_t state;

static unsigned int below(unsigned int n)
{
	uint64_t x = state += 0x9e3779b97f4a7c15ULL;	/* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

/* --- how long things take --------------------------------------------------------- */

struct times {
	const char *what;
	uint64_t n, sum, most;
};

static void times_add(struct times *times, uint64_t from)
{
	uint64_t took = now_ns() - from;

	times->n++;
	times->sum += took;
	if (took > times->most)
		times->most = took;
}

static void times_print(const struct times *times)
{
	printf("\"%s\": {\"n\": %llu, \"mean\": %llu, \"most\": %llu}, ", times->what,
	       (unsigned long long)times->n,
	       (unsigned long long)(times->n ? times->sum / times->n / 1000 : 0),
	       (unsigned long long)times->most / 1000);
}

/* --- those who wait ------------------------------------------------------------------ */

struct waiter {
	pthread_t thread;
	uint64_t seed;
};

/* Refused for patience, although no limit has as little. */
static bool absurd(const struct rein_take_args *args)
{
	return args->code == TAKE_PATIENCE && args->retry_after_ns != REIN_DEV_NEVER &&
	       args->waited_ns + args->retry_after_ns < PATIENCE_LEAST;
}

/* The first time all wait for as long as it takes: who is refused is no burden. */
static void take_random(bool first)
{
	unsigned int n = 1 + below(3), name = below(4), i;
	struct take take;
	int err;

	ask_nothing(&take, 0, 0);
	for (i = 0; i < n; i++)
		ask_more(&take, names[(name + i) % 4], 1 + below(3));
	switch (first ? 4 : below(10)) {
	case 0:
		take.args.flags = REIN_TAKE_TRY;
		break;
	case 1:
		break;
	case 2:
		take.args.flags = REIN_TAKE_DEADLINE;
		take.args.deadline_ns = now_ns() + below(600) * SECOND;
		break;
	case 3:
		take.args.flags = REIN_TAKE_TIMEOUT;
		take.args.deadline_ns = below(600) * SECOND;
		break;
	default:
		take.args.flags = REIN_TAKE_TIMEOUT;
		take.args.deadline_ns = REIN_DEV_NEVER;
	}
	err = take_now(dev, &take);
	__atomic_add_fetch(&shared->ends[err & 255], 1, __ATOMIC_RELAXED);
	if (absurd(&take.args) || answer_wrong(&take.args, err))
		__atomic_add_fetch(&shared->absurd, 1, __ATOMIC_RELAXED);
	if (err && err != EINTR)
		usleep(10000 + below(500000));
}

static void *waiter_run(void *arg)
{
	struct waiter *waiter = arg;

	state = waiter->seed;
	pthread_barrier_wait(&shared->ready);
	take_random(true);
	while (!shared->stop)
		take_random(false);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/*
 * What takes long from here on is not because others have a turn first, but because the
 * kernel lets nobody have one.
 */
static void hurry(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("sched_setscheduler");
}

/* Returns whether it could be written. */
static bool put(const char *cgroup, const char *file, const char *text)
{
	char path[512];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", directory, cgroup, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	done = write(fd, text, strlen(text)) > 0;
	close(fd);
	return done;
}

/* One process: threads that take, and signals to some of them, until it is killed. */
static pid_t waiters_start(unsigned int nth, unsigned int n, uint64_t seed)
{
	struct sigaction action = { .sa_handler = nothing };
	struct waiter *waiters;
	pthread_attr_t attr;
	pid_t pid = fork();
	unsigned int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!put(cgroups[nth], "cgroup.procs", "0"))
		die(cgroups[nth]);
	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	waiters = calloc(n, sizeof(*waiters));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	state = seed;
	for (i = 0; i < n; i++) {
		waiters[i].seed = seed + i * 7919ULL * PROCESSES + nth;
		errno = pthread_create(&waiters[i].thread, &attr, waiter_run, &waiters[i]);
		if (errno)
			die("pthread_create");
	}
	/* Their handles stay valid: nobody joins them. */
	for (;;) {
		usleep(1000 + below(10000));
		if (!shared->stop)
			pthread_kill(waiters[below(n)].thread, percent(50) ? SIGUSR1 : SIGUSR2);
	}
}

/* --- those who change the limits ---------------------------------------------------------- */

static struct times set = { .what = "set" }, del = { .what = "del" }, flush = { .what = "flush" };
static struct times storm = { .what = "storm" };
static int dirs[PROCESSES], own;
static pid_t pids[PROCESSES];

static void ask(int fd, struct genl_msg *msg, struct times *times)
{
	struct genl_answer answer;
	uint64_t from = now_ns();

	if (genl_ask(fd, msg, &answer, NULL, NULL))
		die("no answer");
	times_add(times, from);
	if (answer.err && answer.err != ENOENT) {
		fprintf(stderr, "tool-line: %s: %s\n", times->what, answer.text);
		exit(1);
	}
}

/* Slow ones, so that many wait; who is closed lets nobody go at all. */
static void replace(int fd, const char *name, int dir)
{
	static const uint64_t per[] = { 5, 20, 100, 1000, 0 };
	static const uint64_t periods[] = { SECOND, 10 * SECOND };
	unsigned int tiers = 1 + below(3), i;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_REPLACE, name, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, percent(85) ? REIN_OVER_WAIT :
		     percent(50) ? REIN_OVER_REFUSE : REIN_OVER_OBSERVE);
	genl_put_u64(&msg, REIN_A_LIMIT_QUEUE, percent(95) ? 16384 : 100);
	genl_put_u64(&msg, REIN_A_LIMIT_PATIENCE_NS,
		     percent(80) ? UINT64_MAX : (1 + below(30)) * PATIENCE_LEAST);
	for (i = 0; i < tiers; i++)
		genl_put_tier(&msg, REIN_UNIT_CALLS, per[percent(97) ? below(4) : 4],
			      periods[below(2)], 3 + below(i ? 1000 : 10));
	ask(fd, &msg, &set);
}

static void replace_all(int fd)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		replace(fd, names[i], dirs[PROCESSES - 1]);
}

static int add_own(int fd)
{
	return add_call(fd, "own", own, REIN_OVER_REFUSE, 1000000, SECOND, 1000000);
}

/* All waits of one process end at once, or go on as those of another cgroup. */
static void blow(void)
{
	unsigned int nth = below(PROCESSES);
	const char *cgroup = cgroups[nth];
	uint64_t from = now_ns();
	char pid[16];

	switch (below(3)) {
	case 0:
		kill(pids[nth], SIGSTOP);
		kill(pids[nth], SIGCONT);
		break;
	case 1:
		if (!put(cgroup, "cgroup.freeze", "1"))
			die("cgroup.freeze");
		usleep(below(20000));
		if (!put(cgroup, "cgroup.freeze", "0"))
			die("cgroup.freeze");
		break;
	default:
		snprintf(pid, sizeof(pid), "%d", pids[nth]);
		if (!put(cgroups[below(PROCESSES)], "cgroup.procs", pid))
			die("cgroup.procs");
	}
	times_add(&storm, from);
}

static void change(int fd)
{
	const char *name = names[below(4)];
	int dir = dirs[percent(60) ? PROCESSES - 1 : below(PROCESSES)];
	static struct genl_msg msg;

	switch (below(16)) {
	case 0:
		genl_begin(&msg, REIN_CMD_FLUSH, 0);
		if (percent(50))
			genl_put(&msg, REIN_A_FLUSH_FORCE, NULL, 0);
		ask(fd, &msg, &flush);
		if (add_own(fd))
			die("own");
		replace_all(fd);
		break;
	case 1:
		blow();
		break;
	case 2 ... 3:
		begin(&msg, REIN_CMD_LIMIT_DEL, name, dir);
		ask(fd, &msg, &del);
		break;
	default:
		replace(fd, name, dir);
	}
}

/* How many wait, by what the limits of the topmost cgroup say. */
static unsigned int waiting(int fd)
{
	struct books books;
	unsigned int most = 0, i;

	for (i = 0; i < 4; i++)
		if (!read_books(fd, names[i], dirs[PROCESSES - 1], &books) &&
		    books.count[REIN_A_STATS_QUEUED] > most)
			most = books.count[REIN_A_STATS_QUEUED];
	return most;
}

/* How many limits there are that don't balance, or that somebody waits for. */
static unsigned int left(int fd)
{
	unsigned int n = 0, i, j;
	struct books books;

	for (i = 0; i < 4; i++)
		for (j = 0; j < PROCESSES; j++)
			if (!read_books(fd, names[i], dirs[j], &books))
				n += !books_balance(&books) || books.count[REIN_A_STATS_QUEUED];
	return n;
}

/* --- somebody who has nothing to do with it ----------------------------------------------- */

static struct times try = { .what = "try" };

static void *try_run(void *arg)
{
	struct take take;
	uint64_t from;
	int err;

	(void)arg;
	while (!shared->stop) {
		ask_for(&take, "own", 1, REIN_TAKE_TRY, 0);
		from = now_ns();
		/* A flush removes that one, too, for a moment. */
		err = take_now(dev, &take);
		if (err && err != ENOENT)
			die("own");
		times_add(&try, from);
		usleep(1000);
	}
	return NULL;
}

static void open_dirs(void)
{
	char path[512];
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, cgroups[i]);
		dirs[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dirs[i] < 0)
			die(path);
	}
	snprintf(path, sizeof(path), "%s/z", directory);
	own = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0)
		die(path);
}

int main(int argc, char **argv)
{
	unsigned int n, most = 0, now, i;
	uint64_t end, seed, from;
	pthread_barrierattr_t attr;
	pthread_t tries;
	int fd, status;

	if (argc != 5) {
		fprintf(stderr, "tool-line: see the top of tool-line.c\n");
		return 1;
	}
	n = atoi(argv[1]) / PROCESSES;
	seed = strtoull(argv[3], NULL, 0);
	directory = argv[4];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->ready, &attr, n * PROCESSES + 1);
	dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	fd = genl_socket();
	if (dev < 0 || fd < 0 || genl_resolve(fd))
		die("is the module loaded?");
	open_dirs();
	if (add_own(fd))
		die("own");
	state = seed;
	replace_all(fd);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = waiters_start(i, n, seed * 31 + i);
	pthread_barrier_wait(&shared->ready);
	if (!put("z", "cgroup.procs", "0"))
		die("z");
	hurry();
	errno = pthread_create(&tries, NULL, try_run, NULL);
	if (errno)
		die("pthread_create");
	/* All who wait for one limit are a third, or more. */
	end = now_ns() + 60 * SECOND;
	while (most < n && now_ns() < end) {
		usleep(10000);
		most = waiting(fd);
	}
	end = now_ns() + atoi(argv[2]) * SECOND;
	while (now_ns() < end) {
		change(fd);
		now = waiting(fd);
		most = now > most ? now : most;
		usleep(below(100000));
	}
	shared->stop = true;
	pthread_join(tries, NULL);
	from = now_ns();
	for (i = 0; i < PROCESSES; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < PROCESSES; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || !WIFSIGNALED(status))
			die("a process had ended");
	from = now_ns() - from;
	printf("{\"most\": %u, ", most);
	times_print(&set);
	times_print(&del);
	times_print(&flush);
	times_print(&storm);
	times_print(&try);
	printf("\"ends\": {");
	for (i = 0, now = 0; i < 256; i++)
		if (shared->ends[i])
			printf("%s\"%u\": %llu", now++ ? ", " : "", i,
			       (unsigned long long)shared->ends[i]);
	printf("}, \"absurd\": %llu, \"left\": %u, \"end\": %llu}\n",
	       (unsigned long long)shared->absurd, left(fd), (unsigned long long)from / 1000);
	return 0;
}
