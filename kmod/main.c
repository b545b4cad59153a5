// SPDX-License-Identifier: GPL-2.0
/*
 * rein: token bucket limits, enforced in the kernel.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <net/genetlink.h>

#include "admit.h"
#include "bind.h"
#include "cgroup.h"
#include "copy.h"
#include "dev.h"
#include "expiry.h"
#include "freezer.h"
#include "hook.h"
#include "known.h"
#include "limit.h"
#include "netlink.h"
#include "queue.h"
#include "raw.h"
#include "record.h"
#include "ring.h"
#include "room.h"
#include "scope.h"
#include "slice.h"
#include "take.h"
#include "tally.h"
#include "target.h"
#include "version.h"
#include "watch.h"

static void rein_stop(void)
{
	/* First: from the beginning of the unload it can't answer dumps any more. */
	rein_netlink_exit();
	rein_cgroup_exit();
	rein_watch_exit();
	rein_freezer_exit();
	rein_bind_exit();
	rein_scope_exit();
	mutex_lock(&rein_mutex);
	rein_limit_flush();
	mutex_unlock(&rein_mutex);
	rein_hook_exit();
	rein_copy_exit();
	rein_target_exit();
	rein_tally_exit();
	rein_expiry_exit();
	rein_limit_exit();
	rein_netlink_quiet();
	rein_take_exit();
	rein_queue_exit();
	rein_known_exit();
	rein_room_exit();
	rein_admit_exit();
	rein_raw_exit();
	rein_ring_exit();
}

static int __init rein_init(void)
{
	int err;

	rein_slice_init();
	err = rein_ring_init();
	if (err)
		return err;
	rein_record_init();
	rein_raw_init();
	err = rein_admit_init();
	if (err)
		goto err_ring;
	err = rein_room_init();
	if (err)
		goto err_admit;
	err = rein_queue_init();
	if (err)
		goto err_room;
	err = rein_take_init();
	if (err)
		goto err_queue;
	err = rein_target_init();
	if (err)
		goto err_take;
	err = rein_tally_init();
	if (err)
		goto err_target;
	err = rein_scope_init();
	if (err)
		goto err_tally;
	err = rein_bind_init();
	if (err)
		goto err_scope;
	err = rein_freezer_init();
	if (err)
		goto err_bind;
	err = rein_watch_init();
	if (err)
		goto err_freezer;
	err = rein_hook_init();
	if (err)
		goto err_watch;
	err = rein_netlink_init();
	if (err)
		goto err_hook;
	rein_cgroup_init();
	/* Last: from here on somebody may have it open. */
	err = rein_dev_init();
	if (err)
		rein_stop();
	return err;

err_hook:
	rein_hook_exit();
err_watch:
	rein_watch_exit();
err_freezer:
	rein_freezer_exit();
err_bind:
	rein_bind_exit();
err_scope:
	rein_scope_exit();
err_tally:
	rein_tally_exit();
err_target:
	rein_target_exit();
err_take:
	rein_take_exit();
err_queue:
	rein_queue_exit();
err_room:
	rein_room_exit();
err_admit:
	rein_admit_exit();
err_ring:
	rein_raw_exit();
	rein_ring_exit();
	return err;
}

static void __exit rein_exit(void)
{
	rein_dev_exit();
	rein_stop();
}

module_init(rein_init);
module_exit(rein_exit);

MODULE_DESCRIPTION("Token bucket limits per cgroup, with a record of every refusal");
MODULE_AUTHOR("The rein authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(REIN_VERSION);
MODULE_ALIAS_GENL_FAMILY(REIN_FAMILY_NAME);
