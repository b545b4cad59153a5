// SPDX-License-Identifier: GPL-2.0
/*
 * When takes are to be granted, by the definition: everybody, in the order of
 * arrival, gets the earliest moment at which all its buckets have the
 * tokens and nobody who came before it is short at the time that it was given.
 *
 *	tool-oracle LIMIT... -- ACTION...
 *
 *	LIMIT	NAME:TOKENS/PERIOD:BURST[+TOKENS/PERIOD:BURST]...
 *	ACTION	as for tool-take: AT:MODE:NAME[=N],...; MODE means nothing here
 *
 * All times are in ticks, whatever these are, and so is what it prints. Levels are
 * integers, in units of 1/PERIOD token; every tick is tried, and each try looks at
 * the whole story from 0 on.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMITS		8
#define TIERS		4
#define TAKES		256
#define HORIZON	10000000

struct tier {
	long tokens, period, burst;
};

static struct limit {
	char *name;
	struct tier tiers[TIERS];
	int n_tiers;
} limits[LIMITS];

static struct take {
	long when;
	long cost[LIMITS];
} takes[TAKES];

static int n_limits, n_takes;

static void read_limit(char *text)
{
	struct limit *limit = &limits[n_limits++];
	char *tier;

	limit->name = strsep(&text, ":");
	while ((tier = strsep(&text, "+"))) {
		struct tier *t = &limit->tiers[limit->n_tiers++];

		if (sscanf(tier, "%ld/%ld:%ld", &t->tokens, &t->period, &t->burst) != 3)
			exit(2);
	}
}

/* Who is planned for the same time goes in the order of arrival. */
static int by_time(const void *a, const void *b)
{
	const struct take *x = *(struct take **)a, *y = *(struct take **)b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool tier_suffices(const struct tier *tier, int nth, struct take **order, int n)
{
	long level = tier->burst * tier->period, last = 0;
	int i;

	for (i = 0; i < n; i++) {
		if (!order[i]->cost[nth])
			continue;
		level += (order[i]->when - last) * tier->tokens;
		if (level > tier->burst * tier->period)
			level = tier->burst * tier->period;
		last = order[i]->when;
		level -= order[i]->cost[nth] * tier->period;
		if (level < 0)
			return false;
	}
	return true;
}

/* Does everybody so far have the tokens at the time it is given? */
static bool all_suffice(int n)
{
	struct take *order[TAKES];
	int i, j;

	for (i = 0; i < n; i++)
		order[i] = &takes[i];
	qsort(order, n, sizeof(order[0]), by_time);
	for (i = 0; i < n_limits; i++)
		for (j = 0; j < limits[i].n_tiers; j++)
			if (!tier_suffices(&limits[i].tiers[j], i, order, n))
				return false;
	return true;
}

static void read_take(char *action)
{
	struct take *take = &takes[n_takes++];
	char *name, *n;
	int i;

	take->when = atol(strsep(&action, ":"));
	strsep(&action, ":");
	while ((name = strsep(&action, ","))) {
		n = name;
		strsep(&n, "=");
		for (i = 0; i < n_limits; i++)
			if (!strcmp(limits[i].name, name))
				take->cost[i] = n ? atol(n) : 1;
	}
	while (!all_suffice(n_takes) && take->when < HORIZON)
		take->when++;
	printf("%ld\n", take->when);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") && n_limits < LIMITS; i++)
		read_limit(argv[i]);
	for (i++; i < argc && n_takes < TAKES; i++)
		read_take(argv[i]);
	return 0;
}
