// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes as descriptors. See scope-file.h.
 */
#include <linux/anon_inodes.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "bind.h"
#include "call.h"
#include "race.h"
#include "scope.h"
#include "scope-file.h"
#include "spec.h"
#include "target.h"

static const struct file_operations owner_fops, observer_fops;

static struct rein_scope *scope_of(const struct file *file)
{
	return file->private_data;
}

/* --- waiting --------------------------------------------------------------------------- */

static __poll_t scope_poll(struct file *file, poll_table *pt)
{
	const struct rein_scope *scope = scope_of(file);
	__poll_t events;

	poll_wait(file, &scope_of(file)->wait, pt);
	events = rein_race_poll(scope);
	if (rein_scope_cause(scope))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return events;
}

/* The clock of the time namespace of who reads. */
static void fill_done(const struct rein_scope *scope,
		      struct rein_scope_done *done)
{
	const struct rein_scope *origin = rein_scope_origin(scope);

	*done = (struct rein_scope_done){
		.id = scope->id,
		.origin = scope->end.origin,
		.record = scope->end.record,
		.time_ns = scope->end.time_ns +
			   rein_clock_offset(REIN_CLOCK_MONOTONIC),
		.cause = scope->cause,
		.pid = pid_vnr(origin->end.pid),
	};
	if (origin->end.reason)
		strscpy(done->reason, origin->end.reason, sizeof(done->reason));
}

static ssize_t scope_read(struct file *file, char __user *user, size_t size,
			  loff_t *unused)
{
	struct rein_scope *scope = scope_of(file);
	struct rein_scope_done done;
	int err;

	if (!rein_scope_cause(scope) && file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	err = wait_event_interruptible(scope->wait, rein_scope_cause(scope));
	if (err)
		return err;
	fill_done(scope, &done);
	size = min(size, sizeof(done));
	if (copy_to_user(user, &done, size))
		return rein_call_unread(-EFAULT, size, REIN_E_SCOPE_MALFORMED);
	return size;
}

/* The page comes with the first who wants to look at it. */
static int scope_show_page(struct rein_scope *scope)
{
	struct rein_scope_page *shown;
	struct page *page;

	if (READ_ONCE(scope->page))
		return 0;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	mutex_lock(&scope->family->lock);
	shown = page_address(page);
	shown->cause = scope->cause;
	if (!scope->page) {
		WRITE_ONCE(scope->page, page);
		page = NULL;
	}
	mutex_unlock(&scope->family->lock);
	if (page)
		__free_page(page);
	return 0;
}

static int scope_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct rein_scope *scope = scope_of(file);
	struct rein_answer unused;

	if (vma->vm_pgoff || vma_pages(vma) != 1 || vma->vm_flags & VM_WRITE)
		return rein_call_fail(&unused, REIN_E_SCOPE_MALFORMED,
				      "of a scope one page can be mapped, to be read",
				      "%lu pages from page %lu on were to be mapped, with flags %#lx",
				      vma_pages(vma), vma->vm_pgoff,
				      (unsigned long)vma->vm_flags);
	if (scope_show_page(scope))
		return rein_call_no_memory(&unused, "for a page of a scope");
	vm_flags_clear(vma, VM_MAYWRITE);
	return vm_insert_page(vma, vma->vm_start, scope->page);
}

static void scope_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct rein_scope *scope = scope_of(file);
	u64 left = rein_scope_left(scope);

	seq_printf(seq, "rein-scope:\t%llu\n", scope->id);
	if (*scope->name)
		seq_printf(seq, "rein-name:\t%s\n", scope->name);
	if (file->f_op == &observer_fops)
		seq_puts(seq, "rein-observer:\t1\n");
	if (scope->parent)
		seq_printf(seq, "rein-parent:\t%llu\n", scope->parent->id);
	seq_printf(seq, "rein-depth:\t%u\n", scope->depth);
	if (left != REIN_NEVER)
		seq_printf(seq, "rein-left-ns:\t%llu\n", left);
	seq_printf(seq, "rein-cause:\t%s\n",
		   rein_cause_name(rein_scope_cause(scope)));
	seq_printf(seq, "rein-children:\t%u\n", READ_ONCE(scope->n_children));
	seq_printf(seq, "rein-waiters:\t%u\n", READ_ONCE(scope->n_ties));
}

/* --- calls ----------------------------------------------------------------------------- */

static int fail_file(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a descriptor");
	return rein_call_fail(answer, REIN_E_SCOPE_FILES,
			      "as many files are open as there may be",
			      "there was no file for a scope: errno %d", -err);
}

static struct file *scope_file(struct rein_scope *scope, bool observe,
			       struct rein_answer *answer)
{
	struct file *file;

