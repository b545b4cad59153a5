/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scopes as descriptors: what programs do with them. One is made by a call on /dev/rein,
 * polled, read and mapped, asked by calls of its own, and passed on as any descriptor.
 * An observer is another file of the same scope that can do nothing to it.
 */
#ifndef REIN_SCOPE_FILE_H
#define REIN_SCOPE_FILE_H

#include <linux/rein_dev.h>

struct file;
struct rein_answer;
struct rein_scope;

struct file *rein_scope_make(struct file *dev, void *args,
			     struct rein_answer *answer);
struct file *rein_scope_make_race(struct file *dev, void *args,
				  struct rein_answer *answer);
struct file *rein_scope_open(struct file *dev, void *args,
			     struct rein_answer *answer);
struct rein_scope *rein_scope_of_fd(int fd, bool observe,
				    enum rein_code *code);

/* Those that are made on /dev/rein. */
#define REIN_SCOPE_DEV_CALLS						\
	REIN_CALL(REIN_IOC_SCOPE, rein_scope_args, REIN_SCOPE_ARGS_SIZE_0, id,			\
		  .open = rein_scope_make),				\
	REIN_CALL(REIN_IOC_RACE, rein_scope_args, REIN_SCOPE_ARGS_SIZE_0, id,			\
		  .open = rein_scope_make_race),			\
	REIN_CALL(REIN_IOC_OPEN, rein_open_args, REIN_OPEN_ARGS_SIZE_0, answer,		\
		  .open = rein_scope_open),

#endif /* REIN_SCOPE_FILE_H */
