// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codes.h"

typedef unsigned __int128 u128;

#define NSEC_PER_SEC	1000000000ULL

/* More digits than any value that fits has. */
#define DIGITS_MAX	30

/* What a byte limit's bucket must hold at least: one packet of the largest size. */
#define PACKET_MAX	65536

/* The largest burst that the module counts; a default never goes beyond. */
#define BURST_MAX	(1ULL << 62)

/* A number as written: @value / @scale. */
struct number {
	u128 value;
	uint64_t scale;
};

__attribute__((format(printf, 4, 5)))
static int reject(struct parse_error *error, uint32_t code, const char *hint,
		  const char *format, ...)
{
	va_list ap;

	memset(error, 0, sizeof(*error));
	error->code = code;
	va_start(ap, format);
	vsnprintf(error->message, sizeof(error->message), format, ap);
	va_end(ap);
	snprintf(error->hint, sizeof(error->hint), "%s", hint ? hint : "");
	return -1;
}

static u128 gcd(u128 a, u128 b)
{
	while (b) {
		u128 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Digits with at most one point; the rest is left to the caller. */
static int take_number(const char **text, const char *what, struct number *number,
		       struct parse_error *error)
{
	const char *p = *text;
	bool point = false;
	int digits = 0;

	number->value = 0;
	number->scale = 1;
	if (!*p)
		return reject(error, CODE_VALUE, NULL, "the %s is empty", what);
	if (*p == '-')
		return reject(error, CODE_VALUE, NULL, "a %s can't be negative: %s", what, p);
	if (!isdigit((unsigned char)*p))
		return reject(error, CODE_VALUE, NULL, "a %s begins with a digit, not with '%s'",
			      what, p);
	for (; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			if (!isdigit((unsigned char)p[1]))
				return reject(error, CODE_VALUE, NULL,
					      "digits are missing after the point: %s", *text);
			continue;
		}
		number->value = number->value * 10 + (*p - '0');
		if (number->value)
			digits++;
		if (point)
			number->scale *= 10;
		if (digits > DIGITS_MAX || number->scale > NSEC_PER_SEC)
			return reject(error, CODE_INEXACT, NULL,
				      "the %s has more digits than can be kept: %s", what, *text);
	}
	*text = p;
	return 0;
}

/* An optional k, M, G, Ki, Mi or Gi. */
static uint64_t take_prefix(const char **text)
{
	static const uint64_t decimal[] = { 1000, 1000000, 1000000000 };
	static const uint64_t binary[] = { 1ULL << 10, 1ULL << 20, 1ULL << 30 };
	static const char letters[] = "kmg";
	const char *found;

	if (!**text)
		return 1;
	found = strchr(letters, tolower((unsigned char)**text));
	if (!found)
		return 1;
	(*text)++;
	if (tolower((unsigned char)**text) == 'i') {
		(*text)++;
		return binary[found - letters];
	}
	return decimal[found - letters];
}

static bool take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(*text, word, len))
		return false;
	*text += len;
	return true;
}

/* value * multiple / (scale * divisor) as a whole number. */
static int whole(const struct number *number, uint64_t multiple, uint64_t divisor, uint64_t *out)
{
	u128 common = gcd(number->value, (u128)number->scale * divisor);
	u128 value = common ? number->value / common : 0;
	u128 rest = common ? (u128)number->scale * divisor / common : 1;
	u128 other = gcd(multiple, rest);

	multiple /= other;
	rest /= other;
	if (rest != 1 || (value && multiple > UINT64_MAX / value) ||
	    value > UINT64_MAX)
		return -1;
	*out = value * multiple;
	return 0;
}

static int bad_size_suffix(const char *text, uint32_t unit, struct parse_error *error)
{
	static const char *const hints[] = {
		[REIN_UNIT_BYTES] = "sizes in bytes: 64KB, 64KiB, 1500",
		[REIN_UNIT_PACKETS] = "sizes in packets: 10, 10p, 1k",
		[REIN_UNIT_CALLS] = "sizes in calls: 10, 1k",
	};

	return reject(error, CODE_VALUE, hints[unit], "a size in %s can't be written as '%s'",
		      rein_unit_name(unit), text);
}

/**
 * parse_size() - a number of tokens
 * @text:	10, 64KB, 64KiB, 100kbit (bytes) or 1kp (packets)
 * @unit:	enum rein_unit, what it is counted in
 * @size:	where it goes
 * @error:	why not
 *
 * Return: 0 or -1.
 */
