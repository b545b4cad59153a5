// SPDX-License-Identifier: GPL-2.0
/*
 * Watches. See watch.h.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "call.h"
#include "cgroup.h"
#include "clock.h"
#include "freezer.h"
#include "ladder.h"
#include "scope.h"
#include "watch.h"
#include "watch-look.h"
#include "watch-spec.h"

static unsigned int watches_per_user = 100000;
module_param(watches_per_user, uint, 0644);
MODULE_PARM_DESC(watches_per_user, "how many watches one user may have (default: 100000)");

static unsigned int looks_per_user = 20000;
module_param(looks_per_user, uint, 0644);
MODULE_PARM_DESC(looks_per_user,
		 "how often watches of one user may be looked at in a second (default: 20000)");

static DEFINE_XARRAY(watches);		/* by id; RCU */
static atomic64_t last_id;
static atomic_long_t n_watches;

static REIN_QUOTA(quota);
static REIN_QUOTA(looks_quota);

/* Those over cgroups and sockets, which don't tell that they go. */
static LIST_HEAD(silent);
static DEFINE_MUTEX(silent_lock);

/* 1.2 KB each: kmalloc() would give 2. */
static struct kmem_cache *watch_cache;

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap);

/* --- what programs ask -------------------------------------------------------------------- */

static int fail_over(const struct rein_watch *watch, struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_WATCH_OVER, "the watch is over",
			      "watch %llu is over", watch->id);
}

static int fail_code(const struct rein_watch *watch, enum rein_code code,
		     struct rein_answer *answer)
{
	switch (code) {
	case REIN_E_WATCH_TOKEN:
		return rein_call_fail(answer, REIN_E_WATCH_TOKEN,
				      "the beat doesn't carry the token that it has to",
				      "a beat of watch %llu doesn't carry the token that it has to",
				      watch->id);
	case REIN_E_WATCH_UNIT:
		return rein_call_fail(answer, REIN_E_WATCH_UNIT,
				      "this unit of work is not under way",
				      "a unit of watch %llu was to be ended that is not under way",
				      watch->id);
	default:
		return fail_over(watch, answer);
	}
}

static bool unit_is(const struct rein_watch *watch, const char *unit)
{
	return watch->pulse.busy && !strcmp(watch->unit, unit);
}

/* With its lock. Returns 0, or why it doesn't count. */
static enum rein_code beat_check(const struct rein_watch *watch, u32 kind,
				 u64 token, const char *unit)
{
	if (watch->pulse.status == REIN_WATCH_GONE || watch->exited)
		return REIN_E_WATCH_OVER;
	if (watch->flags & REIN_WATCH_TOKEN && token != watch->token)
		return REIN_E_WATCH_TOKEN;
	if (kind == REIN_BEAT_END && !unit_is(watch, unit))
		return REIN_E_WATCH_UNIT;
	return 0;
}

static void beat_begin(struct rein_watch *watch, const struct rein_beat_args *args,
		       u64 now)
{
	u64 time = rein_watch_now(watch, now);

	/* That of the one before ends here: it is its fault if there is one. */
	if (watch->pulse.busy) {
		rein_pulse_end(&watch->pulse, &watch->rules, time);
		watch->count[REIN_COUNT_END]++;
		rein_watch_settle(watch, now);
	}
	memcpy(watch->unit, args->unit, sizeof(watch->unit));
	watch->unit_ns = now;
	watch->count[REIN_COUNT_BEGIN]++;
	rein_pulse_begin(&watch->pulse, &watch->rules, args->deadline_ns, time);
	rein_watch_beaten(watch, 1, now);
	rein_watch_look_again(watch, now);
}

static void beat_end(struct rein_watch *watch, u64 now)
{
	rein_pulse_end(&watch->pulse, &watch->rules, rein_watch_now(watch, now));
	watch->count[REIN_COUNT_END]++;
	rein_watch_settle(watch, now);
	watch->unit_ns = 0;
	rein_watch_wake_readers(watch);
}

