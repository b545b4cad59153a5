/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chance, that can be repeated: OPS (or what a program calls it) in the environment is the
 * number of operations, SEED where to begin.
 */
#ifndef REIN_UNIT_CHANCE_H
#define REIN_UNIT_CHANCE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bucket.h"

static __thread u64 random_state;
static u64 base_seed, ops_wanted;

static inline u64 random_u64(void)
{
	u64 x = random_state += 0x9e3779b97f4a7c15ULL;	/* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static inline u64 below(u64 n)
{
	return random_u64() % n;
}

static inline void random_begin(u64 seed)
{
	random_state = seed * 0xd1342543de82ef95ULL;
}

static inline u64 number_from_env(const char *name, u64 otherwise)
{
	const char *s = getenv(name);
	char *end;
	u64 v;

	if (!s || !*s)
		return otherwise;
	v = strtoull(s, &end, 0);
	if (*end) {
		fprintf(stderr, "%s: not a number: %s\n", name, s);
		exit(2);
	}
	return v;
}

/* For each of @count tests its part of the operations, of which @name says how many. */
static inline void chance_from_env(const char *name, u64 default_ops, size_t count)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	base_seed = (u64)now.tv_sec * 1000003 + now.tv_nsec;
	base_seed = number_from_env("SEED", base_seed & 0xffffffff);
	ops_wanted = number_from_env(name, default_ops) / count;
}

#endif /* REIN_UNIT_CHANCE_H */
