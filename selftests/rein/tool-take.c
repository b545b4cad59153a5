// SPDX-License-Identifier: GPL-2.0
/*
 * Takes tokens in a pinned order, and says what became of each take.
 *
 *	tool-take ACTION...
 *
 *	AT:MODE:NAME[=N][,NAME[=N]]...	take; MODE: limit, try, or a timeout in
 *					ms, or @ and a deadline in ms
 *	AT:kill:NTH			a signal to the NTH take (from 0)
 *	AT:run:COMMAND			by the shell
 *
 * AT is in ms from the beginning. Actions are done in their order; each take in
 * a thread of its own, the next action when that has either ended or sleeps.
 * For each take a line is printed when all have ended:
 *
 *	NTH ERRNO CODE GRANTED RETURNED RETRY ASKED
 *
 * GRANTED and ASKED (what the kernel says) and RETURNED (when the call did) are in
 * us from when the first take was granted, or else from the beginning; - if it
 * was not granted.
 * RETRY is retry_after in us, "never", or - if it was granted.
 *
 *	tool-take crowd THREADS TAKES SEED NAME[,NAME]...
 *
 * THREADS take 1 to 3 tokens each, TAKES times, in a mode, with a timeout and a
 * signal after a time which are random. Prints how often which errno was seen:
 *
 *	ERRNO COUNT TOKENS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/rein_dev.h>

#define MS		1000000ULL
#define ACTIONS_MAX	256

struct take {
	pthread_t thread;
	volatile pid_t tid;
	volatile bool ended;
	struct rein_take_want wants[REIN_TAKE_NAMES_MAX];
	struct rein_take_args args;
	int err;
	uint64_t returned;
};

static struct take takes[ACTIONS_MAX];
static unsigned int n_takes;
static uint64_t base;
static int dev;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-take: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void sleep_until(uint64_t when)
{
	struct timespec ts = {
		.tv_sec = when / 1000000000,
		.tv_nsec = when % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void nothing(int sig)
{
	(void)sig;
}

/* --- pinned order ------------------------------------------------------------------ */

static void read_wants(struct take *take, char *text)
{
	char *name, *tokens, *rest = text;

	take->args.wants = (uintptr_t)take->wants;
	while ((name = strsep(&rest, ","))) {
		struct rein_take_want *want = &take->wants[take->args.n_wants];

		if (take->args.n_wants++ == REIN_TAKE_NAMES_MAX) {
			errno = E2BIG;
			die(text);
		}
		tokens = name;
		strsep(&tokens, "=");
		want->tokens = tokens ? strtoull(tokens, NULL, 0) : 1;
		strncpy(want->name, name, sizeof(want->name) - 1);
	}
}

static void read_mode(struct rein_take_args *args, const char *mode)
{
	if (!strcmp(mode, "limit"))
		return;
	if (!strcmp(mode, "try")) {
		args->flags = REIN_TAKE_TRY;
	} else if (*mode == '@') {
		args->flags = REIN_TAKE_DEADLINE;
		args->deadline_ns = base + strtoull(mode + 1, NULL, 0) * MS;
	} else {
		args->flags = REIN_TAKE_TIMEOUT;
		args->deadline_ns = strtoull(mode, NULL, 0) * MS;
	}
}

static void *take_run(void *arg)
{
	struct take *take = arg;

	take->tid = syscall(SYS_gettid);
	take->err = ioctl(dev, REIN_IOC_TAKE, &take->args) ? errno : 0;
	take->returned = now_ns();
	take->ended = true;
	return NULL;
}

/* Does it sleep in the kernel? */
static bool sleeps(const struct take *take)
{
	char path[64], line[512], *state;
	FILE *file;
	bool yes;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", take->tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	/* "running", or the number of the call it sleeps in. */
	state = fgets(line, sizeof(line), file);
	yes = state && atoi(state) == SYS_ioctl && *state != 'r';
	fclose(file);
	return yes;
}

static void take_start(const char *mode, char *names)
{
	struct take *take = &takes[n_takes++];

	read_wants(take, names);
	read_mode(&take->args, mode);
	errno = pthread_create(&take->thread, NULL, take_run, take);
	if (errno)
		die("pthread_create");
	while (!take->ended && !(take->tid && sleeps(take)))
		sched_yield();
}

static void act(char *action)
{
	char *at = strsep(&action, ":"), *what = strsep(&action, ":");

	if (!what || !action) {
		errno = EINVAL;
		die(at);
	}
	sleep_until(base + strtoull(at, NULL, 0) * MS);
	if (!strcmp(what, "kill")) {
		if (pthread_kill(takes[atoi(action)].thread, SIGUSR1))
			die("pthread_kill");
	} else if (!strcmp(what, "run")) {
		if (system(action))
			fprintf(stderr, "tool-take: %s failed\n", action);
	} else {
		take_start(what, action);
	}
}

