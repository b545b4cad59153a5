/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A harness for host tests: prints KTAP, runs all tests of a program or those
 * whose names match one of its arguments (shell patterns).
 *
 * A test is a function; CHECK_EQ() compares two u64, reports the first
 * difference in the result line and returns from the test.
 */
#ifndef REIN_UNIT_H
#define REIN_UNIT_H

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* How a test is run again: its name, and variables. */
#ifndef UNIT_AGAIN
#define UNIT_AGAIN	"make -C selftests/unit check TESTS=%s%s"
#endif

#define UNIT_TEST(fn)		{ #fn, fn }
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

static char unit_failure[512];
static const char *unit_rerun = "";	/* variables to repeat a failure */

static inline __printf(1, 2) void unit_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(unit_failure, sizeof(unit_failure), fmt, ap);
	va_end(ap);
}

/* What a value of a table test belongs to: shown if it isn't as expected. */
static const char *unit_row = "";

#define CHECK_EQ(seen_expr, expected_expr)				\
do {									\
	unsigned long long expected_ = (expected_expr);			\
	unsigned long long seen_ = (seen_expr);				\
									\
	if (expected_ != seen_) {					\
		unit_fail("expected %llu seen %llu (%s:%d: %s%s%s)",	\
			  expected_, seen_, __FILE__, __LINE__,		\
			  #seen_expr, *unit_row ? ", " : "", unit_row);	\
		return;							\
	}								\
} while (0)

static inline int unit_selected(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!fnmatch(argv[i], name, 0))
			return 1;
	return argc < 2;
}

static inline int unit_main(const struct unit_test *tests, size_t count,
			    int argc, char **argv)
{
	int planned = 0, number = 0, failed = 0;
	size_t i;

	for (i = 0; i < count; i++)
		planned += unit_selected(tests[i].name, argc, argv);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", planned);

	for (i = 0; i < count; i++) {
		if (!unit_selected(tests[i].name, argc, argv))
			continue;
		unit_failure[0] = '\0';
		unit_row = "";
		tests[i].run();
		if (!*unit_failure) {
			printf("ok %d %s\n", ++number, tests[i].name);
			continue;
		}
		failed++;
		printf("not ok %d %s # %s\n", ++number, tests[i].name,
		       unit_failure);
		printf("# again: " UNIT_AGAIN "\n", tests[i].name, unit_rerun);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* REIN_UNIT_H */
