// SPDX-License-Identifier: GPL-2.0
/*
 * One's own. See own.h.
 */
#include <linux/moduleparam.h>

#include "maker.h"
#include "own.h"

static unsigned int limits_per_user = 256;
module_param(limits_per_user, uint, 0644);
MODULE_PARM_DESC(limits_per_user, "how many limits on sockets, and watches over traffic, one user may have without privileges (default: 256)");

static REIN_QUOTA(quota);

/**
 * rein_own_charge() - one more
 * @uid:	the user, who has no privileges
 *
 * Return: 0, -EDQUOT: he has too many, or -ENOMEM.
 */
int rein_own_charge(kuid_t uid)
{
	return rein_quota_charge(&quota, uid, 1, READ_ONCE(limits_per_user));
}

/**
 * rein_own_uncharge() - undo rein_own_charge()
 * @uid:	the user
 */
void rein_own_uncharge(kuid_t uid)
{
	rein_quota_uncharge(&quota, uid, 1);
}

/**
 * rein_own_most() - how many one may have
 *
 * Return: the number; it may be another by now.
 */
unsigned int rein_own_most(void)
{
	return READ_ONCE(limits_per_user);
}
