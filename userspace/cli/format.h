/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as people read them.
 *
 * Promise: what is configured is printed so that the command reads it back as
 * the same value, or marked with ~ where no short form is exact. What was
 * measured is rounded. Text from elsewhere can't reach the terminal raw.
 *
 * All write into the buffer given and return it.
 */
#ifndef REIN_CLI_FORMAT_H
#define REIN_CLI_FORMAT_H

#include "rein.h"

/* Long enough for every number below. */
#define FORMAT_MAX	64

char *format_rate(const struct rein_tier *tier, char *buffer);
char *format_size(uint64_t size, uint32_t unit, char *buffer);
char *format_about(uint64_t size, uint32_t unit, char *buffer);
char *format_time(uint64_t ns, char *buffer);
char *format_left(uint64_t ns, char *buffer);
char *format_date(uint64_t ns, int digits, char *buffer);
char *format_code(uint32_t number, char *buffer);
char *format_address(const void *address, size_t len, char *buffer);

/* Escaped text is at most four times as long; the caller frees it. */
char *format_escape(const char *text);
char *format_json_text(const char *text);

#endif /* REIN_CLI_FORMAT_H */
