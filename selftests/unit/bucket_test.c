// SPDX-License-Identifier: GPL-2.0
/* The rules of the token bucket, and its division. */

/* Included, not linked: its division is tested too. */
#include "../../kmod/bucket.c"

#include "unit.h"
#include "../../kmod/kunit/bucket_rules.h"

static void division(void)
{
	static const u64 v[] = {
		1, 2, 3, 7, 10, 1000, 0xffff, SEC, DAY,
		0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		0x100000000, 0x100000001, 0x1ffffffff,
		0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
		0x80000000ffffffff, 0xfffffffeffffffff, 0xffffffff00000000,
		0xffffffff00000001, 0xfffffffffffffffe, 0xffffffffffffffff,
	};
	size_t i, j, k;

	for (i = 0; i < ARRAY_SIZE(v); i++)
		for (j = 0; j < ARRAY_SIZE(v); j++) {
			struct u128 p = mul_64_64(v[i], v[j]);
			__uint128_t product = (__uint128_t)v[i] * v[j];

			CHECK_EQ(p.lo, (u64)product);
			CHECK_EQ(p.hi, (u64)(product >> 64));
			for (k = 0; k < ARRAY_SIZE(v); k++) {
				struct u128 n = { v[i], v[j] };
				__uint128_t want;
				u64 q, rem;

				n.hi %= v[k];
				want = (__uint128_t)n.hi << 64 | n.lo;
				q = div_128_64(n, v[k], &rem);
				CHECK_EQ(q, (u64)(want / v[k]));
				CHECK_EQ(rem, (u64)(want % v[k]));
			}
		}
}

static void division_random(void)
{
	u64 x = 88172645463325252ULL;
	u64 v[3], q, rem;
	int i, j;

	for (i = 0; i < 1000000; i++) {
		struct u128 n;
		__uint128_t want;

		for (j = 0; j < 3; j++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* many bits set or clear: where estimates go wrong */
			v[j] = x >> (x & 63);
			if (x & 64)
				v[j] = ~v[j];
			if (x & 128)
				v[j] <<= 32;
		}
		if (!v[2])
			continue;
		n.hi = v[0] % v[2];
		n.lo = v[1];
		want = (__uint128_t)n.hi << 64 | n.lo;
		q = div_128_64(n, v[2], &rem);
		CHECK_EQ(q, (u64)(want / v[2]));
		CHECK_EQ(rem, (u64)(want % v[2]));
	}
}

static const struct unit_test division_tests[] = {
	UNIT_TEST(division),
	UNIT_TEST(division_random),
};

int main(int argc, char **argv)
{
	struct unit_test tests[ARRAY_SIZE(bucket_rules) + ARRAY_SIZE(division_tests)];

	memcpy(tests, bucket_rules, sizeof(bucket_rules));
	memcpy(tests + ARRAY_SIZE(bucket_rules), division_tests, sizeof(division_tests));
	return unit_main(tests, ARRAY_SIZE(tests), argc, argv);
}
