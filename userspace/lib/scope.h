/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What calls about scopes and calls about races have in common.
 */
#ifndef REIN_SCOPE_H
#define REIN_SCOPE_H

#include "rein.h"

int rein_scope_ask(int fd, unsigned long request, void *args, const struct rein_answer *answer,
		   struct rein_scope_result *result);
int rein_scope_make(int fd, unsigned long request, uint32_t policy,
		    const struct rein_scope_opts *opts, struct rein_scope_result *result);

#endif /* REIN_SCOPE_H */