static void beat_kind(struct rein_watch *watch, const struct rein_beat_args *args,
		      u64 now)
{
	u64 time = rein_watch_now(watch, now);
	bool grace = watch->pulse.length_ns > watch->rules.every_ns;

	switch (args->kind) {
	case REIN_BEAT:
		rein_pulse_beat(&watch->pulse, &watch->rules, 1, time);
		rein_watch_beaten(watch, 1, now);
		break;
	case REIN_BEAT_BEGIN:
		beat_begin(watch, args, now);
		break;
	case REIN_BEAT_END:
		beat_end(watch, now);
		break;
	case REIN_BEAT_CHECKPOINT:
		rein_pulse_checkpoint(&watch->pulse, &watch->rules,
				      args->checkpoint, time);
		rein_watch_beaten(watch, 1, now);
		break;
	}
	/* The next cycle may be over before the grace would have been. */
	if (grace)
		rein_watch_look_again(watch, now);
}

/**
 * rein_watch_beat() - a beat, see the ABI
 * @watch:	the watch
 * @args:	what kind of one, checked
 *
 * Context: a task; never waits.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_beat(struct rein_watch *watch, struct rein_beat_args *args)
{
	enum rein_code code;

	spin_lock_bh(&watch->lock);
	code = beat_check(watch, args->kind, args->token, args->unit);
	if (!code) {
		u64 now = ktime_get_ns();

		if (rein_watch_see_to(watch, now)) {
			beat_kind(watch, args, now);
			rein_watch_settle(watch, now);
		}
		if (watch->flags & REIN_WATCH_TOKEN)
			watch->token = get_random_u64();
		args->next = watch->token;
	}
	spin_unlock_bh(&watch->lock);
	return code ? fail_code(watch, code, &args->answer) : 0;
}

/**
 * rein_watch_beat_plain() - a beat of a cycle
 * @watch:	the watch
 * @token:	that it carries
 * @answer:	why it doesn't count
 *
 * Context: a task; never waits.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_beat_plain(struct rein_watch *watch, u64 token,
			  struct rein_answer *answer)
{
	struct rein_beat_args args = { .kind = REIN_BEAT, .token = token };
	int err = rein_watch_beat(watch, &args);

	if (err)
		*answer = args.answer;
	return err;
}

static int fail_looks(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a watch");
	return rein_call_fail(answer, REIN_E_WATCH_LOOKS,
			      "the user's watches would have to be looked at too often",
			      "watches of user %u may be looked at %u times in a second",
			      from_kuid(&init_user_ns, current_uid()),
			      READ_ONCE(looks_per_user));
}

/* Of an administrator as many as there is memory for. */
static int charge_looks(const struct rein_maker *maker, unsigned int looks,
			struct rein_answer *answer)
{
	int err = rein_quota_charge(&looks_quota, maker->uid, looks,
				    maker->trusted ? INT_MAX :
						     READ_ONCE(looks_per_user));

	return err ? fail_looks(answer, err) : 0;
}

/* With @tell. Looks at the rules as they would be, and pays for them. */
static int change_every(struct rein_watch *watch, u64 every_ns,
			struct rein_watch_rules *rules,
			struct rein_answer *answer)
{
	unsigned int looks;
	int err;

	*rules = watch->rules;
	rules->every_ns = every_ns;
	if (!every_ns || !watch->rules.every_ns || !rein_pulse_rules_good(rules))
		return rein_call_fail(answer, REIN_E_WATCH_MALFORMED,
				      "the watch can't have this cycle",
				      "a cycle of %llu ns doesn't fit the other rules of watch %llu",
				      every_ns, watch->id);
	looks = rein_watch_looks(watch->flags, rules);
	err = charge_looks(&watch->maker, looks, answer);
	if (err)
		return err;
	rein_quota_uncharge(&looks_quota, watch->maker.uid, watch->looks);
	watch->looks = looks;
	return 0;
}

/* With its lock. */
static void begin(struct rein_watch *watch, const struct rein_arm_args *args)
{
	u64 now = ktime_get_ns();

	if (args->flags & REIN_ARM_OFF)
		rein_pulse_disarm(&watch->pulse);
	else
		rein_pulse_arm(&watch->pulse, &watch->rules,
			       args->flags & REIN_ARM_GRACE ? args->grace_ns :
			       watch->rules.grace_ns, rein_watch_now(watch, now));
	watch->status = watch->pulse.status;
	watch->armed_ns = now;
	watch->unit_ns = 0;
	watch->at_step = watch->n_steps;
	rein_watch_look_again(watch, now);
}

/* With its lock. What was beaten, or missed, by now belongs to the time before, and is told. */
static bool over_by_now(struct rein_watch *watch)
{
	if (watch->pulse.status == REIN_WATCH_GONE || watch->exited)
		return true;
	if (watch->pulse.status == REIN_WATCH_OFF)
		rein_watch_sample_anew(watch);
	return !rein_watch_see_to(watch, ktime_get_ns());
}

