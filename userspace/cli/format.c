// SPDX-License-Identifier: GPL-2.0
#include "format.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned __int128 u128;

#define NSEC_PER_SEC	1000000000ULL

static const struct {
	const char *name;
	uint64_t value;
} prefixes[] = {
	{ "G", 1000000000 }, { "M", 1000000 }, { "k", 1000 }, { "", 1 },
};

/* whole.mil without trailing zeros. */
static void print_thousandths(u128 value, char *buffer)
{
	int len;

	len = snprintf(buffer, FORMAT_MAX, "%" PRIu64 ".%03u", (uint64_t)(value / 1000),
		       (unsigned int)(value % 1000));
	while (buffer[len - 1] == '0')
		buffer[--len] = '\0';
	if (buffer[len - 1] == '.')
		buffer[--len] = '\0';
}

/* top / bottom with at most three decimals and a prefix, if that is exact. */
static bool print_exact(u128 top, u128 bottom, char *buffer)
{
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		u128 unit = bottom * prefixes[i].value;

		if (top < unit && prefixes[i].value > 1)
			continue;
		if (top % unit && top * 1000 % unit)
			continue;
		if (top / unit > UINT64_MAX)
			continue;
		print_thousandths(top * 1000 / unit, buffer);
		strcat(buffer, prefixes[i].name);
		return true;
	}
	return false;
}

static const char *rate_word(uint32_t unit)
{
	switch (unit) {
	case REIN_UNIT_BYTES:
		return "bit";
	case REIN_UNIT_PACKETS:
		return "p";
	default:
		return "";
	}
}

/* A rate as --rate takes it: 10Mbit/s, 5kp/s, 2/min; ~: only nearly so. */
char *format_rate(const struct rein_tier *tier, char *buffer)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} periods[] = {
		{ "/s", NSEC_PER_SEC },
		{ "/min", 60 * NSEC_PER_SEC },
		{ "/hour", 3600 * NSEC_PER_SEC },
		{ "/day", 86400 * NSEC_PER_SEC },
	};
	uint64_t multiple = tier->unit == REIN_UNIT_BYTES ? 8 : 1;
	size_t i;

	if (tier->unlimited)
		return strcpy(buffer, "unlimited");
	if (!tier->rate_tokens || !tier->rate_period_ns)
		return strcpy(buffer, tier->unit == REIN_UNIT_PACKETS ? "0p/s" : "0");
	for (i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		u128 top = (u128)tier->rate_tokens * multiple * periods[i].ns;

		/* More than the arithmetic below has room for: not a rate to be met. */
		if (tier->rate_tokens > UINT64_MAX / 1000)
			break;
		if (print_exact(top, tier->rate_period_ns, buffer)) {
			strcat(buffer, rate_word(tier->unit));
			return strcat(buffer, periods[i].name);
		}
	}
	snprintf(buffer, FORMAT_MAX, "~%.6g%s/s",
		 (double)tier->rate_tokens * multiple * NSEC_PER_SEC / tier->rate_period_ns,
		 rate_word(tier->unit));
	return buffer;
}

static const char *size_word(uint32_t unit)
{
	switch (unit) {
	case REIN_UNIT_BYTES:
		return "B";
	case REIN_UNIT_PACKETS:
		return "p";
	default:
		return "";
	}
}

/* A size as burst= and --queue take it, exactly: 64KiB, 12.5kB, 10p. */
char *format_size(uint64_t size, uint32_t unit, char *buffer)
{
	static const char *const names[] = { "Gi", "Mi", "Ki" };
	char binary[FORMAT_MAX];
	unsigned int i;

	print_exact(size, 1, buffer);
	for (i = 0; i < 3; i++) {
		uint64_t unit_size = 1ULL << (30 - 10 * i);

		if (!size || size % unit_size)
			continue;
		snprintf(binary, sizeof(binary), "%" PRIu64 "%s", size / unit_size, names[i]);
		if (strlen(binary) < strlen(buffer))
			strcpy(buffer, binary);
		break;
	}
	return strcat(buffer, size_word(unit));
}

/* A measured size, rounded: 1.523MB. */
char *format_about(uint64_t size, uint32_t unit, char *buffer)
{
	static const char *const names[] = { "", "k", "M", "G", "T", "P", "E" };
	double value = size;
	unsigned int i = 0;

	while (value >= 999.5 && i < 6) {
		value /= 1000;
		i++;
	}
	snprintf(buffer, FORMAT_MAX, i ? "%.4g%s%s" : "%.0f%s%s", value, names[i],
		 size_word(unit));
	return buffer;
}