	file = anon_inode_getfile(observe ? "[rein-observer]" : "[rein-scope]",
				  observe ? &observer_fops : &owner_fops,
				  rein_scope_get(scope), O_RDWR);
	if (IS_ERR(file)) {
		rein_scope_put(scope);
		return ERR_PTR(fail_file(answer, PTR_ERR(file)));
	}
	if (!observe)
		atomic_inc(&scope->owners);
	return file;
}

static struct file *scope_observe(struct file *file, void *args,
				  struct rein_answer *answer)
{
	return scope_file(scope_of(file), true, answer);
}

static int scope_cancel(struct file *file, void *arg,
			struct rein_answer *answer)
{
	struct rein_cancel_args *args = arg;

	if (args->cause != REIN_CAUSE_USER && args->cause != REIN_CAUSE_DUPLICATE)
		return rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
				      "a scope can't be cancelled for that cause",
				      "a scope can't be cancelled for cause %u",
				      args->cause);
	args->reason[sizeof(args->reason) - 1] = '\0';
	args->was = rein_scope_cancel(scope_of(file), args->cause, args->reason);
	return 0;
}

static int scope_bind(struct file *file, void *args, struct rein_answer *answer)
{
	return rein_bind(scope_of(file), args);
}

static int scope_win(struct file *file, void *args, struct rein_answer *answer)
{
	return rein_race_win(scope_of(file), args);
}

static int scope_grant(struct file *file, void *args,
		       struct rein_answer *answer)
{
	return rein_race_grant(scope_of(file), args);
}

/* What only an owner may do. */
static int check_owner(const struct file *file, struct rein_answer *answer)
{
	if (file->f_op == &owner_fops)
		return 0;
	return rein_call_fail(answer, REIN_E_SCOPE_OBSERVER,
			      "an observer can only wait",
			      "an observer of scope %llu can only wait for it",
			      scope_of(file)->id);
}

/* Who only observes may look at what came of a race, but not close it. */
static int scope_result(struct file *file, void *arg,
			struct rein_answer *answer)
{
	const struct rein_result_args *args = arg;
	int err = args->flags & REIN_RESULT_CLOSE ? check_owner(file, answer) : 0;

	return err ?: rein_race_result(scope_of(file), arg);
}

static struct file *scope_join(struct file *file, void *arg,
			       struct rein_answer *answer)
{
	struct rein_join_args *args = arg;
	struct rein_scope *scope;
	struct file *made;

	if (args->flags & ~REIN_SCOPE_OWNED)
		return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
					      "the flags of the replica are unknown",
					      "flags %#x of a replica are unknown",
					      args->flags));
	scope = rein_race_join(scope_of(file), args->flags, answer);
	if (IS_ERR(scope))
		return ERR_CAST(scope);
	args->number = rein_race_number(scope);
	args->id = scope->id;
	made = scope_file(scope, false, answer);
	rein_scope_put(scope);
	return made;
}

static const struct rein_call calls[] = {
	REIN_CALL(REIN_IOC_OBSERVE, rein_observe_args, REIN_OBSERVE_ARGS_SIZE_0, answer,
		  .open = scope_observe),
	REIN_CALL(REIN_IOC_CANCEL, rein_cancel_args, REIN_CANCEL_ARGS_SIZE_0, was,
		  .check = check_owner, .run = scope_cancel),
	REIN_CALL(REIN_IOC_BIND, rein_bind_args, REIN_BIND_ARGS_SIZE_0, answer,
		  .check = check_owner, .run = scope_bind),
	REIN_CALL(REIN_IOC_JOIN, rein_join_args, REIN_JOIN_ARGS_SIZE_0, number,
		  .check = check_owner, .open = scope_join),
	REIN_CALL(REIN_IOC_WIN, rein_win_args, REIN_WIN_ARGS_SIZE_0, number,
		  .check = check_owner, .run = scope_win),
	REIN_CALL(REIN_IOC_GRANT, rein_grant_args, REIN_GRANT_ARGS_SIZE_0, answer,
		  .check = check_owner, .run = scope_grant),
	REIN_CALL(REIN_IOC_RESULT, rein_result_args, REIN_RESULT_ARGS_SIZE_0, winner,
		  .run = scope_result),
};

static long scope_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return rein_call(calls, ARRAY_SIZE(calls), file, cmd,
			 (void __user *)arg);
}

/* --- the files ---------------------------------------------------------------------------- */

static int owner_release(struct inode *inode, struct file *file)
{
	struct rein_scope *scope = scope_of(file);

	if (atomic_dec_and_test(&scope->owners)) {
		rein_race_leave(scope);
		if (scope->owned && !rein_scope_cause(scope))
			rein_scope_cancel(scope, REIN_CAUSE_OWNER_EXIT, NULL);
	}
	rein_scope_put(scope);
	return 0;
}

