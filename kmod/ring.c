// SPDX-License-Identifier: GPL-2.0
/*
 * The ring that records are kept in. See ring.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "code.h"
#include "record.h"
#include "ring.h"

#define RECORDS_MIN	64
#define RECORDS_MAX	65536

/* There is room for that many bugs: a part of the records, but never fewer than this. */
#define SHELF_PART	16
#define SHELF_MIN	16

/*
 * A slot's state: how many events its record stands for, and the low bits of the
 * round in which the slot got it. Enough of these that no CPU can be that many rounds
 * late between its two looks at the state.
 */
#define COUNT_BITS	48
#define COUNT_MASK	((1ULL << COUNT_BITS) - 1)

static unsigned int records = 4096;
module_param(records, uint, 0444);
MODULE_PARM_DESC(records, "how many records are kept (64 to 65536, default 4096)");

static struct {
	spinlock_t lock;		/* everything but the slots' contents */
	struct rein_record *slots;
	struct rein_record *shelf;	/* bugs that had to leave their slots */
	unsigned int shelf_size;
	u64 shelved;			/* how many ever were */
	struct rein_ring_counts counts;
} ring = {
	.lock = __SPIN_LOCK_UNLOCKED(ring.lock),
};

/* What the data path counts, it counts without a lock. */
static DEFINE_PER_CPU(u64, folded);

static struct rein_record *slot_of(u64 id)
{
	u64 slot;

	div64_u64_rem(id, records, &slot);
	return &ring.slots[slot];
}

static u64 state_of(u64 id, u64 count)
{
	return div_u64(id, records) << COUNT_BITS | count;
}

/* Copy all but the lock and the state. */
static void copy_record(struct rein_record *to, const struct rein_record *from)
{
	const size_t head = offsetof(struct rein_record, id);

	memcpy((char *)to + head, (const char *)from + head,
	       sizeof(*to) - head);
}

/* --- new ones -------------------------------------------------------------------- */

/* Put a bug on the shelf, which nothing but newer bugs drives it from. */
static void shelve(const struct rein_record *rec, s64 state)
{
	struct rein_record *place;

	place = &ring.shelf[ring.shelved++ % ring.shelf_size];
	if (place->id)
		ring.counts.overwritten++;
	else
		ring.counts.stored++;
	copy_record(place, rec);
	atomic64_set(&place->state, state);
}

/* The oldest slot, locked, with the next id. */
static struct rein_record *take_slot(void)
{
	u64 id = ++ring.counts.newest;
	struct rein_record *rec = slot_of(id);
	s64 state;

	spin_lock(&rec->lock);
	ring.counts.raised++;
	/* First: from here on nobody counts into the old record. See count_in(). */
	state = atomic64_xchg(&rec->state, state_of(id, 1));
	if (rec->id && rec->info->kind == REIN_KIND_BUG)
		shelve(rec, state);
	else if (rec->id)
		ring.counts.overwritten++;
	else
		ring.counts.stored++;
	WRITE_ONCE(rec->id, id);
	return rec;
}

/**
 * rein_ring_open() - begin a record
 * @info:	its code
 * @fold:	where the id is kept that events like it are folded into, or NULL
 *
 * Context: any but hard interrupts. Unless NULL is returned the slot is locked and
 * bottom halves are off until rein_ring_close().
 *
 * Return: a record that is blank but for its id, code and times; NULL: @fold names
 * one that is held, made by another CPU meanwhile.
 */
struct rein_record *rein_ring_open(const struct rein_code_info *info, u64 *fold)
{
	const size_t blank = offsetofend(struct rein_record, id);
	struct rein_record *rec;
	u64 id;

	spin_lock_bh(&ring.lock);
	id = fold ? READ_ONCE(*fold) : 0;
	if (id && READ_ONCE(slot_of(id)->id) == id) {
		spin_unlock_bh(&ring.lock);
		return NULL;
	}
	rec = take_slot();
	if (fold)
		WRITE_ONCE(*fold, rec->id);
	spin_unlock(&ring.lock);

	memset((char *)rec + blank, 0, sizeof(*rec) - blank);
	rec->info = info;
	rec->time_ns = ktime_get_real_ns();
	rec->last_ns = rec->time_ns;
	rec->boottime_ns = ktime_get_boottime_ns();
	return rec;
}

/**
 * rein_ring_close() - end a record
 * @rec:	what rein_ring_open() returned
 */
