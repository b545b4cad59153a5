// SPDX-License-Identifier: GPL-2.0
/*
 * Every form of RATE, SIZE and TIME that is taken, and every one that is not.
 */
#include "codes.h"
#include "parse.h"
#include "test.h"

#define SEC	1000000000ULL
#define DAY	(86400 * SEC)

static void rate_accepted(void)
{
	static const struct {
		const char *text;
		uint32_t resource, unit;
		uint64_t tokens, period_ns, burst;
	} rows[] = {
		/* bits */
		{ "10Mbit/s", 0, REIN_UNIT_BYTES, 1250000, SEC, 1250000 },
		{ "100Mbit/s", 0, REIN_UNIT_BYTES, 12500000, SEC, 12500000 },
		{ "100mbit", 0, REIN_UNIT_BYTES, 12500000, SEC, 12500000 },
		{ "100MBIT", 0, REIN_UNIT_BYTES, 12500000, SEC, 12500000 },
		{ "1Gbit/s", 0, REIN_UNIT_BYTES, 125000000, SEC, 125000000 },
		{ "8Kibit/s", 0, REIN_UNIT_BYTES, 1024, SEC, 65536 },
		{ "1Mibit", 0, REIN_UNIT_BYTES, 131072, SEC, 131072 },
		{ "1bit/s", 0, REIN_UNIT_BYTES, 1, 8 * SEC, 65536 },
		{ "3bit/s", 0, REIN_UNIT_BYTES, 3, 8 * SEC, 65536 },
		{ "8bit/day", 0, REIN_UNIT_BYTES, 1, DAY, 65536 },
		{ "60kbit/min", 0, REIN_UNIT_BYTES, 7500, 60 * SEC, 65536 },
		{ "1.5Mbit/s", 0, REIN_UNIT_BYTES, 187500, SEC, 187500 },
		/* bytes */
		{ "12MB/s", 0, REIN_UNIT_BYTES, 12000000, SEC, 12000000 },
		{ "12mb/s", 0, REIN_UNIT_BYTES, 12000000, SEC, 12000000 },
		{ "1MiB/s", 0, REIN_UNIT_BYTES, 1048576, SEC, 1048576 },
		{ "1GiB/hour", 0, REIN_UNIT_BYTES, 1ULL << 30, 3600 * SEC, 298261 },
		{ "1000GB/s", 0, REIN_UNIT_BYTES, 1000000000000ULL, SEC, 1000000000000ULL },
		{ "0.5B/s", 0, REIN_UNIT_BYTES, 1, 2 * SEC, 65536 },
		/* packets */
		{ "5kp/s", 0, REIN_UNIT_PACKETS, 5000, SEC, 5000 },
		{ "5kpps", 0, REIN_UNIT_PACKETS, 5000, SEC, 5000 },
		{ "5pps", 0, REIN_UNIT_PACKETS, 5, SEC, 5 },
		{ "1p/min", 0, REIN_UNIT_PACKETS, 1, 60 * SEC, 1 },
		{ "90p/min", 0, REIN_UNIT_PACKETS, 90, 60 * SEC, 1 },
		{ "1.5p/s", 0, REIN_UNIT_PACKETS, 3, 2 * SEC, 1 },
		{ "2KiP/S", 0, REIN_UNIT_PACKETS, 2048, SEC, 2048 },
		/* closed, with and without a unit */
		{ "0", 0, REIN_UNIT_BYTES, 0, SEC, 65536 },
		{ "0p/s", 0, REIN_UNIT_PACKETS, 0, SEC, 1 },
		{ "0Mbit/s", 0, REIN_UNIT_BYTES, 0, SEC, 65536 },
		{ "0", REIN_RESOURCE_CALL, REIN_UNIT_CALLS, 0, SEC, 1 },
		/* calls and connections */
		{ "2/s", REIN_RESOURCE_CALL, REIN_UNIT_CALLS, 2, SEC, 2 },
		{ "10/min", REIN_RESOURCE_CONNECT, REIN_UNIT_CALLS, 10, 60 * SEC, 1 },
		{ "1k/s", REIN_RESOURCE_ACCEPT, REIN_UNIT_CALLS, 1000, SEC, 1000 },
		{ "1/day", REIN_RESOURCE_CALL, REIN_UNIT_CALLS, 1, DAY, 1 },
		/* what only the kernel can judge is passed on */
		{ "100p/s", REIN_RESOURCE_CALL, REIN_UNIT_PACKETS, 100, SEC, 100 },
		{ "5000000000Gp/s", 0, REIN_UNIT_PACKETS, 5000000000000000000ULL, SEC,
		  1ULL << 62 },
		/* with a burst */
		{ "10Mbit/s,burst=64KB", 0, REIN_UNIT_BYTES, 1250000, SEC, 64000 },
		{ "10Mbit/s,burst=64KiB", 0, REIN_UNIT_BYTES, 1250000, SEC, 65536 },
		{ "10Mbit/s,burst=100kbit", 0, REIN_UNIT_BYTES, 1250000, SEC, 12500 },
		{ "10Mbit/s,burst=1500", 0, REIN_UNIT_BYTES, 1250000, SEC, 1500 },
		{ "10Mbit/s,burst=0", 0, REIN_UNIT_BYTES, 1250000, SEC, 0 },
		{ "5kp/s,burst=10", 0, REIN_UNIT_PACKETS, 5000, SEC, 10 },
		{ "5kp/s,burst=1kp", 0, REIN_UNIT_PACKETS, 5000, SEC, 1000 },
		{ "2/s,burst=10", REIN_RESOURCE_CALL, REIN_UNIT_CALLS, 2, SEC, 10 },
		{ "0,burst=1", 0, REIN_UNIT_BYTES, 0, SEC, 1 },
	};
	struct parse_error error;
	struct rein_tier tier;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parse_tier(rows[i].text, rows[i].resource, &tier, &error), 0);
		CHECK_EQ(tier.unlimited, 0);
		CHECK_EQ(tier.unit, rows[i].unit);
		CHECK_EQ(tier.rate_tokens, rows[i].tokens);
		CHECK_EQ(tier.rate_period_ns, rows[i].period_ns);
		CHECK_EQ(tier.burst, rows[i].burst);
	}
}

