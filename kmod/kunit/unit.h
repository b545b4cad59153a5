/* SPDX-License-Identifier: GPL-2.0 */
/* What bucket_rules.h and pulse_rules.h need, in terms of KUnit. */
#ifndef REIN_KUNIT_UNIT_H
#define REIN_KUNIT_UNIT_H

#include <kunit/test.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT_TEST(fn)	{ #fn, fn }

/* Suites run one after the other, in one thread each. */
static struct kunit *unit_running;
static const char *unit_row = "";

#define CHECK_EQ(seen, expected)						\
	KUNIT_ASSERT_EQ_MSG(unit_running, (u64)(expected), (u64)(seen), "%s",	\
			    unit_row)

#endif /* REIN_KUNIT_UNIT_H */
