// SPDX-License-Identifier: GPL-2.0
/*
 * Raw errors: the choke point. See raw.h.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fault-inject.h>
#include <linux/netlink.h>

#include "raw.h"
#include "record.h"

#ifdef CONFIG_FAULT_INJECTION
/* Lets a test see that none gets through: /sys/kernel/debug/fail_rein. */
static DECLARE_FAULT_ATTR(fail_rein);
static struct dentry *dir;

/**
 * rein_raw_provoke() - fail for no reason, where a test wants that
 *
 * Only of kernels with fault injection, and set up like any other of its
 * capabilities.
 *
 * Return: 0 or a negative errno, without a record.
 */
int rein_raw_provoke(void)
{
	return should_fail(&fail_rein, 1) ? -EIO : 0;
}

/**
 * rein_raw_init() - let tests provoke raw errors
 */
void rein_raw_init(void)
{
	/* Without, nobody can; nothing else is amiss. */
	dir = fault_create_debugfs_attr("fail_rein", NULL, &fail_rein);
}

/**
 * rein_raw_exit() - undo rein_raw_init()
 */
void rein_raw_exit(void)
{
	if (!IS_ERR(dir))
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
 * @extack:	of the request, or NULL
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
int rein_raw_catch(struct netlink_ext_ack *extack, int err, const char *what)
{
	struct rein_ask ask = { extack, NULL };

	if (err >= 0 || (extack && extack->cookie_len))
		return err;
	rein_fail(&ask, NULL, REIN_E_RAW,
		  "an error without a meaning: a bug of rein",
		  "error %d of %s has no meaning: a bug of rein", -err, what);
	return err;
}
