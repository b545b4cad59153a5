// SPDX-License-Identifier: GPL-2.0
/*
 * Calls. See call.h.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "call.h"
#include "raw.h"

/* As many bytes as the longest arguments have. */
#define ARGS_MAX	512

/**
 * rein_call_is() - is a request of this kind, of whatever size?
 * @cmd:	the request
 * @kind:	the kind
 *
 * Return: whether it is.
 */
bool rein_call_is(unsigned int cmd, unsigned int kind)
{
	const unsigned int size = _IOC_SIZEMASK << _IOC_SIZESHIFT;

	return (cmd & ~size) == (kind & ~size);
}

/**
 * rein_call_unread() - refuse a call whose arguments can't be read, or answered
 * @err:	why: -EFAULT, -E2BIG (there is more than we know), or -EINVAL
 * @size:	how many bytes they have
 * @malformed:	the code of the last
 *
 * Nobody can be told but by the errno.
 *
 * Return: a negative errno, with a record.
 */
int rein_call_unread(int err, size_t size, enum rein_code malformed)
{
	struct rein_ask ask = { };
	struct rein_doing doing;

	rein_doing_begin(&ask, &doing, REIN_SITE,
			 "answering a call on /dev/rein", NULL);
	switch (err) {
	case -EFAULT:
		return rein_fail(&ask, NULL, REIN_E_DEV_FAULT,
				 "the arguments are not in the caller's memory",
				 "%zu bytes of arguments are not in the caller's memory",
				 size);
	case -E2BIG:
		return rein_fail(&ask, NULL, REIN_E_DEV_NEWER,
				 "the arguments have a field that is not known",
				 "%zu bytes of arguments have a field that is not known",
				 size);
	}
	return rein_fail(&ask, NULL, malformed, "the arguments are too short",
			 "%zu bytes of arguments are too few", size);
}

/**
 * rein_call_catch() - see to it that an error has a meaning
 * @code:	the one that was answered, 0: none
 * @ret:	what the call is to return
 *
 * All that calls return comes by here, but for ENOTTY: that says, as everywhere,
 * that the call is not one of ours.
 *
 * Return: @ret.
 */
long rein_call_catch(u32 code, long ret)
{
	struct rein_ask ask = { };
	struct rein_doing doing;

	/* A signal; whether the call is made again, or EINTR, is not ours to say. */
	if (ret == -ERESTARTSYS || code)
		return ret;
	rein_doing_begin(&ask, &doing, REIN_SITE,
			 "answering a call on /dev/rein", NULL);
	return ret < 0 ? rein_raw_catch(&ask, ret, "a call on /dev/rein") : ret;
}

/* See rein_call_fail(). */
void __rein_call_fail(struct rein_answer *answer, enum rein_code code,
		      const struct netlink_ext_ack *extack)
{
	answer->code = code;
	memcpy(&answer->record, extack->cookie, sizeof(answer->record));
	strscpy(answer->message, extack->_msg, sizeof(answer->message));
}

/* See rein_call_wrong(). */
int __rein_call_wrong(struct rein_answer *answer, enum rein_code code,
		      const struct rein_site *site, const char *wrong)
{
	struct netlink_ext_ack extack = { };
	struct rein_ask ask = { .extack = &extack };
	struct rein_doing doing;
	int err;

	rein_doing_begin(&ask, &doing, site, "answering a call on /dev/rein",
			 NULL);
	err = __rein_fail(&ask, NULL, code, wrong, site, "%s", wrong);
	__rein_call_fail(answer, code, &extack);
	return err;
}

static int get_args(const struct rein_call *call, void *args,
		    void __user *user, size_t size)
{
	int err = -EINVAL;

	if (size >= call->size_0)
		err = copy_struct_from_user(args, _IOC_SIZE(call->cmd), user,
					    size);
	return err ? rein_call_unread(err, size, REIN_E_SCOPE_MALFORMED) : 0;
}

static int put_args(const struct rein_call *call, const void *args,
		    void __user *user, size_t size)
{
	size = min_t(size_t, size, _IOC_SIZE(call->cmd));
	return copy_to_user(user, args, size) ?
	       rein_call_unread(-EFAULT, size, 0) : 0;
}

/* Make a descriptor, to be installed once the caller knows all about it. */
static long open_fd(const struct rein_call *call, struct file *file,
		    void *args, struct rein_answer *answer, struct file **made)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd == -ENOMEM)
		return rein_call_no_memory(answer, "for a descriptor");
	if (fd < 0)
		return rein_call_fail(answer, REIN_E_SCOPE_FILES,
				      "the process has as many files open as it may",
				      "there was no descriptor for a scope");
	*made = call->open(file, args, answer);
	if (!IS_ERR(*made))
		return fd;
	put_unused_fd(fd);
	return PTR_ERR(*made);
}

static long run(const struct rein_call *call, struct file *file,
		void __user *user, size_t size, void *args, u32 *code)
{
	struct rein_answer *answer = args + call->answer;
	struct file *made = NULL;
	long ret;
	int err;

	err = get_args(call, args, user, size);
	memset(args + call->answers, 0,
	       call->answer + sizeof(*answer) - call->answers);
	if (err) {
		*code = REIN_E_DEV_FAULT;	/* or another: it has one */
		return err;
	}
	ret = rein_raw_provoke();
	if (!ret && call->check)
		ret = call->check(file, answer);
	if (!ret && call->open)
		ret = open_fd(call, file, args, answer, &made);
	else if (!ret)
		ret = call->run(file, args, answer);
	*code = answer->code;
	err = ret == -ERESTARTSYS ? 0 : put_args(call, args, user, size);
	if (err) {
		*code = REIN_E_DEV_FAULT;
		/* Nobody would know of it. */
		if (!IS_ERR_OR_NULL(made)) {
			put_unused_fd(ret);
			if (call->undo)
				call->undo(made);
			fput(made);
		}
		return err;
	}
	if (!IS_ERR_OR_NULL(made))
		fd_install(ret, made);
	return ret;
}

/**
 * rein_call() - answer a call
 * @calls:	those that there are
 * @n:		how many
 * @file:	what it is made on
 * @cmd:	the request
 * @user:	its arguments
 *
 * Return: what ioctl(2) is to; -ENOTTY if it is none of @calls.
 */
long rein_call(const struct rein_call *calls, unsigned int n,
	       struct file *file, unsigned int cmd, void __user *user)
{
	u64 args[ARGS_MAX / sizeof(u64)] = { };
	unsigned int i;
	u32 code = 0;
	long ret;

	for (i = 0; i < n; i++)
		if (rein_call_is(cmd, calls[i].cmd))
			break;
	if (i == n)
		return -ENOTTY;
	if (WARN_ON_ONCE(_IOC_SIZE(calls[i].cmd) > sizeof(args)))
		return rein_call_catch(0, -EINVAL);
	ret = run(&calls[i], file, user, _IOC_SIZE(cmd), args, &code);
	/* Without a code that is an answer, not an error: not yet. */
	if (ret == -EAGAIN && !code)
		return ret;
	return rein_call_catch(code, ret);
}