/**
 * rein_watch_arm() - arm it anew, or disarm it
 * @watch:	the watch
 * @args:	see the ABI; checked
 * @answer:	why not
 *
 * Context: a task; may sleep.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_arm(struct rein_watch *watch, const struct rein_arm_args *args,
		   struct rein_answer *answer)
{
	struct rein_watch_report before = { };
	struct rein_watch_rules rules;
	bool gone;
	int err = 0;

	rein_watch_follow_if_moved(watch);
	mutex_lock(&watch->tell);
	if (args->flags & REIN_ARM_EVERY)
		err = change_every(watch, args->every_ns, &rules, answer);
	if (err)
		goto out;
	spin_lock_bh(&watch->lock);
	gone = over_by_now(watch);
	if (!gone) {
		if (args->flags & REIN_ARM_EVERY)
			watch->rules = rules;
		rein_ladder_take(watch, &before);
		begin(watch, args);
	}
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	if (gone)
		err = fail_over(watch, answer);
	else
		rein_ladder_armed(watch, !(args->flags & REIN_ARM_OFF));
out:
	mutex_unlock(&watch->tell);
	return err;
}

/* With its lock. */
static void expire(struct rein_watch *watch)
{
	u64 now = ktime_get_ns();

	rein_pulse_expire(&watch->pulse, REIN_FAULT_TEST);
	rein_watch_settle(watch, now);
	rein_watch_look_again(watch, now);
}

/**
 * rein_watch_test() - have it expire, to see what happens
 * @watch:	the watch
 * @real:	it does; else it is only told
 * @answer:	why not
 *
 * Context: a task; may sleep.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_test(struct rein_watch *watch, bool real,
		    struct rein_answer *answer)
{
	struct rein_watch_report before;
	bool armed, over;

	mutex_lock(&watch->tell);
	spin_lock_bh(&watch->lock);
	rein_ladder_take(watch, &before);
	armed = watch->pulse.status == REIN_WATCH_RUNNING && !watch->exited;
	over = watch->pulse.status == REIN_WATCH_GONE || watch->exited;
	if (armed && real)
		expire(watch);
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	if (armed)
		answer->record = rein_ladder_test(watch, real);
	mutex_unlock(&watch->tell);
	if (armed)
		return 0;
	if (over)
		return fail_over(watch, answer);
	return rein_call_fail(answer, REIN_E_WATCH_NOT_ARMED,
			      "the watch is not armed, or has expired",
			      "watch %llu was to be tested, and is not armed, or has expired",
			      watch->id);
}

/* --- the end ------------------------------------------------------------------------------ */

/* With @tell. Returns whether it was not over yet. */
static bool begin_end(struct rein_watch *watch)
{
	struct rein_watch_report before;
	bool first;

	spin_lock_bh(&watch->lock);
	rein_ladder_take(watch, &before);
	first = watch->pulse.status != REIN_WATCH_GONE;
	watch->pulse.status = REIN_WATCH_GONE;
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	return first;
}

/**
 * rein_watch_end() - it is over
 * @watch:	the watch
 * @exited:	since its subject has gone: then there is a record of that
 *
 * Nobody finds it any more.
 *
 * Context: a task; may sleep.
 *
 * Return: whether it was not over before.
 */
bool rein_watch_end(struct rein_watch *watch, bool exited)
{
	bool first;

	mutex_lock(&watch->tell);
	first = begin_end(watch);
	if (first) {
		xa_erase(&watches, watch->id);
		mutex_lock(&silent_lock);
		list_del_init(&watch->node);
		mutex_unlock(&silent_lock);
		rein_subject_ignore(&watch->subject);
		hrtimer_cancel(&watch->timer);
		rein_ladder_gone(watch, exited);
	}
	mutex_unlock(&watch->tell);
	if (first) {
		/* Nobody looks any more, however long somebody keeps a descriptor. */
		rein_traffic_put(&watch->traffic);
		rein_watch_put(watch);
	}
	return first;
}

/**
 * rein_watch_end_all() - all that there are by now are over
 *
 * Context: a task; may sleep.
 */
void rein_watch_end_all(void)
{
	const u64 last = atomic64_read(&last_id);
	struct rein_watch *watch;
	u64 id = 0;

	while ((watch = rein_watch_next(id)) && watch->id <= last) {
		id = watch->id + 1;
		rein_watch_end(watch, false);
		rein_watch_put(watch);
		cond_resched();
	}
	if (watch)
		rein_watch_put(watch);
}

