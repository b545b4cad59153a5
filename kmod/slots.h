/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots: places in pages that programs beat in without a call. Those of one process and one
 * opening of /dev/rein come one after the other, and a page lives as long as any of its slots,
 * or somebody's mapping. A slot is not given twice: what a program still writes to it counts
 * for nobody else.
 */
#ifndef REIN_SLOTS_H
#define REIN_SLOTS_H

#include <linux/mutex.h>
#include <linux/rein_dev.h>

struct rein_slots;
struct vm_area_struct;

/**
 * struct rein_slot - one of them
 * @slots:	the page, holds a reference; NULL: none
 * @at:		where in it
 * @seen:	of the counter or the time, what was seen last
 */
struct rein_slot {
	struct rein_slots *slots;
	struct rein_watch_slot *at;
	u64 seen;
};

/**
 * struct rein_slot_source - where the next one comes from
 * @lock:	guards the rest
 * @slots:	the present page, holds a reference; NULL: none
 */
struct rein_slot_source {
	struct mutex lock;
	struct rein_slots *slots;
};

void rein_slot_source_init(struct rein_slot_source *source);
void rein_slot_source_exit(struct rein_slot_source *source);

int rein_slot_get(struct rein_slot *slot, struct rein_slot_source *source);
void rein_slot_put(struct rein_slot *slot);
u32 rein_slot_offset(const struct rein_slot *slot);
int rein_slot_map(const struct rein_slot *slot, struct vm_area_struct *vma);

#endif /* REIN_SLOTS_H */
