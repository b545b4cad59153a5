/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches: what the commands that make them, beat and show them share.
 */
#ifndef REIN_CLI_WATCH_H
#define REIN_CLI_WATCH_H

#include "named.h"
#include "opt.h"
#include "rein.h"

struct cli;
struct out;

extern const struct named_kind watch_kind;

/* The options that say what a watch expects, and what is done if it expires. */
#define WATCH_RULES							\
	{ "every", 0, "TIME", false },					\
	{ "miss", 0, "N", false },					\
	{ "min", 0, "N", false },					\
	{ "max", 0, "N", false },					\
	{ "grace", 0, "TIME", false },					\
	{ "pretimeout", 0, "TIME", false },				\
	{ "unit-min", 0, "TIME", false },				\
	{ "unit-max", 0, "TIME", false },				\
	{ "order", 0, "A>B[,...]", false },				\
	{ "on-miss", 0, "STEP[,STEP...]", false }

/**
 * struct watch_rules - what they say
 * @rules:	what is expected
 * @steps:	what is done
 * @n_steps:	how many
 */
struct watch_rules {
	struct rein_watch_rules rules;
	struct rein_watch_step steps[REIN_STEPS_MAX];
	uint32_t n_steps;
};

int watch_rules_take(struct cli *cli, const struct opt_args *args, uint32_t subject,
		     struct watch_rules *rules);
bool watch_rules_do(const struct watch_rules *rules, uint32_t kind);
int watch_time(struct cli *cli, const struct opt_args *args, const char *name, uint64_t *ns);
int watch_fail(struct cli *cli, const char *option, const char *what, int err,
	       const struct rein_watch_result *result);

const char *watch_fault_text(uint32_t fault);
void show_watch_row(struct out *out, const struct rein_watch *watch, bool stats);
void show_watch_event(struct out *out, const struct rein_watch *watch);
void show_watch_full(struct out *out, const struct rein_watch *watch);
void show_watch_steps(struct out *out, const struct rein_watch *watch);

#endif /* REIN_CLI_WATCH_H */
