/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makers: the task that made something of ours, as it was then, and how many things its
 * user has.
 *
 * Context: a task that may sleep.
 */
#ifndef REIN_MAKER_H
#define REIN_MAKER_H

#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

struct cred;

/**
 * struct rein_maker - who made something
 * @pid:	the process, holds a reference
 * @comm:	its name
 * @uid:	its user
 * @home:	its cgroup, holds a reference
 * @trusted:	it was an administrator
 */
struct rein_maker {
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	struct cgroup *home;
	bool trusted;
};

/**
 * struct rein_quota - how many things of a kind users have
 * @users:	the numbers, by uid
 * @lock:	guards them
 */
struct rein_quota {
	struct xarray users;
	struct mutex lock;
};

#define REIN_QUOTA(name)						\
	struct rein_quota name = {					\
		.users = XARRAY_INIT(name.users, 0),			\
		.lock = __MUTEX_INITIALIZER(name.lock),			\
	}

bool rein_is_trusted(void);
void rein_maker_get(struct rein_maker *maker);
void rein_maker_put(struct rein_maker *maker);
bool rein_maker_is_of(const struct rein_maker *maker, kuid_t uid);
bool rein_maker_is_current(const struct rein_maker *maker);
bool rein_maker_is_matched(const struct rein_maker *maker,
			   const struct cred *cred);

int rein_quota_charge(struct rein_quota *quota, kuid_t uid, unsigned int number,
		      unsigned int most);
void rein_quota_uncharge(struct rein_quota *quota, kuid_t uid,
			 unsigned int number);

#endif /* REIN_MAKER_H */
