// SPDX-License-Identifier: GPL-2.0
/*
 * Watches on a machine that is busy: who beats in time is never said to have missed a beat.
 * For longer than half a minute:
 *
 *	selftests/vm/run --timeout 0 --add build/kselftest -- \
 *		env WATCH_SECONDS=300 /kselftest/rein/watch-load
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <kselftest_harness.h>
#include "watch.h"

#define AGAIN		"run: make check TESTS=watch-load"
#define TIMEOUT		110

/* A hundred beats in a second, of which one in ten would do. */
#define PAUSE		(10 * MS)
#define CYCLE		(100 * MS)

/* As many processes that do nothing but keep a CPU busy as there are CPUs, and one more. */
#define HOGS		(sysconf(_SC_NPROCESSORS_ONLN) + 1)

enum way { BY_CALL, BY_WRITE, BY_COUNTER, BY_TIME, WAYS };

static const char *const way_names[WAYS] = { "a call", "write()", "a counter", "a time" };

/**
 * struct beater - whoever beats, one way or another
 * @thread:	it
 * @way:	which
 * @fd:		its watch
 * @id:		the id of that
 * @page:	the page of its slot, or NULL
 * @slot:	its slot
 * @from:	when it was armed, or before
 * @beats:	how often it has
 * @longest:	the longest time between two beats, at most: from before the one until after
 *		the other
 * @end:	when it is to end
 * @wrong:	a beat was refused
 */
struct beater {
	pthread_t thread;
	enum way way;
	int fd;
	uint64_t id;
	char *page;
	struct rein_watch_slot *slot;
	uint64_t from;
	uint64_t beats;
	uint64_t longest;
	uint64_t end;
	bool wrong;
};

FIXTURE(load) {
	int fd;
	int dev;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
};

FIXTURE_SETUP(load) {
	OPENS_WATCHES();
}

FIXTURE_TEARDOWN(load) {
	CLOSES_WATCHES();
}

static void beat_once(struct beater *beater)
{
	switch (beater->way) {
	case BY_CALL:
		beater->wrong |= watch_beat(beater->fd) < 0;
		break;
	case BY_WRITE:
		beater->wrong |= write(beater->fd, "", 1) != 1;
		break;
	case BY_COUNTER:
		slot_beat(beater->slot);
		break;
	default:
		__atomic_store_n(&beater->slot->stamp_ns, now_ns(), __ATOMIC_RELAXED);
	}
	beater->beats++;
}

static uint64_t since(struct beater *beater, uint64_t last)
{
	uint64_t now = now_ns();

	if (now - last > beater->longest)
		beater->longest = now - last;
	return now;
}

static void *beat_on(void *arg)
{
	struct beater *beater = arg;
	uint64_t last = beater->from, before;

	do {
		before = now_ns();
		beat_once(beater);
		since(beater, last);
		last = before;
		usleep(PAUSE / 1000);
	} while (last < beater->end);
	/* By now the last one was looked at. What it does not do any more is not to count. */
	beater->wrong |= watch_disarm(beater->fd) < 0;
	since(beater, last);
	return NULL;
}

static uint64_t seconds(void)
{
	const char *text = getenv("WATCH_SECONDS");

	return text ? strtoull(text, NULL, 0) : is_debug() ? 10 : 30;
}

static void beater_make(struct __test_metadata *_metadata, FIXTURE_DATA(load) *self,
			struct beater *beater, enum way way)
{
	static const uint32_t flags[WAYS] = {
		[BY_COUNTER] = REIN_WATCH_SLOT, [BY_TIME] = REIN_WATCH_STAMP,
	};
	struct watch_ask ask;
	uint32_t offset;

	*beater = (struct beater){ .way = way };
	/* One that has expired would say no more: so it puts up with all. */
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | flags[way]), CYCLE, REIN_MISS_MAX);
	beater->fd = SUCCEEDS(watch_make(self->dev, &ask));
	beater->id = said.id;
	offset = said.number;
	if (!flags[way])
		return;
	beater->page = map_slots(beater->fd);
	ASSERT_NE(NULL, beater->page);
	beater->slot = (void *)(beater->page + offset);
}

/*
 * A fault is only true if there was a time between two beats that is as long as a cycle: here
 * too, on a machine that is emulated on a busy one, there may be.
 */
static void beater_check(struct __test_metadata *_metadata, struct beater *beater)
{
	struct rein_watch_state state = { };

	EXPECT_FALSE(beater->wrong);
	/* Faults are told of before it is disarmed. */
	COMES(beater->fd, &state, REIN_COUNT_BEAT, beater->way == BY_TIME ? 1 : beater->beats);
	TH_LOG("by %s: %llu beats, %llu us between two at most, %llu faults",
	       way_names[beater->way], (unsigned long long)beater->beats,
	       (unsigned long long)beater->longest / 1000,
	       (unsigned long long)state.count[REIN_COUNT_MISS]);
	if (state.count[REIN_COUNT_MISS])
		EXPECT_LE(CYCLE, beater->longest) {
			TH_LOG("a false alarm; " AGAIN);
		}
	if (beater->way != BY_TIME)
		EXPECT_EQ(beater->beats, state.count[REIN_COUNT_BEAT]);
}

TEST_F_TIMEOUT(load, nobody_is_accused, 24 * 3600)
{
	static struct beater beaters[WAYS];
	pid_t hogs[64];
	long n = HOGS < 64 ? HOGS : 64, i;

	for (i = 0; i < WAYS; i++)
		beater_make(_metadata, self, &beaters[i], i);
	for (i = 0; i < n; i++) {
		hogs[i] = fork();
		if (!hogs[i])
			for (;;)
				;
	}
	for (i = 0; i < WAYS; i++) {
		beaters[i].from = now_ns();
		SUCCEEDS(watch_arm(beaters[i].fd));
		beaters[i].end = now_ns() + seconds() * SECOND;
		ASSERT_EQ(0, pthread_create(&beaters[i].thread, NULL, beat_on, &beaters[i]));
	}
	for (i = 0; i < WAYS; i++) {
		pthread_join(beaters[i].thread, NULL);
		beater_check(_metadata, &beaters[i]);
	}
	for (i = 0; i < n; i++) {
		kill(hogs[i], SIGKILL);
		waitpid(hogs[i], NULL, 0);
	}
	for (i = 0; i < WAYS; i++) {
		/* A page that is mapped keeps the file, as any does. */
		if (beaters[i].page)
			unmap_slots(beaters[i].page);
		close(beaters[i].fd);
	}
}

TEST_HARNESS_MAIN
