/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Credit: tokens that limits on calls give back for successes. So a budget for what is
 * tried again, or twice, can grow with what succeeds, and not with the time.
 *
 * Over any interval such a limit admits at most what its rate and burst allow, and as
 * many calls more as it was credited in it.
 */
#ifndef REIN_CREDIT_H
#define REIN_CREDIT_H

struct file;
struct rein_answer;

int rein_credit(struct file *dev, void *args, struct rein_answer *answer);

#endif /* REIN_CREDIT_H */
