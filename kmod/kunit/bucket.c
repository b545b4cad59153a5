// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the token bucket, as the kernel compiles it.
 */
#include "../bucket.c"

#include "suites.h"
#include "unit.h"
#include "bucket_rules.h"

static void rule_name(const struct unit_test *rule, char *name)
{
	strscpy(name, rule->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rule, bucket_rules, rule_name);

static void bucket_rule(struct kunit *test)
{
	const struct unit_test *rule = test->param_value;

	unit_running = test;
	unit_row = "";
	rule->run();
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(bucket_rule, rule_gen_params),
	{ }
};

struct kunit_suite rein_bucket_suite = {
	.name = "rein-bucket",
	.test_cases = cases,
};
