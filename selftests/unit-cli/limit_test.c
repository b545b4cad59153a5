// SPDX-License-Identifier: GPL-2.0
/*
 * Limits on what isn't packets: how they are asked for and shown, and what
 * librein makes of a chain of them. The netlink calls are stood in for.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "hierarchy.h"
#include "nl.h"
#include "parse.h"
#include "run.h"

#define SEC	1000000000ULL

static const struct rein_tier slow = { REIN_UNIT_CALLS, false, 2, SEC, 1, 1, 0 };
static const struct rein_tier coarse = { REIN_UNIT_CALLS, false, 10, 60 * SEC, 30, 7, 0 };
static const struct rein_tier closed = { REIN_UNIT_CALLS, false, 0, SEC, 5, 0, 0 };
static const struct rein_tier endless = { REIN_UNIT_CALLS, true, 0, SEC, 5, 5, 0 };
static const struct rein_tier bits = { REIN_UNIT_BYTES, false, 1250000, SEC, 65536, 65536, 0 };

/* The kernel's limits, those nearest to the leaf first. */
static struct rein_limit limits[8];
static size_t n_limits;

/* The last change, and the last dump, that was asked for. */
static struct asked {
	unsigned int command;
	struct rein_limit_request request;
	struct rein_limit_request dump;
	struct rein_tier tiers[8];
	unsigned int gets;
} *asked;

/* What becomes of a change, and the code of its record. */
static struct rein_error refusal;
static uint32_t refusal_code;

static struct rein_limit *add(const char *name, uint32_t resource, const struct rein_tier *tier)
{
	struct rein_limit *limit = &limits[n_limits++];

	*limit = (struct rein_limit){
		.id = n_limits, .name = name, .resource = resource, .cgroup = "/a",
		.cgroup_id = 7, .level = 1, .tiers = tier, .n_tiers = 1, .has_stats = true,
		.queue = is_packet_resource(resource) ? 1 << 20 : 1024,
		.patience_ns = is_packet_resource(resource) ? 2 * SEC : 0,
	};
	return limit;
}

static void forget(void)
{
	n_limits = 0;
	memset(asked, 0, sizeof(*asked));
	memset(&refusal, 0, sizeof(refusal));
}

int __wrap_rein_open(struct rein **rein)
{
	*rein = calloc(1, sizeof(**rein));
	return 0;
}

int __wrap_rein_limit_change(struct rein *rein, unsigned int command,
			     const struct rein_limit_request *request)
{
	asked->command = command;
	asked->request = *request;
	if (request->n_tiers)
		memcpy(asked->tiers, request->tiers, request->n_tiers * sizeof(*request->tiers));
	rein->error = refusal;
	return -refusal.err;
}

int __wrap_rein_record_get(struct rein *rein, uint64_t id, rein_record_fn fn, void *arg)
{
	const struct rein_record record = { .id = id, .code = refusal_code };

	(void)rein;
	fn(&record, arg);
	return 0;
}

int __wrap_rein_limit_get(struct rein *rein, const struct rein_limit_request *request,
			  rein_limit_fn fn, void *arg)
{
	size_t i;

	asked->gets++;
	for (i = 0; i < n_limits; i++) {
		if (!strcmp(limits[i].name, request->name)) {
			fn(&limits[i], arg);
			return 0;
		}
	}
	rein->error.refused = true;
	return rein_fail(rein, ENOENT, "there is no such limit");
}

int __wrap_rein_limit_dump(struct rein *rein, const struct rein_limit_request *request,
			   rein_limit_fn fn, void *arg)
{
	size_t i;

	(void)rein;
	asked->dump = *request;
	for (i = 0; i < n_limits; i++)
		if ((!request->has_resource || limits[i].resource == request->resource) &&
		    (!limits[i].copy_of || request->copies || request->chain))
			fn(&limits[i], arg);
	return 0;
}

int __wrap_rein_own_mount(struct rein_mount *mount)
{
	strcpy(mount->path, "/");
	strcpy(mount->root, "/");
	return 0;
}

