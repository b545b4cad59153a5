// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/rein. See dev.h.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/rein_dev.h>

#include "dev.h"
#include "record.h"
#include "take.h"

/* A struct may have grown since its first version, but never shrink. */
static_assert(sizeof(struct rein_take_args) >= REIN_TAKE_ARGS_SIZE_0);

/* Arguments that can't be read or answered: there is only the errno. */
static int fail_args(int err, size_t size)
{
	struct rein_ask ask = { };

	switch (err) {
	case -EFAULT:
		return rein_fail(&ask, NULL, REIN_E_DEV_FAULT,
				 "the arguments are not in the caller's memory",
				 "%zu bytes of arguments are not in the caller's memory",
				 size);
	case -E2BIG:
		return rein_fail(&ask, NULL, REIN_E_DEV_NEWER,
				 "the arguments have a field that is not known",
				 "%zu bytes of arguments have a field that is not known",
				 size);
	}
	return rein_fail(&ask, NULL, REIN_E_TAKE_MALFORMED,
			 "the arguments are too short",
			 "%zu bytes of arguments are too few", size);
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

/* Answers begin here: what a client wrote there means nothing. */
static void clear_answers(struct rein_take_args *args)
{
	const size_t from = offsetof(struct rein_take_args, granted_ns);

	memset((char *)args + from, 0, sizeof(*args) - from);
}

static long dev_take(void __user *user, size_t size)
{
	struct rein_take_want *wants;
	struct rein_take_args args;
	int err;

	if (size < REIN_TAKE_ARGS_SIZE_0)
		return fail_args(-EINVAL, size);
	err = copy_struct_from_user(&args, sizeof(args), user, size);
	if (err)
		return fail_args(err, size);
	clear_answers(&args);
	size = min(size, sizeof(args));
	wants = copy_wants(&args);
	if (IS_ERR(wants)) {
		err = rein_take_unread(&args, PTR_ERR(wants));
		goto answer;
	}
	/* Nothing is charged if the answer couldn't be delivered. */
	if (copy_to_user(user, &args, size)) {
		kfree(wants);
		return fail_args(-EFAULT, size);
	}
	err = rein_take(&args, wants);
	kfree(wants);
answer:
	if (copy_to_user(user, &args, size))
		return fail_args(-EFAULT, size);
	return err;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	if (_IOC_TYPE(cmd) != REIN_IOC_MAGIC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(REIN_IOC_TAKE):
		return dev_take(user, _IOC_SIZE(cmd));
	}
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
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
