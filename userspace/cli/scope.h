/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scopes: what the commands that make them, wait for them and show them share.
 */
#ifndef REIN_CLI_SCOPE_H
#define REIN_CLI_SCOPE_H

#include "rein.h"

struct cli;
struct fault;
struct out;

const char *scope_cause_text(uint32_t cause);
int scope_fail(struct cli *cli, const char *option, const char *what, int err,
	       const struct rein_scope_result *result);
int scope_fail_done(struct cli *cli, const char *what, uint64_t own,
		    const struct rein_scope_done *done);

#endif /* REIN_CLI_SCOPE_H */
