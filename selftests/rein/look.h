/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is, as netlink tells it: limits, counters, records; and the
 * beginnings of requests.
 */
#ifndef REIN_SELFTESTS_LOOK_H
#define REIN_SELFTESTS_LOOK_H

#include <stdio.h>

#include "genl.h"

#define SECOND		1000000000ULL
#define DAY		(86400ULL * SECOND)

/* Codes of the code book. */
enum {
#define REIN_CODE(number, name, ...) name = number,
#include "../../kmod/codes.def"
#undef REIN_CODE
};

/* All that is to be seen of the configuration, but for what traffic changes. */
struct view {
	size_t len;
	char text[65536];
};

static inline void add_text(struct view *view, const char *name, const struct nlattr *attr)
{
	const unsigned char *data = genl_data(attr);
	size_t i;

	view->len += snprintf(view->text + view->len, sizeof(view->text) - view->len, "%s=", name);
	for (i = 0; i + NLA_HDRLEN < attr->nla_len && view->len + 3 < sizeof(view->text); i++)
		view->len += sprintf(view->text + view->len, "%02x", data[i]);
	view->text[view->len++] = ' ';
}

static inline void add_tier(struct view *view, const struct nlattr *tier)
{
	const char *end = (const char *)tier + tier->nla_len;
	const struct nlattr *attr;

	for (attr = genl_data(tier); (const char *)attr < end; attr = genl_next(attr))
		if (attr->nla_type != REIN_A_TIER_TOKENS && attr->nla_type != REIN_A_TIER_DEBT &&
		    attr->nla_type != REIN_A_TIER_PAD)
			add_text(view, "tier", attr);
}

static inline void take_limit(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *attr;

	for (attr = genl_first(ghdr); (const char *)attr < end; attr = genl_next(attr)) {
		unsigned int type = attr->nla_type & NLA_TYPE_MASK;

		if (type == REIN_A_LIMIT_TIER)
			add_tier(arg, attr);
		else if (type == REIN_A_LIMIT_ID || type == REIN_A_LIMIT_FOR_NS)
			add_text(arg, "ever-new", attr);
		else if (type != REIN_A_LIMIT_STATS && type != REIN_A_LIMIT_PAD)
			add_text(arg, "", attr);
	}
}

static inline void take_stat(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr);

	add_text(arg, "limits", genl_find(first, end, REIN_A_STAT_LIMITS));
	add_text(arg, "cgroups", genl_find(first, end, REIN_A_STAT_CGROUPS));
	add_text(arg, "hooked", genl_find(first, end, REIN_A_STAT_HOOKED));
}

static inline int look(int fd, struct view *view)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	int err;

	memset(view, 0, sizeof(*view));
	genl_begin(&msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put(&msg, REIN_A_LIMIT_COPIES, NULL, 0);
	err = genl_ask(fd, &msg, &answer, take_limit, view);
	if (err || answer.err)
		return err ? err : -answer.err;
	genl_begin(&msg, REIN_CMD_STAT_GET, 0);
	err = genl_ask(fd, &msg, &answer, take_stat, view);
	return err ? err : -answer.err;
}

struct record {
	unsigned int code;
	unsigned int err;
	unsigned int kind;
	unsigned int missing;
	char message[160];
};

static inline void take_record(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	static const unsigned int wanted[] = {
		REIN_A_RECORD_ID, REIN_A_RECORD_BOOT_ID, REIN_A_RECORD_TIME_NS,
		REIN_A_RECORD_BOOTTIME_NS, REIN_A_RECORD_COUNT, REIN_A_RECORD_HOST,
		REIN_A_RECORD_KIND, REIN_A_RECORD_CODE, REIN_A_RECORD_SEVERITY,
		REIN_A_RECORD_ERRNO, REIN_A_RECORD_MESSAGE, REIN_A_RECORD_HINT,
		REIN_A_RECORD_PID, REIN_A_RECORD_COMM, REIN_A_RECORD_FUNCTION,
		REIN_A_RECORD_FILE, REIN_A_RECORD_LINE, REIN_A_RECORD_STACK,
		REIN_A_RECORD_VERSION,
	};
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr), *attr;
	struct record *record = arg;
	size_t i;

	record->missing = 0;
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!genl_find(first, end, wanted[i]))
			record->missing = wanted[i];
	record->code = genl_u32(genl_find(first, end, REIN_A_RECORD_CODE));
	record->kind = genl_u32(genl_find(first, end, REIN_A_RECORD_KIND));
	record->err = genl_u32(genl_find(first, end, REIN_A_RECORD_ERRNO));
	attr = genl_find(first, end, REIN_A_RECORD_MESSAGE);
	if (attr)
		strncpy(record->message, genl_data(attr), sizeof(record->message) - 1);
}

static inline int read_record(int fd, uint64_t id, struct record *record,
			      struct genl_answer *answer)
{
	static struct genl_msg msg;

	memset(record, 0, sizeof(*record));
	genl_begin(&msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(&msg, REIN_A_RECORD_ID, id);
	return genl_ask(fd, &msg, answer, take_record, record);
}

static inline void begin(struct genl_msg *msg, uint8_t cmd, const char *name, int dir)
{
	genl_begin(msg, cmd, 0);
	if (name)
		genl_put_string(msg, REIN_A_LIMIT_NAME, name);
	if (dir >= 0)
		genl_put_u32(msg, REIN_A_LIMIT_CGROUP_FD, dir);
}

static inline int delete(int fd, const char *name, int dir)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_DEL, name, dir);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

static inline void take_id(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	*(uint64_t *)arg = genl_u64(genl_find(genl_first(ghdr), (const char *)ghdr + len,
					      REIN_A_RECORD_ID));
}

/* The id of the newest record of that code, 0 if there is none. */
static inline uint64_t newest(int fd, unsigned int code)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	uint64_t id = 0;

	genl_begin(&msg, REIN_CMD_RECORD_GET, NLM_F_DUMP);
	genl_put_u32(&msg, REIN_A_RECORD_CODE, code);
	genl_ask(fd, &msg, &answer, take_id, &id);
	return id;
}

struct number {
	unsigned int type;
	uint64_t value;
};

static inline void take_number(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	struct number *number = arg;

	number->value = genl_u64(genl_find(genl_first(ghdr), (const char *)ghdr + len,
					   number->type));
}

/* One of the module's own counters, REIN_A_STAT_*. */
static inline uint64_t stat_number(int fd, unsigned int type)
{
	struct number number = { .type = type };
	struct genl_answer answer;
	static struct genl_msg msg;

	genl_begin(&msg, REIN_CMD_STAT_GET, 0);
	genl_ask(fd, &msg, &answer, take_number, &number);
	return number.value;
}

/* How many records, or additions to one, there ever were. */
static inline uint64_t raised(int fd)
{
	return stat_number(fd, REIN_A_STAT_RECORDS_RAISED);
}

#endif /* REIN_SELFTESTS_LOOK_H */
