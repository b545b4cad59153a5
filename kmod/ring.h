/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring that records are kept in: fixed memory, in which the oldest record makes
 * room for the newest. Records of bugs are moved to a shelf of their own instead, and
 * there make room for newer bugs only. Nothing here sleeps, allocates or fails; what
 * isn't kept is counted, so that at any time
 *
 *   raised = stored + folded + overwritten + suppressed
 *
 * Ids are given without a gap, so that a reader knows what it has missed.
 *
 * Locking: the ring's lock, then that of one slot, both innermost and _bh. An event of
 * the data path that is folded takes neither: it counts by compare and exchange, and what
 * else it has to say it says only if nobody holds the slot. What comes less often opens
 * the record again, and can say all of it anew.
 */
#ifndef REIN_RING_H
#define REIN_RING_H

#include <linux/types.h>

struct rein_code_info;
struct rein_record;
struct rein_value;

/**
 * struct rein_ring_counts - the books of the ring
 * @raised:	events
 * @stored:	records that are held
 * @folded:	events counted into a record that was there
 * @overwritten: records that made room for newer ones, or were cleared away
 * @suppressed:	events that left no trace but this count
 * @newest:	id of the newest record, 0: there was none
 * @oldest:	of all records that are no older, none has made room yet
 */
struct rein_ring_counts {
	u64 raised;
	u64 stored;
	u64 folded;
	u64 overwritten;
	u64 suppressed;
	u64 newest;
	u64 oldest;
};

struct rein_record *rein_ring_open(const struct rein_code_info *info, u64 *fold);
void rein_ring_close(struct rein_record *rec);
bool rein_ring_fold(u64 id, const struct rein_value *value);
struct rein_record *rein_ring_reopen(u64 id);
void rein_ring_more(struct rein_record *rec, u64 n);
void rein_ring_suppress(u64 n);
void rein_ring_clear(void);

u64 rein_ring_newest(void);
u64 rein_ring_next(u64 id);
bool rein_ring_read(u64 id, struct rein_record *copy);
bool rein_ring_test(u64 id,
		    bool (*test)(const struct rein_record *rec, const void *arg),
		    const void *arg);
void rein_ring_count(struct rein_ring_counts *counts);

int rein_ring_init(void);
void rein_ring_exit(void);

#endif /* REIN_RING_H */
