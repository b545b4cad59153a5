// SPDX-License-Identifier: GPL-2.0
/*
 * How long a take takes on this machine, beside other limiters, and a beat. No VM, no root, and
 * nothing is asserted of times.
 *
 *	make bench-native	from the top: the packages, the program, a table
 *	ROUNDS=100		how often each is measured
 *
 * What is measured of rein is the module's own code, compiled on the host: the
 * decision, from a chain of limits to a verdict, and the reading of the clock. It is
 * not how the chain is found, nor the system call or the hook.
 *
 * All that there is to measure is measured in turn, again and again, each for a tenth of
 * a millisecond: what else happens on the machine hits all of them alike, and of many
 * short rounds most are left alone. A thread has a CPU to itself; a round in which two did
 * not run at the same time is done again. Reported are medians:
 * of ns for each take of each thread; and of its ratio, in the same turn, to one
 * reading of the clock and to rein.
 *
 * It is an error if a limiter did not do what its row is about: admit all, or none, but for
 * one in twenty.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <host.h>

#include "native.h"

#define ROUND_NS	100000
#define THREADS		2
#define MAX_TRIES	100	/* until they were at the same time */
#define MAX_SUBJECTS	16

const char *const situation_keys[SITUATIONS] = {
	"one", "shared", "apart", "chain", "chains", "refused",
};

static const struct subject *subjects[MAX_SUBJECTS];
static unsigned int n_subjects, n_rounds = 1001;

/* What has been measured: ns a take, by subject, situation and round. */
static double *taken[MAX_SUBJECTS][SITUATIONS];
static unsigned long times[MAX_SUBJECTS][SITUATIONS];
static void *limits[MAX_SUBJECTS][SITUATIONS][THREADS][CHAIN];

/* --- threads ----------------------------------------------------------------- */

static struct {
	const struct subject *subject;
	enum situation situation;
	void *(*limits)[CHAIN];
	unsigned long times;
	unsigned int threads;
	unsigned long admitted[THREADS];
	uint64_t start[THREADS], end[THREADS];
} job;

static atomic_uint arrived;
static sem_t begin, end;
static int cpus[THREADS];
static unsigned int n_cpus;

static unsigned int threads_in(enum situation s)
{
	return s == SHARED || s == APART || s == CHAINS ? 2 : 1;
}

static unsigned int limits_in(enum situation s)
{
	return s == CHAINED || s == CHAINS ? CHAIN : 1;
}

/* All are here: nobody goes on before. */
static void meet(unsigned int nth)
{
	unsigned int spins = 0;

	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < nth * job.threads)
		host_relax(&spins);
}

static void work(unsigned int thread)
{
	unsigned int n = limits_in(job.situation);

	/* The caches, and the others' share of them, are as in the midst of it. */
	meet(1);
	job.subject->take(job.limits[thread], n, 1 + job.times / 8);
	meet(2);
	job.start[thread] = now_ns();
	job.admitted[thread] = job.subject->take(job.limits[thread], n, job.times);
	job.end[thread] = now_ns();
}

static void pin(unsigned int thread)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpus[thread], &set);
	sched_setaffinity(0, sizeof(set), &set);
	host_cpu_set(thread);
}

static void *helper(void *unused)
{
	(void)unused;
	pin(1);
	for (;;) {
		sem_wait(&begin);
		work(1);
		sem_post(&end);
	}
	return NULL;
}

static void find_cpus(void)
{
	cpu_set_t set;
	int cpu;

	sched_getaffinity(0, sizeof(set), &set);
	for (cpu = 0; cpu < CPU_SETSIZE && n_cpus < THREADS; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n_cpus++] = cpu;
	host_cpus = n_cpus;
}

static void start_threads(void)
{
	pthread_t thread;

	find_cpus();
	sem_init(&begin, 0, 0);
	sem_init(&end, 0, 0);
	if (n_cpus > 1 && pthread_create(&thread, NULL, helper, NULL)) {
		perror("pthread_create");
		exit(1);
	}
	pin(0);
}

/* --- rounds ------------------------------------------------------------------ */

/* Who stood still after it read the clock may be refused where time can't go back. */
static void check_admitted(unsigned long admitted)
{
	unsigned long asked = job.threads * job.times;
	unsigned long wanted = job.situation == REFUSED ? 0 : asked;

	if (labs((long)(wanted - admitted)) <= (long)asked / 20)
		return;
	fprintf(stderr, "bench: %s, %s: %lu takes were admitted, not %lu\n", job.subject->key,
		situation_keys[job.situation], admitted, wanted);
	exit(1);
}

static void run_threads(void)
{
	/* As often as the kernel's clock ticks, but between rounds. */
	host_jiffies = now_ns() / 4000000;
	atomic_store(&arrived, 0);
	if (job.threads > 1)
		sem_post(&begin);
	work(0);
	if (job.threads > 1)
		sem_wait(&end);
}

/* Two threads that did not run at the same time were not in each other's way. */
static bool met(void)
{
	uint64_t first = job.start[0], last = job.end[0], from = first, to = last;

	if (job.threads == 1)
		return true;
	first = job.start[1] < first ? job.start[1] : first;
	last = job.end[1] > last ? job.end[1] : last;
	from = job.start[1] > from ? job.start[1] : from;
	to = job.end[1] < to ? job.end[1] : to;
	return to > from && (to - from) * 4 > (last - first) * 3;
}