int parse_size(const char *text, uint32_t unit, uint64_t *size, struct parse_error *error)
{
	const char *p = text;
	struct number number;
	uint64_t multiple, divisor = 1;

	if (take_number(&p, "size", &number, error))
		return -1;
	multiple = take_prefix(&p);
	if (unit == REIN_UNIT_BYTES && take_word(&p, "bit"))
		divisor = 8;
	else if (unit == REIN_UNIT_BYTES)
		take_word(&p, "b");
	else if (unit == REIN_UNIT_PACKETS)
		take_word(&p, "p");
	if (*p)
		return bad_size_suffix(text, unit, error);
	if (whole(&number, multiple, divisor, size))
		return reject(error, CODE_INEXACT, NULL,
			      "%s is not a whole number of %s below 2^64", text,
			      rein_unit_name(unit));
	return 0;
}

/**
 * parse_time() - a span of time
 * @text:	50ms, 2s, 5min, 1h; bare: seconds; infinity
 * @ns:		where it goes, REIN_FOREVER_NS for infinity
 * @error:	why not
 *
 * Return: 0 or -1.
 */
int parse_time(const char *text, uint64_t *ns, struct parse_error *error)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NSEC_PER_SEC },
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", NSEC_PER_SEC },
		{ "min", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
		{ "hour", 3600 * NSEC_PER_SEC },
		{ "d", 86400 * NSEC_PER_SEC },
		{ "day", 86400 * NSEC_PER_SEC },
	};
	const char *p = text;
	struct number number;
	size_t i;

	if (!strcasecmp(text, "infinity")) {
		*ns = REIN_FOREVER_NS;
		return 0;
	}
	if (take_number(&p, "time", &number, error))
		return -1;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(p, units[i].name))
			continue;
		if (whole(&number, units[i].ns, 1, ns) || *ns == REIN_FOREVER_NS)
			return reject(error, CODE_INEXACT, NULL,
				      "%s is not a whole number of nanoseconds below 2^64", text);
		return 0;
	}
	return reject(error, CODE_VALUE, "times: 50ms, 2s, 5min, 1h, 1day, infinity",
		      "'%s' is not a unit of time: %s", p, text);
}

/* Is it packets that it meters? Otherwise calls or connections. */
bool is_packet_resource(uint32_t resource)
{
	return resource == REIN_RESOURCE_EGRESS || resource == REIN_RESOURCE_INGRESS;
}

/**
 * parse_queue() - what may wait at the same time
 * @text:	a size in bytes (64KiB), or a number of waiters (1024)
 * @resource:	enum rein_resource, which of the two
 * @queue:	where it goes
 * @error:	why not
 *
 * Return: 0 or -1.
 */
int parse_queue(const char *text, uint32_t resource, uint64_t *queue, struct parse_error *error)
{
	if (resource != REIN_RESOURCE_CALL)
		return parse_size(text, REIN_UNIT_BYTES, queue, error);
	if (!parse_size(text, REIN_UNIT_CALLS, queue, error))
		return 0;
	return reject(error, error->code, "so many may wait at the same time: 10, 1k",
		      "'%s' is not a number of waiters", text);
}

/* mbps means megabit to some and megabyte to others. */
static int reject_ps(const char *prefix, size_t len, const char *text, struct parse_error *error)
{
	char hint[64];
	int n = (int)len;

	snprintf(hint, sizeof(hint), "write %.*sbit/s for bits or %.*sB/s for bytes", n, prefix, n,
		 prefix);
	return reject(error, CODE_VALUE, hint, "bits or bytes? a rate can't be written as '%s'",
		      text);
}

struct rate {
	uint32_t unit;
	uint64_t multiple;
	uint64_t divisor;
	uint64_t period_ns;
};

static int take_period(const char *p, const char *text, struct rate *rate,
		       struct parse_error *error)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} periods[] = { { "/s", 1 }, { "/min", 60 }, { "/hour", 3600 }, { "/day", 86400 } };
	size_t i;

	for (i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		if (!strcasecmp(p, periods[i].name)) {
			rate->period_ns = periods[i].seconds * NSEC_PER_SEC;
			return 0;
		}
	}
	if (!*p)
		return reject(error, CODE_VALUE, "a rate is per time: /s, /min, /hour or /day",
			      "the time is missing in the rate '%s'", text);
	return reject(error, CODE_VALUE, "a rate is per time: /s, /min, /hour or /day",
		      "'%s' can't be read in the rate '%s'", p, text);
}

