// SPDX-License-Identifier: GPL-2.0
/*
 * Watches as descriptors. See watch-file.h.
 */
#include <linux/anon_inodes.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "call.h"
#include "client.h"
#include "clock.h"
#include "limit.h"
#include "spec.h"
#include "watch.h"
#include "watch-file.h"
#include "watch-spec.h"

static const struct file_operations watch_fops;

/* What one may do with a descriptor: each what the one before may, and more. */
enum rights {
	OBSERVES,
	BEATS,
	OWNS,
};

/**
 * struct look - a descriptor of a watch
 * @watch:	the watch, holds a reference
 * @rights:	what may be done
 * @wants:	what it is readable for: 1 << enum rein_watch_count
 * @seen:	of these counts what was read; the watch's lock
 */
struct look {
	struct rein_watch *watch;
	enum rights rights;
	u32 wants;
	u64 seen[REIN_WATCH_COUNTS];
};

static struct look *look_of(const struct file *file)
{
	return file->private_data;
}

static struct rein_watch *watch_of(const struct file *file)
{
	return look_of(file)->watch;
}

/* --- waiting --------------------------------------------------------------------------- */

static bool is_over(const struct rein_watch *watch)
{
	return READ_ONCE(watch->status) == REIN_WATCH_GONE;
}

static bool has_news(const struct look *look)
{
	struct rein_watch *watch = look->watch;
	bool news = false;
	unsigned int i;

	spin_lock_bh(&watch->lock);
	for (i = 0; i < REIN_WATCH_COUNTS; i++)
		news |= look->wants >> i & 1 &&
			watch->count[i] != look->seen[i];
	spin_unlock_bh(&watch->lock);
	return news;
}

static __poll_t watch_poll(struct file *file, poll_table *pt)
{
	const struct look *look = look_of(file);
	__poll_t events = 0;

	poll_wait(file, &look->watch->wait, pt);
	if (has_news(look))
		events |= EPOLLIN | EPOLLRDNORM;
	if (is_over(look->watch))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return events;
}

/* By the clock of the time namespace of who reads. */
static u64 time_of(u64 ns)
{
	return ns ? ns + rein_clock_offset(REIN_CLOCK_MONOTONIC) : 0;
}

static void fill_state(struct look *look, struct rein_watch_state *state)
{
	struct rein_watch *watch = look->watch;

	spin_lock_bh(&watch->lock);
	*state = (struct rein_watch_state){
		.id = watch->id,
		.last_ns = time_of(watch->last_ns),
		/* Who only looks on is not to beat. */
		.token = look->rights == OBSERVES ? 0 : watch->token,
		.record = READ_ONCE(watch->record),
		.status = watch->pulse.status,
		.fault = watch->pulse.fault,
		.misses = watch->pulse.misses,
	};
	if (watch->pulse.busy) {
		state->unit_ns = time_of(watch->unit_ns);
		memcpy(state->unit, watch->unit, sizeof(state->unit));
	}
	memcpy(state->count, watch->count, sizeof(state->count));
	memcpy(look->seen, watch->count, sizeof(look->seen));
	spin_unlock_bh(&watch->lock);
}

static ssize_t watch_read(struct file *file, char __user *user, size_t size,
			  loff_t *unused)
{
	struct look *look = look_of(file);
	struct rein_watch *watch = look->watch;
	struct rein_watch_state state;
	int err;

	if (file->f_flags & O_NONBLOCK && !has_news(look) && !is_over(watch))
		return -EAGAIN;
	err = wait_event_interruptible(watch->wait,
				       has_news(look) || is_over(watch));
	if (err)
		return err;
	fill_state(look, &state);
	size = min(size, sizeof(state));
	if (copy_to_user(user, &state, size))
		return rein_call_unread(-EFAULT, size, REIN_E_WATCH_MALFORMED);
	return size;
}

