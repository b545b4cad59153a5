/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection: let something that a thread does fail, where the kernel can do that.
 */
#ifndef REIN_SELFTESTS_FAULT_H
#define REIN_SELFTESTS_FAULT_H

#include <fcntl.h>

#include "take.h"

#define INJECTION	"/sys/kernel/debug/"

static int nth_fd = -1;

/* Let the @n-th from now fail, in this thread; 0: none. */
static inline void fail_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* That is a copy from user space itself, and may be the one to fail. */
	if (pwrite(nth_fd, text, len, 0) != len && pwrite(nth_fd, text, len, 0) != len)
		abort();
}

/* How many more would have to come for one to fail, 0: one did. Switches it off. */
static inline unsigned int left_to_fail(void)
{
	char text[16] = "";
	ssize_t got = pread(nth_fd, text, sizeof(text) - 1, 0);

	fail_nth(0);
	/* As above: then it was this one. */
	return got > 0 ? strtoul(text, NULL, 10) : 1;
}

static inline bool has_failed(void)
{
	return !left_to_fail();
}

/* False if this kernel can't. Failures are wanted: the log needn't tell. */
static inline bool prepare(void)
{
	static const char *const what[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[128];
	size_t i;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0 || access(INJECTION "failslab", F_OK))
		return false;
	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		snprintf(path, sizeof(path), INJECTION "%s/verbose", what[i]);
		if (!put_file(path, "0"))
			return false;
		/* Those that may sleep don't fail by default. */
		snprintf(path, sizeof(path), INJECTION "%s/ignore-gfp-wait", what[i]);
		put_file(path, "N");
	}
	put_file(INJECTION "fail_page_alloc/min-order", "0");
	return true;
}

#endif /* REIN_SELFTESTS_FAULT_H */
