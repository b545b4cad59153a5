// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <string.h>

static const struct nla_policy record_policy[REIN_A_RECORD_MAX + 1] = {
	[REIN_A_RECORD_ID] = { .type = NLA_U64 },
	[REIN_A_RECORD_BOOT_ID] = { .type = NLA_STRING },
	[REIN_A_RECORD_TIME_NS] = { .type = NLA_U64 },
	[REIN_A_RECORD_BOOTTIME_NS] = { .type = NLA_U64 },
	[REIN_A_RECORD_LAST_NS] = { .type = NLA_U64 },
	[REIN_A_RECORD_COUNT] = { .type = NLA_U64 },
	[REIN_A_RECORD_HOST] = { .type = NLA_STRING },
	[REIN_A_RECORD_KIND] = { .type = NLA_U32 },
	[REIN_A_RECORD_CODE] = { .type = NLA_U32 },
	[REIN_A_RECORD_SEVERITY] = { .type = NLA_U32 },
	[REIN_A_RECORD_ERRNO] = { .type = NLA_U32 },
	[REIN_A_RECORD_MESSAGE] = { .type = NLA_STRING },
	[REIN_A_RECORD_HINT] = { .type = NLA_STRING },
	[REIN_A_RECORD_LIMIT_ID] = { .type = NLA_U64 },
	[REIN_A_RECORD_LIMIT_NAME] = { .type = NLA_STRING },
	[REIN_A_RECORD_CGROUP_ID] = { .type = NLA_U64 },
	[REIN_A_RECORD_CGROUP_PATH] = { .type = NLA_STRING },
	[REIN_A_RECORD_SOCKET] = { .type = NLA_NESTED },
	[REIN_A_RECORD_PID] = { .type = NLA_U32 },
	[REIN_A_RECORD_COMM] = { .type = NLA_STRING },
	[REIN_A_RECORD_FUNCTION] = { .type = NLA_STRING },
	[REIN_A_RECORD_FILE] = { .type = NLA_STRING },
	[REIN_A_RECORD_LINE] = { .type = NLA_U32 },
	[REIN_A_RECORD_STACK] = { .type = NLA_STRING },
	[REIN_A_RECORD_CAUSE] = { .type = NLA_U64 },
	[REIN_A_RECORD_VALUE] = { .type = NLA_NESTED },
	[REIN_A_RECORD_VERSION] = { .type = NLA_STRING },
	[REIN_A_RECORD_STEP] = { .type = NLA_NESTED },
	[REIN_A_RECORD_SCOPE_ID] = { .type = NLA_U64 },
	[REIN_A_RECORD_SCOPE_NAME] = { .type = NLA_STRING },
	[REIN_A_RECORD_WATCH_ID] = { .type = NLA_U64 },
	[REIN_A_RECORD_WATCH_NAME] = { .type = NLA_STRING },
};

static const struct nla_policy step_policy[REIN_A_STEP_MAX + 1] = {
	[REIN_A_STEP_WHAT] = { .type = NLA_STRING },
	[REIN_A_STEP_NAME] = { .type = NLA_STRING },
	[REIN_A_STEP_FUNCTION] = { .type = NLA_STRING },
	[REIN_A_STEP_FILE] = { .type = NLA_STRING },
	[REIN_A_STEP_LINE] = { .type = NLA_U32 },
};

static const struct nla_policy socket_policy[REIN_A_SOCKET_MAX + 1] = {
	[REIN_A_SOCKET_FAMILY] = { .type = NLA_U32 },
	[REIN_A_SOCKET_PROTOCOL] = { .type = NLA_U32 },
	[REIN_A_SOCKET_SOURCE] = { .type = NLA_UNSPEC },
	[REIN_A_SOCKET_SOURCE_PORT] = { .type = NLA_U32 },
	[REIN_A_SOCKET_DESTINATION] = { .type = NLA_UNSPEC },
	[REIN_A_SOCKET_DESTINATION_PORT] = { .type = NLA_U32 },
	[REIN_A_SOCKET_COOKIE] = { .type = NLA_U64 },
};

static const struct nla_policy value_policy[REIN_A_VALUE_MAX + 1] = {
	[REIN_A_VALUE_NAME] = { .type = NLA_STRING },
	[REIN_A_VALUE_UNIT] = { .type = NLA_STRING },
	[REIN_A_VALUE_NUMBER] = { .type = NLA_U64 },
};

