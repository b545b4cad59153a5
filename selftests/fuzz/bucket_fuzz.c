// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of bucket_random_test on a bucket, with its oracle, but of a case that
 * libFuzzer makes up, which sees what code it reaches.
 */
#include "../unit/bucket_random_test.c"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_reader in = { data, size };
	struct test_case c;
	unsigned int i;

	c.rate.tokens = fuzz_number(&in);
	c.rate.period_ns = fuzz_number(&in);
	c.burst = fuzz_number(&in);
	c.start = fuzz_number(&in);
	for (c.count = 0; in.left && c.count < OPS_PER_CASE; c.count++) {
		struct op *op = &c.ops[c.count];

		op->kind = fuzz_byte(&in) % (OP_CHARGE + 1);
		for (i = 0; i < ARRAY_SIZE(op->v); i++)
			op->v[i] = fuzz_number(&in);
	}
	if (run_case(&c))
		return 0;
	print_case(&c);
	EXPECT(false, "%s", failure.why);
	return 0;
}
