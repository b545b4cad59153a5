// SPDX-License-Identifier: GPL-2.0
/*
 * rein-kunit: suites of what in rein can be called without a packet or a
 * request. A module of its own, made of the sources it tests; loading it runs
 * them.
 */
#include <linux/module.h>

#include "suites.h"

kunit_test_suites(&rein_bucket_suite, &rein_admit_suite, &rein_pulse_suite, &rein_room_suite,
		  &rein_scope_suite);

MODULE_DESCRIPTION("KUnit suites of rein");
MODULE_LICENSE("GPL");