static void watch_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct look *look = look_of(file);
	struct rein_watch *watch = look->watch;

	seq_printf(seq, "rein-watch:\t%llu\n", watch->id);
	if (*watch->name)
		seq_printf(seq, "rein-name:\t%s\n", watch->name);
	seq_printf(seq, "rein-rights:\t%s\n",
		   look->rights == OWNS ? "owner" :
		   look->rights == BEATS ? "beat" : "observer");
	spin_lock_bh(&watch->lock);
	seq_printf(seq, "rein-status:\t%s\n",
		   watch->pulse.status == REIN_WATCH_OFF ? "off" :
		   watch->pulse.status == REIN_WATCH_RUNNING ? "running" :
		   watch->pulse.status == REIN_WATCH_EXPIRED ? "expired" : "gone");
	seq_printf(seq, "rein-beats:\t%llu\n", watch->count[REIN_COUNT_BEAT]);
	seq_printf(seq, "rein-faults:\t%llu\n", watch->count[REIN_COUNT_MISS]);
	spin_unlock_bh(&watch->lock);
}

/* --- beats ------------------------------------------------------------------------------ */

static int fail_rights(const struct file *file, struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_WATCH_OBSERVER,
			      "this descriptor is not an owner's",
			      "a descriptor of watch %llu that is not an owner's can't do that",
			      watch_of(file)->id);
}

static int check_beats(const struct file *file, struct rein_answer *answer)
{
	return look_of(file)->rights >= BEATS ? 0 : fail_rights(file, answer);
}

static int check_owns(const struct file *file, struct rein_answer *answer)
{
	return look_of(file)->rights == OWNS ? 0 : fail_rights(file, answer);
}

static ssize_t watch_write(struct file *file, const char __user *user,
			   size_t size, loff_t *unused)
{
	struct rein_watch *watch = watch_of(file);
	struct rein_answer answer;
	u64 token = 0;
	int err = check_beats(file, &answer);

	if (err)
		return err;
	if (watch->flags & REIN_WATCH_TOKEN) {
		if (size < sizeof(token))
			return rein_call_unread(-EINVAL, size,
						REIN_E_WATCH_MALFORMED);
		if (copy_from_user(&token, user, sizeof(token)))
			return rein_call_unread(-EFAULT, size,
						REIN_E_WATCH_MALFORMED);
	}
	return rein_watch_beat_plain(watch, token, &answer) ?: size;
}

/* Terminated, and printable in a line; what comes after that is cleared. */
static bool unit_good(char unit[REIN_UNIT_LEN])
{
	size_t len = strnlen(unit, REIN_UNIT_LEN), i;

	if (len == REIN_UNIT_LEN)
		return false;
	memset(unit + len, 0, REIN_UNIT_LEN - len);
	for (i = 0; i < len; i++)
		if (!isascii(unit[i]) || !isprint(unit[i]))
			return false;
	return true;
}

static const char *beat_wrong(const struct rein_watch *watch,
			      struct rein_beat_args *args)
{
	bool begins = args->kind == REIN_BEAT_BEGIN;
	bool unit = begins || args->kind == REIN_BEAT_END;

	if (args->kind > REIN_BEAT_CHECKPOINT)
		return "the kind of the beat is not known";
	if (args->kind == REIN_BEAT_CHECKPOINT ?
	    args->checkpoint >= REIN_CHECKPOINTS : args->checkpoint)
		return "there is no such checkpoint";
	if (args->token && !(watch->flags & REIN_WATCH_TOKEN))
		return "the beat carries a token, and need not";
	if (args->deadline_ns &&
	    (!begins || args->deadline_ns < REIN_RULE_MIN_NS ||
	     args->deadline_ns > REIN_RULE_MAX_NS))
		return "the deadline of the unit is out of range";
	if (!unit_good(args->unit) || unit != !!*args->unit)
		return "the unit's id is not one, or there is none";
	return NULL;
}

