/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/rein: what governed programs ask, and how it gets in and out of their
 * memory. While it is open the module can't be unloaded.
 */
#ifndef REIN_DEV_H
#define REIN_DEV_H

int rein_dev_init(void);
void rein_dev_exit(void);

#endif /* REIN_DEV_H */
