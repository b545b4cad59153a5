/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Expiry: limits that remove themselves when their time is over.
 */
#ifndef REIN_EXPIRY_H
#define REIN_EXPIRY_H

#include <linux/types.h>

struct rein_limit;

void rein_expiry_set(struct rein_limit *limit, u64 lifetime_ns);
void rein_expiry_cancel(struct rein_limit *limit);
u64 rein_expiry_left(const struct rein_limit *limit);
void rein_expiry_exit(void);

#endif /* REIN_EXPIRY_H */