/* One round: ns for all takes of all threads. */
static double measure(unsigned int s, enum situation situation)
{
	unsigned int tries = MAX_TRIES, i;
	unsigned long admitted = 0;
	double ns = 0;

	job.subject = subjects[s];
	job.situation = situation;
	job.limits = limits[s][situation];
	job.times = times[s][situation];
	job.threads = threads_in(situation);
	if (job.subject->round) {
		ns = job.subject->round(situation, job.times, &admitted);
		check_admitted(admitted);
		return ns;
	}
	do {
		run_threads();
	} while (!met() && --tries);
	for (i = 0; i < job.threads; i++) {
		ns += job.end[i] - job.start[i];
		admitted += job.admitted[i];
	}
	check_admitted(admitted);
	return ns;
}

static double per_take(unsigned int s, enum situation situation)
{
	return measure(s, situation) / threads_in(situation) / times[s][situation];
}

static void make_limits(unsigned int s, enum situation situation)
{
	const struct subject *subject = subjects[s];
	unsigned int n = limits_in(situation), t, i;

	for (t = 0; subject->make && t < threads_in(situation); t++)
		for (i = 0; i < n; i++)
			/* In a chain the one of the leaf is the first. */
			limits[s][situation][t][i] =
				t && (situation == SHARED || (situation == CHAINS && i)) ?
				limits[s][situation][0][i] :
				subject->make(situation == REFUSED);
}

static bool can_be(unsigned int s, enum situation situation)
{
	return subjects[s]->situations >> situation & 1 &&
	       threads_in(situation) <= n_cpus;
}

/* Find out how many takes are a round, and drain what is to refuse. */
static void prepare(unsigned int s, enum situation situation)
{
	double ns;

	if (!can_be(s, situation))
		return;
	taken[s][situation] = calloc(n_rounds, sizeof(double));
	make_limits(s, situation);
	if (situation == REFUSED && subjects[s]->make)
		subjects[s]->take(limits[s][situation][0], 1, 1);
	times[s][situation] = 64;
	for (;;) {
		ns = measure(s, situation) / threads_in(situation);
		if (ns > ROUND_NS / 2 || times[s][situation] > ROUND_NS)
			break;
		times[s][situation] *= 2;
	}
}

static void measure_all(void)
{
	unsigned int round, s, i;

	for (s = 0; s < n_subjects; s++)
		for (i = 0; i < SITUATIONS; i++)
			prepare(s, i);
	for (round = 0; round < n_rounds; round++)
		for (i = 0; i < SITUATIONS; i++)
			for (s = 0; s < n_subjects; s++)
				if (taken[s][i])
					taken[s][i][round] = per_take(s, i);
}

/* --- results ----------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What @percent of the values, each divided by the one of @to, are not above. */
static double quantile(const double *values, const double *to, unsigned int percent)
{
	double *sorted, found;
	unsigned int i;

	if (!values || (to && !to[0]))
		return 0;
	sorted = malloc(n_rounds * sizeof(*sorted));
	for (i = 0; i < n_rounds; i++)
		sorted[i] = to ? values[i] / to[i] : values[i];
	qsort(sorted, n_rounds, sizeof(*sorted), by_size);
	found = sorted[(n_rounds - 1) * percent / 100];
	free(sorted);
	return found;
}

static double *taken_by(const struct subject *subject, enum situation situation)
{
	unsigned int s;

	for (s = 0; s < n_subjects; s++)
		if (subjects[s] == subject)
			return taken[s][situation];
	return NULL;
}

static void report(void)
{
	const double *clock = taken_by(&clock_subject, ONE);
	unsigned int s, i;

	for (s = 0; s < n_subjects; s++)
		for (i = 0; i < SITUATIONS; i++) {
			const double *rein = taken_by(&rein_subject, i);
			const double *ns = taken[s][i];

			if (!ns)
				continue;
			printf("@take %s %s %.1f %.1f %.1f %.2f ", subjects[s]->key,
			       situation_keys[i], quantile(ns, NULL, 10),
			       quantile(ns, NULL, 50), quantile(ns, NULL, 90),
			       quantile(ns, clock, 50));
			if (rein)
				printf("%.2f\n", quantile(rein, ns, 50));
			else
				printf("-\n");
		}
}

static void add(const struct subject *subject)
{
	subjects[n_subjects++] = subject;
}

int main(int argc, char **argv)
{
	const char *rounds = getenv("ROUNDS");
	char version[64];

	if (rounds && *rounds)
		n_rounds = strtoul(rounds, NULL, 10);
	if (!n_rounds) {
		fprintf(stderr, "ROUNDS: a number of at least 1\n");
		return 2;
	}
	start_threads();
	add(&clock_subject);
	add(&rein_subject);
	add(&rein_small_subject);
	add(&rein_packet_subject);
	add(&spin_subject);
	add(&fair_subject);
	add(&gcra_subject);
#ifdef HAVE_DPDK
	add(&tsc_subject);
	add(&dpdk_subject);
#endif
	if (argc > 1 && go_start(argv[1], cpus, n_cpus, version, sizeof(version))) {
		printf("@fact go %s\n", version);
		add(&go_clock_subject);
		add(&go_subject);
	}
	add(&beat_subject);
	add(&beat_shared_subject);
	add(&beat_at_subject);
	add(&notify_subject);
	measure_all();
	printf("@fact rounds %u\n", n_rounds);
	report();
	return 0;
}