static const void *parse_address(struct nlattr *attr, size_t *len)
{
	*len = attr ? nla_len(attr) : 0;
	return attr ? nla_data(attr) : NULL;
}

void rein_socket_parse(struct nlattr *attr, struct rein_socket *sock)
{
	struct nlattr *tb[REIN_A_SOCKET_MAX + 1];

	if (nla_parse_nested(tb, REIN_A_SOCKET_MAX, attr, (struct nla_policy *)socket_policy) < 0)
		return;
	sock->family = rein_u32(tb[REIN_A_SOCKET_FAMILY]);
	sock->protocol = rein_u32(tb[REIN_A_SOCKET_PROTOCOL]);
	sock->source = parse_address(tb[REIN_A_SOCKET_SOURCE], &sock->source_len);
	sock->source_port = rein_u32(tb[REIN_A_SOCKET_SOURCE_PORT]);
	sock->destination = parse_address(tb[REIN_A_SOCKET_DESTINATION], &sock->destination_len);
	sock->destination_port = rein_u32(tb[REIN_A_SOCKET_DESTINATION_PORT]);
	sock->cookie = rein_u64(tb[REIN_A_SOCKET_COOKIE]);
}

static void parse_value(struct nlattr *attr, struct rein_record *record)
{
	struct nlattr *tb[REIN_A_VALUE_MAX + 1];
	struct rein_value *value;

	if (record->n_values == REIN_RECORD_VALUES_MAX ||
	    nla_parse_nested(tb, REIN_A_VALUE_MAX, attr, (struct nla_policy *)value_policy) < 0)
		return;
	value = &record->values[record->n_values++];
	value->name = rein_str(tb[REIN_A_VALUE_NAME]);
	value->unit = rein_str(tb[REIN_A_VALUE_UNIT]);
	value->number = rein_u64(tb[REIN_A_VALUE_NUMBER]);
}

static void parse_step(struct nlattr *attr, struct rein_record *record)
{
	struct nlattr *tb[REIN_A_STEP_MAX + 1];
	struct rein_step *step;

	if (record->n_steps == REIN_RECORD_STEPS_MAX ||
	    nla_parse_nested(tb, REIN_A_STEP_MAX, attr, (struct nla_policy *)step_policy) < 0)
		return;
	step = &record->steps[record->n_steps++];
	step->what = rein_str(tb[REIN_A_STEP_WHAT]);
	step->name = rein_str(tb[REIN_A_STEP_NAME]);
	step->function = rein_str(tb[REIN_A_STEP_FUNCTION]);
	step->file = rein_str(tb[REIN_A_STEP_FILE]);
	step->line = rein_u32(tb[REIN_A_STEP_LINE]);
}

/* Attributes that may come more than once: rein_parse() keeps only the last. */
static void parse_repeated(struct nlmsghdr *nlh, struct rein_record *record)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		switch (nla_type(attr)) {
		case REIN_A_RECORD_STACK:
			if (record->n_stack < REIN_RECORD_STACK_MAX)
				record->stack[record->n_stack++] = rein_str(attr);
			break;
		case REIN_A_RECORD_VALUE:
			parse_value(attr, record);
			break;
		case REIN_A_RECORD_STEP:
			parse_step(attr, record);
			break;
		}
	}
}

static void parse_what(struct nlattr **tb, struct rein_record *record)
{
	record->id = rein_u64(tb[REIN_A_RECORD_ID]);
	record->boot_id = rein_str(tb[REIN_A_RECORD_BOOT_ID]);
	record->time_ns = rein_u64(tb[REIN_A_RECORD_TIME_NS]);
	record->boottime_ns = rein_u64(tb[REIN_A_RECORD_BOOTTIME_NS]);
	record->last_ns = rein_u64(tb[REIN_A_RECORD_LAST_NS]);
	record->count = rein_u64(tb[REIN_A_RECORD_COUNT]);
	record->host = rein_str(tb[REIN_A_RECORD_HOST]);
	record->kind = rein_u32(tb[REIN_A_RECORD_KIND]);
	record->code = rein_u32(tb[REIN_A_RECORD_CODE]);
	record->severity = rein_u32(tb[REIN_A_RECORD_SEVERITY]);
	record->err = rein_u32(tb[REIN_A_RECORD_ERRNO]);
	record->message = rein_str(tb[REIN_A_RECORD_MESSAGE]);
	record->hint = rein_str(tb[REIN_A_RECORD_HINT]);
	record->version = rein_str(tb[REIN_A_RECORD_VERSION]);
}

