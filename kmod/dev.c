// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/rein. See dev.h.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/rein_dev.h>

#include "call.h"
#include "client.h"
#include "credit.h"
#include "dev.h"
#include "raw.h"
#include "record.h"
#include "reserve.h"
#include "scope-file.h"
#include "take.h"
#include "watch-file.h"

/* A struct may have grown since its first version, but never shrink. */
static_assert(sizeof(struct rein_take_args) >= REIN_TAKE_ARGS_SIZE_0);

/* Nobody reads the code, but rein_call_catch() does. */
static int fail_args(struct rein_take_args *args, int err, size_t size)
{
	args->code = REIN_E_DEV_FAULT;
	return rein_call_unread(err, size, REIN_E_TAKE_MALFORMED);
}

/* Who waits keeps them, so they are charged to its memory cgroup. */
static struct rein_take_want *copy_wants(const struct rein_take_args *args)
{
	const size_t size = args->n_wants * sizeof(struct rein_take_want);
	struct rein_take_want *wants;

	/* rein_take() will say so. */
	if (!args->n_wants || args->n_wants > REIN_TAKE_NAMES_MAX)
		return NULL;
	wants = kmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!wants)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(wants, u64_to_user_ptr(args->wants), size))
		return wants;
	kfree(wants);
	return ERR_PTR(-EFAULT);
}

/**
 * rein_dev_get() - copy arguments from the caller's memory
 * @args:	where to; there is no answer in it yet, whatever a client wrote
 * @user:	where from
 * @size:	how many bytes the caller knows
 *
 * Context: the task that asks; may sleep. So for the next one.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_dev_get(struct rein_take_args *args, void __user *user, size_t size)
{
	const size_t from = offsetof(struct rein_take_args, granted_ns);
	const size_t to = offsetof(struct rein_take_args, claim_ns);
	int err = -EINVAL;

	if (size >= REIN_TAKE_ARGS_SIZE_0)
		err = copy_struct_from_user(args, sizeof(*args), user, size);
	if (err)
		return fail_args(args, err, size);
	memset((char *)args + from, 0, to - from);
	args->cause = 0;
	args->scope_id = 0;
	return 0;
}

/**
 * rein_dev_put() - copy arguments, with the answer, to the caller's memory
 * @args:	where from
 * @user:	where to
 * @size:	how many bytes the caller knows
 *
 * Also before anything is charged: it isn't if the answer couldn't be delivered.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_dev_put(struct rein_take_args *args, void __user *user, size_t size)
{
	size = min(size, sizeof(*args));
	return copy_to_user(user, args, size) ? fail_args(args, -EFAULT, size) :
						0;
}

static long dev_take(struct rein_take_args *args, void __user *user,
		     size_t size, const struct rein_take_want *wants)
{
	int err = rein_take(args, wants);

	return rein_dev_put(args, user, size) ?: err;
}

/* Not even a descriptor to be had: for want of memory, or of a free number. */
static int fail_files(struct rein_take_args *args, void __user *user,
		      size_t size, int why)
{
	int err;

	if (why == -ENOMEM)
		err = rein_take_no_memory(args);
	else
		err = rein_take_fail(args, 0, REIN_E_RESERVE_MANY,
				     "the process has as many files open as it may",
				     "there was no descriptor for a reservation");
	return rein_dev_put(args, user, size) ?: err;
}

static long dev_reserve(struct rein_take_args *args, void __user *user,
			size_t size, const struct rein_take_want *wants,
			struct rein_client *client)
{
	int fd = get_unused_fd_flags(O_CLOEXEC), err;
	struct file *file;

	if (fd < 0)
		return fail_files(args, user, size, fd);
	file = rein_reserve(client, args, wants);
	err = rein_dev_put(args, user, size);
	if (IS_ERR(file) || err) {
		put_unused_fd(fd);
		/* Nobody would know of it. */
		if (!IS_ERR(file))
			fput(file);
		return err ?: PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long dev_call(struct file *file, bool take, struct rein_take_args *args,
		     void __user *user, size_t size)
{
	struct rein_take_want *wants;
	long ret;

	ret = rein_dev_get(args, user, size) ?: rein_raw_provoke();
	if (ret)
		return ret;
	wants = copy_wants(args);
	if (IS_ERR(wants)) {
		ret = rein_take_unread(args, PTR_ERR(wants));
		return rein_dev_put(args, user, size) ?: ret;
	}
	ret = rein_dev_put(args, user, size);
	if (!ret && take)
		ret = dev_take(args, user, size, wants);
	else if (!ret)
		ret = dev_reserve(args, user, size, wants,
				  file->private_data);
	kfree(wants);
	return ret;
}

/* Of the others, see there. */
static const struct rein_call calls[] = {
	REIN_CALL(REIN_IOC_CREDIT, rein_credit_args, REIN_CREDIT_ARGS_SIZE_0,
		  limits, .run = rein_credit),
	REIN_SCOPE_DEV_CALLS
	REIN_WATCH_DEV_CALLS
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	bool take = rein_call_is(cmd, REIN_IOC_TAKE);
	void __user *user = (void __user *)arg;
	struct rein_take_args args;
	long ret;

	if (!take && !rein_call_is(cmd, REIN_IOC_RESERVE))
		return rein_call(calls, ARRAY_SIZE(calls), file, cmd, user);
	ret = dev_call(file, take, &args, user, _IOC_SIZE(cmd));
	return rein_call_catch(args.code, ret);
}

static int dev_open(struct inode *inode, struct file *file)
{
	struct rein_ask ask = { };

	file->private_data = rein_client_new();
	if (file->private_data)
		return 0;
	return rein_fail_memory(&ask, "to open the device");
}

static int dev_release(struct inode *inode, struct file *file)
{
	rein_client_put(file->private_data);
	return 0;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = dev_release,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "rein",
	.fops = &dev_fops,
	.mode = 0666,
};

/**
 * rein_dev_init() - make /dev/rein
 *
 * Return: 0 or a negative errno.
 */
int rein_dev_init(void)
{
	return misc_register(&dev);
}

/**
 * rein_dev_exit() - remove /dev/rein; nobody has it open
 */
void rein_dev_exit(void)
{
	misc_deregister(&dev);
}