static void rate_unlimited(void)
{
	struct parse_error error;
	struct rein_tier tier;

	CHECK_EQ(parse_tier("unlimited", 0, &tier, &error), 0);
	CHECK_EQ(tier.unlimited, 1);
	CHECK_EQ(tier.unit, REIN_UNIT_BYTES);
	CHECK_EQ(tier.burst, 65536);
	CHECK_EQ(parse_tier("Unlimited,burst=2", REIN_RESOURCE_CALL, &tier, &error), 0);
	CHECK_EQ(tier.unlimited, 1);
	CHECK_EQ(tier.unit, REIN_UNIT_CALLS);
	CHECK_EQ(tier.burst, 2);
}

static void rate_rejected(void)
{
	static const struct {
		const char *text;
		uint32_t code;
		const char *message, *hint;
	} rows[] = {
		{ "", CODE_VALUE, "the rate is empty", "" },
		{ ",burst=1", CODE_VALUE, "the rate is empty", "" },
		{ "-5Mbit/s", CODE_VALUE, "a rate can't be negative: -5Mbit/s", "" },
		{ "fast", CODE_VALUE, "a rate begins with a digit, not with 'fast'", "" },
		{ "+5p/s", CODE_VALUE, "a rate begins with a digit, not with '+5p/s'", "" },
		{ " 5p/s", CODE_VALUE, "a rate begins with a digit, not with ' 5p/s'", "" },
		{ ".5p/s", CODE_VALUE, "a rate begins with a digit, not with '.5p/s'", "" },
		{ "5.p/s", CODE_VALUE, "digits are missing after the point: 5.p/s", "" },
		{ "0x10p/s", CODE_VALUE, "'x10p/s' can't be read in the rate '0x10p/s'", NULL },
		{ "10mbps", CODE_VALUE, "bits or bytes? a rate can't be written as '10mbps'",
		  "write mbit/s for bits or mB/s for bytes" },
		{ "10bps", CODE_VALUE, "bits or bytes? a rate can't be written as '10bps'",
		  "write bit/s for bits or B/s for bytes" },
		{ "10Kibps", CODE_VALUE, "bits or bytes? a rate can't be written as '10Kibps'",
		  "write Kibit/s for bits or KiB/s for bytes" },
		{ "2/s", CODE_VALUE, "the unit is missing in the rate '2/s'",
		  "packets are metered in bits, bytes or packets: 10Mbit/s, 1MB/s, 100p/s" },
		{ "5", CODE_VALUE, "the unit is missing in the rate '5'", NULL },
		{ "5M", CODE_VALUE, "the unit is missing in the rate '5M'", NULL },
		{ "12MB", CODE_VALUE, "the time is missing in the rate '12MB'",
		  "a rate is per time: /s, /min, /hour or /day" },
		{ "5kp", CODE_VALUE, "the time is missing in the rate '5kp'", NULL },
		{ "10Mbit/", CODE_VALUE, "'/' can't be read in the rate '10Mbit/'", NULL },
		{ "10Mbit/week", CODE_VALUE, "'/week' can't be read in the rate '10Mbit/week'",
		  NULL },
		{ "10Mbit/s ", CODE_VALUE, "'/s ' can't be read in the rate '10Mbit/s '", NULL },
		{ "10Mbits/s", CODE_VALUE, "'s/s' can't be read in the rate '10Mbits/s'", NULL },
		{ "10 Mbit/s", CODE_VALUE, NULL, NULL },
		{ "1e6bit/s", CODE_VALUE, NULL, NULL },
		{ "10Tbit/s", CODE_VALUE, NULL, NULL },
		{ "10Mbit/s,", CODE_VALUE, "only burst=SIZE may follow a rate, not ''", NULL },
		{ "10Mbit/s,64KB", CODE_VALUE, "only burst=SIZE may follow a rate, not '64KB'",
		  "write: --rate RATE,burst=SIZE" },
		{ "10Mbit/s,burst=", CODE_VALUE, "the size is empty", "" },
		{ "10Mbit/s,burst=-1", CODE_VALUE, "a size can't be negative: -1", "" },
		{ "10Mbit/s,burst=1,burst=2", CODE_VALUE, "one rate has one burst: 1,burst=2",
		  NULL },
		{ "10Mbit/s,burst=5p", CODE_VALUE, "a size in bytes can't be written as '5p'",
		  "sizes in bytes: 64KB, 64KiB, 1500" },
		{ "5p/s,burst=64KB", CODE_VALUE, "a size in packets can't be written as '64KB'",
		  "sizes in packets: 10, 10p, 1k" },
		{ "10Mbit/s,burst=3bit", CODE_INEXACT,
		  "3bit is not a whole number of bytes below 2^64", "" },
		{ "5p/s,burst=0.5", CODE_INEXACT,
		  "0.5 is not a whole number of packets below 2^64", "" },
		{ "99999999999999999999p/s", CODE_INEXACT,
		  "the rate can't be kept exactly: 99999999999999999999p/s", "" },
		{ "18446744073709551617Gp/s", CODE_INEXACT, NULL, "" },
		{ "1.0000000001p/s", CODE_INEXACT, NULL, "" },
		{ "1234567890123456789012345678901p/s", CODE_INEXACT, NULL, "" },
		{ "10Mbit/s,burst=18446744073709551616", CODE_INEXACT, NULL, "" },
		{ "00000000000000000000000000000000000000000000000000000000000000000001p/s",
		  CODE_VALUE, NULL, "" },
	};
	struct parse_error error;
	struct rein_tier tier;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parse_tier(rows[i].text, REIN_RESOURCE_EGRESS, &tier, &error),
			 (uint64_t)-1);
		CHECK_EQ(error.code, rows[i].code);
		if (rows[i].message)
			CHECK_STR(error.message, rows[i].message);
		if (rows[i].hint)
			CHECK_STR(error.hint, rows[i].hint);
	}
}