static void parse_who(struct nlattr **tb, struct rein_record *record)
{
	record->limit_id = rein_u64(tb[REIN_A_RECORD_LIMIT_ID]);
	record->limit = rein_str(tb[REIN_A_RECORD_LIMIT_NAME]);
	record->cgroup_id = rein_u64(tb[REIN_A_RECORD_CGROUP_ID]);
	record->cgroup = rein_str(tb[REIN_A_RECORD_CGROUP_PATH]);
	record->has_socket = tb[REIN_A_RECORD_SOCKET];
	if (record->has_socket)
		rein_socket_parse(tb[REIN_A_RECORD_SOCKET], &record->socket);
	record->pid = rein_u32(tb[REIN_A_RECORD_PID]);
	record->comm = rein_str(tb[REIN_A_RECORD_COMM]);
	record->function = rein_str(tb[REIN_A_RECORD_FUNCTION]);
	record->file = rein_str(tb[REIN_A_RECORD_FILE]);
	record->line = rein_u32(tb[REIN_A_RECORD_LINE]);
	record->cause = rein_u64(tb[REIN_A_RECORD_CAUSE]);
	record->scope_id = rein_u64(tb[REIN_A_RECORD_SCOPE_ID]);
	record->scope = rein_str(tb[REIN_A_RECORD_SCOPE_NAME]);
	if (record->scope && !*record->scope)
		record->scope = NULL;
	record->watch_id = rein_u64(tb[REIN_A_RECORD_WATCH_ID]);
	record->watch = rein_str(tb[REIN_A_RECORD_WATCH_NAME]);
	if (record->watch && !*record->watch)
		record->watch = NULL;
}

void rein_record_parse(struct nlmsghdr *nlh, rein_record_fn fn, void *arg)
{
	struct nlattr *tb[REIN_A_RECORD_MAX + 1];
	struct rein_record record = { 0 };

	if (rein_parse(tb, REIN_A_RECORD_MAX, nlh, record_policy) < 0)
		return;
	parse_what(tb, &record);
	parse_who(tb, &record);
	parse_repeated(nlh, &record);
	fn(&record, arg);
}

struct record_answer {
	rein_record_fn fn;
	void *arg;
};

static void record_answer(struct nlmsghdr *nlh, void *arg)
{
	struct record_answer *answer = arg;

	rein_record_parse(nlh, answer->fn, answer->arg);
}

int rein_record_get(struct rein *rein, uint64_t id, rein_record_fn fn, void *arg)
{
	struct record_answer answer = { fn, arg };
	struct nl_msg *msg = rein_request(rein, REIN_CMD_RECORD_GET, 0, 64);

	if (!msg)
		return -ENOMEM;
	nla_put_u64(msg, REIN_A_RECORD_ID, id);
	return rein_send(rein, msg, record_answer, &answer);
}

static void put_filter(struct nl_msg *msg, const struct rein_record_filter *filter)
{
	if (filter->from)
		nla_put_u64(msg, REIN_A_RECORD_ID, filter->from);
	if (filter->has_kind)
		nla_put_u32(msg, REIN_A_RECORD_KIND, filter->kind);
	if (filter->code)
		nla_put_u32(msg, REIN_A_RECORD_CODE, filter->code);
	if (filter->severity)
		nla_put_u32(msg, REIN_A_RECORD_SEVERITY, filter->severity);
	if (filter->since_ns)
		nla_put_u64(msg, REIN_A_RECORD_LAST_NS, filter->since_ns);
	if (filter->limit)
		nla_put_string(msg, REIN_A_RECORD_LIMIT_NAME, filter->limit);
}

int rein_record_dump(struct rein *rein, const struct rein_record_filter *filter,
		     rein_record_fn fn, void *arg)
{
	struct record_answer answer = { fn, arg };
	size_t size = filter && filter->limit ? strlen(filter->limit) : 0;
	struct nl_msg *msg = rein_request(rein, REIN_CMD_RECORD_GET, NLM_F_DUMP, 128 + size);

	if (!msg)
		return -ENOMEM;
	if (filter)
		put_filter(msg, filter);
	return rein_send(rein, msg, record_answer, &answer);
}

int rein_record_clear(struct rein *rein)
{
	struct nl_msg *msg = rein_request(rein, REIN_CMD_RECORD_CLEAR, 0, 64);

	if (!msg)
		return -ENOMEM;
	return rein_send(rein, msg, NULL, NULL);
}
