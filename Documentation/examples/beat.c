// SPDX-License-Identifier: GPL-2.0
/*
 * A worker with a watch over itself.
 *
 *	beat MS UNITS [HANG]
 *
 * It does UNITS of work, each of which takes about MS, and says of each when it begins and
 * ends; while it works it beats: by a store to memory, no system call. If it doesn't for ten
 * times MS the watch expires, and the kernel kills it. In unit HANG it hangs: look at it
 * meanwhile with rein watch show, which says in which unit.
 *
 * With librein installed: cc beat.c $(pkg-config --cflags --libs rein)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rein.h>

#define MS	1000000ULL

/* How often it beats in a unit. */
#define BEATS	10

static int fail(const char *what, int err)
{
	fprintf(stderr, "beat: %s: %s\n", what, strerror(err));
	return 1;
}

/* What hangs is not asked. */
static int keep_watch(int dev, uint64_t ms, struct rein_watch_result *result)
{
	static const struct rein_watch_step steps[] = { { .kind = REIN_STEP_KILL } };
	const struct rein_watch_opts opts = {
		.name = "example",
		.flags = REIN_WATCH_OWNED | REIN_WATCH_ARM | REIN_WATCH_SLOT,
		.subject = REIN_SUBJECT_PROCESS,
		.rules = { .every_ns = 10 * ms * MS, .min = 1, .unit_max_ns = 20 * ms * MS },
		.steps = steps,
		.n_steps = 1,
	};

	return rein_watch_new(dev, &opts, result);
}

static void work(struct rein_watch_slot *slot, uint64_t ms)
{
	const uint64_t piece_ns = ms * MS / BEATS;
	const struct timespec piece = { piece_ns / (1000 * MS), piece_ns % (1000 * MS) };
	int i;

	for (i = 0; i < BEATS; i++) {
		nanosleep(&piece, NULL);
		rein_beat(slot);
	}
}

static int run(int watch, struct rein_watch_slot *slot, uint64_t ms, int units, int hang)
{
	struct rein_watch_result result;
	char unit[REIN_UNIT_LEN];
	int i, ret;

	for (i = 1; i <= units; i++) {
		snprintf(unit, sizeof(unit), "unit-%d", i);
		ret = rein_watch_begin(watch, unit, 0, 0, &result);
		if (ret)
			return fail(result.message, -ret);
		while (i == hang)
			pause();
		work(slot, ms);
		ret = rein_watch_end(watch, unit, 0, &result);
		if (ret)
			return fail(result.message, -ret);
		printf("%s: done\n", unit);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t ms = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	struct rein_watch_result result;
	struct rein_watch_slot *slot;
	int dev, watch, ret;

	if (argc < 3 || argc > 4 || !ms) {
		fprintf(stderr, "usage: beat MS UNITS [HANG]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	dev = rein_dev_open();
	if (dev < 0)
		return fail(REIN_DEV_PATH, -dev);
	watch = keep_watch(dev, ms, &result);
	if (watch < 0)
		return fail(result.message, -watch);
	slot = rein_watch_map(watch, result.slot);
	if (!slot)
		return fail("the slot can't be mapped", errno);
	ret = run(watch, slot, ms, atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 0);
	rein_watch_unmap(slot);
	close(watch);
	return ret;
}