static void size_accepted(void)
{
	static const struct {
		const char *text;
		uint32_t unit;
		uint64_t size;
	} rows[] = {
		{ "0", REIN_UNIT_BYTES, 0 },
		{ "1500", REIN_UNIT_BYTES, 1500 },
		{ "1500B", REIN_UNIT_BYTES, 1500 },
		{ "64KB", REIN_UNIT_BYTES, 64000 },
		{ "64kb", REIN_UNIT_BYTES, 64000 },
		{ "64K", REIN_UNIT_BYTES, 64000 },
		{ "64KiB", REIN_UNIT_BYTES, 65536 },
		{ "64Ki", REIN_UNIT_BYTES, 65536 },
		{ "12.5kB", REIN_UNIT_BYTES, 12500 },
		{ "1Mbit", REIN_UNIT_BYTES, 125000 },
		{ "1GiB", REIN_UNIT_BYTES, 1ULL << 30 },
		{ "18446744073709551615", REIN_UNIT_BYTES, UINT64_MAX },
		{ "10p", REIN_UNIT_PACKETS, 10 },
		{ "1kp", REIN_UNIT_PACKETS, 1000 },
		{ "0.001k", REIN_UNIT_PACKETS, 1 },
		{ "7", REIN_UNIT_CALLS, 7 },
		{ "1k", REIN_UNIT_CALLS, 1000 },
	};
	struct parse_error error;
	uint64_t size;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parse_size(rows[i].text, rows[i].unit, &size, &error), 0);
		CHECK_EQ(size, rows[i].size);
	}
}