int __wrap_rein_open_cgroup_of(const struct rein_mount *mount, const char *file_name,
			       char *path, size_t size)
{
	(void)mount;
	(void)file_name;
	snprintf(path, size, "/");
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#define ADD	"limit add jobs --cgroup self "

static void asked_for(void)
{
	static const struct {
		const char *line;
		uint64_t tokens, period_ns, burst;
	} rows[] = {
		{ ADD "--on call --rate 2/s", 2, SEC, 2 },
		{ ADD "--on call --rate 10/min", 10, 60 * SEC, 1 },
		{ ADD "--on connect --rate 2/s,burst=10", 2, SEC, 10 },
		{ ADD "--on accept --rate 0", 0, SEC, 1 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		forget();
		CHECK_EQ(run(rows[i].line)->status, 0);
		CHECK_EQ(asked->command, REIN_CMD_LIMIT_ADD);
		CHECK_EQ(asked->tiers[0].unit, REIN_UNIT_CALLS);
		CHECK_EQ(asked->tiers[0].rate_tokens, rows[i].tokens);
		CHECK_EQ(asked->tiers[0].rate_period_ns, rows[i].period_ns);
		CHECK_EQ(asked->tiers[0].burst, rows[i].burst);
		CHECK_EQ(asked->request.has_patience, 0);
		CHECK_EQ(asked->request.has_queue, 0);
		CHECK_EQ(asked->gets, 0);
	}
	forget();
	CHECK_EQ(run(ADD "--on call --rate 2/s --queue 10 --patience 5s")->status, 0);
	CHECK_EQ(asked->request.queue, 10);
	CHECK_EQ(asked->request.patience_ns, 5 * SEC);
	CHECK_EQ(run(ADD "--on egress --rate 1Mbit/s --queue 64KiB")->status, 0);
	CHECK_EQ(asked->request.queue, 65536);
	CHECK_EQ(run(ADD "--on call --rate 2/s --queue 64KiB")->status, 1);
	CHECK_EQ(run(ADD "--on call --rate 2")->status, 1);
}

/* Without --on, what is set is read as the limit's own resource has it. */
static void set_by_resource(void)
{
	forget();
	add("jobs", REIN_RESOURCE_CALL, &slow);
	add("web", REIN_RESOURCE_EGRESS, &bits);
	CHECK_EQ(run("limit set jobs --rate 5/s --queue 20")->status, 0);
	CHECK_EQ(asked->tiers[0].unit, REIN_UNIT_CALLS);
	CHECK_EQ(asked->tiers[0].burst, 5);
	CHECK_EQ(asked->request.queue, 20);
	CHECK_EQ(asked->request.has_resource, 0);
	CHECK_EQ(run("limit set jobs --rate 0")->status, 0);
	CHECK_EQ(asked->tiers[0].unit, REIN_UNIT_CALLS);
	CHECK_EQ(run("limit set web --rate 0")->status, 0);
	CHECK_EQ(asked->tiers[0].unit, REIN_UNIT_BYTES);
	CHECK_EQ(run("limit set web --rate 5/s")->status, 1);
	CHECK_EQ(run("limit set jobs --queue 64KiB")->status, 1);
	CHECK_EQ(run("limit set none --rate 5/s")->status, 2);
	asked->gets = 0;
	CHECK_EQ(run("limit set jobs --over wait")->status, 0);
	CHECK_EQ(run("limit set jobs --on call --rate 5/s")->status, 0);
	CHECK_EQ(asked->gets, 0);
}

static void counts(struct rein_limit *limit)
{
	limit->stats.count[REIN_A_STATS_SEEN] = (struct rein_count){ 12, 2400 };
	limit->stats.count[REIN_A_STATS_QUEUED] = (struct rein_count){ 2, 4 };
}

static void shown(void)
{
	struct rein_limit *limit;
	char *stats;

	forget();
	limit = add("jobs", REIN_RESOURCE_CALL, &slow);
	limit->over = REIN_OVER_WAIT;
	counts(limit);
	CHECK_STR(run("limit list -s")->out,
		  "limit jobs  /a  call  2/s burst 1  over wait  patience none\n"
		  "  seen 12 calls 2.4k tokens, queued 2 calls 4 tokens\n");
	stats = run("limit show jobs")->out;
	*strstr(stats, "passed:") = '\0';
	CHECK_STR(stats, "limit jobs (id 1)\n"
		  "  cgroup:     /a (id 7, level 1)\n"
		  "  resource:   call\n"
		  "  rate:       2/s, burst 1, tokens 1\n"
		  "  over:       wait\n"
		  "  patience:   none\n"
		  "  queue:      1024 waiters\n"
		  "  seen:       12 calls  2.4k tokens\n  ");
	limit->patience_ns = REIN_FOREVER_NS;
	CHECK_EQ(!strstr(run("limit show jobs")->out, "patience:   none\n"), 0);
	limit->patience_ns = 5 * SEC;
	CHECK_EQ(!strstr(run("limit show jobs")->out, "patience:   5s\n"), 0);
}

static struct json_object *key(struct json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

static void shown_as_json(void)
{
	struct json_object *document, *seen;
	const char *none = "null";

	forget();
	counts(add("jobs", REIN_RESOURCE_CALL, &slow));
	counts(add("web", REIN_RESOURCE_EGRESS, &bits));
	document = json_tokener_parse(run("-j limit show jobs")->out);
	seen = key(key(document, "stats"), "seen");
	CHECK_STR(json_object_to_json_string(seen), "{ \"calls\": 12, \"tokens\": 2400 }");
	CHECK_EQ(json_object_get_int(key(document, "queue_waiters")), 1024);
	CHECK_EQ(!json_object_object_get_ex(document, "patience_ns", &seen), 0);
	CHECK_STR(json_object_to_json_string(seen), none);
	CHECK_EQ(json_object_object_get_ex(document, "queue_bytes", NULL), 0);
	json_object_put(document);
	document = json_tokener_parse(run("-j limit show web")->out);
	seen = key(key(document, "stats"), "seen");
	CHECK_STR(json_object_to_json_string(seen), "{ \"packets\": 12, \"bytes\": 2400 }");
	CHECK_EQ(json_object_get_int(key(document, "queue_bytes")), 1 << 20);
	CHECK_EQ(json_object_get_int64(key(document, "patience_ns")), 2 * SEC);
	json_object_put(document);
}

static void chain(void)
{
	struct json_object *document;
	struct rein_limit *limit;

	forget();
	CHECK_STR(run("chain --pid 1")->out, "no limit binds it\n");
	add("web", REIN_RESOURCE_EGRESS, &bits);
	counts(add("jobs", REIN_RESOURCE_CALL, &coarse));
	add("conn", REIN_RESOURCE_CONNECT, &coarse);
	limit = add("all", REIN_RESOURCE_CALL, &slow);
	limit->cgroup_id = 1;
	limit->cgroup = "/";
	limit->level = 0;
	CHECK_STR(run("chain --pid 1")->out,
		  "level 1  /a  limit web   egress   over refuse  10Mbit/s burst 64KiB has 65.54kB  waiting 0p 0B\n"
		  "level 1  /a  limit jobs  call     over refuse  10/min burst 30 has 7             waiting 2 calls 4 tokens\n"
		  "level 1  /a  limit conn  connect  over refuse  10/min burst 30 has 7             waiting 0 calls 0 tokens\n"
		  "level 0  /   limit all   call     over refuse  2/s burst 1 has 1                 waiting 0 calls 0 tokens\n"
		  "tightest: egress 10Mbit/s by web on /a\n"
		  "tightest: connect 10/min by conn on /a\n"
		  "tightest: call 10/min by jobs on /a\n");
	document = json_tokener_parse(run("-j chain --pid 1")->out);
	CHECK_EQ(json_object_array_length(key(document, "levels")), 2);
	CHECK_EQ(json_object_array_length(key(document, "tightest")), 3);
	json_object_put(document);
}

static void asked_per_socket(void)
{
	forget();
	CHECK_EQ(run(ADD "--on egress --rate 1Mbit/s")->status, 0);
	CHECK_EQ(asked->request.per_socket, 0);
	CHECK_EQ(run(ADD "--per-socket --on egress --rate 1Mbit/s")->status, 0);
	CHECK_EQ(asked->request.per_socket, 1);
	CHECK_EQ(run("limit replace a --cgroup / --on ingress --rate 0 --per-socket")->status, 0);
	CHECK_EQ(asked->command, REIN_CMD_LIMIT_REPLACE);
	CHECK_EQ(asked->request.per_socket, 1);
	/* Whether it changes anything the kernel knows. */
	CHECK_EQ(run("limit set jobs --per-socket")->status, 0);
	CHECK_EQ(asked->command, REIN_CMD_LIMIT_SET);
	CHECK_EQ(asked->request.per_socket, 1);
	CHECK_EQ(asked->gets, 0);
	/* So does it know where that has no place. */
	CHECK_EQ(run(ADD "--on call --rate 2/s --per-socket")->status, 0);
	CHECK_EQ(asked->request.per_socket, 1);
	CHECK_EQ(run("limit list")->status, 0);
	CHECK_EQ(asked->dump.copies || asked->dump.per_socket, 0);
	CHECK_EQ(run("limit list --sockets")->status, 0);
	CHECK_EQ(asked->dump.copies, 1);
	CHECK_EQ(run("chain --pid 1")->status, 0);
	CHECK_EQ(asked->dump.chain && !asked->dump.copies, 1);
}

static void refused_per_socket(void)
{
	struct json_object *document;

	forget();
	refusal = (struct rein_error){
		.err = EINVAL, .refused = true, .attr = REIN_A_LIMIT_PER_SOCKET, .record = 4,
		.message = "only a limit of a cgroup on egress or ingress can be per socket",
	};
	refusal_code = 220;
	CHECK_EQ(run(ADD "--on call --rate 2/s --per-socket")->status, 2);
	CHECK_STR(run(ADD "--on call --rate 2/s --per-socket")->err,
		  "error: only a limit of a cgroup on egress or ingress can be per socket\n"
		  "option: --per-socket\n"
		  "hint: add it to a cgroup, on egress or ingress; to change it delete the limit and add it anew\n"
		  "record: 4 (rein errors show 4)\n");
	document = json_tokener_parse(run("-j limit set jobs --per-socket")->err);
	CHECK_STR(json_object_get_string(key(document, "option")), "--per-socket");
	CHECK_STR(json_object_get_string(key(document, "code")), "REIN-E0220");
	json_object_put(document);
}

/* A limit per socket, with the copies that two sockets have of it, leaf first. */
static void add_per_socket(void)
{
	static const struct rein_socket sock = {
		AF_INET, IPPROTO_TCP, "\xc0\0\2\1", 4, 80, "\xc0\0\2\2", 4, 1025, 41
	};
	struct rein_limit *limit;
	int i;

	for (i = 0; i < 2; i++) {
		limit = add("web", REIN_RESOURCE_EGRESS, &bits);
		limit->copy_of = 3;
		limit->has_socket = true;
		limit->socket = sock;
		limit->socket.cookie += i;
		limit->socket.destination_port += i;
		limit->socket_state = TCP_ESTABLISHED;
		limit->socket_uid = 33;
		limit->cgroup = "/a/b";
		limit->cgroup_id = 8;
		limit->level = 2;
		counts(limit);
	}
	limit = add("web", REIN_RESOURCE_EGRESS, &bits);
	limit->per_socket = true;
	limit->sockets = 2;
	add("all", REIN_RESOURCE_EGRESS, &bits);
}

#define COPY(port, cookie) \
	"limit web  /a/b  egress  10Mbit/s burst 64KiB  over refuse  tcp from 192.0.2.1 port 80" \
	" to 192.0.2.2 port " port ", cookie " cookie ", established, owner uid 33  copy of id 3\n"

static void per_socket(void)
{
	char *text;

	forget();
	add_per_socket();
	CHECK_STR(run("limit list")->out,
		  "limit web  /a  egress  10Mbit/s burst 64KiB  over refuse  per socket (2)\n"
		  "limit all  /a  egress  10Mbit/s burst 64KiB  over refuse\n");
	CHECK_STR(run("limit list --sockets")->out, COPY("1025", "41") COPY("1026", "42"));
	CHECK_EQ(!strstr(run("limit list --sockets -s")->out,
			 "copy of id 3\n  seen 12p 2.4kB, queued 2p 4B\n"), 0);
	/* Shown is the first of that name. */
	text = run("limit show web")->out;
	CHECK_EQ(!strstr(text, "  state:      established, owner uid 33\n"
			       "  copy of:    id 3\n"
			       "  resource:   egress\n"), 0);
	CHECK_EQ(!strstr(text, "per-socket:"), 1);
	n_limits = 0;
	add("web", REIN_RESOURCE_EGRESS, &bits)->per_socket = true;
	limits[0].sockets = 3;
	CHECK_EQ(!strstr(run("limit show web")->out,
			 "  cgroup:      /a (id 7, level 1)\n"
			 "  per-socket:  yes, 3 sockets have buckets of their own\n"
			 "  resource:    egress\n"), 0);
	limits[0].sockets = 1;
	CHECK_EQ(!strstr(run("limit show web")->out, "yes, 1 socket has buckets of its own\n"), 0);
}

/* Is that what an object has of the three keys? */
static void check_keys(struct json_object *object, const char *is, const char *sockets,
		       const char *copy_of)
{
	static const char *const names[] = { "per_socket", "sockets", "copy_of" };
	const char *const values[] = { is, sockets, copy_of };
	struct json_object *value;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		test_row = names[i];
		CHECK_EQ(json_object_object_get_ex(object, names[i], &value), 1);
		CHECK_STR(json_object_to_json_string(value), values[i]);
	}
}

static void per_socket_as_json(void)
{
	struct json_object *document;

	forget();
	add_per_socket();
	document = json_tokener_parse(run("-j limit list")->out);
	CHECK_EQ(json_object_array_length(document), 2);
	check_keys(json_object_array_get_idx(document, 0), "true", "2", "null");
	check_keys(json_object_array_get_idx(document, 1), "false", "null", "null");
	json_object_put(document);
	document = json_tokener_parse(run("-j limit list --sockets")->out);
	CHECK_EQ(json_object_array_length(document), 2);
	check_keys(json_object_array_get_idx(document, 1), "false", "null", "\"3\"");
	json_object_put(document);
	document = json_tokener_parse(run("-j limit show web")->out);
	check_keys(document, "false", "null", "\"3\"");
	json_object_put(document);
	/* One that no socket has buckets of is per socket all the same. */
	n_limits = 0;
	add("web", REIN_RESOURCE_EGRESS, &bits)->per_socket = true;
	document = json_tokener_parse(run("-j limit show web")->out);
	check_keys(document, "true", "0", "null");
	json_object_put(document);
}

static struct json_object *first(struct json_object *object, const char *name)
{
	return json_object_array_get_idx(key(object, name), 0);
}

/* That of a socket has its copy, that of a cgroup the limit per socket. */
static void chain_per_socket(void)
{
	struct json_object *document;

	forget();
	add_per_socket();
	limits[1] = limits[3];
	n_limits = 2;
	CHECK_STR(run("chain --pid 1")->out,
		  "socket   /a/b  limit web  egress  over refuse  10Mbit/s burst 64KiB has 65.54kB  waiting 2p 4B  copy of id 3\n"
		  "level 1  /a    limit all  egress  over refuse  10Mbit/s burst 64KiB has 65.54kB  waiting 0p 0B\n"
		  "tightest: egress 10Mbit/s by web on /a/b\n");
	document = json_tokener_parse(run("-j chain --pid 1")->out);
	check_keys(first(first(document, "levels"), "limits"), "false", "null", "\"3\"");
	CHECK_EQ(json_object_get_boolean(key(first(document, "tightest"), "per_socket")), 0);
	json_object_put(document);
	n_limits = 0;
	add_per_socket();
	limits[0] = limits[2];
	limits[1] = limits[3];
	n_limits = 2;
	CHECK_STR(run("chain --pid 1")->out,
		  "level 1  /a  limit web  egress  over refuse  10Mbit/s burst 64KiB has 65.54kB  waiting 0p 0B  per socket (2)\n"
		  "level 1  /a  limit all  egress  over refuse  10Mbit/s burst 64KiB has 65.54kB  waiting 0p 0B\n"
		  "tightest: egress 10Mbit/s by web on /a, per socket\n");
	document = json_tokener_parse(run("-j chain --pid 1")->out);
	check_keys(first(first(document, "levels"), "limits"), "true", "2", "null");
	CHECK_EQ(json_object_get_boolean(key(first(document, "tightest"), "per_socket")), 1);
	json_object_put(document);
}

/* One take of 1 from jobs and 4 from disk. */
static const struct rein_take_want wants[] = { { "jobs", 1 }, { "disk", 4 } };

static void rate_of(int n, int err, uint64_t operations, uint64_t period_ns, uint64_t burst)
{
	struct rein rein = { 0 };
	struct rein_rate rate;

	CHECK_EQ(-rein_rate(&rein, wants, n, &rate), err);
	CHECK_EQ(!rein.error.message[0], !err);
	if (err)
		return;
	CHECK_EQ(rate.unlimited, !period_ns);
	CHECK_EQ(rate.operations, operations);
	CHECK_EQ(rate.period_ns, period_ns);
	CHECK_EQ(rate.burst, burst);
}

static void tightest_rate(void)
{
	static const struct rein_tier large = {
		REIN_UNIT_CALLS, false, 1000000000000ULL, SEC, 1ULL << 62, 0, 0
	};

	forget();
	rate_of(1, ENOENT, 0, 0, 0);
	add("web", REIN_RESOURCE_EGRESS, &bits);
	add("jobs", REIN_RESOURCE_CALL, &endless);
	rate_of(1, 0, 0, 0, UINT64_MAX);
	rate_of(2, ENOENT, 0, 0, 0);
	add("jobs", REIN_RESOURCE_CALL, &large);
	rate_of(1, 0, 1000, 1, 1ULL << 62);
	/* 10 a minute, 4 at a time: 1 operation in 24 s; 30 tokens are 7 of them. */
	add("disk", REIN_RESOURCE_CALL, &coarse);
	rate_of(2, 0, 1, 24 * SEC, 7);
	/* One of the same name higher up is charged, too; who observes, is not. */
	add("disk", REIN_RESOURCE_CALL, &closed)->over = REIN_OVER_OBSERVE;
	rate_of(2, 0, 1, 24 * SEC, 7);
	add("disk", REIN_RESOURCE_CALL, &slow);
	rate_of(2, 0, 1, 24 * SEC, 0);
	add("jobs", REIN_RESOURCE_CALL, &closed);
	rate_of(2, 0, 0, SEC, 0);
}

static void rate_rejected(void)
{
	static const struct rein_tier slowest = {
		REIN_UNIT_CALLS, false, 1, 86400 * SEC, 1, 0, 0
	};
	struct rein_take_want bad[REIN_TAKE_NAMES_MAX + 1] = { { "jobs", 0 }, { "jobs", 1 } };
	struct rein rein = { 0 };
	struct rein_rate rate;

	forget();
	add("jobs", REIN_RESOURCE_CALL, &slowest);
	CHECK_EQ(-rein_rate(&rein, bad, 1, &rate), EINVAL);
	bad[0].tokens = UINT64_MAX;
	CHECK_EQ(-rein_rate(&rein, bad, 1, &rate), ERANGE);
	CHECK_EQ(-rein_rate(&rein, bad, 2, &rate), EINVAL);
	CHECK_STR(rein.error.message, "jobs is named twice");
	CHECK_EQ(-rein_rate(&rein, bad, 0, &rate), EINVAL);
	CHECK_EQ(-rein_rate(&rein, bad, REIN_TAKE_NAMES_MAX + 1, &rate), EINVAL);
	memset(bad[0].name, 'x', sizeof(bad[0].name));
	CHECK_EQ(-rein_rate(&rein, bad, 1, &rate), EINVAL);
}

static const struct test tests[] = {
	TEST(asked_for),
	TEST(set_by_resource),
	TEST(shown),
	TEST(shown_as_json),
	TEST(chain),
	TEST(asked_per_socket),
	TEST(refused_per_socket),
	TEST(per_socket),
	TEST(per_socket_as_json),
	TEST(chain_per_socket),
	TEST(tightest_rate),
	TEST(rate_rejected),
};

int main(int argc, char **argv)
{
	asked = shared(sizeof(*asked));
	return test_main(tests, COUNT(tests), argc, argv);
}
