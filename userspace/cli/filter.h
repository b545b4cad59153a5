/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which records are wanted.
 *
 * Promise: the same options mean the same wherever records are read, and what the
 * kernel leaves out and what is left out here are the same.
 */
#ifndef REIN_CLI_FILTER_H
#define REIN_CLI_FILTER_H

#include <limits.h>

#include "rein.h"

struct cli;
struct code;
struct opt_args;

/* The options, for a table of them, a synopsis, and their meaning. */
#define FILTER_OPTS						\
	{ "kind", 0, "bug|edge", false },			\
	{ "code", 0, "CODE", false },				\
	{ "severity", 0, "info|notice|warning|error", false },	\
	{ "limit", 0, "NAME", false },				\
	{ "cgroup", 0, "PATH", false },				\
	{ "since", 0, "TIME", false },				\
	{ "last", 0, "N", false }

#define FILTER_USAGE								\
	"[--kind bug|edge] [--code CODE] [--severity SEVERITY] [--limit NAME]\n"	\
	"                 [--cgroup PATH] [--since TIME] [--last N]"

#define FILTER_DETAILS								\
	"--severity: at least that. --cgroup: it and those below, there or removed.\n"	\
	"--since: in the last TIME, as 5min. --last: of all that are wanted.\n"

/**
 * struct filter - which records are wanted
 * @kernel:	what the kernel can see to
 * @cgroup:	those about this one or one below, "": any
 * @last:	the last N of these, 0: all
 */
struct filter {
	struct rein_record_filter kernel;
	char cgroup[PATH_MAX];
	uint64_t last;
};

int filter_parse(struct cli *cli, const struct opt_args *args, struct filter *filter);
bool filter_wants(const struct filter *filter, const struct rein_record *record);
int filter_find_code(struct cli *cli, const char *option, const char *text,
		     const struct code **code);

#endif /* REIN_CLI_FILTER_H */
