/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls: ioctls on /dev/rein and on the descriptors that come of it. Arguments are
 * copied in and out here; what refuses a call says why in its answer, and an errno that
 * nobody gave a meaning becomes a bug record.
 *
 * Context: the task that calls; may sleep.
 */
#ifndef REIN_CALL_H
#define REIN_CALL_H

#include <linux/fs.h>
#include <linux/rein_dev.h>

#include "record.h"

/**
 * struct rein_call - a kind of call whose arguments have a struct rein_answer
 * @cmd:	the request; its size is that of the arguments we know
 * @size_0:	the size of their first version
 * @answers:	where the answers begin in them: what was there is not read
 * @answer:	where, after these, the struct rein_answer is
 * @check:	may it be made on this file? 0, or a negative errno with an answer; NULL: on any
 * @run:	does it: 0 or a negative errno, with an answer
 * @open:	instead of @run: makes what the descriptor that is returned will be of;
 *		ERR_PTR() with an answer
 * @undo:	the caller will not know of what was opened; NULL: its last close will do
 */
struct rein_call {
	unsigned int cmd;
	unsigned int size_0;
	unsigned int answers;
	unsigned int answer;
	int (*check)(const struct file *file, struct rein_answer *answer);
	int (*run)(struct file *file, void *args, struct rein_answer *answer);
	struct file *(*open)(struct file *file, void *args,
			     struct rein_answer *answer);
	void (*undo)(struct file *made);
};

/*
 * An entry of a table of these, for arguments of type struct @args, in their first version
 * of @size bytes, whose answers begin with the field @first; @check, if any, and
 * @run or @open.
 */
#define REIN_CALL(request, args, size, first, ...)			\
	{ (request), (size), offsetof(struct args, first),		\
	  offsetof(struct args, answer), __VA_ARGS__ }

bool rein_call_is(unsigned int cmd, unsigned int kind);
int rein_call_unread(int err, size_t size, enum rein_code malformed);
long rein_call_catch(u32 code, long ret);
long rein_call(const struct rein_call *calls, unsigned int n,
	       struct file *file, unsigned int cmd, void __user *user);

int __rein_call_wrong(struct rein_answer *answer, enum rein_code code,
		      const struct rein_site *site, const char *wrong);
void __rein_call_fail(struct rein_answer *answer, enum rein_code code,
		      const struct netlink_ext_ack *extack);

/**
 * rein_call_refuse() - rein_fail() for who has no extack
 * @extack_of:	empty; what one would have
 * @code:	why
 * @what:	as of rein_fail()
 * @...:	likewise
 *
 * Return: the negative errno of @code.
 */
#define rein_call_refuse(extack_of, code, what, ...) ({			\
	const struct rein_doing doing_ = {				\
		"answering a call on /dev/rein", NULL, REIN_SITE,	\
	};								\
	struct rein_ask ask_ = {					\
		.extack = (extack_of), .doing = &doing_,		\
	};								\
									\
	rein_fail(&ask_, NULL, code, what, __VA_ARGS__);		\
})

/**
 * rein_call_fail() - rein_fail() for calls
 * @answer:	where the answer goes: who calls has no extack, but the same in this
 * @code:	why
 * @what:	as of rein_fail()
 * @...:	likewise
 *
 * Return: the negative errno of @code.
 */
#define rein_call_fail(answer, code, what, ...) ({			\
	const enum rein_code code_ = (code);				\
	struct netlink_ext_ack extack_ = { };				\
	int err_ = rein_call_refuse(&extack_, code_, what, __VA_ARGS__);	\
									\
	__rein_call_fail(answer, code_, &extack_);			\
	err_;								\
})

/**
 * rein_call_wrong() - rein_call_fail() for what is wrong with the arguments
 * @answer:	where the answer goes
 * @code:	why
 * @wrong:	a string that lives as long as the module
 *
 * Return: the negative errno of @code.
 */
#define rein_call_wrong(answer, code, wrong)				\
	__rein_call_wrong(answer, code, REIN_SITE, wrong)

/**
 * rein_call_no_memory() - rein_call_fail() for want of memory
 * @answer:	where the answer goes
 * @what:	"for a scope": what there was none for, a string literal
 *
 * Return: -ENOMEM.
 */
#define rein_call_no_memory(answer, what)				\
	rein_call_fail(answer, REIN_E_NO_MEMORY, "out of memory",	\
		       "there was no memory " what)

#endif /* REIN_CALL_H */