static int observer_release(struct inode *inode, struct file *file)
{
	rein_scope_put(scope_of(file));
	return 0;
}

static const struct file_operations owner_fops = {
	.owner = THIS_MODULE,
	.release = owner_release,
	.poll = scope_poll,
	.read = scope_read,
	.mmap = scope_mmap,
	.show_fdinfo = scope_fdinfo,
	.unlocked_ioctl = scope_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static const struct file_operations observer_fops = {
	.owner = THIS_MODULE,
	.release = observer_release,
	.poll = scope_poll,
	.read = scope_read,
	.mmap = scope_mmap,
	.show_fdinfo = scope_fdinfo,
	.unlocked_ioctl = scope_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/**
 * rein_scope_of_fd() - the scope that a descriptor is of
 * @fd:		the descriptor
 * @observe:	an observer does, too
 * @code:	set to why not
 *
 * Context: the task whose it is; may sleep.
 *
 * Return: the scope, with a reference, or NULL.
 */
struct rein_scope *rein_scope_of_fd(int fd, bool observe, enum rein_code *code)
{
	struct rein_scope *scope = NULL;
	struct file *file = fget(fd);

	*code = REIN_E_SCOPE_NONE;
	if (!file)
		return NULL;
	if (file->f_op == &owner_fops ||
	    (observe && file->f_op == &observer_fops))
		scope = rein_scope_get(scope_of(file));
	else if (file->f_op == &observer_fops)
		*code = REIN_E_SCOPE_OBSERVER;
	fput(file);
	return scope;
}

/* --- making one --------------------------------------------------------------------------- */

static int check_scope(const struct rein_scope_args *args,
		       struct rein_answer *answer)
{
	const u32 times = args->flags & (REIN_SCOPE_DEADLINE |
					 REIN_SCOPE_TIMEOUT);
	const u32 known = REIN_SCOPE_DEADLINE | REIN_SCOPE_TIMEOUT |
			  REIN_SCOPE_BOOTTIME | REIN_SCOPE_OWNED;

	if (args->flags & ~known || hweight32(times) > 1 ||
	    (args->flags & REIN_SCOPE_BOOTTIME && !times))
		return rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
				      "the flags of the scope can't be read",
				      "flags %#x of a scope are unknown or exclude each other",
				      args->flags);
	if ((args->deadline_ns && !times) || args->reserved)
		return rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
				      "a field that has to be 0 is not",
				      "a scope has a time of %llu ns without a flag for it, or a field that is not known",
				      args->deadline_ns);
	if (!rein_name_fits(args->name))
		return rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
				      "the name can't be used",
				      "a scope can't be named %*pE",
				      (int)strnlen(args->name,
						   sizeof(args->name)),
				      args->name);
	return 0;
}

static int fail_fd(struct rein_answer *answer, enum rein_code code, int fd)
{
	if (code == REIN_E_SCOPE_OBSERVER)
		return rein_call_fail(answer, REIN_E_SCOPE_OBSERVER,
				      "an observer can only wait",
				      "descriptor %d is an observer's, which has no children",
				      fd);
	return rein_call_fail(answer, REIN_E_SCOPE_NONE,
			      "the descriptor is not that of a scope",
			      "descriptor %d is not that of a scope", fd);
}

static int spec_of(const struct rein_scope_args *args,
		   struct rein_answer *answer, struct rein_scope_spec *spec)
{
	const enum rein_clock clock = args->flags & REIN_SCOPE_BOOTTIME ?
				      REIN_CLOCK_BOOTTIME :
				      REIN_CLOCK_MONOTONIC;
	enum rein_code code;

	*spec = (struct rein_scope_spec){
		.name = args->name,
		.deadline = { REIN_NEVER, REIN_NEVER },
		.owned = args->flags & REIN_SCOPE_OWNED,
	};
	if (args->flags & REIN_SCOPE_TIMEOUT)
		spec->deadline[clock] = rein_clock_after(rein_clock_now(clock),
							 args->deadline_ns);
	else if (args->flags & REIN_SCOPE_DEADLINE)
		spec->deadline[clock] = rein_clock_in(clock, args->deadline_ns);
	if (args->parent_fd == REIN_NO_FD)
		return 0;
	spec->parent = rein_scope_of_fd(args->parent_fd, false, &code);
	return spec->parent ? 0 : fail_fd(answer, code, args->parent_fd);
}

/* Takes over the race, if there is one. */
static struct file *make(struct rein_scope_args *args,
			 struct rein_answer *answer, struct rein_race *race)
{
	struct rein_scope_spec spec;
	struct rein_scope *scope;
	struct file *file;
	int err = spec_of(args, answer, &spec);

