// SPDX-License-Identifier: GPL-2.0
/*
 * Races: several scopes that do the same, one of which wins; and credit for that.
 */
#include "scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int rein_race_new(int fd, uint32_t policy, const struct rein_scope_opts *opts,
		  struct rein_scope_result *result)
{
	return rein_scope_make(fd, REIN_IOC_RACE, policy, opts, result);
}

int rein_race_join(int race, bool owned, struct rein_scope_result *result)
{
	struct rein_join_args args = { .flags = owned ? REIN_SCOPE_OWNED : 0 };
	int ret;

	ret = rein_scope_ask(race, REIN_IOC_JOIN, &args, &args.answer, result);
	if (result) {
		result->id = args.id;
		result->number = args.number;
	}
	return ret;
}

int rein_race_claim(int replica, const void *data, size_t size, struct rein_scope_result *result)
{
	struct rein_win_args args = {
		.data = (uintptr_t)data,
		.size = size < UINT32_MAX ? size : UINT32_MAX,
	};
	int ret;

	ret = rein_scope_ask(replica, REIN_IOC_WIN, &args, &args.answer, result);
	if (result) {
		result->id = args.winner;
		result->number = args.number;
	}
	return ret;
}

static int grant(int race, uint32_t flags, uint32_t number, void *data, size_t *size,
		 struct rein_scope_result *result)
{
	struct rein_grant_args args = { .flags = flags, .number = number };
	int ret;

	if (data && size) {
		args.data = (uintptr_t)data;
		args.size = *size < REIN_RESULT_MAX ? *size : REIN_RESULT_MAX;
	}
	ret = rein_scope_ask(race, REIN_IOC_GRANT, &args, &args.answer, result);
	if (size)
		*size = ret ? 0 : args.size;
	if (result)
		result->number = args.number;
	return ret;
}

int rein_race_asked(int race, uint32_t number, void *data, size_t *size,
		    struct rein_scope_result *result)
{
	return grant(race, 0, number, data, size, result);
}

int rein_race_grant(int race, uint32_t number, bool yes, struct rein_scope_result *result)
{
	return grant(race, yes ? REIN_GRANT_YES : REIN_GRANT_NO, number, NULL, NULL, result);
}

static void read_result(const struct rein_result_args *args, struct rein_race_result *result)
{
	memset(result, 0, sizeof(*result));
	result->number = args->number;
	result->winner = args->winner;
	result->size = args->size;
	result->joined = args->joined;
	result->claims = args->claims;
	result->late = args->late;
	result->died = args->died;
	result->cancels = args->cancels;
	result->record = args->answer.record;
	result->code = args->answer.code;
	snprintf(result->message, sizeof(result->message), "%.*s",
		 (int)sizeof(args->answer.message), args->answer.message);
}

int rein_race_result(int race, bool close, void *data, size_t size,
		     struct rein_race_result *result)
{
	struct rein_result_args args = {
		.flags = close ? REIN_RESULT_CLOSE : 0,
		.data = (uintptr_t)data,
		.size = data ? (size < REIN_RESULT_MAX ? size : REIN_RESULT_MAX) : 0,
	};
	int ret;

	ret = ioctl(race, REIN_IOC_RESULT, &args);
	if (ret < 0)
		ret = -errno;
	/* What there was room for is not its size. */
	if (ret)
		args.size = 0;
	if (result)
		read_result(&args, result);
	return ret;
}

int rein_credit(int fd, const char *name, uint32_t millionths, struct rein_scope_result *result)
{
	struct rein_credit_args args = { .millionths = millionths };

	if (strlen(name) >= sizeof(args.name))
		return -EINVAL;
	memcpy(args.name, name, strlen(name));
	return rein_scope_ask(fd, REIN_IOC_CREDIT, &args, &args.answer, result);
}
