/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches as descriptors: what programs do with them. One is made, or found, by a call on
 * /dev/rein; it is read, polled, written to, mapped, asked by calls of its own, and passed
 * on as any descriptor. There are such as can do anything, such as can beat, and observers.
 */
#ifndef REIN_WATCH_FILE_H
#define REIN_WATCH_FILE_H

#include <linux/rein_dev.h>

struct file;
struct rein_answer;

struct file *rein_watch_make(struct file *dev, void *args,
			     struct rein_answer *answer);
struct file *rein_watch_look(struct file *dev, void *args,
			     struct rein_answer *answer);
void rein_watch_unmake(struct file *made);

/* Those that are made on /dev/rein. */
#define REIN_WATCH_DEV_CALLS						\
	REIN_CALL(REIN_IOC_WATCH, rein_watch_args, REIN_WATCH_ARGS_SIZE_0, id,			\
		  .open = rein_watch_make, .undo = rein_watch_unmake),	\
	REIN_CALL(REIN_IOC_LOOK, rein_look_args, REIN_LOOK_ARGS_SIZE_0, answer,		\
		  .open = rein_watch_look),

#endif /* REIN_WATCH_FILE_H */
