// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations: takes that wait in a file descriptor. See reserve.h.
 */
#include <linux/anon_inodes.h>
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "call.h"
#include "client.h"
#include "dev.h"
#include "line.h"
#include "raw.h"
#include "record.h"
#include "reserve.h"
#include "take.h"
#include "taker.h"
#include "tree.h"

/**
 * struct rein_reservation - a place in the line, or tokens to be claimed
 * @taker:	who stands in the line
 * @holds:	what was granted, by index of the taker's chain
 * @client:	whom it counts for
 * @wait:	who polls
 * @work:	runs at the deadline, and when the time to claim is over
 * @claim_ns:	how long that is
 * @until:	when it is; 0: not granted yet
 * @decided:	when its wait ended, unless that was at its deadline
 * @queued:	it had to wait
 * @lock:	guards @claimed, and the taker's state once it is granted
 * @claimed:	somebody has claimed it
 * @rcu:	to free it: who ends its wait may still be about to wake up others
 * @wants:	what it asked for, by name
 */
struct rein_reservation {
	struct rein_taker taker;
	struct rein_hold holds[REIN_CHAIN_MAX];
	struct rein_client *client;
	wait_queue_head_t wait;
	struct delayed_work work;
	u64 claim_ns;
	u64 until;
	u64 decided;
	bool queued;
	spinlock_t lock;
	bool claimed;
	struct rcu_head rcu;
	struct rein_take_want wants[];
};

/* --- clients ------------------------------------------------------------------- */

static bool client_charge(struct rein_client *client)
{
	if (!atomic_add_unless(&client->reservations, 1, REIN_RESERVATIONS_MAX))
		return false;
	refcount_inc(&client->refs);
	return true;
}

static void client_uncharge(struct rein_client *client)
{
	atomic_dec(&client->reservations);
	rein_client_put(client);
}

/* --- granted ------------------------------------------------------------------- */

/* A jiffy more, or it would run a little too early, and again. */
static unsigned long delay_until(u64 when)
{
	u64 now = ktime_get_ns();

	return when > now ? nsecs_to_jiffies(when - now) + 1 : 0;
}

/* What is granted is kept from when that can be seen, however late that is. */
static void reservation_hold(struct rein_reservation *r)
{
	/* See reservation_work(). */
	WRITE_ONCE(r->until, r->decided + r->claim_ns);
	mod_delayed_work(system_power_efficient_wq, &r->work,
			 delay_until(r->until));
}

/* The end of a wait, see struct rein_taker. */
static void reservation_end(struct rein_taker *taker,
			    enum rein_taker_state state)
{
	struct rein_reservation *r;

