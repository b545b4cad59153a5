/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A harness for host tests: prints KTAP, runs all tests of a program or those
 * whose names match one of its arguments (shell patterns).
 *
 * CHECK_EQ() compares numbers, CHECK_STR() texts; the first difference is
 * reported with the row it belongs to and ends the test.
 */
#ifndef REIN_TEST_H
#define REIN_TEST_H

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(fn)	{ #fn, fn }
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static char test_expected[2048], test_seen[2048], test_where[2048];
static int test_failed;
static const char *test_row = "";	/* what a value of a table belongs to */

static inline void test_fail(int line, const char *expected, const char *seen)
{
	test_failed = 1;
	snprintf(test_expected, sizeof(test_expected), "'%.2000s'", expected);
	snprintf(test_seen, sizeof(test_seen), "'%.2000s'", seen);
	snprintf(test_where, sizeof(test_where), "line %d %.2000s", line, test_row);
}

static inline int test_eq(int line, unsigned long long seen, unsigned long long expected)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "%llu", expected);
	snprintf(b, sizeof(b), "%llu", seen);
	if (expected != seen)
		test_fail(line, a, b);
	return expected == seen;
}

static inline int test_str(int line, const char *seen, const char *expected)
{
	if (seen && !strcmp(seen, expected))
		return 1;
	test_fail(line, expected, seen ? seen : "(nothing)");
	return 0;
}

#define CHECK_EQ(seen, expected)				\
do {								\
	if (!test_eq(__LINE__, seen, expected))			\
		return;						\
} while (0)

#define CHECK_STR(seen, expected)				\
do {								\
	if (!test_str(__LINE__, seen, expected))		\
		return;						\
} while (0)

static inline int test_selected(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!fnmatch(argv[i], name, 0))
			return 1;
	return argc < 2;
}

static inline int test_main(const struct test *tests, size_t count, int argc, char **argv)
{
	int number = 0, failures = 0, planned = 0;
	size_t i;

	for (i = 0; i < count; i++)
		planned += test_selected(tests[i].name, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", planned);
	for (i = 0; i < count; i++) {
		if (!test_selected(tests[i].name, argc, argv))
			continue;
		test_failed = 0;
		test_row = "";
		tests[i].run();
		printf("%s %d %s\n", test_failed ? "not ok" : "ok", ++number, tests[i].name);
		if (!test_failed)
			continue;
		failures++;
		printf("# where: %s\n# expected: %s\n# seen: %s\n", test_where, test_expected,
		       test_seen);
		printf("# run: make -C selftests/unit-cli check TESTS=%s\n", tests[i].name);
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* REIN_TEST_H */
