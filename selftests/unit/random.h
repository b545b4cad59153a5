/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests by random operations: cases are generated from a seed and run, and
 * the first that fails is shrunk and printed. The first case has SEED itself, so
 * a failing one is repeated by SEED=(as printed).
 *
 * Before this is included a program has
 *
 *	struct profile		what kind of cases
 *	struct op		one operation
 *	struct test_case	with int count, struct op ops[]
 *
 * and then defines what is declared at the end.
 */
#ifndef REIN_UNIT_RANDOM_H
#define REIN_UNIT_RANDOM_H

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "bucket.h"
#include "chance.h"
#include "unit.h"

#define MAX_SHRINK_RUNS		50000
#ifndef MAX_SHRINK_S
#define MAX_SHRINK_S		60
#endif
#define MAX_CASE_S		20	/* of CPU time; 1 while shrinking */

static void generate(struct test_case *c, const struct profile *p);
static bool run_case(const struct test_case *c);	/* or say wrong() */
static void print_case(const struct test_case *c);
static bool shrink_values(struct test_case *c);		/* by shrink_value() */

static struct {
	char why[512];
	int op;			/* which one went wrong */
} failure;

static u64 case_seed;
static int shrink_runs;
static time_t shrink_until;
static sigjmp_buf trap;

static inline __printf(1, 2) bool wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(failure.why, sizeof(failure.why), fmt, ap);
	va_end(ap);
	return false;
}

static void on_trap(int sig)
{
	siglongjmp(trap, sig);
}

static void time_limit(int seconds)
{
	struct itimerval t = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &t, NULL);
}

/* A division that traps and a search without end are failures like any. */
static bool passes(const struct test_case *c)
{
	bool passed;
	int sig;

	failure.op = 0;
	sig = sigsetjmp(trap, 1);
	if (sig)
		return wrong("expected a result, seen %s", strsignal(sig));
	time_limit(shrink_until ? 1 : MAX_CASE_S);
	passed = run_case(c);
	time_limit(0);
	return passed;
}

/* Shrinking: less operations, then smaller values, as long as it fails. */

static bool shrunk_enough(void)
{
	return shrink_runs >= MAX_SHRINK_RUNS || time(NULL) > shrink_until;
}

static bool still_fails(const struct test_case *c)
{
	if (shrunk_enough())
		return false;
	shrink_runs++;
	return !passes(c);
}

static bool shrink_count(struct test_case *c)
{
	bool better = false;
	int chunk, at;

	for (chunk = c->count; chunk > 0; chunk /= 2) {
		at = 0;
		while (at + chunk <= c->count) {
			struct test_case try = *c;

			try.count -= chunk;
			memmove(&try.ops[at], &try.ops[at + chunk],
				(try.count - at) * sizeof(try.ops[0]));
			if (still_fails(&try)) {
				*c = try;
				better = true;
			} else {
				at++;
			}
		}
	}
	return better;
}

static inline bool shrink_value(struct test_case *c, u64 *v)
{
	u64 old = *v, step;

	for (*v = 0; *v < 3 && *v < old; ++*v)
		if (still_fails(c))
			return true;
	for (step = old / 2; step; step /= 2) {
		*v = old - step;
		if (still_fails(c))
			return true;
	}
	*v = old;
	return false;
}

static void shrink(struct test_case *c)
{
	bool better = true;

	shrink_runs = 0;
	shrink_until = time(NULL) + MAX_SHRINK_S;
	while (better && !shrunk_enough()) {
		better = shrink_count(c);
		better |= shrink_values(c);
	}
	passes(c);
	shrink_until = 0;
}

#ifdef SANITIZED
#include <sanitizer/common_interface_defs.h>

/* A sanitizer ends the process: say at least which case it was. */
static void on_death(void)
{
	printf("# died in the case with SEED=0x%llx\n", case_seed);
	fflush(stdout);
}
#endif

static inline void run_profile(const struct profile *p)
{
	static struct test_case c;
	static char again[64];
	u64 done = 0, cases = 0;

	for (case_seed = base_seed; done < ops_wanted; case_seed++, cases++) {
		random_begin(case_seed);
		generate(&c, p);
		done += c.count;
		if (passes(&c))
			continue;
		shrink(&c);
		print_case(&c);
		snprintf(again, sizeof(again), " SEED=0x%llx", case_seed);
		unit_rerun = again;
		unit_fail("%s (shrunk to the case above)", failure.why);
		return;
	}
	printf("# %llu operations in %llu cases, SEED=0x%llx\n", done, cases,
	       base_seed);
}

static int random_main(const struct unit_test *tests, size_t count,
		       u64 default_ops, int argc, char **argv)
{
	chance_from_env("OPS", default_ops, count);
	signal(SIGFPE, on_trap);
	signal(SIGVTALRM, on_trap);
#ifdef SANITIZED
	__sanitizer_set_death_callback(on_death);
#endif
	return unit_main(tests, count, argc, argv);
}

#endif /* REIN_UNIT_RANDOM_H */
