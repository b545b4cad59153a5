/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets over loopback, and limits that bind them, by librein. Whoever includes this says by
 * AGAIN how to run the test again.
 */
#ifndef REIN_SELFTESTS_SOCKETS_H
#define REIN_SELFTESTS_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <rein.h>

#include "cgroup.h"
#include "kselftest_harness.h"

#define RATE_DAY_NS	DAY

/* --- sockets ------------------------------------------------------------------------- */

static inline struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* One that receives, and the port that it has. */
static inline int receiver(int type, int *port)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = local(0);
	socklen_t len = sizeof(addr);

	*port = 0;
	if (bind(fd, (struct sockaddr *)&addr, len) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    (type == SOCK_STREAM && listen(fd, 8)))
		return -1;
	*port = ntohs(addr.sin_port);
	return fd;
}

static inline int sender(int type, int port)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = local(port);

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

static inline void sends(int fd, unsigned int n)
{
	while (n--)
		send(fd, "datagram", 8, 0);
}

/* How many datagrams arrive; as soon as there are more than wanted, or none comes for long. */
static inline unsigned int arrive(int fd, unsigned int wanted)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	unsigned int n = 0;
	char buf[64];

	while (n <= wanted && poll(&pfd, 1, n < wanted ? 5000 : 100) == 1 &&
	       recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/* --- limits ---------------------------------------------------------------------------- */

/* @burst packets, and then next to none. */
static inline int limit_by(struct rein *rein, unsigned int command, const char *name, int fd,
			   uint32_t resource, uint64_t burst)
{
	struct rein_tier tier = {
		.unit = resource == REIN_RESOURCE_EGRESS || resource == REIN_RESOURCE_INGRESS ?
			REIN_UNIT_PACKETS : REIN_UNIT_CALLS,
		.rate_tokens = 1, .rate_period_ns = RATE_DAY_NS, .burst = burst,
	};
	struct rein_limit_request request = {
		.name = name, .cgroup_fd = -1, .has_socket = true, .socket_fd = fd,
		.has_resource = true, .resource = resource, .tiers = &tier, .n_tiers = 1,
	};

	return rein_limit_change(rein, command, &request);
}

static inline int limit_packets(struct rein *rein, const char *name, int fd, uint32_t resource,
				uint64_t burst)
{
	return limit_by(rein, REIN_CMD_LIMIT_ADD, name, fd, resource, burst);
}

static inline int delete_limit(struct rein *rein, const char *name, int fd)
{
	struct rein_limit_request request = {
		.name = name, .cgroup_fd = -1, .has_socket = fd >= 0, .socket_fd = fd,
	};

	return rein_limit_change(rein, REIN_CMD_LIMIT_DEL, &request);
}

static inline void copy_limit(const struct rein_limit *limit, void *arg)
{
	*(struct rein_limit *)arg = *limit;
}

static inline int get_limit(struct rein *rein, const char *name, int fd, struct rein_limit *limit)
{
	struct rein_limit_request request = {
		.name = name, .cgroup_fd = -1, .has_socket = fd >= 0, .socket_fd = fd,
	};

	return rein_limit_get(rein, &request, copy_limit, limit);
}

static inline uint64_t counted(struct rein *rein, const char *name, int fd, unsigned int stat)
{
	struct rein_limit limit;

	return get_limit(rein, name, fd, &limit) ? UINT64_MAX : limit.stats.count[stat].packets;
}

static inline void copy_sockets(const struct rein_stat *stat, void *arg)
{
	*(uint64_t *)arg = stat->sockets;
}

static inline uint64_t sockets(struct rein *rein)
{
	uint64_t n = UINT64_MAX;

	rein_stat_get(rein, copy_sockets, &n);
	return n;
}

/* Closed ones are looked for once a second. */
static inline bool become_sockets(struct rein *rein, uint64_t n)
{
	uint64_t end = now_ns() + LONG;

	while (sockets(rein) != n && now_ns() < end)
		usleep(10000);
	return sockets(rein) == n;
}

static inline void copy_code(const struct rein_record *record, void *arg)
{
	*(unsigned int *)arg = record->code;
}

/* What is wrong, or NULL. */
static inline const char *refused_as(struct rein *rein, int ret, int err, unsigned int code)
{
	static char text[384];
	const struct rein_error error = *rein_last_error(rein);
	unsigned int seen = 0;

	rein_record_get(rein, error.record, copy_code, &seen);
	if (ret == -err && seen == code)
		return NULL;
	snprintf(text, sizeof(text),
		 "expected %s and a record of %u, seen %s, record %llu of %u: %s" AGAIN,
		 strerror(err), code, strerror(-ret), (unsigned long long)error.record, seen,
		 error.message);
	return text;
}

#define REFUSED(call, err, code)							\
	do {										\
		const char *wrong = refused_as(self->rein, call, err, code);		\
		ASSERT_EQ(NULL, wrong) TH_LOG("%s: %s", #call, wrong);			\
	} while (0)

#define SEEN(want, seen, what)								\
	do {										\
		unsigned long long w_ = want, s_ = seen;				\
		ASSERT_EQ(w_, s_) TH_LOG("%s: expected %llu, seen %llu" AGAIN, what, w_, s_);	\
	} while (0)

/* A chain, or the beginning of a list. */
struct links {
	unsigned int n;
	char names[8][REIN_NAME_MAX + 1];
	bool of_socket[8];
};

static inline void take_link(const struct rein_limit *limit, void *arg)
{
	struct links *links = arg;

	if (links->n == 8)
		return;
	links->of_socket[links->n] = limit->has_socket;
	snprintf(links->names[links->n++], sizeof(links->names[0]), "%s", limit->name);
}

static inline uint64_t free_memory(void)
{
	unsigned long long kib = 0;
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

#endif /* REIN_SELFTESTS_SOCKETS_H */
