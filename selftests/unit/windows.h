/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a bucket may and must have admitted, by what is known of when: see windows.c.
 */
#ifndef REIN_UNIT_WINDOWS_H
#define REIN_UNIT_WINDOWS_H

#include "bucket.h"

#define PERIOD		1000000000ULL	/* of all rates, ns */
#define MAX_CHANGES	64

typedef __int128 wide_int;

/* Tokens that were asked for, some time from @t0 to @t1. */
struct claim {
	u64 t0, t1;
	u64 cost;
	bool *explained;	/* of a refusal: may this bucket have lacked them? */
};

/* From some time in @t0 to @t1 on. */
struct change {
	u64 t0, t1;
	u64 rate, burst;
};

struct claims {
	struct claim *all;
	unsigned int n;
};

/**
 * struct account - all that is known of a bucket
 * @change:	the first is what it begins with, full, at its @t1
 * @n_changes:	how many
 * @may_debt:	a cost above the burst is paid by a full bucket
 * @slack:	how many tokens less than the exact level it may have
 * @passed:	what it was charged
 * @refused:	what was refused, by it or by another one of the chain
 */
struct account {
	struct change change[MAX_CHANGES];
	unsigned int n_changes;
	bool may_debt;
	u64 slack;
	struct claims passed, refused;
};

const struct claim *account_excess(struct account *acc);
void account_explain(struct account *acc);
void account_level(struct account *acc, u64 t, wide_int *least, wide_int *most);

#endif /* REIN_UNIT_WINDOWS_H */