static void queues(void)
{
	struct parse_error error;
	uint64_t queue;

	CHECK_EQ(parse_queue("64KiB", REIN_RESOURCE_EGRESS, &queue, &error), 0);
	CHECK_EQ(queue, 65536);
	CHECK_EQ(parse_queue("1024", REIN_RESOURCE_CALL, &queue, &error), 0);
	CHECK_EQ(queue, 1024);
	CHECK_EQ(parse_queue("1k", REIN_RESOURCE_CALL, &queue, &error), 0);
	CHECK_EQ(queue, 1000);
	CHECK_EQ(parse_queue("64KiB", REIN_RESOURCE_CONNECT, &queue, &error), 0);
	CHECK_EQ(queue, 65536);
	CHECK_EQ(parse_queue("64KiB", REIN_RESOURCE_CALL, &queue, &error), (uint64_t)-1);
	CHECK_EQ(error.code, CODE_VALUE);
	CHECK_STR(error.message, "'64KiB' is not a number of waiters");
	CHECK_EQ(parse_queue("0.5", REIN_RESOURCE_CALL, &queue, &error), (uint64_t)-1);
	CHECK_EQ(error.code, CODE_INEXACT);
}

static void time_accepted(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "0", 0 },
		{ "2", 2 * SEC },
		{ "2s", 2 * SEC },
		{ "2S", 2 * SEC },
		{ "50ms", 50000000 },
		{ "7us", 7000 },
		{ "9ns", 9 },
		{ "0.5s", SEC / 2 },
		{ "1.5", 3 * SEC / 2 },
		{ "5min", 300 * SEC },
		{ "1h", 3600 * SEC },
		{ "1hour", 3600 * SEC },
		{ "2d", 2 * DAY },
		{ "2day", 2 * DAY },
		{ "infinity", REIN_FOREVER_NS },
		{ "Infinity", REIN_FOREVER_NS },
	};
	struct parse_error error;
	uint64_t ns;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parse_time(rows[i].text, &ns, &error), 0);
		CHECK_EQ(ns, rows[i].ns);
	}
}

