// SPDX-License-Identifier: GPL-2.0
/*
 * Codes: the book of all errors, and what events of the data path are called. See
 * code.h.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "code.h"

#define REIN_CODE(number_, name_, kind_, severity_, errno_, hint_, ...)	\
	{ .number = (number_), .kind = REIN_KIND_##kind_,		\
	  .severity = REIN_SEVERITY_##severity_, .err = (errno_),	\
	  .hint = (hint_) },
static const struct rein_code_info code_book[] = {
#include "codes.def"
};

#undef REIN_CODE

/* What the data path records, and how it says so: of packets… */
static const struct rein_fold_info packet_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_REFUSED,
		"packets were refused: the limit had no tokens for them" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_IMPATIENT,
		"packets were refused: they would have waited too long" },
	[REIN_FOLD_STALE] = { REIN_E_STALE,
		"waiting packets were dropped: they had waited too long" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_OVERFLOW,
		"packets were dropped: no room to wait in" },
	[REIN_FOLD_NOMEM] = { REIN_E_NO_ROOM_MEMORY,
		"packets were dropped: no memory to let them wait" },
	[REIN_FOLD_TEARDOWN] = { REIN_E_TEARDOWN,
		"waiting packets were dropped: they had nowhere to go" },
	[REIN_FOLD_FLUSHED] = { REIN_E_TEARDOWN,
		"waiting packets were dropped: the limits were flushed by force" },
	[REIN_FOLD_SCOPE] = { REIN_E_SCOPE_DROPPED,
		"waiting packets were dropped: the scope of their cgroup is done" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"packets passed that would have been over the limit" },
};

/* …of connections… */
static const struct rein_fold_info connect_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_CONNECT_REFUSED,
		"connections were refused: the limit had no tokens for them" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_IMPATIENT,
		"connections were refused: they would have waited too long" },
	[REIN_FOLD_STALE] = { REIN_E_STALE,
		"waiting connections were refused: they had waited too long" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_OVERFLOW,
		"connections were refused: no room to wait in" },
	[REIN_FOLD_NOMEM] = { REIN_E_NO_ROOM_MEMORY,
		"connections were refused: no memory to let them wait" },
	[REIN_FOLD_TEARDOWN] = { REIN_E_TEARDOWN,
		"waiting connections were dropped: they had nowhere to go" },
	[REIN_FOLD_FLUSHED] = { REIN_E_TEARDOWN,
		"waiting connections were dropped: the limits were flushed by force" },
	[REIN_FOLD_SCOPE] = { REIN_E_SCOPE_DROPPED,
		"waiting connections were refused: the scope of their cgroup is done" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"connections passed that would have been over the limit" },
};

static const struct rein_fold_info accept_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_ACCEPT_REFUSED,
		"incoming connections were refused: the limit had no tokens for them" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"incoming connections passed that would have been over the limit" },
};

/* …and of takes. */
static const struct rein_fold_info call_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_TAKE_OVER,
		"the limit had no tokens for a take" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_TAKE_PATIENCE,
		"a take would have waited longer than the limit's patience" },
	[REIN_FOLD_STALE] = { REIN_E_TAKE_TIMEOUT,
		"the deadline passed while a take waited" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_TAKE_FULL,
		"too many takes waited for the limit already" },
	[REIN_FOLD_BURST] = { REIN_E_TAKE_BURST,
		"a take wanted more tokens than the limit can ever hold" },
	[REIN_FOLD_LATE] = { REIN_E_TAKE_LATE,
		"the tokens would not have been there before the deadline" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"takes passed that would have been over the limit" },
	[REIN_FOLD_EXPIRED] = { REIN_E_RESERVE_EXPIRED,
		"a granted reservation was not claimed in time" },
	[REIN_FOLD_FLUSHED] = { REIN_E_TAKE_CANCELLED,
		"a take was cancelled: the limits were flushed by force" },
	[REIN_FOLD_SCOPE] = { REIN_E_SCOPE_DONE,
		"the scope of the take, or of its cgroup, is done" },
};

static const char *const doings[REIN_RESOURCES] = {
	[REIN_RESOURCE_EGRESS] = "sending a packet",
	[REIN_RESOURCE_INGRESS] = "receiving a packet",
	[REIN_RESOURCE_CONNECT] = "connecting",
	[REIN_RESOURCE_ACCEPT] = "accepting a connection",
	[REIN_RESOURCE_CALL] = "taking tokens",
};

/**
 * rein_fold_info() - what an event of the data path is called
 * @resource:	of the limit
 * @fold:	the event
 *
 * Return: its code and message.
 */
const struct rein_fold_info *rein_fold_info(enum rein_resource resource,
					    enum rein_fold fold)
{
	switch (resource) {
	case REIN_RESOURCE_CONNECT:
		return &connect_folds[fold];
	case REIN_RESOURCE_ACCEPT:
		return &accept_folds[fold];
	case REIN_RESOURCE_CALL:
		return &call_folds[fold];
	default:
		return &packet_folds[fold];
	}
}

/**
 * rein_resource_doing() - what somebody does who is over a limit
 * @resource:	of the limit
 *
 * Return: a string, as it goes on after "while".
 */
const char *rein_resource_doing(enum rein_resource resource)
{
	return doings[resource];
}

/**
 * rein_code_info() - what the book says of a code
 * @code:	the code
 *
 * Return: its entry; that of a bug, if it has none.
 */
const struct rein_code_info *rein_code_info(enum rein_code code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(code_book); i++)
		if (code_book[i].number == code)
			return &code_book[i];
	/* The last one is the bug: a code that isn't in the book. */
	return &code_book[ARRAY_SIZE(code_book) - 1];
}

/**
 * rein_code_errno() - what an error is to the caller
 * @code:	the error
 *
 * Return: a positive errno.
 */
int rein_code_errno(enum rein_code code)
{
	return rein_code_info(code)->err ?: EINVAL;
}
