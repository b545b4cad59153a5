/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers with units, as people write them.
 *
 * Promise: a value is taken exactly or not at all. What can't be represented
 * is an error that says so; nothing is rounded or clamped.
 */
#ifndef REIN_CLI_PARSE_H
#define REIN_CLI_PARSE_H

#include "rein.h"

/**
 * struct parse_error - why a value was not taken
 * @code:	CODE_VALUE or CODE_INEXACT
 * @message:	what is wrong with it
 * @hint:	what to write instead; may be empty
 */
struct parse_error {
	uint32_t code;
	char message[192];
	char hint[128];
};

/* All return 0, or -1 with *error filled in. */
int parse_tier(const char *text, uint32_t resource, struct rein_tier *tier,
	       struct parse_error *error);
int parse_size(const char *text, uint32_t unit, uint64_t *size, struct parse_error *error);
int parse_queue(const char *text, uint32_t resource, uint64_t *queue, struct parse_error *error);
int parse_credit(const char *text, uint32_t *millionths, struct parse_error *error);
int parse_time(const char *text, uint64_t *ns, struct parse_error *error);
int parse_resource(const char *text, uint32_t *resource, struct parse_error *error);
int parse_over(const char *text, uint32_t *over, struct parse_error *error);
int parse_kind(const char *text, uint32_t *kind, struct parse_error *error);
int parse_severity(const char *text, uint32_t *severity, struct parse_error *error);
int parse_number(const char *text, const char *what, uint64_t max, uint64_t *number,
		 struct parse_error *error);
int parse_count(const char *text, const char *what, uint64_t max, uint64_t *number,
		struct parse_error *error);

bool is_packet_resource(uint32_t resource);

#endif /* REIN_CLI_PARSE_H */
