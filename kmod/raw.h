/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Raw errors: those that leave the module without a code. That is a bug, which
 * they become a record of.
 */
#ifndef REIN_RAW_H
#define REIN_RAW_H

struct rein_ask;

int rein_raw_provoke(void);
int rein_raw_catch(struct rein_ask *ask, int err, const char *what);

void rein_raw_init(void);
void rein_raw_exit(void);

#endif /* REIN_RAW_H */
