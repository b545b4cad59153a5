// SPDX-License-Identifier: GPL-2.0
/*
 * What is printed, and that it is read back as the same value.
 */
#include "format.h"
#include "parse.h"
#include "test.h"

typedef unsigned __int128 u128;

#define SEC	1000000000ULL

static void rates(void)
{
	static const struct {
		struct rein_tier tier;
		const char *text;
	} rows[] = {
		{ { REIN_UNIT_BYTES, false, 1250000, SEC, 0, 0, 0 }, "10Mbit/s" },
		{ { REIN_UNIT_BYTES, false, 1, 800, 0, 0, 0 }, "10Mbit/s" },
		{ { REIN_UNIT_BYTES, false, 154320, SEC, 0, 0, 0 }, "1234.56kbit/s" },
		{ { REIN_UNIT_BYTES, false, 1, 8 * SEC, 0, 0, 0 }, "1bit/s" },
		{ { REIN_UNIT_BYTES, false, 1000000000000ULL, SEC, 0, 0, 0 }, "8000Gbit/s" },
		{ { REIN_UNIT_PACKETS, false, 1, 60 * SEC, 0, 0, 0 }, "1p/min" },
		{ { REIN_UNIT_PACKETS, false, 5000, SEC, 0, 0, 0 }, "5kp/s" },
		{ { REIN_UNIT_PACKETS, false, 1, 3600 * SEC, 0, 0, 0 }, "1p/hour" },
		{ { REIN_UNIT_PACKETS, false, 1, 86400 * SEC, 0, 0, 0 }, "1p/day" },
		{ { REIN_UNIT_PACKETS, false, 3, 2 * SEC, 0, 0, 0 }, "1.5p/s" },
		{ { REIN_UNIT_PACKETS, false, 1, 7 * SEC, 0, 0, 0 }, "~0.142857p/s" },
		{ { REIN_UNIT_CALLS, false, 2, SEC, 0, 0, 0 }, "2/s" },
		{ { REIN_UNIT_BYTES, false, 0, SEC, 0, 0, 0 }, "0" },
		{ { REIN_UNIT_BYTES, false, 0, 0, 0, 0, 0 }, "0" },
		{ { REIN_UNIT_PACKETS, false, 0, SEC, 0, 0, 0 }, "0p/s" },
		{ { REIN_UNIT_CALLS, false, 0, SEC, 0, 0, 0 }, "0" },
		{ { REIN_UNIT_BYTES, true, 0, 0, 0, 0, 0 }, "unlimited" },
		{ { REIN_UNIT_PACKETS, false, UINT64_MAX, 1, 0, 0, 0 }, "~1.84467e+28p/s" },
		{ { 9, false, 2, SEC, 0, 0, 0 }, "2/s" },
	};
	char text[FORMAT_MAX];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_STR(format_rate(&rows[i].tier, text), rows[i].text);
	}
}

static uint64_t state = 88172645463325252ULL;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> (state % 60);
}

/* Equal as fractions, whatever their form. */
static bool same_rate(const struct rein_tier *a, const struct rein_tier *b)
{
	return a->unit == b->unit &&
	       (u128)a->rate_tokens * b->rate_period_ns ==
	       (u128)b->rate_tokens * a->rate_period_ns;
}

static void rates_survive(void)
{
	static const uint64_t periods[] = { 1, 800, SEC, 8 * SEC, 60 * SEC, 86400 * SEC };
	char text[FORMAT_MAX];
	struct parse_error error;
	int i, exact = 0;

	for (i = 0; i < 200000; i++) {
		struct rein_tier tier = { .unit = rnd() % 2, .rate_tokens = rnd() }, again;

		tier.rate_period_ns = i % 2 ? periods[i / 2 % COUNT(periods)] : rnd() + 1;
		format_rate(&tier, text);
		test_row = text;
		if (*text == '~')
			continue;
		exact++;
		CHECK_EQ(parse_tier(text, REIN_RESOURCE_EGRESS, &again, &error), 0);
		CHECK_EQ(same_rate(&tier, &again), 1);
	}
	CHECK_EQ(exact > 40000, 1);
}

