// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of pulses, as the kernel compiles it.
 */
#include "../pulse.h"

#include "suites.h"
#include "unit.h"
#include "pulse_rules.h"

static void rule_name(const struct unit_test *rule, char *name)
{
	strscpy(name, rule->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rule, pulse_rules, rule_name);

static void pulse_rule(struct kunit *test)
{
	const struct unit_test *rule = test->param_value;

	unit_running = test;
	unit_row = "";
	rule->run();
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(pulse_rule, rule_gen_params),
	{ }
};

struct kunit_suite rein_pulse_suite = {
	.name = "rein-pulse",
	.test_cases = cases,
};
