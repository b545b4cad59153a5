// SPDX-License-Identifier: GPL-2.0
/*
 * Makers. See maker.h.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "cgroup.h"
#include "maker.h"
#include "netlink-view.h"

/**
 * rein_is_trusted() - is the present task an administrator's?
 *
 * Return: whether it has CAP_NET_ADMIN over the initial user namespace.
 */
bool rein_is_trusted(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_NET_ADMIN);
}

/**
 * rein_maker_get() - remember the present task
 * @maker:	it goes there; to be undone by rein_maker_put()
 */
void rein_maker_get(struct rein_maker *maker)
{
	maker->pid = get_task_pid(current, PIDTYPE_TGID);
	strscpy(maker->comm, current->comm, sizeof(maker->comm));
	maker->uid = current_uid();
	maker->home = rein_cgroup_current();
	maker->trusted = rein_is_trusted();
}

/**
 * rein_maker_put() - undo rein_maker_get()
 * @maker:	who
 */
void rein_maker_put(struct rein_maker *maker)
{
	put_pid(maker->pid);
	cgroup_put(maker->home);
}

/**
 * rein_maker_is_of() - did a user make it, as far as the caller can see?
 * @maker:	who made it
 * @uid:	the user
 *
 * What is confined to a container may be the same user as much that is outside, and is to
 * do as little there as kill(2) lets it: so the maker has to be one who can be seen from
 * the caller's namespaces of PIDs and of cgroups.
 *
 * Return: whether he did.
 */
bool rein_maker_is_of(const struct rein_maker *maker, kuid_t uid)
{
	return uid_eq(maker->uid, uid) && pid_vnr(maker->pid) &&
	       cgroup_is_descendant(maker->home,
				    (struct cgroup *)rein_view_root());
}

/**
 * rein_maker_is_current() - is it the present task's?
 * @maker:	who
 *
 * Return: whether it is the same user's, see rein_maker_is_of(), or an administrator's.
 */
bool rein_maker_is_current(const struct rein_maker *maker)
{
	return rein_maker_is_of(maker, current_uid()) ||
	       rein_is_trusted();
}

/* Could the present task send signals as that user? */
static bool is_current_user(kuid_t uid)
{
	return uid_eq(uid, current_uid()) || uid_eq(uid, current_euid()) ||
	       uid_eq(uid, current_suid());
}

/* As for ptrace(2): none, no more than one's own, or those of a namespace one is above. */
static bool has_caps_of(const struct cred *cred)
{
	const struct cred *mine = current_cred();

	if (cap_isclear(cred->cap_effective))
		return true;
	if (cred->user_ns == mine->user_ns &&
	    cap_issubset(cred->cap_effective, mine->cap_effective))
		return true;
	return ns_capable_noaudit(cred->user_ns, CAP_SYS_PTRACE);
}

/**
 * rein_maker_is_matched() - may the present task have things done as the maker?
 * @maker:	who
 * @cred:	his credentials, with which they are done
 *
 * The same user is not enough: he may have had capabilities since, or have been a program that
 * runs as somebody else.
 *
 * Return: whether it could do them itself, or is an administrator's.
 */
bool rein_maker_is_matched(const struct rein_maker *maker,
			   const struct cred *cred)
{
	if (rein_is_trusted())
		return true;
	return rein_maker_is_of(maker, current_uid()) &&
	       is_current_user(cred->uid) && is_current_user(cred->euid) &&
	       has_caps_of(cred);
}

/**
 * rein_quota_charge() - some things more
 * @quota:	of that kind
 * @uid:	whose
 * @number:	how many
 * @most:	as many as one may have
 *
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int rein_quota_charge(struct rein_quota *quota, kuid_t uid, unsigned int number,
		      unsigned int most)
{
	const unsigned long user = __kuid_val(uid);
	unsigned long n;
	int err = -EDQUOT;

	mutex_lock(&quota->lock);
	n = xa_to_value(xa_load(&quota->users, user) ?: xa_mk_value(0));
	if (!number)
		err = 0;
	else if (n + number <= most)
		err = xa_err(xa_store(&quota->users, user,
				      xa_mk_value(n + number),
				      GFP_KERNEL_ACCOUNT));
	mutex_unlock(&quota->lock);
	return err;
}

/**
 * rein_quota_uncharge() - undo rein_quota_charge()
 * @quota:	of that kind
 * @uid:	whose
 * @number:	how many
 */
void rein_quota_uncharge(struct rein_quota *quota, kuid_t uid,
			 unsigned int number)
{
	const unsigned long user = __kuid_val(uid);
	unsigned long n;

	mutex_lock(&quota->lock);
	n = xa_to_value(xa_load(&quota->users, user) ?: xa_mk_value(0));
	/* Neither needs memory: there is an entry, if there is a number. */
	if (n > number)
		xa_store(&quota->users, user, xa_mk_value(n - number),
			 GFP_KERNEL);
	else
		xa_erase(&quota->users, user);
	mutex_unlock(&quota->lock);
}
