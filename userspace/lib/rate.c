// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hierarchy.h"
#include "nl.h"

typedef unsigned __int128 u128;

/**
 * struct reckoning - a rate on its way through the limits of a chain
 * @wants:	what one operation takes
 * @n:		how many
 * @found:	which of them are limits of the chain, one bit each
 * @inexact:	a tier is slower than a fraction of 64 bits can say
 * @rate:	the tightest so far
 */
struct reckoning {
	const struct rein_take_want *wants;
	unsigned int n;
	uint32_t found;
	bool inexact;
	struct rein_rate *rate;
};

static u128 gcd(u128 a, u128 b)
{
	while (b) {
		u128 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Operations per period of a tier; false: the period is beyond 64 bits. */
static bool reduce(const struct rein_tier *tier, uint64_t tokens, struct rein_rate *rate)
{
	u128 period = (u128)tier->rate_period_ns * tokens;
	u128 common = gcd(tier->rate_tokens, period);

	/* Closed is closed, whatever the period. */
	if (!tier->rate_tokens) {
		rate->operations = 0;
		rate->period_ns = tier->rate_period_ns;
		return true;
	}
	if (period / common > UINT64_MAX)
		return false;
	rate->operations = tier->rate_tokens / common;
	rate->period_ns = period / common;
	return true;
}

static bool slower(const struct rein_rate *a, const struct rein_rate *b)
{
	return b->unlimited ||
	       (u128)a->operations * b->period_ns < (u128)b->operations * a->period_ns;
}

static void reckon_tier(struct reckoning *reckoning, const struct rein_tier *tier,
			uint64_t tokens)
{
	struct rein_rate own = { 0 };

	if (tier->unlimited)
		return;
	own.burst = tier->burst / tokens;
	if (own.burst < reckoning->rate->burst)
		reckoning->rate->burst = own.burst;
	if (!reduce(tier, tokens, &own)) {
		reckoning->inexact = true;
		return;
	}
	if (!slower(&own, reckoning->rate))
		return;
	reckoning->rate->unlimited = false;
	reckoning->rate->operations = own.operations;
	reckoning->rate->period_ns = own.period_ns;
}

static void reckon_limit(const struct rein_limit *limit, void *arg)
{
	struct reckoning *reckoning = arg;
	unsigned int i;
	size_t tier;

	for (i = 0; i < reckoning->n; i++) {
		if (!limit->name || strcmp(limit->name, reckoning->wants[i].name))
			continue;
		reckoning->found |= 1U << i;
		/* One that only observes holds nothing back. */
		for (tier = 0; tier < limit->n_tiers && limit->over != REIN_OVER_OBSERVE; tier++)
			reckon_tier(reckoning, &limit->tiers[tier], reckoning->wants[i].tokens);
	}
}

static int check_wants(struct rein *rein, const struct rein_take_want *wants, unsigned int n)
{
	unsigned int i, j;

	if (!n || n > REIN_TAKE_NAMES_MAX)
		return rein_fail(rein, EINVAL, "a take has 1 to %d names", REIN_TAKE_NAMES_MAX);
	for (i = 0; i < n; i++) {
		if (!memchr(wants[i].name, '\0', sizeof(wants[i].name)))
			return rein_fail(rein, EINVAL, "a name is too long");
		if (!wants[i].tokens)
			return rein_fail(rein, EINVAL, "0 tokens are wanted of %s",
					 wants[i].name);
		for (j = 0; j < i; j++)
			if (!strcmp(wants[i].name, wants[j].name))
				return rein_fail(rein, EINVAL, "%s is named twice",
						 wants[i].name);
	}
	return 0;
}

static int open_own_cgroup(struct rein *rein)
{
	struct rein_mount *mount = malloc(sizeof(*mount));
	char path[PATH_MAX];
	int fd;

	if (!mount)
		return rein_fail(rein, ENOMEM, "out of memory");
	fd = rein_own_mount(mount) ? -ENODEV :
	     rein_open_cgroup_of(mount, "/proc/self/cgroup", path, sizeof(path));
	free(mount);
	if (fd == -ENODEV)
		return rein_fail(rein, ESRCH, "the cgroup2 hierarchy is not mounted");
	if (fd < 0)
		return rein_fail(rein, ESRCH, "the cgroup of this process can't be opened: %s",
				 strerror(-fd));
	return fd;
}

int rein_rate(struct rein *rein, const struct rein_take_want *wants, unsigned int n,
	      struct rein_rate *rate)
{
	struct rein_limit_request request = {
		.chain = true, .has_resource = true, .resource = REIN_RESOURCE_CALL,
	};
	struct reckoning reckoning = { .wants = wants, .n = n, .rate = rate };
	unsigned int i;
	int ret;

	ret = check_wants(rein, wants, n);
	if (ret)
		return ret;
	request.cgroup_fd = open_own_cgroup(rein);
	if (request.cgroup_fd < 0)
		return request.cgroup_fd;
	*rate = (struct rein_rate){ .unlimited = true, .burst = UINT64_MAX };
	ret = rein_limit_dump(rein, &request, reckon_limit, &reckoning);
	close(request.cgroup_fd);
	if (ret)
		return ret;
	for (i = 0; i < n; i++)
		if (!(reckoning.found & 1U << i))
			return rein_fail(rein, ENOENT, "no limit called %s binds this process",
					 wants[i].name);
	if (reckoning.inexact)
		return rein_fail(rein, ERANGE, "the rate is too slow to be told exactly");
	return 0;
}