static void print_us(uint64_t when, uint64_t from)
{
	printf(" %lld", (long long)(when - from) / 1000);
}

static void print_take(unsigned int nth, uint64_t from)
{
	const struct take *take = &takes[nth];

	printf("%u %d %u", nth, take->err, take->args.code);
	if (take->err)
		printf(" -");
	else
		print_us(take->args.granted_ns, from);
	print_us(take->returned, from);
	if (!take->err)
		printf(" -");
	else if (take->args.retry_after_ns == REIN_DEV_NEVER)
		printf(" never");
	else
		printf(" %llu", (unsigned long long)take->args.retry_after_ns / 1000);
	if (take->err)
		printf(" -");
	else
		print_us(take->args.granted_ns - take->args.waited_ns, from);
	putchar('\n');
}

static int pinned(char **actions)
{
	uint64_t from;
	unsigned int i;

	base = now_ns() + 10 * MS;
	for (; *actions; actions++)
		act(*actions);
	for (i = 0; i < n_takes; i++)
		pthread_join(takes[i].thread, NULL);
	from = takes[0].err ? base : takes[0].args.granted_ns;
	for (i = 0; i < n_takes; i++)
		print_take(i, from);
	return 0;
}

/* --- a crowd -------------------------------------------------------------------------- */

struct crowd {
	pthread_t thread;
	uint64_t random;
	unsigned int takes;
	const char *names;
	uint64_t count[256];
	uint64_t tokens[256];
	volatile bool ended;
};

static uint64_t crowd_random(struct crowd *crowd, uint64_t below)
{
	uint64_t x = crowd->random += 0x9e3779b97f4a7c15ULL;	/* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) % below;
}

static void crowd_take(struct crowd *crowd)
{
	struct take take = { };
	char names[256];
	unsigned int i;
	int err;

	snprintf(names, sizeof(names), "%s", crowd->names);
	read_wants(&take, names);
	for (i = 0; i < take.args.n_wants; i++)
		take.wants[i].tokens = 1 + crowd_random(crowd, 3);
	switch (crowd_random(crowd, 8)) {
	case 0:
		take.args.flags = REIN_TAKE_TRY;
		break;
	case 1:
		break;
	default:
		take.args.flags = REIN_TAKE_TIMEOUT;
		take.args.deadline_ns = crowd_random(crowd, 20000) * MS;
	}
	err = ioctl(dev, REIN_IOC_TAKE, &take.args) ? errno : 0;
	crowd->count[err]++;
	crowd->tokens[err] += take.wants[0].tokens;
}

static void *crowd_run(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int i;

	for (i = 0; i < crowd->takes; i++)
		crowd_take(crowd);
	crowd->ended = true;
	return NULL;
}

/* Until all have ended, signals to random ones of them. */
static void crowd_kill(struct crowd *crowds, unsigned int n, uint64_t seed)
{
	struct crowd dice = { .random = seed };
	unsigned int running = n, i;

	while (running) {
		for (i = 0; i < 4; i++) {
			struct crowd *crowd = &crowds[crowd_random(&dice, n)];

			if (!crowd->ended)
				pthread_kill(crowd->thread, SIGUSR1);
		}
		sleep_until(now_ns() + crowd_random(&dice, 20) * MS);
		for (running = 0, i = 0; i < n; i++)
			running += !crowds[i].ended;
	}
}

static int crowd(unsigned int n, unsigned int each, uint64_t seed, const char *names)
{
	struct crowd *crowds = calloc(n, sizeof(*crowds));
	uint64_t count, tokens;
	pthread_attr_t attr;
	unsigned int i, err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < n; i++) {
		crowds[i].random = seed + i * 7919;
		crowds[i].takes = each;
		crowds[i].names = names;
		errno = pthread_create(&crowds[i].thread, &attr, crowd_run, &crowds[i]);
		if (errno)
			die("pthread_create");
	}
	crowd_kill(crowds, n, seed);
	for (i = 0; i < n; i++)
		pthread_join(crowds[i].thread, NULL);
	for (err = 0; err < 256; err++) {
		for (count = 0, tokens = 0, i = 0; i < n; i++) {
			count += crowds[i].count[err];
			tokens += crowds[i].tokens[err];
		}
		if (count)
			printf("%u %llu %llu\n", err, (unsigned long long)count,
			       (unsigned long long)tokens);
	}
	free(crowds);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGUSR1, &sa, NULL);
	dev = open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die(REIN_DEV_PATH);
	if (argc == 6 && !strcmp(argv[1], "crowd"))
		return crowd(atoi(argv[2]), atoi(argv[3]), strtoull(argv[4], NULL, 0), argv[5]);
	if (argc > 1 && argc <= ACTIONS_MAX)
		return pinned(argv + 1);
	fprintf(stderr, "tool-take: see the top of tool-take.c\n");
	return 1;
}