	spec.race = race;
	scope = err ? ERR_PTR(err) : rein_scope_new(&spec, answer);
	rein_scope_put(spec.parent);
	if (IS_ERR(scope)) {
		rein_race_drop(race);
		return ERR_CAST(scope);
	}
	args->id = scope->id;
	file = scope_file(scope, false, answer);
	rein_scope_put(scope);
	return file;
}

/**
 * rein_scope_make() - REIN_IOC_SCOPE
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Return: a file, or ERR_PTR().
 */
struct file *rein_scope_make(struct file *dev, void *arg,
			     struct rein_answer *answer)
{
	struct rein_scope_args *args = arg;
	int err = check_scope(args, answer);

	if (!err && args->policy)
		err = rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
				     "a scope has no policy: that is for races",
				     "a scope has a policy, %u", args->policy);
	return err ? ERR_PTR(err) : make(args, answer, NULL);
}

/**
 * rein_scope_make_race() - REIN_IOC_RACE
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Return: a file, or ERR_PTR().
 */
struct file *rein_scope_make_race(struct file *dev, void *arg,
				  struct rein_answer *answer)
{
	struct rein_scope_args *args = arg;
	int err = check_scope(args, answer);
	struct rein_race *race;

	if (err)
		return ERR_PTR(err);
	if (args->policy < REIN_POLICY_FIRST || args->policy > REIN_POLICY_ASK)
		return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
					      "the race has no policy that is known",
					      "a race has a policy that is not known, %u",
					      args->policy));
	race = rein_race_new(args->policy);
	if (!race)
		return ERR_PTR(rein_call_no_memory(answer, "for a race"));
	return make(args, answer, race);
}

/* --- finding one --------------------------------------------------------------------------- */

/* Takes over the reference. */
static struct rein_scope *check_mine(struct rein_scope *scope, bool observe,
				     struct rein_answer *answer)
{
	struct cgroup *own;
	bool may;

	if (!scope)
		return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_UNKNOWN,
					      "there is no such scope",
					      "there is no scope of that id or name"));
	may = rein_maker_is_current(&scope->maker);
	if (!may && observe) {
		own = rein_cgroup_current();
		may = rein_bind_covers(scope, own);
		cgroup_put(own);
	}
	if (may)
		return scope;
	rein_scope_put(scope);
	return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_DENIED,
				      "the scope is another user's, or of outside of the container",
				      "user %u wants the scope of another user, or of outside of the container",
				      from_kuid(&init_user_ns, current_uid())));
}

/* The only one of that name that the caller may have. */
static struct rein_scope *by_name(const char *name, struct rein_answer *answer)
{
	struct rein_scope *scope, *found = NULL;
	u64 id = 0;

	while ((scope = rein_scope_next(id))) {
		id = scope->id + 1;
		if (strcmp(scope->name, name) || !rein_maker_is_current(&scope->maker)) {
			rein_scope_put(scope);
		} else if (found) {
			rein_scope_put(scope);
			rein_scope_put(found);
			return ERR_PTR(rein_call_fail(answer,
						      REIN_E_SCOPE_AMBIGUOUS,
						      "several scopes have that name",
						      "several scopes are named %s",
						      name));
		} else {
			found = scope;
		}
		cond_resched();
	}
	return found;
}

static struct rein_scope *own_scope(void)
{
	struct cgroup *own = rein_cgroup_current();
	struct rein_scope *scope = rein_bind_find(own, NULL);

	cgroup_put(own);
	return scope;
}

static struct rein_scope *find(const struct rein_open_args *args,
			       struct rein_answer *answer)
{
	struct rein_scope *scope;

	if (args->id)
		scope = rein_scope_find(args->id);
	else if (*args->name)
		scope = by_name(args->name, answer);
	else
		scope = own_scope();
	if (IS_ERR(scope))
		return scope;
	return check_mine(scope, args->flags & REIN_OPEN_OBSERVE, answer);
}

/**
 * rein_scope_open() - REIN_IOC_OPEN
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Return: a file, or ERR_PTR().
 */
struct file *rein_scope_open(struct file *dev, void *arg,
			     struct rein_answer *answer)
{
	struct rein_open_args *args = arg;
	struct rein_scope *scope;
	struct file *file;

	if (args->flags & ~REIN_OPEN_OBSERVE || args->reserved ||
	    (args->id && *args->name) || !rein_name_fits(args->name))
		return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
					      "the flags or the name can't be, or both an id and a name are given",
					      "flags %#x, or a name, can't be, or both an id and a name are given",
					      args->flags));
	scope = find(args, answer);
	if (IS_ERR(scope))
		return ERR_CAST(scope);
	file = scope_file(scope, args->flags & REIN_OPEN_OBSERVE, answer);
	rein_scope_put(scope);
	return file;
}
