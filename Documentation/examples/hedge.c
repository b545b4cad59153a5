// SPDX-License-Identifier: GPL-2.0
/*
 * The tail at scale (Dean and Barroso, CACM 2013): requests to servers that are now and
 * then very slow, first as they are, and then hedged: a request that has no answer after
 * a while is sent to another server as well, and the first answer counts.
 *
 *	hedge [REQUESTS [AFTER_MS [BUDGET]]]
 *
 * Each request is a race. Each of its replicas is a thread that stands for a server: it
 * takes its time, and is cancelled by the race when another has answered. A BUDGET is the
 * name of a limit on call that pays for hedges and has a credit; then nobody is hedged
 * who can't pay, however slow all servers are. All times are in proportion to AFTER_MS
 * (default: 10), as a slow machine wants.
 *
 * With librein installed: cc -pthread hedge.c $(pkg-config --cflags --libs rein)
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rein.h>

#define SERVERS		100
#define CLIENTS		32
#define MS		1000000ULL

/* As parts of the time after which another one is asked, 10 ms: mostly 2 to 6 ms. */
#define FASTEST		0.2
#define SPREAD		0.4
/* One in so many answers is slow: at least 20 ms, and once in 20 1.8 s and more. */
#define SLOW_ONE_IN	50
#define SLOW		2.0
#define SLOWEST		300.0
#define TAIL		0.666

static struct {
	int dev;
	unsigned int requests;
	uint64_t unit_ns;
	uint64_t after_ns;
	const char *budget;
	unsigned int next;
	uint64_t *took_ns;
	unsigned int sent;
} run;

/**
 * struct replica - a request as one server has it
 * @fd:		its scope
 * @server:	which server
 * @service_ns:	how long that takes
 * @thread:	the server
 */
struct replica {
	int fd;
	unsigned int server;
	uint64_t service_ns;
	pthread_t thread;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "hedge: %s: %s\n", what, strerror(err));
	exit(1);
}

/* The slow ones have a Pareto tail. */
static uint64_t service_time(unsigned int *seed)
{
	double u = (rand_r(seed) + 1.0) / ((double)RAND_MAX + 2);

	if (rand_r(seed) % SLOW_ONE_IN)
		return run.unit_ns * (FASTEST + SPREAD * u);
	return run.unit_ns * fmin(SLOW * pow(u, -1 / TAIL), SLOWEST);
}

/* What a server does: it works until it is done, or nobody wants the answer any more. */
static void *serve(void *arg)
{
	struct replica *replica = arg;
	struct rein_scope_done done;

	if (rein_scope_wait(replica->fd, replica->service_ns, &done) == -ETIMEDOUT)
		rein_race_claim(replica->fd, &replica->server, sizeof(replica->server), NULL);
	return NULL;
}

/* Returns 0 if there is an answer already: then another server is not asked. */
static int start(int race, struct replica *replica, unsigned int *seed)
{
	struct rein_scope_result result;

	replica->fd = rein_race_join(race, false, &result);
	if (replica->fd == -ECANCELED)
		return 0;
	if (replica->fd < 0)
		die(result.message, -replica->fd);
	replica->server = rand_r(seed) % SERVERS;
	replica->service_ns = service_time(seed);
	if (pthread_create(&replica->thread, NULL, serve, replica))
		die("no thread can be made", errno);
	__atomic_fetch_add(&run.sent, 1, __ATOMIC_RELAXED);
	return 1;
}

/* May this one be sent twice? */
static int paid(void)
{
	struct rein_take_want want = { .tokens = 1 };

	if (!run.budget)
		return 1;
	snprintf(want.name, sizeof(want.name), "%s", run.budget);
	return !rein_try(run.dev, &want, 1, NULL);
}

/* A race is readable when it is decided. */
static int answered(int race, uint64_t within_ns)
{
	struct pollfd fd = { .fd = race, .events = POLLIN };
	struct timespec within = { within_ns / 1000000000, within_ns % 1000000000 };

	return ppoll(&fd, 1, within_ns == REIN_FOREVER_NS ? NULL : &within, NULL) == 1;
}

static void request(unsigned int nth, unsigned int *seed)
{
	uint64_t since = now_ns();
	struct replica replicas[2];
	struct rein_scope_result result;
	int race = rein_race_new(run.dev, REIN_POLICY_FIRST, NULL, &result);
	int i, n = 0;

	if (race < 0)
		die(result.message, -race);
	n += start(race, &replicas[n], seed);
	if (!answered(race, run.after_ns)) {
		if (paid())
			n += start(race, &replicas[n], seed);
		answered(race, REIN_FOREVER_NS);
	}
	run.took_ns[nth] = now_ns() - since;
	if (run.budget)
		rein_credit(run.dev, run.budget, 0, NULL);
	for (i = 0; i < n; i++) {
		pthread_join(replicas[i].thread, NULL);
		close(replicas[i].fd);
	}
	close(race);
}

static void *client(void *arg)
{
	unsigned int seed = (uintptr_t)arg, nth;

	while ((nth = __atomic_fetch_add(&run.next, 1, __ATOMIC_RELAXED)) < run.requests)
		request(nth, &seed);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double at_ms(unsigned int per_mille)
{
	return run.took_ns[(uint64_t)(run.requests - 1) * per_mille / 1000] / 1e6;
}

static void run_all(const char *name, uint64_t after_ns)
{
	pthread_t clients[CLIENTS];
	uintptr_t i;

	run.after_ns = after_ns;
	run.next = 0;
	run.sent = 0;
	for (i = 0; i < CLIENTS; i++)
		if (pthread_create(&clients[i], NULL, client, (void *)(i + 1)))
			die("no thread can be made", errno);
	for (i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	qsort(run.took_ns, run.requests, sizeof(*run.took_ns), by_time);
	printf("%-8s p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, %.1f %% more requests\n", name,
	       at_ms(500), at_ms(990), at_ms(999),
	       100.0 * (run.sent - run.requests) / run.requests);
}

int main(int argc, char **argv)
{
	unsigned int after_ms = argc > 2 ? atoi(argv[2]) : 10;

	run.requests = argc > 1 ? atoi(argv[1]) : 1000;
	run.budget = argc > 3 ? argv[3] : NULL;
	run.unit_ns = after_ms * MS;
	run.dev = rein_dev_open();
	if (run.dev < 0)
		die(REIN_DEV_PATH, -run.dev);
	run.took_ns = calloc(run.requests, sizeof(*run.took_ns));
	if (!run.requests || !run.took_ns)
		die("REQUESTS", EINVAL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	run_all("alone:", REIN_FOREVER_NS);
	run_all("hedged:", run.unit_ns);
	free(run.took_ns);
	close(run.dev);
	return 0;
}
