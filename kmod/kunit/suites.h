/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_KUNIT_SUITES_H
#define REIN_KUNIT_SUITES_H

#include <kunit/test.h>

extern struct kunit_suite rein_bucket_suite;
extern struct kunit_suite rein_admit_suite;
extern struct kunit_suite rein_pulse_suite;
extern struct kunit_suite rein_room_suite;
extern struct kunit_suite rein_scope_suite;

#endif /* REIN_KUNIT_SUITES_H */
