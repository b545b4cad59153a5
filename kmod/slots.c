// SPDX-License-Identifier: GPL-2.0
/*
 * Slots. See slots.h.
 */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "slots.h"

/* Each has a cache line of its own: who beats next to it doesn't slow it down. */
#define SLOT_SIZE	64
#define SLOTS		(PAGE_SIZE / SLOT_SIZE)

static_assert(sizeof(struct rein_watch_slot) <= SLOT_SIZE);

/**
 * struct rein_slots - a page of slots
 * @refs:	of its slots, and of where the next one comes from
 * @owner:	the process whose they are, holds a reference
 * @page:	the page
 * @used:	how many were given; the source's lock
 */
struct rein_slots {
	refcount_t refs;
	struct pid *owner;
	struct page *page;
	unsigned int used;
};

static struct rein_slots *slots_new(void)
{
	struct rein_slots *slots = kzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);

	if (!slots)
		return NULL;
	slots->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!slots->page) {
		kfree(slots);
		return NULL;
	}
	refcount_set(&slots->refs, 1);
	slots->owner = get_task_pid(current, PIDTYPE_TGID);
	return slots;
}

static void slots_put(struct rein_slots *slots)
{
	if (!slots || !refcount_dec_and_test(&slots->refs))
		return;
	/* Mappings have references of their own to it. */
	__free_page(slots->page);
	put_pid(slots->owner);
	kfree(slots);
}

/* Others that have the descriptor, too, are not to beat for this one. */
static bool slots_fit(const struct rein_slots *slots)
{
	return slots && slots->used < SLOTS &&
	       slots->owner == task_tgid(current);
}

/**
 * rein_slot_source_init() - there may be slots from here
 * @source:	the source, to be undone by rein_slot_source_exit()
 */
void rein_slot_source_init(struct rein_slot_source *source)
{
	mutex_init(&source->lock);
	source->slots = NULL;
}

/**
 * rein_slot_source_exit() - no more; those that there are stay
 * @source:	the source
 */
void rein_slot_source_exit(struct rein_slot_source *source)
{
	slots_put(source->slots);
}

/**
 * rein_slot_get() - a slot that nobody has had
 * @slot:	filled in; to be undone by rein_slot_put()
 * @source:	where from
 *
 * Context: a task; may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int rein_slot_get(struct rein_slot *slot, struct rein_slot_source *source)
{
	struct rein_slots *slots;

	mutex_lock(&source->lock);
	if (!slots_fit(source->slots)) {
		slots_put(source->slots);
		source->slots = slots_new();
	}
	slots = source->slots;
	if (slots) {
		refcount_inc(&slots->refs);
		slot->slots = slots;
		slot->at = page_address(slots->page) + slots->used++ * SLOT_SIZE;
	}
	mutex_unlock(&source->lock);
	return slots ? 0 : -ENOMEM;
}

/**
 * rein_slot_put() - undo rein_slot_get(), if that was done
 * @slot:	the slot
 */
void rein_slot_put(struct rein_slot *slot)
{
	slots_put(slot->slots);
}

/**
 * rein_slot_offset() - where it is in its page
 * @slot:	the slot
 *
 * Return: bytes.
 */
u32 rein_slot_offset(const struct rein_slot *slot)
{
	return offset_in_page(slot->at);
}

/**
 * rein_slot_map() - show its page
 * @slot:	the slot
 * @vma:	where: one page
 *
 * Return: 0 or a negative errno.
 */
int rein_slot_map(const struct rein_slot *slot, struct vm_area_struct *vma)
{
	return vm_insert_page(vma, vma->vm_start, slot->slots->page);
}