	r = container_of(taker, struct rein_reservation, taker);
	r->decided = ktime_get_ns();
	r->queued = true;
	if (state == REIN_TAKER_GRANTED)
		reservation_hold(r);
	/* Whoever sees it may free it, but for RCU. */
	smp_store_release(&taker->state, state);
	wake_up_poll(&r->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

/* Keep of its chain, as it is now, those limits that something is held of. */
static void select_held(struct rein_reservation *r, struct rein_chain *chain,
			const struct rein_chain *now, unsigned int n_holds)
{
	unsigned int i, j, kept = 0;

	for (i = 0; i < now->n; i++) {
		struct rein_limit *limit = now->limits[i];

		for (j = kept; j < n_holds; j++)
			if (r->holds[j].limit_id == limit->id)
				break;
		if (j == n_holds)
			continue;
		/* Limits keep their order, so those in between have gone. */
		r->holds[kept] = r->holds[j];
		r->taker.tokens[kept] = r->holds[j].tokens;
		chain->limits[kept++] = limit;
	}
	chain->n = kept;
}

/*
 * The end of what is held: @stat says which. Under RCU, with the reservation's
 * lock; @chain is what binds its cgroup now.
 */
static void settle(struct rein_reservation *r, const struct rein_chain *now,
		   unsigned int stat)
{
	struct rein_chain *chain = &r->taker.chain;
	struct rein_request req = {
		.tokens = r->taker.tokens,
		.now = ktime_get_ns(),
	};

	select_held(r, chain, now, chain->n);
	rein_chain_lock(chain);
	rein_admit_settle(chain, r->holds, &req, stat);
	rein_chain_unlock(chain);
}

static void keep(struct rein_reservation *r)
{
	struct rein_chain now;

	rcu_read_lock();
	rein_chain_find(&now, r->taker.cgrp, REIN_RESOURCE_CALL);
	settle(r, &now, r->queued ? REIN_STAT(RELEASED) : REIN_STAT(PASSED));
	rcu_read_unlock();
	r->claimed = true;
}

/* With the tree locked: record that nobody came. */
static void blame(struct rein_reservation *r)
{
	struct rein_taker *taker = &r->taker;
	struct rein_lack lack = {
		.unit = REIN_UNIT_CALLS,
		.when = r->until,
	};

	taker->fold = REIN_FOLD_EXPIRED;
	taker->lack = lack;
	if (!taker->chain.n)
		return;
	lack.limit = taker->chain.limits[0];
	lack.wanted = taker->tokens[0];
	rein_taker_blame(taker, REIN_FOLD_EXPIRED, &lack);
	taker->record = rein_taker_record(taker);
}

/* Those who wait may move up. */
static void give_back(struct rein_reservation *r, unsigned int stat)
{
	struct rein_chain now = { };
	struct rein_tree *tree;

	rcu_read_lock();
	tree = rein_line_stop(&now, r->taker.cgrp);
	settle(r, &now, stat);
	if (stat == REIN_STAT(EXPIRED))
		blame(r);
	if (tree)
		rein_line_resume(tree);
	rcu_read_unlock();
}

/* Granted, not claimed, and its lock is held. */
static bool is_held(const struct rein_reservation *r)
{
	lockdep_assert_held(&r->lock);
	return r->taker.state == REIN_TAKER_GRANTED && !r->claimed;
}

static void expire(struct rein_reservation *r)
{
	give_back(r, REIN_STAT(EXPIRED));
	/* Pairs with reservation_state(). */
	smp_store_release(&r->taker.state, REIN_TAKER_FAILED);
	wake_up_poll(&r->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

/* A scope is done: it leaves the line, or gives back what it was granted. */
static void cut(struct rein_reservation *r, const struct rein_scope *scope)
{
	if (rein_line_leave(&r->taker, REIN_FOLD_SCOPE, scope))
		return;
	spin_lock_bh(&r->lock);
	if (is_held(r)) {
		give_back(r, REIN_STAT(CANCELLED));
		rein_taker_cut(&r->taker, scope);
		/* Pairs with reservation_state(). */
		smp_store_release(&r->taker.state, REIN_TAKER_FAILED);
	}
	spin_unlock_bh(&r->lock);
}

/* It is there until it has untied itself. */
static void reservation_cut(struct rein_tie *tie)
{
	struct rein_taker *taker = tie->owner;
	struct rein_reservation *r;

	r = container_of(taker, struct rein_reservation, taker);
	cut(r, tie->scope);
	wake_up_poll(&r->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

/* --- time ------------------------------------------------------------------------ */

static enum rein_taker_state
reservation_state(const struct rein_reservation *r)
{
	/* Pairs with reservation_end(), expire() and rein_line_leave(). */
	return smp_load_acquire(&r->taker.state);
}

static bool still_waits(const struct rein_reservation *r)
{
	return reservation_state(r) == REIN_TAKER_WAITS;
}

static void give_up(struct rein_reservation *r)
{
	if (rein_line_leave(&r->taker, REIN_FOLD_STALE, NULL))
		wake_up_poll(&r->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

/* Never later than something that is due already. */
static void look_again(struct rein_reservation *r, u64 when)
{
	if (when != REIN_NEVER)
		queue_delayed_work(system_power_efficient_wq, &r->work,
				   min_t(u64, delay_until(when),
					 MAX_JIFFY_OFFSET));
}

/*
 * Runs at the deadline and at the end of the time to claim. In a task, since
 * the line may be about to be moved by somebody whom a timer would interrupt.
 */
static void reservation_work(struct work_struct *work)
{
	struct rein_reservation *r;
	u64 now = ktime_get_ns();

	r = container_of(work, struct rein_reservation, work.work);
	if (still_waits(r)) {
		if (READ_ONCE(r->until))	/* is just being granted */
			look_again(r, now);
		else if (now < r->taker.until)
			look_again(r, r->taker.until);
		else
			give_up(r);
		return;
	}
	spin_lock_bh(&r->lock);
	if (is_held(r) && now < r->until)
		look_again(r, r->until);
	else if (is_held(r))
		expire(r);
	spin_unlock_bh(&r->lock);
}

/* --- the file -------------------------------------------------------------------- */

static __poll_t reservation_poll(struct file *file, poll_table *pt)
{
	struct rein_reservation *r = file->private_data;

	poll_wait(file, &r->wait, pt);
	switch (reservation_state(r)) {
	case REIN_TAKER_GRANTED:
		return EPOLLIN | EPOLLRDNORM;
	case REIN_TAKER_FAILED:
		return EPOLLIN | EPOLLRDNORM | EPOLLERR;
	default:
		return 0;
	}
}

/* How long until it is its turn, as an answer. */
static void answer_wait(struct rein_reservation *r, struct rein_take_args *args)
{
	u64 when = rein_line_when(&r->taker), now = ktime_get_ns();

	if (when == REIN_NEVER)
		args->retry_after_ns = REIN_DEV_NEVER;
	else
		args->retry_after_ns = when > now ? when - now : 0;
}

static int check_claim(struct rein_take_args *args)
{
	if (!args->flags && !args->n_wants && !args->wants &&
	    !args->deadline_ns && !args->claim_ns && !args->scope_fd)
		return 0;
	return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
			      "a claim asks for nothing: flags, names and times must be 0",
			      "a claim has flags %#x, %u names at %#llx, and %llu and %llu ns",
			      args->flags, args->n_wants, args->wants,
			      args->deadline_ns, args->claim_ns);
}

/* Claim what is held, if anything is. Returns whether somebody else has. */
static bool claim_held(struct rein_reservation *r)
{
	bool kept = false;
	bool again;

	spin_lock_bh(&r->lock);
	again = r->claimed;
	/* Its time may be over, and only the work be late. */
	if (is_held(r) && ktime_get_ns() >= r->until) {
		expire(r);
	} else if (is_held(r)) {
		keep(r);
		kept = true;
	}
	spin_unlock_bh(&r->lock);
	/* Only once: what was claimed is no scope's any more. */
	if (kept)
		rein_taker_untie(&r->taker);
	return again;
}

static u64 ended_ns(const struct rein_reservation *r)
{
	switch (r->taker.fold) {
	case REIN_FOLD_STALE:
		return r->taker.until;
	case REIN_FOLD_SCOPE:
		return r->taker.cut_ns;
	default:
		return r->decided;
	}
}

/* What it came to can't change any more. */
static int answer_end(struct rein_reservation *r, struct rein_take_args *args)
{
	int err = rein_take_answer(args, &r->taker);

	if (!err)
		return 0;
	args->waited_ns = ended_ns(r) - r->taker.asked;
	return err;
}

static int reservation_claim(struct rein_reservation *r,
			     struct rein_take_args *args)
{
	int err = check_claim(args);

	if (err)
		return err;
	if (still_waits(r)) {
		answer_wait(r, args);
		return -EAGAIN;
	}
	if (claim_held(r))
		return rein_take_fail(args, 0, REIN_E_RESERVE_CLAIMED,
				      "the reservation was claimed already",
				      "the reservation was claimed already");
	return answer_end(r, args);
}

static long reservation_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct rein_take_args args;
	bool waits = false;
	int err;

	if (!rein_call_is(cmd, REIN_IOC_CLAIM))
		return -ENOTTY;
	err = rein_dev_get(&args, user, _IOC_SIZE(cmd)) ?:
	      rein_dev_put(&args, user, _IOC_SIZE(cmd)) ?: rein_raw_provoke();
	if (!err) {
		err = reservation_claim(file->private_data, &args);
		waits = err == -EAGAIN && !args.code;
		err = rein_dev_put(&args, user, _IOC_SIZE(cmd)) ?: err;
	}
	/* That it still waits is an answer, not an error. */
	return waits && err == -EAGAIN ? err : rein_call_catch(args.code, err);
}

static void reservation_free(struct rein_reservation *r)
{
	rein_take_end(&r->taker);
	client_uncharge(r->client);
	kfree_rcu(r, rcu);
}

static int reservation_release(struct inode *inode, struct file *file)
{
	struct rein_reservation *r = file->private_data;

	rein_taker_untie(&r->taker);
	rein_line_leave(&r->taker, REIN_FOLD_CANCELLED, NULL);
	/* It is out of the line: nothing begins any more. */
	cancel_delayed_work_sync(&r->work);
	spin_lock_bh(&r->lock);
	if (is_held(r))
		give_back(r, REIN_STAT(CANCELLED));
	spin_unlock_bh(&r->lock);
	reservation_free(r);
	return 0;
}

static const struct file_operations reservation_fops = {
	.owner = THIS_MODULE,
	.release = reservation_release,
	.poll = reservation_poll,
	.unlocked_ioctl = reservation_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* --- making one --------------------------------------------------------------------- */

static int check_reserve(struct rein_take_args *args,
			 const struct rein_take_want *wants)
{
	u64 claim = args->claim_ns;
	int err;

	err = rein_take_check(args, wants,
			      REIN_TAKE_DEADLINE | REIN_TAKE_TIMEOUT);
	if (err || !claim ||
	    (claim >= REIN_CLAIM_MIN_NS && claim <= REIN_CLAIM_MAX_NS))
		return err;
	return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
			      "the time to claim must be between 1 ms and 60 s",
			      "a time to claim of %llu ns is not between 1 ms and 60 s",
			      claim);
}

static struct rein_reservation *
reservation_new(struct rein_client *client, const struct rein_take_args *args,
		const struct rein_take_want *wants)
{
	struct rein_reservation *r;

	r = kzalloc(struct_size(r, wants, args->n_wants), GFP_KERNEL_ACCOUNT);
	if (!r)
		return NULL;
	memcpy(r->wants, wants, args->n_wants * sizeof(*wants));
	rein_take_begin(&r->taker, args, r->wants);
	r->taker.end = reservation_end;
	r->taker.holds = r->holds;
	r->client = client;
	r->claim_ns = args->claim_ns ?: REIN_CLAIM_DEFAULT_NS;
	init_waitqueue_head(&r->wait);
	INIT_DELAYED_WORK(&r->work, reservation_work);
	spin_lock_init(&r->lock);
	return r;
}

static int reservation_join(struct rein_reservation *r,
			    struct rein_take_args *args)
{
	int err;

	err = rein_take_scopes(args, &r->taker) ?:
	      rein_take_join(args, &r->taker);
	if (err)
		return err;
	/* Later records are not made by this task, whoever has its address. */
	WRITE_ONCE(r->taker.task, NULL);
	if (still_waits(r)) {
		look_again(r, r->taker.until);
	} else if (!r->decided) {
		/* At once: nobody else has ended it. */
		r->decided = ktime_get_ns();
		if (r->taker.state == REIN_TAKER_FAILED)
			return rein_take_answer(args, &r->taker);
		reservation_hold(r);
	}
	answer_wait(r, args);
	/* From here on its end may come at any time; it is told as any other. */
	if (!rein_taker_tie(&r->taker, reservation_cut))
		cut(r, rein_taker_done(&r->taker));
	return 0;
}

static int fail_many(struct rein_take_args *args)
{
	return rein_take_fail(args, 0, REIN_E_RESERVE_MANY,
			      "there are as many reservations as there may be",
			      "there are %d reservations of one opening of /dev/rein",
			      REIN_RESERVATIONS_MAX);
}

/* A reservation that stands nowhere yet, in a file. */
static struct file *reservation_file(struct rein_client *client,
				     struct rein_take_args *args,
				     const struct rein_take_want *wants)
{
	struct rein_reservation *r;
	struct file *file;

	if (!client_charge(client))
		return ERR_PTR(fail_many(args));
	r = reservation_new(client, args, wants);
	if (!r) {
		client_uncharge(client);
		return ERR_PTR(rein_take_no_memory(args));
	}
	file = anon_inode_getfile("[rein]", &reservation_fops, r, O_RDWR);
	if (IS_ERR(file)) {
		reservation_free(r);
		return ERR_PTR(rein_take_no_memory(args));
	}
	return file;
}

/**
 * rein_reserve() - take tokens by name, or a place in the line for them
 * @client:	whom it counts for
 * @args:	what is asked, and where the answer goes; see the ABI
 * @wants:	the names, args->n_wants of them
 *
 * Context: the task that reserves; may sleep.
 *
 * Return: a file which is readable as soon as it is decided; the last reference
 * gives up the place, or what was granted. ERR_PTR(): a complete answer is in
 * @args, and nothing is charged.
 */
struct file *rein_reserve(struct rein_client *client,
			  struct rein_take_args *args,
			  const struct rein_take_want *wants)
{
	struct file *file;
	int err;

	err = check_reserve(args, wants);
	if (err)
		return ERR_PTR(err);
	file = reservation_file(client, args, wants);
	if (IS_ERR(file))
		return file;
	err = reservation_join(file->private_data, args);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}