/* The unit and the time of a rate: bit/s, B/min, p/hour, /day, mbit, kpps. */
static int take_unit(const char *p, const char *text, uint32_t resource, struct rate *rate,
		     struct parse_error *error)
{
	const char *prefix = p;
	size_t len;

	rate->divisor = 1;
	rate->period_ns = NSEC_PER_SEC;
	rate->multiple = take_prefix(&p);
	len = p - prefix;
	if (!strcasecmp(p, "bps"))
		return reject_ps(prefix, len, text, error);
	if (take_word(&p, "bit")) {
		rate->unit = REIN_UNIT_BYTES;
		rate->divisor = 8;
		return *p ? take_period(p, text, rate, error) : 0;
	}
	if (!strcasecmp(p, "pps")) {
		rate->unit = REIN_UNIT_PACKETS;
		return 0;
	}
	if (take_word(&p, "b"))
		rate->unit = REIN_UNIT_BYTES;
	else if (take_word(&p, "p"))
		rate->unit = REIN_UNIT_PACKETS;
	else if ((!*p || *p == '/') && is_packet_resource(resource))
		return reject(error, CODE_VALUE,
			      "packets are metered in bits, bytes or packets: 10Mbit/s, 1MB/s, 100p/s",
			      "the unit is missing in the rate '%s'", text);
	else
		rate->unit = REIN_UNIT_CALLS;
	return take_period(p, text, rate, error);
}

/*
 * number * multiple / divisor per period, exactly. The period stays the one
 * that was written unless the tokens don't come out whole in it.
 */
static int set_rate(const struct number *number, const struct rate *rate, struct rein_tier *tier)
{
	u128 top = number->value, bottom = (u128)number->scale * rate->divisor, common;
	u128 period;

	if (top > ((u128)1 << 90))
		return -1;
	top *= rate->multiple;
	common = gcd(top, bottom);
	top /= common;
	bottom /= common;
	period = bottom * rate->period_ns;
	if (top > UINT64_MAX || period > UINT64_MAX) {
		common = gcd(top, period);
		top /= common;
		period /= common;
	}
	if (top > UINT64_MAX || period > UINT64_MAX)
		return -1;
	tier->rate_tokens = top;
	tier->rate_period_ns = period;
	return 0;
}

static int parse_rate(const char *text, uint32_t resource, struct rein_tier *tier,
		      struct parse_error *error)
{
	const char *p = text;
	struct number number;
	struct rate rate = { 0 };
	bool bare;

	memset(tier, 0, sizeof(*tier));
	tier->unit = is_packet_resource(resource) ? REIN_UNIT_BYTES : REIN_UNIT_CALLS;
	tier->rate_period_ns = NSEC_PER_SEC;
	if (!strcasecmp(text, "unlimited")) {
		tier->unlimited = true;
		return 0;
	}
	if (take_number(&p, "rate", &number, error))
		return -1;
	bare = !*p;
	if (bare && !number.value)
		return 0;
	if (take_unit(p, text, resource, &rate, error))
		return -1;
	tier->unit = rate.unit;
	if (number.value && set_rate(&number, &rate, tier))
		return reject(error, CODE_INEXACT, NULL, "the rate can't be kept exactly: %s",
			      text);
	return 0;
}

/* What one second gives, and enough for one request of the largest size. */
static uint64_t default_burst(const struct rein_tier *tier)
{
	uint64_t least = tier->unit == REIN_UNIT_BYTES ? PACKET_MAX : 1;
	u128 burst;

	if (tier->unlimited)
		return least;
	burst = (u128)tier->rate_tokens * NSEC_PER_SEC / tier->rate_period_ns;
	if (burst > BURST_MAX)
		return BURST_MAX;
	return burst < least ? least : burst;
}

static int parse_burst(const char *text, struct rein_tier *tier, struct parse_error *error)
{
	static const char key[] = "burst=";

	if (strncmp(text, key, sizeof(key) - 1))
		return reject(error, CODE_VALUE, "write: --rate RATE,burst=SIZE",
			      "only burst=SIZE may follow a rate, not '%s'", text);
	text += sizeof(key) - 1;
	if (strchr(text, ','))
		return reject(error, CODE_VALUE, "repeat --rate for another tier",
			      "one rate has one burst: %s", text);
	return parse_size(text, tier->unit, &tier->burst, error);
}

