// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU memory on the host. See include/host.h.
 *
 * As in the kernel, a per-CPU pointer is one into the section of the variables
 * that are defined so, or beyond its end, and never followed: what it points to is
 * the offset of a CPU away, in that CPU's own area.
 */
#include <stdio.h>

#include <host.h>

#define AREA		(1 << 20)

unsigned int host_cpus = HOST_CPUS;
long host_percpu_offset[HOST_CPUS];
__thread unsigned int host_cpu;
__thread long host_this_offset;
__thread unsigned int host_preempt_count;
unsigned long host_jiffies;

/* The linker makes the section only if there is anything in it. */
static DEFINE_PER_CPU(long, unused) __attribute__((used));

static char areas[HOST_CPUS][AREA] __attribute__((aligned(4096)));
static size_t used;

/* Before anybody else's. */
static __attribute__((constructor(101))) void host_init(void)
{
	unsigned int i;

	used = __stop_host_percpu - __start_host_percpu;
	for (i = 0; i < HOST_CPUS; i++)
		host_percpu_offset[i] = (uintptr_t)areas[i] -
					(uintptr_t)__start_host_percpu;
	host_cpu_set(0);
}

/**
 * host_cpu_set() - say which CPU this thread is
 * @cpu:	less than host_cpus
 */
void host_cpu_set(unsigned int cpu)
{
	host_cpu = cpu;
	host_this_offset = host_percpu_offset[cpu];
}

/**
 * host_alloc_percpu() - memory for each CPU, zeroed
 * @size:	bytes
 * @align:	alignment, a power of 2
 *
 * Return: a per-CPU pointer, or NULL if there is no more.
 */
void *host_alloc_percpu(size_t size, size_t align)
{
	size_t at = __atomic_load_n(&used, __ATOMIC_RELAXED), begin;

	do {
		begin = (at + align - 1) & -align;
		if (begin + size > AREA)
			return NULL;
	} while (!__atomic_compare_exchange_n(&used, &at, begin + size, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (void *)((uintptr_t)__start_host_percpu + begin);
}

/**
 * host_free_percpu() - what is not used again, since a test ends soon
 * @pcpu:	what host_alloc_percpu() returned
 */
void host_free_percpu(void *pcpu)
{
	(void)pcpu;
}
