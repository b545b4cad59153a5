/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks: where packets are caught, kept, and sent on again.
 *
 * Hooks are registered in every network namespace while any limit meters what
 * passes them, and in none while there is no such limit. What they ask is in leave.h
 * and in arrive.h.
 */
#ifndef REIN_HOOK_H
#define REIN_HOOK_H

#include <linux/types.h>

#include "limit.h"

struct rein_held;

int rein_hook_need(unsigned int resources);
unsigned int rein_hook_needed(void);
unsigned long rein_hook_nets(void);

bool rein_hook_hold(struct rein_held *held);
void rein_hook_resume(struct rein_held *held);
void rein_hook_drop(struct rein_held *held);
void rein_hook_drain(void);

int rein_hook_init(void);
void rein_hook_exit(void);

#endif /* REIN_HOOK_H */