/* Those whose cgroups were removed, or sockets closed. */
static void reap(struct work_struct *unused)
{
	struct rein_watch *watch;
	bool more;

	mutex_lock(&silent_lock);
	list_for_each_entry(watch, &silent, node) {
		if (!rein_subject_there(&watch->subject))
			rein_watch_wake(watch);
		cond_resched();
	}
	more = !list_empty(&silent);
	mutex_unlock(&silent_lock);
	if (more)
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
}

/* --- coming and going ---------------------------------------------------------------------- */

static void watch_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(watch_cache, container_of(head, struct rein_watch, rcu));
}

static void watch_free(struct rein_watch *watch)
{
	rein_freezer_put(watch->freezer);
	rein_traffic_put(&watch->traffic);
	rein_quota_uncharge(&looks_quota, watch->maker.uid, watch->looks);
	rein_quota_uncharge(&quota, watch->maker.uid, 1);
	rein_subject_put(&watch->subject);
	rein_scope_put(watch->scope);
	rein_slot_put(&watch->slot);
	rein_maker_put(&watch->maker);
	put_cred(watch->cred);
	atomic_long_dec(&n_watches);
	call_rcu(&watch->rcu, watch_free_rcu);
}

/**
 * rein_watch_put() - give up a reference
 * @watch:	the watch
 *
 * Context: a task; may sleep.
 */
void rein_watch_put(struct rein_watch *watch)
{
	if (refcount_dec_and_test(&watch->refs))
		watch_free(watch);
}

/* One that nobody finds yet, and that can't fail any more. */
static void watch_fill(struct rein_watch *watch, struct rein_watch_spec *spec)
{
	const struct rein_watch_args *args = spec->args;

	refcount_set(&watch->refs, 1);
	/* Who makes it is one until there is a descriptor. */
	atomic_set(&watch->owners, 1);
	watch->id = atomic64_inc_return(&last_id);
	watch->flags = args->flags;
	rein_maker_get(&watch->maker);
	watch->cred = get_current_cred();
	watch->subject = spec->subject;
	watch->scope = spec->scope;
	watch->slot = spec->slot;
	watch->traffic = spec->traffic;
	memset(&spec->subject, 0, sizeof(spec->subject));
	spec->scope = NULL;
	spec->slot.slots = NULL;
	spec->traffic = (struct rein_traffic){ };
	memcpy(watch->steps, spec->steps, sizeof(watch->steps));
	watch->n_steps = args->n_steps;
	watch->at_step = args->n_steps;
	watch->rules = args->rules;
	rein_pulse_disarm(&watch->pulse);
	watch->status = REIN_WATCH_OFF;
	watch->clock = rein_clock_offset(REIN_CLOCK_MONOTONIC);
	strscpy(watch->name, args->name, sizeof(watch->name));
	INIT_LIST_HEAD(&watch->node);
	mutex_init(&watch->tell);
	spin_lock_init(&watch->lock);
	init_waitqueue_head(&watch->wait);
	rein_watch_look_setup(watch);
}

static int fail_charge(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a watch");
	return rein_call_fail(answer, REIN_E_WATCH_MANY_OF_USER,
			      "the user has as many watches as one may have",
			      "user %u has %u watches, as many as one may have",
			      from_kuid(&init_user_ns, current_uid()),
			      READ_ONCE(watches_per_user));
}

/* What is charged and alive, but not yet where it belongs. */
static struct rein_watch *watch_make(struct rein_watch_spec *spec,
				     struct rein_answer *answer)
{
	struct rein_watch *watch;
	int err = rein_quota_charge(&quota, current_uid(), 1,
				    READ_ONCE(watches_per_user));

	if (err)
		return ERR_PTR(fail_charge(answer, err));
	watch = kmem_cache_zalloc(watch_cache, GFP_KERNEL_ACCOUNT);
	if (!watch) {
		rein_quota_uncharge(&quota, current_uid(), 1);
		return ERR_PTR(rein_call_no_memory(answer, "for a watch"));
	}
	atomic_long_inc(&n_watches);
	watch_fill(watch, spec);
	watch->looks = rein_watch_looks(watch->flags, &watch->rules);
	err = charge_looks(&watch->maker, watch->looks, answer);
	if (err) {
		watch->looks = 0;
	} else {
		rein_watch_follow(watch);
		if (!xa_reserve(&watches, watch->id, GFP_KERNEL_ACCOUNT))
			return watch;
		err = rein_call_no_memory(answer, "for a watch");
	}
	rein_watch_put(watch);
	return ERR_PTR(err);
}

