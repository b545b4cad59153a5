/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One's own: what a user has without privileges that everybody's packets pass, limits on
 * sockets and watches over traffic, is bounded for both together.
 *
 * Context: a task that may sleep.
 */
#ifndef REIN_OWN_H
#define REIN_OWN_H

#include <linux/uidgid.h>

int rein_own_charge(kuid_t uid);
void rein_own_uncharge(kuid_t uid);
unsigned int rein_own_most(void);

#endif /* REIN_OWN_H */