static int watch_beat(struct file *file, void *arg, struct rein_answer *answer)
{
	struct rein_beat_args *args = arg;
	const char *wrong = beat_wrong(watch_of(file), args);

	if (wrong)
		return rein_call_wrong(answer, REIN_E_WATCH_MALFORMED, wrong);
	return rein_watch_beat(watch_of(file), args);
}

static int check_map(const struct file *file, struct vm_area_struct *vma,
		     struct rein_answer *answer)
{
	const struct rein_watch *watch = watch_of(file);

	if (!watch->slot.slots || vma->vm_pgoff || vma_pages(vma) != 1 ||
	    !(vma->vm_flags & VM_SHARED))
		return rein_call_fail(answer, REIN_E_WATCH_MALFORMED,
				      "of a watch with a slot one page can be mapped, shared",
				      "%lu pages of a watch from page %lu on were to be mapped",
				      vma_pages(vma), vma->vm_pgoff);
	if (look_of(file)->rights != OWNS)
		return fail_rights(file, answer);
	/* There are slots of other watches in there: all of them his own. */
	if (task_tgid(current) == watch->maker.pid)
		return 0;
	return rein_call_fail(answer, REIN_E_WATCH_DENIED,
			      "only who made the watch can map its slot",
			      "process %d wants to map the slot of a watch that another made",
			      task_tgid_nr(current));
}

static int watch_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct rein_answer unused;
	int err = check_map(file, vma, &unused);

	return err ?: rein_slot_map(&watch_of(file)->slot, vma);
}

/* --- an owner's calls ---------------------------------------------------------------------- */

static int watch_arm(struct file *file, void *arg, struct rein_answer *answer)
{
	const struct rein_arm_args *args = arg;
	const u32 known = REIN_ARM_OFF | REIN_ARM_EVERY | REIN_ARM_GRACE;
	bool grace = args->flags & REIN_ARM_GRACE;

	if (args->flags & ~known || args->reserved ||
	    (args->flags & REIN_ARM_OFF && args->flags != REIN_ARM_OFF) ||
	    (args->every_ns && !(args->flags & REIN_ARM_EVERY)) ||
	    (grace ? args->grace_ns < REIN_RULE_MIN_NS ||
		     args->grace_ns > REIN_RULE_MAX_NS : args->grace_ns))
		return rein_call_fail(answer, REIN_E_WATCH_MALFORMED,
				      "a watch can't be armed like this",
				      "a watch can't be armed with flags %#x, a cycle of %llu ns and a grace of %llu ns",
				      args->flags, args->every_ns,
				      args->grace_ns);
	return rein_watch_arm(watch_of(file), args, answer);
}

static int watch_test(struct file *file, void *arg, struct rein_answer *answer)
{
	const struct rein_test_args *args = arg;

	if (args->flags & ~REIN_TEST_REAL || args->reserved)
		return rein_call_fail(answer, REIN_E_WATCH_MALFORMED,
				      "the flags of the test are unknown",
				      "flags %#x of a test are unknown",
				      args->flags);
	return rein_watch_test(watch_of(file), args->flags, answer);
}

static int watch_unwatch(struct file *file, void *args,
			 struct rein_answer *answer)
{
	struct rein_watch *watch = watch_of(file);

	if (rein_watch_end(watch, false))
		return 0;
	return rein_call_fail(answer, REIN_E_WATCH_OVER, "the watch is over",
			      "watch %llu is over already", watch->id);
}

static const struct rein_call calls[] = {
	REIN_CALL(REIN_IOC_BEAT, rein_beat_args, REIN_BEAT_ARGS_SIZE_0, next,
		  .check = check_beats, .run = watch_beat),
	REIN_CALL(REIN_IOC_ARM, rein_arm_args, REIN_ARM_ARGS_SIZE_0, answer,
		  .check = check_owns, .run = watch_arm),
	REIN_CALL(REIN_IOC_TEST, rein_test_args, REIN_TEST_ARGS_SIZE_0, answer,
		  .check = check_owns, .run = watch_test),
	REIN_CALL(REIN_IOC_UNWATCH, rein_unwatch_args, REIN_UNWATCH_ARGS_SIZE_0, answer,
		  .check = check_owns, .run = watch_unwatch),
};

