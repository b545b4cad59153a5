/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure parts need of the kernel, which host programs have of their own.
 */
#ifndef REIN_PURE_H
#define REIN_PURE_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/string.h>
#else
#include <stdbool.h>
#include <string.h>

typedef __u64 u64;
typedef __u32 u32;

#ifndef U64_MAX
#define U64_MAX			((u64)~0ULL)
#endif

static inline u64 div64_u64_rem(u64 n, u64 d, u64 *rem)
{
	*rem = n % d;
	return n / d;
}
#endif

#endif /* REIN_PURE_H */
