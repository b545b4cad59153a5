// SPDX-License-Identifier: GPL-2.0
/*
 * Raw errors: the choke point. See raw.h.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/netlink.h>

#include "raw.h"
#include "record.h"

#ifdef CONFIG_FAULT_INJECTION
/*
 * How many requests are to fail: /sys/kernel/debug/rein/raw_errors lets a test see
 * that none gets through. Not an attribute of fault injection: each would be one
 * more to fail for whoever has the nth fail.
 */
static atomic_t raw_errors;
static struct dentry *dir;

/**
 * rein_raw_provoke() - fail for no reason, where a test wants that
 *
 * Only of kernels with fault injection.
 *
 * Return: 0 or a negative errno, without a record.
 */
int rein_raw_provoke(void)
{
	return atomic_add_unless(&raw_errors, -1, 0) ? -EIO : 0;
}

/**
 * rein_raw_init() - let tests provoke raw errors
 */
void rein_raw_init(void)
{
	/* Without, nobody can; nothing else is amiss. */
	dir = debugfs_create_dir("rein", NULL);
	debugfs_create_atomic_t("raw_errors", 0600, dir, &raw_errors);
}

/**
 * rein_raw_exit() - undo rein_raw_init()
 */
void rein_raw_exit(void)
{
	debugfs_remove_recursive(dir);
}
#else
int rein_raw_provoke(void)
{
	return 0;
}

void rein_raw_init(void)
{
}

void rein_raw_exit(void)
{
}
#endif

/**
 * rein_raw_catch() - see to it that an error has a meaning
 * @ask:	the request
 * @err:	what it came to
 * @what:	what was asked for
 *
 * All that leaves the module comes by here. What has no record yet gets one,
 * which says that nobody gave it a meaning.
 *
 * Context: the task that asks; may not sleep.
 *
 * Return: @err.
 */
int rein_raw_catch(struct rein_ask *ask, int err, const char *what)
{
	if (err >= 0 || ask->told)
		return err;
	ask->err = -err;
	rein_fail(ask, NULL, REIN_E_RAW,
		  "an error without a meaning: a bug of rein",
		  "error %d of %s has no meaning: a bug of rein", -err, what);
	return err;
}