static long watch_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return rein_call(calls, ARRAY_SIZE(calls), file, cmd,
			 (void __user *)arg);
}

/* --- the files ---------------------------------------------------------------------------- */

static int watch_release(struct inode *inode, struct file *file)
{
	struct look *look = look_of(file);
	struct rein_watch *watch = look->watch;

	if (look->rights == OWNS && atomic_dec_and_test(&watch->owners) &&
	    watch->flags & REIN_WATCH_OWNED)
		rein_watch_end(watch, false);
	rein_watch_put(watch);
	kfree(look);
	return 0;
}

static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.release = watch_release,
	.poll = watch_poll,
	.read = watch_read,
	.write = watch_write,
	.mmap = watch_mmap,
	.show_fdinfo = watch_fdinfo,
	.unlocked_ioctl = watch_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct look *look_new(struct rein_watch *watch, enum rights rights,
			     u32 wants)
{
	struct look *look = kzalloc(sizeof(*look), GFP_KERNEL_ACCOUNT);

	if (!look)
		return NULL;
	look->watch = rein_watch_get(watch);
	look->rights = rights;
	look->wants = wants ?: BIT(REIN_WATCH_COUNTS) - 1;
	if (rights == OWNS)
		atomic_inc(&watch->owners);
	return look;
}

static struct file *watch_file(struct rein_watch *watch, enum rights rights,
			       u32 wants, struct rein_answer *answer)
{
	static const char *const names[] = {
		[OBSERVES] = "[rein-watch-observer]",
		[BEATS] = "[rein-watch-beat]",
		[OWNS] = "[rein-watch]",
	};
	struct look *look = look_new(watch, rights, wants);
	struct file *file;

	if (!look)
		return ERR_PTR(rein_call_no_memory(answer, "for a descriptor"));
	file = anon_inode_getfile(names[rights], &watch_fops, look, O_RDWR);
	if (!IS_ERR(file))
		return file;
	if (rights == OWNS)
		atomic_dec(&watch->owners);
	rein_watch_put(watch);
	kfree(look);
	if (file == ERR_PTR(-ENOMEM))
		return ERR_PTR(rein_call_no_memory(answer, "for a descriptor"));
	return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_FILES,
				      "as many files are open as there may be",
				      "there was no file for a watch: errno %ld",
				      -PTR_ERR(file)));
}

/**
 * rein_watch_make() - REIN_IOC_WATCH
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Return: a file, or ERR_PTR().
 */
struct file *rein_watch_make(struct file *dev, void *arg,
			     struct rein_answer *answer)
{
	struct rein_client *client = dev->private_data;
	struct rein_watch_args *args = arg;
	struct rein_watch_spec spec;
	struct rein_watch *watch;
	struct file *file;
	int err = rein_watch_spec_read(&spec, args, &client->slots, answer);

	watch = err ? ERR_PTR(err) : rein_watch_new(&spec, answer);
	rein_watch_spec_done(&spec);
	if (IS_ERR(watch))
		return ERR_CAST(watch);
	args->id = watch->id;
	if (watch->slot.slots)
		args->slot = rein_slot_offset(&watch->slot);
	file = watch_file(watch, OWNS, args->wants, answer);
	if (IS_ERR(file))
		rein_watch_end(watch, false);
	/* From here on it is who has that. */
	atomic_dec(&watch->owners);
	rein_watch_put(watch);
	return file;
}

/**
 * rein_watch_unmake() - undo rein_watch_make()
 * @made:	the file, which is closed then
 */
void rein_watch_unmake(struct file *made)
{
	rein_watch_end(watch_of(made), false);
}

/* --- finding one --------------------------------------------------------------------------- */

/*
 * Who beats can have it expire, by too many or out of order, as can who tests it: then steps are
 * done as who made it. Whoever it is kept over may: what he does is what it is to find.
 */
