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

/* Numbers out of bytes: how many bytes, then these. */
struct fuzz_reader {
	const uint8_t *data;
	size_t left;
};

static inline uint64_t fuzz_byte(struct fuzz_reader *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static inline uint64_t fuzz_number(struct fuzz_reader *in)
{
	unsigned int n = fuzz_byte(in) % 9;
	uint64_t v = 0;

	while (n--)
		v = v << 8 | fuzz_byte(in);
	return v;
}

#endif /* REIN_SELFTESTS_FUZZ_H */
