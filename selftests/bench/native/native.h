/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times of limiters on the host: see main.c.
 */
#ifndef REIN_BENCH_NATIVE_H
#define REIN_BENCH_NATIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CHAIN		4	/* limits of the longest chain */

/*
 * More than two threads can ask for: nothing is refused, and what a take left is earned
 * again by the next, as in any limit that isn't reached. The burst is that of a limit
 * which lends each of two CPUs 125 takes, as 100 Mbit/s do with packets of 1,250 bytes.
 */
#define RATE		500000000ULL	/* a second */
#define BURST		1000ULL

enum situation {
	ONE,			/* a thread takes from a limit */
	SHARED,			/* two threads, from the same */
	APART,			/* two threads, each from its own */
	CHAINED,		/* a thread takes from four limits at once */
	CHAINS,			/* two threads, each its own and three in common */
	REFUSED,		/* a thread is refused by a limit */
	SITUATIONS
};

/**
 * struct subject - something that is measured
 * @key:	what it is called in what is printed; stays what it is
 * @situations:	a bit for each it can be in
 * @make:	make a limit; an empty one, that gets a token a day, if @refuses
 * @take:	take a token from all of @n limits, @times over; returns how
 *		often there was one
 * @round:	instead of these, for what is not in this program: do it, and say
 *		how many ns it took all threads together, and what was admitted
 */
struct subject {
	const char *key;
	unsigned int situations;
	void *(*make)(bool refuses);
	unsigned long (*take)(void *const *limits, unsigned int n,
			      unsigned long times);
	double (*round)(enum situation situation, unsigned long times,
			unsigned long *admitted);
};

extern const char *const situation_keys[SITUATIONS];

extern const struct subject clock_subject, spin_subject, fair_subject, gcra_subject;
extern const struct subject rein_subject, rein_small_subject, rein_packet_subject;
extern const struct subject beat_subject, beat_shared_subject, beat_at_subject, notify_subject;
extern const struct subject tsc_subject, dpdk_subject;
extern const struct subject go_clock_subject, go_subject;

bool go_start(const char *program, const int *cpus, unsigned int n, char *version, int size);

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

#endif /* REIN_BENCH_NATIVE_H */
