/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes: a program asks for tokens of one or several limits by name, gets all
 * of them or none, at once or after a wait.
 */
#ifndef REIN_TAKE_H
#define REIN_TAKE_H

#include <linux/rein_dev.h>

#include "call.h"

struct rein_taker;

int rein_take(struct rein_take_args *args, const struct rein_take_want *wants);
int rein_take_unread(struct rein_take_args *args, int err);
void rein_take_cancel_all(void);

/* What reservations do as takes do. */
int rein_take_check(struct rein_take_args *args,
		    const struct rein_take_want *wants, u32 flags);
void rein_take_begin(struct rein_taker *taker,
		     const struct rein_take_args *args,
		     const struct rein_take_want *wants);
int rein_take_scopes(struct rein_take_args *args, struct rein_taker *taker);
void rein_take_end(struct rein_taker *taker);
int rein_take_join(struct rein_take_args *args, struct rein_taker *taker);
int rein_take_answer(struct rein_take_args *args,
		     const struct rein_taker *taker);
int rein_take_no_memory(struct rein_take_args *args);

void __rein_take_fail(struct rein_take_args *args, unsigned int nth,
		      enum rein_code code,
		      const struct netlink_ext_ack *extack);

/**
 * rein_take_fail() - rein_fail() for takes
 * @args:	where the answer goes: who asks has no extack, but the same in
 *		this struct
 * @nth:	the name at fault
 * @code:	why
 * @what:	as of rein_fail()
 * @...:	likewise
 *
 * Context: the task that asks; may not sleep.
 *
 * Return: the negative errno of @code.
 */
#define rein_take_fail(args, nth, code, what, ...) ({			\
	const enum rein_code code_ = (code);				\
	struct netlink_ext_ack extack_ = { };				\
	int err_ = rein_call_refuse(&extack_, code_, what, __VA_ARGS__);	\
									\
	__rein_take_fail(args, nth, code_, &extack_);			\
	err_;								\
})

int rein_take_init(void);
void rein_take_exit(void);

#endif /* REIN_TAKE_H */
