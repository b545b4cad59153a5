/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integers of 256 bits, two's complement: enough for every product and sum of
 * products an oracle for 64-bit token arithmetic needs, with no rounding and
 * no division.
 */
#ifndef REIN_UNIT_WIDE_H
#define REIN_UNIT_WIDE_H

#include "bucket.h"

struct wide {
	u64 limb[4];		/* least significant first */
};

static inline struct wide wide_of(u64 v)
{
	return (struct wide){ { v, 0, 0, 0 } };
}

static inline struct wide wide_add(struct wide a, struct wide b)
{
	__uint128_t sum = 0;
	int i;

	for (i = 0; i < 4; i++) {
		sum += (__uint128_t)a.limb[i] + b.limb[i];
		a.limb[i] = sum;
		sum >>= 64;
	}
	return a;
}

static inline struct wide wide_neg(struct wide a)
{
	int i;

	for (i = 0; i < 4; i++)
		a.limb[i] = ~a.limb[i];
	return wide_add(a, wide_of(1));
}

static inline struct wide wide_sub(struct wide a, struct wide b)
{
	return wide_add(a, wide_neg(b));
}

static inline struct wide wide_mul(struct wide a, u64 b)
{
	__uint128_t sum = 0;
	int i;

	for (i = 0; i < 4; i++) {
		sum += (__uint128_t)a.limb[i] * b;
		a.limb[i] = sum;
		sum >>= 64;
	}
	return a;
}

static inline struct wide wide_product(u64 a, u64 b)
{
	return wide_mul(wide_of(a), b);
}

/* a < b */
static inline bool wide_less(struct wide a, struct wide b)
{
	return wide_sub(a, b).limb[3] >> 63;
}

static inline bool wide_equal(struct wide a, struct wide b)
{
	int i;

	for (i = 0; i < 4; i++)
		if (a.limb[i] != b.limb[i])
			return false;
	return true;
}

#endif /* REIN_UNIT_WIDE_H */