void rein_ring_close(struct rein_record *rec)
{
	spin_unlock_bh(&rec->lock);
}

/* --- more of the same --------------------------------------------------------------- */

/*
 * Count @n events into the record @id of a slot. If the slot is given to another
 * record meanwhile, either its id or the round in its state is seen to have changed.
 */
static bool count_in(struct rein_record *rec, u64 id, u64 n)
{
	s64 state = atomic64_read(&rec->state);

	do {
		if (READ_ONCE(rec->id) != id ||
		    (state ^ state_of(id, 0)) & ~COUNT_MASK)
			return false;
		/* Would take centuries; but never let it run into the round. */
		if ((state & COUNT_MASK) + n > COUNT_MASK)
			break;
	} while (!atomic64_try_cmpxchg(&rec->state, &state, state + n));
	return true;
}

/**
 * rein_ring_fold() - count one more event into a record
 * @id:		the record, 0: none
 * @value:	the values of this event, REIN_RECORD_VALUES of them
 *
 * The last time and values of a record are those of the last event that came while
 * nobody read it.
 *
 * Context: any but hard interrupts; waits for nobody.
 *
 * Return: true; false if it isn't held.
 */
bool rein_ring_fold(u64 id, const struct rein_value *value)
{
	struct rein_record *rec;

	if (!id)
		return false;
	rec = slot_of(id);
	if (!count_in(rec, id, 1))
		return false;
	this_cpu_inc(folded);
	if (!spin_trylock_bh(&rec->lock))
		return true;
	if (rec->id == id) {
		rec->last_ns = ktime_get_real_ns();
		memcpy(rec->value, value, sizeof(rec->value));
	}
	spin_unlock_bh(&rec->lock);
	return true;
}

/**
 * rein_ring_reopen() - count one more event into a record, and open it
 * @id:		the record, 0: none
 *
 * Its last time is now; of the rest it is said anew what has changed.
 *
 * Context: as rein_ring_open().
 *
 * Return: the record, as rein_ring_open(); NULL if it isn't held.
 */
struct rein_record *rein_ring_reopen(u64 id)
{
	struct rein_record *rec;

	if (!id)
		return NULL;
	rec = slot_of(id);
	spin_lock_bh(&rec->lock);
	if (rec->id == id) {
		rein_ring_more(rec, 1);
		rec->last_ns = ktime_get_real_ns();
		return rec;
	}
	spin_unlock_bh(&rec->lock);
	return NULL;
}

/**
 * rein_ring_more() - count more events into a record
 * @rec:	the record, which is open
 * @n:		how many
 */
void rein_ring_more(struct rein_record *rec, u64 n)
{
	if (count_in(rec, rec->id, n))
		this_cpu_add(folded, n);
}

/**
 * rein_ring_suppress() - count events that are to leave no other trace
 * @n:		how many
 */
void rein_ring_suppress(u64 n)
{
	spin_lock_bh(&ring.lock);
	ring.counts.raised += n;
	ring.counts.suppressed += n;
	spin_unlock_bh(&ring.lock);
}

/* --- forgetting --------------------------------------------------------------------- */

static void clear_slot(struct rein_record *rec, u64 newest)
{
	spin_lock_bh(&ring.lock);
	spin_lock(&rec->lock);
	if (rec->id && rec->id <= newest) {
		/* Another round than its own; and no event has 0 for its id. */
		atomic64_set(&rec->state, ~state_of(rec->id, 0));
		WRITE_ONCE(rec->id, 0);
		ring.counts.stored--;
		ring.counts.overwritten++;
	}
	spin_unlock(&rec->lock);
	spin_unlock_bh(&ring.lock);
}

/**
 * rein_ring_clear() - forget all records that there are
 *
 * Context: may sleep.
 */
void rein_ring_clear(void)
{
	u64 newest = rein_ring_newest();
	unsigned int i;

	for (i = 0; i < records; i++) {
		clear_slot(&ring.slots[i], newest);
		cond_resched();
	}
	for (i = 0; i < ring.shelf_size; i++)
		clear_slot(&ring.shelf[i], newest);
}

/* --- reading ------------------------------------------------------------------------ */

/**
 * rein_ring_newest() - id of the newest record
 *
 * Return: the id, 0 if nothing was recorded yet.
 */
u64 rein_ring_newest(void)
{
	u64 id;

	spin_lock_bh(&ring.lock);
	id = ring.counts.newest;
	spin_unlock_bh(&ring.lock);
	return id;
}