static void sizes_survive(void)
{
	char text[FORMAT_MAX];
	struct parse_error error;
	uint64_t again;
	int i;

	for (i = 0; i < 200000; i++) {
		uint64_t size = i < 5000 ? (uint64_t)i : rnd() << (i % 31);
		uint32_t unit = i % 3;

		test_row = format_size(size, unit, text);
		CHECK_EQ(parse_size(text, unit, &again, &error), 0);
		CHECK_EQ(again, size);
	}
	CHECK_STR(format_size(65536, REIN_UNIT_BYTES, text), "64KiB");
	CHECK_STR(format_size(12500, REIN_UNIT_BYTES, text), "12.5kB");
	CHECK_STR(format_size(1250000, REIN_UNIT_BYTES, text), "1.25MB");
	CHECK_STR(format_size(1048576, REIN_UNIT_BYTES, text), "1MiB");
	CHECK_STR(format_size(1024000, REIN_UNIT_BYTES, text), "1.024MB");
	CHECK_STR(format_size(UINT64_MAX, REIN_UNIT_BYTES, text), "18446744073709551.615kB");
	CHECK_STR(format_size(10, REIN_UNIT_PACKETS, text), "10p");
	CHECK_STR(format_size(0, REIN_UNIT_CALLS, text), "0");
}

static void times_survive(void)
{
	char text[FORMAT_MAX];
	struct parse_error error;
	uint64_t again;
	int i;

	for (i = 0; i < 200000; i++) {
		uint64_t ns = i % 2 ? rnd() : rnd() % 100000 * (i % 4 ? 1000000 : SEC);

		test_row = format_time(ns, text);
		CHECK_EQ(parse_time(text, &again, &error), 0);
		CHECK_EQ(again, ns);
	}
	CHECK_STR(format_time(2 * SEC, text), "2s");
	CHECK_STR(format_time(60 * SEC, text), "1min");
	CHECK_STR(format_time(90 * SEC, text), "90s");
	CHECK_STR(format_time(1500000000, text), "1500ms");
	CHECK_STR(format_time(0, text), "0s");
	CHECK_STR(format_time(86400 * SEC, text), "1day");
	CHECK_STR(format_time(REIN_FOREVER_NS, text), "infinity");
}

static void rounded(void)
{
	char text[FORMAT_MAX];

	CHECK_STR(format_about(0, REIN_UNIT_BYTES, text), "0B");
	CHECK_STR(format_about(999, REIN_UNIT_BYTES, text), "999B");
	CHECK_STR(format_about(1523471, REIN_UNIT_BYTES, text), "1.523MB");
	CHECK_STR(format_about(UINT64_MAX, REIN_UNIT_BYTES, text), "18.45EB");
	CHECK_STR(format_left(300000000, text), "300ms");
	CHECK_STR(format_left(58300000000ULL, text), "58.3s");
	CHECK_STR(format_left(3599 * SEC, text), "60.0min");
	CHECK_STR(format_left(86400 * SEC, text), "24.0h");
}

static void dates(void)
{
	char text[FORMAT_MAX];

	CHECK_STR(format_date(0, 9, text), "1970-01-01T00:00:00.000000000Z");
	CHECK_STR(format_date(1795333441696415749ULL, 9, text), "2026-11-22T07:44:01.696415749Z");
	CHECK_STR(format_date(1795333441696415749ULL, 3, text), "2026-11-22T07:44:01.696Z");
	CHECK_STR(format_date(1795333441696415749ULL, 0, text), "2026-11-22T07:44:01Z");
	CHECK_STR(format_code(301, text), "REIN-E0301");
}

static void addresses(void)
{
	static const unsigned char four[] = { 10, 0, 0, 1 };
	static const unsigned char six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	char text[FORMAT_MAX];

	CHECK_STR(format_address(four, 4, text), "10.0.0.1");
	CHECK_STR(format_address(six, 16, text), "2001:db8::1");
	CHECK_STR(format_address(four, 3, text), "?");
}

static const struct test tests[] = {
	TEST(rates),
	TEST(rates_survive),
	TEST(sizes_survive),
	TEST(times_survive),
	TEST(rounded),
	TEST(dates),
	TEST(addresses),
};

int main(int argc, char **argv)
{
	return test_main(tests, COUNT(tests), argc, argv);
}