static bool may(const struct rein_watch *watch, enum rights rights)
{
	if (rights < OWNS && rein_subject_is_current(&watch->subject))
		return true;
	return rights == OBSERVES ?
	       rein_maker_is_current(&watch->maker) :
	       rein_maker_is_matched(&watch->maker, watch->cred);
}

static int fail_privileges(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_WATCH_PRIVILEGES,
			      "the watch was made with privileges that the caller lacks",
			      "user %u wants a watch that was made with privileges that the caller lacks",
			      from_kuid(&init_user_ns, current_uid()));
}

/* Takes over the reference. */
static struct rein_watch *check_mine(struct rein_watch *watch,
				     enum rights rights,
				     struct rein_answer *answer)
{
	if (!watch)
		return ERR_PTR(rein_call_fail(answer, REIN_E_WATCH_UNKNOWN,
					      "there is no such watch",
					      "there is no watch of that id or name"));
	if (may(watch, rights))
		return watch;
	if (rein_maker_is_current(&watch->maker)) {
		rein_watch_put(watch);
		return ERR_PTR(fail_privileges(answer));
	}
	rein_watch_put(watch);
	return ERR_PTR(rein_call_fail(answer, REIN_E_WATCH_DENIED,
				      "the watch is another user's, or of outside of the container",
				      "user %u wants the watch of another user, or of outside of the container",
				      from_kuid(&init_user_ns, current_uid())));
}

/* The only one of that name that the caller may have. */
static struct rein_watch *by_name(const char *name, enum rights rights,
				  struct rein_answer *answer)
{
	struct rein_watch *watch, *found = NULL;
	bool lacks = false;
	u64 id = 0;

	while ((watch = rein_watch_next(id))) {
		id = watch->id + 1;
		if (strcmp(watch->name, name) || !may(watch, rights)) {
			lacks |= !strcmp(watch->name, name) &&
				 rein_maker_is_current(&watch->maker);
			rein_watch_put(watch);
		} else if (found) {
			rein_watch_put(watch);
			rein_watch_put(found);
			return ERR_PTR(rein_call_fail(answer,
						      REIN_E_WATCH_AMBIGUOUS,
						      "several watches have that name",
						      "several watches are named %s",
						      name));
		} else {
			found = watch;
		}
		cond_resched();
	}
	return found || !lacks ? found : ERR_PTR(fail_privileges(answer));
}

static const char *look_wrong(const struct rein_look_args *args)
{
	const u32 known = REIN_LOOK_OBSERVE | REIN_LOOK_BEAT;

	if (args->flags & ~known || args->flags == known)
		return "the flags are unknown, or exclude each other";
	if (args->wants >> REIN_WATCH_COUNTS)
		return "what it wants is not known";
	if (!rein_name_fits(args->name) || !args->id == !*args->name)
		return "to look for a watch takes an id, or a name";
	return NULL;
}

/**
 * rein_watch_look() - REIN_IOC_LOOK
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Return: a file, or ERR_PTR().
 */
struct file *rein_watch_look(struct file *dev, void *arg,
			     struct rein_answer *answer)
{
	struct rein_look_args *args = arg;
	const char *wrong = look_wrong(args);
	enum rights rights = args->flags & REIN_LOOK_OBSERVE ? OBSERVES :
			     args->flags & REIN_LOOK_BEAT ? BEATS : OWNS;
	struct rein_watch *watch;
	struct file *file;

	if (wrong)
		return ERR_PTR(rein_call_wrong(answer,
					       REIN_E_WATCH_MALFORMED, wrong));
	watch = args->id ? rein_watch_find(args->id) :
			   by_name(args->name, rights, answer);
	if (!IS_ERR(watch))
		watch = check_mine(watch, rights, answer);
	if (IS_ERR(watch))
		return ERR_CAST(watch);
	file = watch_file(watch, rights, args->wants, answer);
	rein_watch_put(watch);
	return file;
}