/**
 * parse_tier() - RATE[,burst=SIZE]
 * @text:	10Mbit/s,burst=64KB
 * @resource:	enum rein_resource, what a bare rate counts
 * @tier:	where it goes, with the default burst if none is given
 * @error:	why not
 *
 * Return: 0 or -1.
 */
int parse_tier(const char *text, uint32_t resource, struct rein_tier *tier,
	       struct parse_error *error)
{
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	char rate[64];

	if (len >= sizeof(rate))
		return reject(error, CODE_VALUE, NULL, "the rate is too long: %.40s...", text);
	memcpy(rate, text, len);
	rate[len] = '\0';
	if (parse_rate(rate, resource, tier, error))
		return -1;
	tier->burst = default_burst(tier);
	return comma ? parse_burst(comma + 1, tier, error) : 0;
}

static int parse_word(const char *text, const char *what, const char *(*name)(uint32_t),
		      uint32_t *value, struct parse_error *error)
{
	char all[sizeof(error->hint)] = "one of:";
	uint32_t i;

	for (i = 0; name(i); i++) {
		size_t len = strlen(all);

		if (!strcmp(text, name(i))) {
			*value = i;
			return 0;
		}
		snprintf(all + len, sizeof(all) - len, " %s", name(i));
	}
	return reject(error, CODE_VALUE, all, "there is no %s called '%s'", what, text);
}

/* The name of a resource; whether it can be metered is for the kernel to say. */
int parse_resource(const char *text, uint32_t *resource, struct parse_error *error)
{
	return parse_word(text, "resource", rein_resource_name, resource, error);
}

/* What to do with a request that is over the limit. */
int parse_over(const char *text, uint32_t *over, struct parse_error *error)
{
	return parse_word(text, "way to be over a limit", rein_over_name, over, error);
}

int parse_kind(const char *text, uint32_t *kind, struct parse_error *error)
{
	return parse_word(text, "kind of error", rein_kind_name, kind, error);
}

int parse_severity(const char *text, uint32_t *severity, struct parse_error *error)
{
	return parse_word(text, "severity", rein_severity_name, severity, error);
}

static int parse_whole(const char *text, const char *what, uint64_t min, uint64_t max,
		       uint64_t *number, struct parse_error *error)
{
	const char *p = text;
	u128 value = 0;

	for (; isdigit((unsigned char)*p) && value <= max; p++)
		value = value * 10 + (*p - '0');
	if (p == text || *p || value < min || value > max) {
		char hint[64];

		snprintf(hint, sizeof(hint), "a number from %" PRIu64 " to %" PRIu64, min, max);
		return reject(error, CODE_VALUE, hint, "'%s' is not a %s", text, what);
	}
	*number = value;
	return 0;
}

/* A plain whole number, at least 1. */
int parse_number(const char *text, const char *what, uint64_t max, uint64_t *number,
		 struct parse_error *error)
{
	return parse_whole(text, what, 1, max, number, error);
}

/* The same, or 0. */
int parse_count(const char *text, const char *what, uint64_t max, uint64_t *number,
		struct parse_error *error)
{
	return parse_whole(text, what, 0, max, number, error);
}

/**
 * parse_credit() - a part of a token, to the millionth
 * @text:	0 to 1, as 0.05
 * @millionths:	where it goes
 * @error:	why not
 *
 * Return: 0 or -1.
 */
int parse_credit(const char *text, uint32_t *millionths, struct parse_error *error)
{
	uint32_t value, place = 1000000;
	const char *p = text + 1;

	if (*text != '0' && *text != '1')
		goto bad;
	value = (*text - '0') * place;
	if (*p == '.' && !isdigit((unsigned char)*++p))
		goto bad;
	for (; p > text + 1 && isdigit((unsigned char)*p) && place > 1; p++) {
		place /= 10;
		value += (*p - '0') * place;
	}
	if (*p || value > 1000000)
		goto bad;
	*millionths = value;
	return 0;
bad:
	return reject(error, CODE_VALUE, "write a number from 0 to 1, to the millionth: 0.05",
		      "'%s' is not a part of a token", text);
}
