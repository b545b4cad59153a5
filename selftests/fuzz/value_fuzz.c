// SPDX-License-Identifier: GPL-2.0
/*
 * Rates, sizes and times as people write them. The first byte says which; the
 * rest is the text. What is taken is printed and read back as the same value;
 * what is not taken has a message.
 */
#include <string.h>

#include "cli.h"
#include "format.h"
#include "fuzz.h"

static void check_error(const struct parse_error *error, const char *text)
{
	EXPECT(error->code && error->message[0], "no message for '%s'", text);
}

static bool fits(uint32_t unit, uint32_t resource)
{
	bool calls = unit == REIN_UNIT_CALLS;

	return resource > REIN_RESOURCE_INGRESS ? calls : !calls;
}

static void tier(const char *text, uint32_t resource)
{
	char rate[FORMAT_MAX], burst[FORMAT_MAX], both[3 * FORMAT_MAX];
	struct parse_error error = { 0 };
	struct rein_tier tier = { 0 }, again = { 0 };

	if (parse_tier(text, resource, &tier, &error)) {
		check_error(&error, text);
		return;
	}
	/* Bytes of calls: the kernel refuses that, nobody prints it. */
	if (!fits(tier.unit, resource))
		return;
	format_rate(&tier, rate);
	format_size(tier.burst, tier.unit, burst);
	if (strchr(rate, '~') || strchr(burst, '~'))
		return;
	snprintf(both, sizeof(both), "%s,burst=%s", rate, burst);
	EXPECT(!parse_tier(both, resource, &again, &error), "'%s' became '%s': %s", text, both,
	       error.message);
	EXPECT(tier.unit == again.unit, "'%s' became '%s'", text, both);
	EXPECT(tier.burst == again.burst, "'%s' became '%s'", text, both);
	EXPECT(tier.unlimited == again.unlimited, "'%s' became '%s'", text, both);
	/* 60 a minute is 1 a second. */
	EXPECT((__uint128_t)tier.rate_tokens * (again.rate_period_ns ?: 1) ==
	       (__uint128_t)again.rate_tokens * (tier.rate_period_ns ?: 1),
	       "'%s' became '%s'", text, both);
}

static void size_of(const char *text, uint32_t unit)
{
	struct parse_error error = { 0 };
	uint64_t size, again;
	char buffer[FORMAT_MAX];

	if (parse_size(text, unit, &size, &error)) {
		check_error(&error, text);
		return;
	}
	if (strchr(format_size(size, unit, buffer), '~'))
		return;
	EXPECT(!parse_size(buffer, unit, &again, &error) && size == again, "'%s' became '%s'", text,
	       buffer);
}

static void time_of(const char *text)
{
	struct parse_error error = { 0 };
	uint64_t ns, again;
	char buffer[FORMAT_MAX];

	if (parse_time(text, &ns, &error)) {
		check_error(&error, text);
		return;
	}
	if (strchr(format_time(ns, buffer), '~'))
		return;
	EXPECT(!parse_time(buffer, &again, &error) && ns == again, "'%s' became '%s'", text,
	       buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];

	if (!size || size > sizeof(text))
		return -1;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] & 3) {
	case 0:
		tier(text, (data[0] >> 2) % 5);
		break;
	case 1:
		size_of(text, (data[0] >> 2) % 3);
		break;
	case 2:
		time_of(text);
		break;
	case 3:
		format_code(0, text);
		break;
	}
	return 0;
}