static void time_rejected(void)
{
	static const struct {
		const char *text;
		uint32_t code;
		const char *message;
	} rows[] = {
		{ "", CODE_VALUE, "the time is empty" },
		{ "-1s", CODE_VALUE, "a time can't be negative: -1s" },
		{ "5m", CODE_VALUE, "'m' is not a unit of time: 5m" },
		{ "5 s", CODE_VALUE, "' s' is not a unit of time: 5 s" },
		{ "5sec", CODE_VALUE, "'sec' is not a unit of time: 5sec" },
		{ "soon", CODE_VALUE, "a time begins with a digit, not with 'soon'" },
		{ "infinitely", CODE_VALUE, "a time begins with a digit, not with 'infinitely'" },
		{ "0.5ns", CODE_INEXACT, "0.5ns is not a whole number of nanoseconds below 2^64" },
		{ "213504day", CODE_INEXACT, NULL },
		{ "18446744073709551615ns", CODE_INEXACT, NULL },
		{ "99999999999999999999999999999h", CODE_INEXACT, NULL },
	};
	struct parse_error error;
	uint64_t ns;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parse_time(rows[i].text, &ns, &error), (uint64_t)-1);
		CHECK_EQ(error.code, rows[i].code);
		if (rows[i].message)
			CHECK_STR(error.message, rows[i].message);
	}
}

static void words(void)
{
	struct parse_error error;
	uint64_t number;
	uint32_t value;

	CHECK_EQ(parse_resource("egress", &value, &error), 0);
	CHECK_EQ(value, REIN_RESOURCE_EGRESS);
	CHECK_EQ(parse_resource("call", &value, &error), 0);
	CHECK_EQ(value, REIN_RESOURCE_CALL);
	CHECK_EQ(parse_resource("egres", &value, &error), (uint64_t)-1);
	CHECK_STR(error.hint, "one of: egress ingress connect accept call");
	CHECK_EQ(parse_over("mark", &value, &error), 0);
	CHECK_EQ(value, REIN_OVER_MARK);
	CHECK_EQ(parse_over("", &value, &error), (uint64_t)-1);
	CHECK_STR(error.message, "there is no way to be over a limit called ''");
	CHECK_EQ(parse_number("18446744073709551615", "ID", UINT64_MAX, &number, &error), 0);
	CHECK_EQ(number, UINT64_MAX);
	CHECK_EQ(parse_number("18446744073709551616", "ID", UINT64_MAX, &number, &error),
		 (uint64_t)-1);
	CHECK_EQ(parse_number("0", "ID", UINT64_MAX, &number, &error), (uint64_t)-1);
	CHECK_EQ(parse_number("12x", "ID", UINT64_MAX, &number, &error), (uint64_t)-1);
	CHECK_EQ(parse_number("", "ID", UINT64_MAX, &number, &error), (uint64_t)-1);
}

static void codes(void)
{
	size_t i, j;

	CHECK_EQ(code_by_text("REIN-E0301")->number, 301);
	CHECK_EQ(code_by_text("rein-e301")->number, 301);
	CHECK_EQ(code_by_text("E0301")->number, 301);
	CHECK_EQ(code_by_text("0301")->number, 301);
	CHECK_EQ(code_by_text("301")->number, 301);
	CHECK_EQ(!code_by_text("302x"), 1);
	CHECK_EQ(!code_by_text("E"), 1);
	CHECK_EQ(!code_by_text(""), 1);
	CHECK_EQ(!code_by_text("9999"), 1);
	CHECK_EQ(!code_by_text("18446744073709551917"), 1);
	/* Nobody shares a number, and everybody has something to say. */
	for (i = 0; i < code_count; i++) {
		test_row = code_book[i].name;
		for (j = 0; j < i; j++)
			CHECK_EQ(code_book[i].number != code_book[j].number, 1);
		CHECK_EQ(*code_book[i].hint && *code_book[i].meaning && *code_book[i].remedy, 1);
	}
}

static const struct test tests[] = {
	TEST(rate_accepted),
	TEST(rate_unlimited),
	TEST(rate_rejected),
	TEST(size_accepted),
	TEST(queues),
	TEST(time_accepted),
	TEST(time_rejected),
	TEST(words),
	TEST(codes),
};

int main(int argc, char **argv)
{
	return test_main(tests, COUNT(tests), argc, argv);
}
