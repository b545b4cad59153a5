/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's list.h for host programs, and admit.c, want of headers that can't be
 * had beside bucket.h: their u64 is another type than that of user space's
 * <linux/types.h>. The last one it includes is this.
 */
#ifndef REIN_UNIT_COMPILER_H
#define REIN_UNIT_COMPILER_H

#include <stdbool.h>
#include <stddef.h>

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define container_of(ptr, type, member)					\
	((type *)((char *)(ptr) - offsetof(type, member)))

#define noinline		__attribute__((__noinline__))

/* Atomic, and not only volatile, for the sanitizer that looks for races. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)

#endif /* REIN_UNIT_COMPILER_H */