/* With the ring's lock: the oldest id whose slot is still its own. */
static u64 oldest(void)
{
	u64 newest = ring.counts.newest;

	return newest > records ? newest - records + 1 : 1;
}

/* With the ring's lock: how many places of the shelf were ever taken, mostly none. */
static unsigned int on_shelf(void)
{
	return min_t(u64, ring.shelved, ring.shelf_size);
}

/**
 * rein_ring_next() - where to look for the next record
 * @id:		the least id wanted
 *
 * Return: the least id from there that may be held, 0: none.
 */
u64 rein_ring_next(u64 id)
{
	unsigned int i;
	u64 next;

	spin_lock_bh(&ring.lock);
	next = max(id, oldest());
	if (next > ring.counts.newest)
		next = 0;
	for (i = 0; i < on_shelf(); i++) {
		u64 bug = ring.shelf[i].id;

		if (bug >= id && bug && (bug < next || !next))
			next = bug;
	}
	spin_unlock_bh(&ring.lock);
	return next;
}

static void copy_out(struct rein_record *copy, const struct rein_record *rec)
{
	copy_record(copy, rec);
	copy->count = atomic64_read(&rec->state) & COUNT_MASK;
}

static bool read_shelf(u64 id, struct rein_record *copy)
{
	bool held = false;
	unsigned int i;

	spin_lock_bh(&ring.lock);
	for (i = 0; i < on_shelf() && !held; i++) {
		held = ring.shelf[i].id == id;
		if (held)
			copy_out(copy, &ring.shelf[i]);
	}
	spin_unlock_bh(&ring.lock);
	return held;
}

/**
 * rein_ring_read() - copy a record
 * @id:		which one
 * @copy:	where to
 *
 * Return: whether it is held.
 */
bool rein_ring_read(u64 id, struct rein_record *copy)
{
	struct rein_record *rec;
	bool held;

	if (!id)
		return false;
	rec = slot_of(id);
	spin_lock_bh(&rec->lock);
	held = rec->id == id;
	if (held)
		copy_out(copy, rec);
	spin_unlock_bh(&rec->lock);
	return held || read_shelf(id, copy);
}

/**
 * rein_ring_test() - look at a record in its slot
 * @id:		which one, none of those on the shelf
 * @test:	what to ask of it, with the slot locked
 * @arg:	for @test
 *
 * Return: what @test does; false if it isn't held.
 */
bool rein_ring_test(u64 id,
		    bool (*test)(const struct rein_record *rec, const void *arg),
		    const void *arg)
{
	struct rein_record *rec = slot_of(id);
	bool ret;

	spin_lock_bh(&rec->lock);
	ret = id && rec->id == id && test(rec, arg);
	spin_unlock_bh(&rec->lock);
	return ret;
}

/**
 * rein_ring_count() - read the books
 * @counts:	where to
 */
void rein_ring_count(struct rein_ring_counts *counts)
{
	int cpu;

	spin_lock_bh(&ring.lock);
	*counts = ring.counts;
	counts->oldest = oldest();
	spin_unlock_bh(&ring.lock);
	for_each_possible_cpu(cpu)
		counts->folded += READ_ONCE(*per_cpu_ptr(&folded, cpu));
	counts->raised += counts->folded;
}

/* --- the whole ----------------------------------------------------------------------- */

static struct rein_record *slots_new(unsigned int n)
{
	struct rein_record *slots = vzalloc(array_size(n, sizeof(*slots)));
	unsigned int i;

	for (i = 0; slots && i < n; i++)
		spin_lock_init(&slots[i].lock);
	return slots;
}

/**
 * rein_ring_init() - make the ring
 *
 * Return: 0, -EINVAL for a bad parameter, -ENOMEM.
 */
int rein_ring_init(void)
{
	if (records < RECORDS_MIN || records > RECORDS_MAX) {
		pr_err("records=%u: use %d to %d\n", records, RECORDS_MIN,
		       RECORDS_MAX);
		return -EINVAL;
	}
	ring.shelf_size = max_t(unsigned int, records / SHELF_PART, SHELF_MIN);
	ring.slots = slots_new(records);
	ring.shelf = slots_new(ring.shelf_size);
	if (ring.slots && ring.shelf)
		return 0;
	rein_ring_exit();
	return -ENOMEM;
}

/**
 * rein_ring_exit() - free the ring, with all records
 */
void rein_ring_exit(void)
{
	vfree(ring.slots);
	vfree(ring.shelf);
}
