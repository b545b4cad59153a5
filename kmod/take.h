/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes: a program asks for tokens of one or several limits by name, gets all
 * of them or none, at once or after a wait.
 */
#ifndef REIN_TAKE_H
#define REIN_TAKE_H

#include <linux/rein_dev.h>

int rein_take(struct rein_take_args *args, const struct rein_take_want *wants);
int rein_take_unread(struct rein_take_args *args, int err);
void rein_take_cancel_all(void);

int rein_take_init(void);
void rein_take_exit(void);

#endif /* REIN_TAKE_H */
