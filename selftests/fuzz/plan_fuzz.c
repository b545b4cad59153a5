// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of plan_random_test on a plan, with its oracle, but of a case that
 * libFuzzer makes up, which sees what code it reaches.
 */
#include "../unit/plan_random_test.c"
#include "fuzz.h"

/* The oracle knows small ones only. */
static u64 rate_from(u64 v)
{
	return v % 6 < 5 ? v % 6 : REIN_RATE_UNLIMITED;
}

static struct bucket_values bucket_from(struct fuzz_reader *in)
{
	return (struct bucket_values){
		.rate = rate_from(fuzz_byte(in)),
		.period = fuzz_byte(in),
		.burst = fuzz_byte(in),
	};
}

static void op_from(struct fuzz_reader *in, struct op *op)
{
	unsigned int i;

	op->kind = fuzz_byte(in) % (OP_DEBT + 1);
	for (i = 0; i < VALUES; i++)
		op->v[i] = fuzz_byte(in);
	if (op->kind == OP_SET)
		op->v[2] = rate_from(op->v[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_reader in = { data, size };
	struct test_case c;
	int l, i;

	c.start = fuzz_number(&in) >> 2;
	c.n_limits = fuzz_byte(&in);
	for (l = 0; l < MAX_LIMITS; l++) {
		c.n_tiers[l] = fuzz_byte(&in);
		for (i = 0; i < MAX_TIERS; i++)
			c.bucket[l][i] = bucket_from(&in);
	}
	for (c.count = 0; in.left && c.count < OPS_PER_CASE; c.count++)
		op_from(&in, &c.ops[c.count]);
	if (run_case(&c))
		return 0;
	print_case(&c);
	EXPECT(false, "%s", failure.why);
	return 0;
}