/* A time as --patience takes it, exactly. */
char *format_time(uint64_t ns, char *buffer)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "day", 86400 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
		{ "min", 60 * NSEC_PER_SEC },
		{ "s", NSEC_PER_SEC },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
	};
	size_t i = 0;

	if (ns == REIN_FOREVER_NS)
		return strcpy(buffer, "infinity");
	if (!ns)
		return strcpy(buffer, "0s");
	while (ns % units[i].ns)
		i++;
	/* 3 decimals read better than a long row of digits. */
	if (ns / units[i].ns > 9999 && i > 3 && ns * 1000 / 1000 == ns) {
		print_thousandths(ns / (units[i - 1].ns / 1000), buffer);
		return strcat(buffer, units[i - 1].name);
	}
	snprintf(buffer, FORMAT_MAX, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
	return buffer;
}

/* What is left of a time, rounded to a tenth of a second or a millisecond. */
char *format_left(uint64_t ns, char *buffer)
{
	if (ns == REIN_FOREVER_NS)
		return strcpy(buffer, "infinity");
	if (ns < NSEC_PER_SEC)
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 "ms", (ns + 500000) / 1000000);
	else if (ns < 120 * NSEC_PER_SEC)
		snprintf(buffer, FORMAT_MAX, "%.1fs", ns / 1e9);
	else if (ns < 7200 * NSEC_PER_SEC)
		snprintf(buffer, FORMAT_MAX, "%.1fmin", ns / 6e10);
	else
		snprintf(buffer, FORMAT_MAX, "%.1fh", ns / 3.6e12);
	return buffer;
}

/* ISO 8601, UTC, with that many digits of a second. */
char *format_date(uint64_t ns, int digits, char *buffer)
{
	time_t seconds = ns / NSEC_PER_SEC;
	char fraction[16];
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(buffer, FORMAT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(fraction, sizeof(fraction), "%09u", (unsigned int)(ns % NSEC_PER_SEC));
	if (digits)
		snprintf(buffer + len, FORMAT_MAX - len, ".%.*sZ", digits, fraction);
	else
		strcat(buffer, "Z");
	return buffer;
}

char *format_code(uint32_t number, char *buffer)
{
	snprintf(buffer, FORMAT_MAX, "REIN-E%04" PRIu32, number);
	return buffer;
}

char *format_address(const void *address, size_t len, char *buffer)
{
	if ((len != 4 && len != 16) ||
	    !inet_ntop(len == 4 ? AF_INET : AF_INET6, address, buffer, FORMAT_MAX))
		strcpy(buffer, "?");
	return buffer;
}

/*
 * How long the well-formed UTF-8 character is and what it is; 0 if it isn't
 * one (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
static size_t decode(const unsigned char *p, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len, i;

	len = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf8 ? 4 : 0;
	if (len < 2) {
		*character = *p;
		return len;
	}
	*character = *p & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (p[i] & 0x3f);
	}
	if (*character < least[len] || *character > 0x10ffff ||
	    (*character >= 0xd800 && *character < 0xe000))
		return 0;
	return len;
}

/* Would it do something to a terminal rather than show? */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||	/* C0, DEL, C1 */
	       c == 0x200e || c == 0x200f || c == 0x061c ||	/* direction */
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       c == 0x2028 || c == 0x2029;			/* line ends */
}

static char *escape(const char *text, bool json)
{
	const unsigned char *p = (const unsigned char *)text;
	char *buffer = malloc(strlen(text) * 4 + 1), *out = buffer;

	if (!buffer)
		return NULL;
	while (*p) {
		uint32_t c;
		size_t len = decode(p, &c), i;
		/* JSON has escapes of its own for all but what isn't UTF-8. */
		bool raw = len && (json || (!is_control(c) && c != '\\'));

		for (i = 0; i < (len ? len : 1); i++, p++) {
			if (raw)
				*out++ = *p;
			else if (*p == '\\')
				out += sprintf(out, "\\\\");
			else
				out += sprintf(out, "\\x%02x", *p);
		}
	}
	*out = '\0';
	return buffer;
}

/* Text for a terminal: control characters and what isn't UTF-8 as \xNN. */
char *format_escape(const char *text)
{
	return escape(text, false);
}

/* Text for JSON: what isn't UTF-8 as \xNN, the rest is left to the writer. */
char *format_json_text(const char *text)
{
	return escape(text, true);
}
