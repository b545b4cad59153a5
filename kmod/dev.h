/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/rein: what governed programs ask, and how it gets in and out of their
 * memory. While it is open the module can't be unloaded.
 */
#ifndef REIN_DEV_H
#define REIN_DEV_H

#include <linux/rein_dev.h>

int rein_dev_get(struct rein_take_args *args, void __user *user, size_t size);
int rein_dev_put(struct rein_take_args *args, void __user *user, size_t size);

int rein_dev_init(void);
void rein_dev_exit(void);

#endif /* REIN_DEV_H */
