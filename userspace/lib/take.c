// SPDX-License-Identifier: GPL-2.0
#include "rein.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* 146 years: as good as for ever, and the kernel can add the time to it. */
#define FARTHEST_NS	((uint64_t)INT64_MAX / 2)

int rein_dev_open(void)
{
	int fd = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), err = errno;

	if (fd >= 0)
		return fd;
	if (err == ENXIO || (err == ENOENT && access("/sys/module/rein", F_OK)))
		return -ENODEV;
	return -err;
}

static void read_result(const struct rein_take_args *args, struct rein_take_result *result)
{
	result->granted_ns = args->granted_ns;
	result->waited_ns = args->waited_ns;
	result->retry_after_ns = args->retry_after_ns;
	result->wanted = args->wanted;
	result->available = args->available;
	result->record = args->record;
	result->limit_id = args->limit_id;
	result->code = args->code;
	result->want = args->want;
	snprintf(result->message, sizeof(result->message), "%.*s", (int)sizeof(args->message),
		 args->message);
}

static int ask(int fd, unsigned long request, struct rein_take_args *args,
	       struct rein_take_result *result)
{
	int ret = ioctl(fd, request, args);

	if (ret < 0)
		ret = -errno;
	if (result)
		read_result(args, result);
	return ret;
}

/* Of those who know that there are scopes: others have no room for what is said of them. */
static int ask_in(int fd, unsigned long request, struct rein_take_args *args,
		  struct rein_take_result *result)
{
	int ret = ask(fd, request, args, result);

	if (result) {
		result->cause = args->cause;
		result->scope_id = args->scope_id;
	}
	return ret;
}

static struct rein_take_args args_of(const struct rein_take_want *wants, unsigned int n,
				     uint32_t flags, uint64_t time_ns)
{
	return (struct rein_take_args){
		.flags = flags,
		.n_wants = n,
		.wants = (uintptr_t)wants,
		.deadline_ns = time_ns < FARTHEST_NS ? time_ns : FARTHEST_NS,
	};
}

static int take(int fd, const struct rein_take_want *wants, unsigned int n, uint32_t flags,
		uint64_t time_ns, struct rein_take_result *result)
{
	struct rein_take_args args = args_of(wants, n, flags, time_ns);

	return ask(fd, REIN_IOC_TAKE, &args, result);
}

static int reserve(int fd, const struct rein_take_want *wants, unsigned int n, uint32_t flags,
		   uint64_t time_ns, uint64_t claim_ns, struct rein_take_result *result)
{
	struct rein_take_args args = args_of(wants, n, flags, time_ns);

	args.claim_ns = claim_ns;
	return ask(fd, REIN_IOC_RESERVE, &args, result);
}

int rein_take(int fd, const struct rein_take_want *wants, unsigned int n,
	      struct rein_take_result *result)
{
	return take(fd, wants, n, 0, 0, result);
}

int rein_try(int fd, const struct rein_take_want *wants, unsigned int n,
	     struct rein_take_result *result)
{
	return take(fd, wants, n, REIN_TAKE_TRY, 0, result);
}

int rein_take_timeout(int fd, const struct rein_take_want *wants, unsigned int n,
		      uint64_t timeout_ns, struct rein_take_result *result)
{
	return take(fd, wants, n, REIN_TAKE_TIMEOUT, timeout_ns, result);
}

int rein_take_deadline(int fd, const struct rein_take_want *wants, unsigned int n,
		       uint64_t deadline_ns, struct rein_take_result *result)
{
	return take(fd, wants, n, REIN_TAKE_DEADLINE, deadline_ns, result);
}

int rein_reserve(int fd, const struct rein_take_want *wants, unsigned int n, uint64_t claim_ns,
		 struct rein_take_result *result)
{
	return reserve(fd, wants, n, 0, 0, claim_ns, result);
}

int rein_reserve_timeout(int fd, const struct rein_take_want *wants, unsigned int n,
			 uint64_t timeout_ns, uint64_t claim_ns, struct rein_take_result *result)
{
	return reserve(fd, wants, n, REIN_TAKE_TIMEOUT, timeout_ns, claim_ns, result);
}

int rein_reserve_deadline(int fd, const struct rein_take_want *wants, unsigned int n,
			  uint64_t deadline_ns, uint64_t claim_ns, struct rein_take_result *result)
{
	return reserve(fd, wants, n, REIN_TAKE_DEADLINE, deadline_ns, claim_ns, result);
}

int rein_claim(int reservation, struct rein_take_result *result)
{
	struct rein_take_args args = { 0 };

	return ask(reservation, REIN_IOC_CLAIM, &args, result);
}

static void put_scope(struct rein_take_args *args, int scope)
{
	if (scope == REIN_NO_FD)
		return;
	args->flags |= REIN_TAKE_SCOPE;
	args->scope_fd = scope;
}

int rein_take_in(int fd, int scope, const struct rein_take_want *wants, unsigned int n,
		 uint32_t flags, uint64_t time_ns, struct rein_take_result *result)
{
	struct rein_take_args args = args_of(wants, n, flags, time_ns);

	put_scope(&args, scope);
	return ask_in(fd, REIN_IOC_TAKE, &args, result);
}

int rein_reserve_in(int fd, int scope, const struct rein_take_want *wants, unsigned int n,
		    uint32_t flags, uint64_t time_ns, uint64_t claim_ns,
		    struct rein_take_result *result)
{
	struct rein_take_args args = args_of(wants, n, flags, time_ns);

	args.claim_ns = claim_ns;
	put_scope(&args, scope);
	return ask_in(fd, REIN_IOC_RESERVE, &args, result);
}

int rein_claim_in(int reservation, struct rein_take_result *result)
{
	struct rein_take_args args = { 0 };

	return ask_in(reservation, REIN_IOC_CLAIM, &args, result);
}

int rein_cancel(int reservation)
{
	return close(reservation) ? -errno : 0;
}