/* Be told when the subject goes, or look for that now and then. */
static void hear_of_end(struct rein_watch *watch)
{
	if (watch->subject.pid) {
		rein_subject_listen(&watch->subject, rein_watch_on_exit);
		if (!rein_subject_there(&watch->subject))
			rein_watch_wake(watch);
		return;
	}
	mutex_lock(&silent_lock);
	list_add_tail(&watch->node, &silent);
	mutex_unlock(&silent_lock);
	/* If it has gone meanwhile nobody has looked for this one. */
	if (rein_subject_there(&watch->subject))
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
	else
		mod_delayed_work(system_power_efficient_wq, &reap_work, 0);
}

/* From here on it may be over at any time. */
static void watch_publish(struct rein_watch *watch)
{
	rein_watch_get(watch);
	/* There is a place for it: this needs no memory. */
	mutex_lock(&watch->tell);
	xa_store(&watches, watch->id, watch, GFP_KERNEL);
	rein_ladder_made(watch);
	/* Whoever ends it undoes this, and waits for it before. */
	hear_of_end(watch);
	mutex_unlock(&watch->tell);
}

/**
 * rein_watch_new() - keep a watch
 * @spec:	what it shall be; what it needs of that is taken over
 * @answer:	why not
 *
 * Context: the task that makes it; may sleep.
 *
 * Return: the watch, with a reference; or ERR_PTR().
 */
struct rein_watch *rein_watch_new(struct rein_watch_spec *spec,
				  struct rein_answer *answer)
{
	static const struct rein_arm_args as_it_is;
	struct rein_watch *watch = watch_make(spec, answer);
	int err;

	if (IS_ERR(watch))
		return watch;
	watch_publish(watch);
	if (!(watch->flags & REIN_WATCH_ARM))
		return watch;
	err = rein_watch_arm(watch, &as_it_is, answer);
	if (!err)
		return watch;
	rein_watch_end(watch, false);
	rein_watch_put(watch);
	return ERR_PTR(err);
}

/* --- who looks for them -------------------------------------------------------------------- */

/**
 * rein_watch_find() - find a watch
 * @id:		its id
 *
 * Context: any.
 *
 * Return: it, with a reference, or NULL.
 */
struct rein_watch *rein_watch_find(u64 id)
{
	struct rein_watch *watch;

	rcu_read_lock();
	watch = xa_load(&watches, id);
	if (watch && !refcount_inc_not_zero(&watch->refs))
		watch = NULL;
	rcu_read_unlock();
	return watch;
}

/**
 * rein_watch_next() - walk over all watches, by age
 * @id:		where to begin
 *
 * Context: any.
 *
 * Return: the first with this or a greater id, with a reference; or NULL.
 */
struct rein_watch *rein_watch_next(u64 id)
{
	struct rein_watch *watch;
	unsigned long index = id;

	rcu_read_lock();
	do {
		watch = xa_find(&watches, &index, ULONG_MAX, XA_PRESENT);
		index++;
	} while (watch && !refcount_inc_not_zero(&watch->refs));
	rcu_read_unlock();
	return watch;
}

/**
 * rein_watch_number() - how many watches there are
 *
 * Return: how many.
 */
unsigned long rein_watch_number(void)
{
	return atomic_long_read(&n_watches);
}

/**
 * rein_watch_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int rein_watch_init(void)
{
	int err;

	watch_cache = KMEM_CACHE(rein_watch, SLAB_ACCOUNT);
	if (!watch_cache)
		return -ENOMEM;
	err = rein_watch_look_init();
	if (err) {
		kmem_cache_destroy(watch_cache);
		return err;
	}
	rein_cgroup_look(&reap_work);
	return 0;
}

/**
 * rein_watch_exit() - undo rein_watch_init(): all watches are over
 *
 * Context: nobody has /dev/rein or a watch open, and dying cgroups are not told of.
 */
void rein_watch_exit(void)
{
	rein_watch_end_all();
	cancel_delayed_work_sync(&reap_work);
	rein_watch_look_exit();
	WARN_ON(!xa_empty(&watches));
	/* Watches are freed by RCU. */
	rcu_barrier();
	kmem_cache_destroy(watch_cache);
}
