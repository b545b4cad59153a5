/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spans of time, on CLOCK_MONOTONIC.
 */
#ifndef REIN_CLI_SPAN_H
#define REIN_CLI_SPAN_H

#include <stdint.h>

#define NSEC_PER_SEC	1000000000ULL

uint64_t span_now(void);
uint64_t span_left(uint64_t span_ns, uint64_t since_ns);

#endif /* REIN_CLI_SPAN_H */
