// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks. See clock.h.
 */
#include <linux/nsproxy.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/rein_dev.h>

#include "clock.h"
#include "limit.h"

/**
 * rein_clock_offset() - what the caller's time namespace adds to a clock
 * @clock:	which one
 *
 * Return: ns.
 */
s64 rein_clock_offset(enum rein_clock clock)
{
#ifdef CONFIG_TIME_NS
	const struct timens_offsets *offsets;

	offsets = &current->nsproxy->time_ns->offsets;
	return timespec64_to_ns(clock == REIN_CLOCK_BOOTTIME ?
				&offsets->boottime : &offsets->monotonic);
#else
	return 0;
#endif
}

/**
 * rein_clock_in() - a time as the caller gives it, by our clock
 * @clock:	which one
 * @time:	ns; REIN_DEV_NEVER: never
 *
 * Return: ns; REIN_NEVER: no clock gets there.
 */
u64 rein_clock_in(enum rein_clock clock, u64 time)
{
	s64 offset = rein_clock_offset(clock);

	if (time == REIN_DEV_NEVER)
		return REIN_NEVER;
	if (offset > 0)
		return time > offset ? time - offset : 0;
	return check_add_overflow(time, (u64)-offset, &time) ? REIN_NEVER : time;
}

/**
 * rein_clock_after() - when a delay is over
 * @now:	ns
 * @delay:	ns
 *
 * Return: ns; REIN_NEVER: no clock gets there.
 */
u64 rein_clock_after(u64 now, u64 delay)
{
	return check_add_overflow(now, delay, &now) ? REIN_NEVER : now;
}
