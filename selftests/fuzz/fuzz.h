/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets share: libFuzzer's interface, and a way to fail. */
#ifndef REIN_SELFTESTS_FUZZ_H
#define REIN_SELFTESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert() it says what was there instead. */
#define EXPECT(condition, format, ...) do {					\
	if (!(condition)) {							\
		fprintf(stderr, "expected " #condition ": " format "\n", __VA_ARGS__);	\
		abort();							\
	}									\
} while (0)

#endif /* REIN_SELFTESTS_FUZZ_H */
