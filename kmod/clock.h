/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clocks: the times that programs give us, which a time namespace may have moved, and
 * our own, which none has.
 *
 * Context: any; to and from programs' times, the task whose they are.
 */
#ifndef REIN_CLOCK_H
#define REIN_CLOCK_H

#include <linux/timekeeping.h>
#include <linux/types.h>

enum rein_clock {
	REIN_CLOCK_MONOTONIC,
	REIN_CLOCK_BOOTTIME,
	REIN_CLOCKS,
};

s64 rein_clock_offset(enum rein_clock clock);
u64 rein_clock_in(enum rein_clock clock, u64 time);
u64 rein_clock_after(u64 now, u64 delay);

/**
 * rein_clock_now() - what time it is
 * @clock:	by which clock
 *
 * Return: ns.
 */
static inline u64 rein_clock_now(enum rein_clock clock)
{
	return clock == REIN_CLOCK_BOOTTIME ? ktime_get_boottime_ns() :
					      ktime_get_ns();
}

#endif /* REIN_CLOCK_H */
