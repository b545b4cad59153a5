/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scopes and races: requests, what became of them, and what there is of a scope as
 * its descriptor and netlink tell.
 */
#ifndef REIN_SELFTESTS_SCOPE_H
#define REIN_SELFTESTS_SCOPE_H

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>

#include "take.h"

#define SCOPES_PER_USER	"/sys/module/rein/parameters/scopes_per_user"

/* More than anything takes, on the slowest machine; less than the runner waits. */
#define LONG		(60 * SECOND)
#define LONG_MS		60000

/**
 * struct said - what was answered to a thread's last request, but for its descriptor
 * @answer:	why not
 * @id:		of the scope that was made, or of the winner
 * @number:	of the replica
 * @size:	of the result
 * @ask:	which claim of a race it was that asks
 * @was:	the cause that a scope has that was to be cancelled
 */
struct said {
	struct rein_answer answer;
	uint64_t id;
	uint32_t number;
	uint32_t size;
	uint32_t ask;
	uint32_t was;
};

static _Thread_local struct said said;

/* Is this a kernel with KASAN, lockdep and the like? It is several times slower. */
static inline bool is_debug(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK) ||
	       !access("/sys/kernel/debug/kcsan", F_OK);
}

/* --- who else may ask -------------------------------------------------------------- */

#define NOBODY		65534

static inline bool become_nobody(void)
{
	return !setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY);
}

/*
 * Likewise, with these capabilities (1 << CAP_*) and no other; or with all that root has, if he
 * runs what is setuid root.
 */
static inline bool become_nobody_with(uint32_t caps)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct some[2] = { { caps, caps, 0 } };

	return !prctl(PR_SET_KEEPCAPS, 1) && become_nobody() &&
	       !syscall(SYS_capset, &header, some);
}

static inline bool become_nobody_by_setuid(void)
{
	return !setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, 0, 0);
}

/* As root of a container is: the user id, and no capability. */
static inline bool confine(int namespaces)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	return !unshare(namespaces) && !syscall(SYS_capset, &header, none);
}

/* --- requests: what they return is a descriptor, or 0, or a negative errno ---------- */

/*
 * Arguments with all bits set where nothing was asked, so that what the kernel doesn't
 * write is seen, and so behind the end of the name.
 */
static inline struct rein_scope_args *ask_scope(struct rein_scope_args *args, int parent,
						uint32_t flags, uint64_t time_ns,
						const char *name)
{
	size_t len = strlen(name);

	memset(args, 0xff, sizeof(*args));
	args->flags = flags;
	args->parent_fd = parent;
	args->deadline_ns = time_ns;
	memcpy(args->name, name, len < sizeof(args->name) ? len + 1 : sizeof(args->name));
	args->policy = 0;
	args->reserved = 0;
	return args;
}

static inline int make_scope(int dev, unsigned long request, struct rein_scope_args *args)
{
	int fd = ioctl(dev, request, args), err = errno;

	said = (struct said){ .answer = args->answer, .id = args->id };
	return fd < 0 ? -err : fd;
}

static inline int scope_timed(int dev, int parent, uint32_t flags, uint64_t time_ns)
{
	struct rein_scope_args args;

	return make_scope(dev, REIN_IOC_SCOPE, ask_scope(&args, parent, flags, time_ns, ""));
}

static inline int scope_new(int dev, int parent)
{
	return scope_timed(dev, parent, 0, 0);
}

static inline int scope_owned(int dev, int parent)
{
	return scope_timed(dev, parent, REIN_SCOPE_OWNED, 0);
}

static inline int scope_named(int dev, int parent, const char *name)
{
	struct rein_scope_args args;

	return make_scope(dev, REIN_IOC_SCOPE, ask_scope(&args, parent, 0, 0, name));
}

static inline int race_timed(int dev, int parent, uint32_t policy, uint32_t flags,
			     uint64_t time_ns)
{
	struct rein_scope_args args;

	ask_scope(&args, parent, flags, time_ns, "")->policy = policy;
	return make_scope(dev, REIN_IOC_RACE, &args);
}

static inline int race_new(int dev, uint32_t policy)
{
	return race_timed(dev, REIN_NO_FD, policy, 0, 0);
}

static inline int scope_open(int dev, uint32_t flags, uint64_t id, const char *name)
{
	struct rein_open_args args;
	size_t len = strlen(name);
	int fd, err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	args.reserved = 0;
	args.id = id;
	memcpy(args.name, name, len < sizeof(args.name) ? len + 1 : sizeof(args.name));
	fd = ioctl(dev, REIN_IOC_OPEN, &args);
	err = errno;
	said = (struct said){ .answer = args.answer };
	return fd < 0 ? -err : fd;
}

static inline int scope_observe(int scope)
{
	struct rein_observe_args args;
	int fd, err;

	memset(&args, 0xff, sizeof(args));
	fd = ioctl(scope, REIN_IOC_OBSERVE, &args);
	err = errno;
	said = (struct said){ .answer = args.answer };
	return fd < 0 ? -err : fd;
}

static inline int scope_cancel_as(int scope, uint32_t cause, const char *reason)
{
	struct rein_cancel_args args;
	size_t len = strlen(reason);
	int err;

	memset(&args, 0xff, sizeof(args));
	args.cause = cause;
	memcpy(args.reason, reason, len < sizeof(args.reason) ? len + 1 : sizeof(args.reason));
	err = ioctl(scope, REIN_IOC_CANCEL, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer, .was = args.was };
	return -err;
}

static inline int scope_cancel(int scope)
{
	return scope_cancel_as(scope, REIN_CAUSE_USER, "");
}

static inline int scope_bind(int scope, int cgroup, int kill_fd, uint64_t delay_ns)
{
	struct rein_bind_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	args.cgroup_fd = cgroup;
	args.kill_fd = kill_fd;
	args.kill_delay_ns = delay_ns;
	err = ioctl(scope, REIN_IOC_BIND, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer };
	return -err;
}

static inline int race_join_as(int race, uint32_t flags)
{
	struct rein_join_args args;
	int fd, err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	fd = ioctl(race, REIN_IOC_JOIN, &args);
	err = errno;
	said = (struct said){ .answer = args.answer, .id = args.id, .number = args.number };
	return fd < 0 ? -err : fd;
}

static inline int race_join(int race)
{
	return race_join_as(race, 0);
}

static inline int race_win(int replica, const void *data, uint32_t size)
{
	struct rein_win_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	args.data = (uintptr_t)data;
	args.size = size;
	err = ioctl(replica, REIN_IOC_WIN, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer, .id = args.winner, .number = args.number };
	return -err;
}

/* For a thread: claims, perhaps for long, by the descriptor at @replica; NULL if it has won. */
static inline void *claim_by(void *replica)
{
	return race_win(*(int *)replica, "result", 7) ? replica : NULL;
}

/* Only if it is that claim; 0: whichever it is. */
static inline int race_grant_ask(int race, uint32_t flags, uint32_t number, uint32_t ask,
				 void *data, uint32_t size)
{
	struct rein_grant_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	args.number = number;
	args.data = (uintptr_t)data;
	args.size = size;
	args.ask = ask;
	err = ioctl(race, REIN_IOC_GRANT, &args) ? errno : 0;
	said = (struct said){
		.answer = args.answer, .number = args.number, .size = args.size, .ask = args.ask,
	};
	return -err;
}

static inline int race_grant(int race, uint32_t flags, uint32_t number, void *data, uint32_t size)
{
	return race_grant_ask(race, flags, number, 0, data, size);
}

static inline int race_result(int race, uint32_t flags, void *data, uint32_t size,
			      struct rein_result_args *args)
{
	int err;

	memset(args, 0xff, sizeof(*args));
	args->flags = flags;
	args->data = (uintptr_t)data;
	args->size = size;
	err = ioctl(race, REIN_IOC_RESULT, args) ? errno : 0;
	said = (struct said){
		.answer = args->answer, .id = args->winner, .number = args->number,
		.size = args->size,
	};
	return -err;
}

/* What is wrong with an answer, to a request that came to the errno @err? NULL: nothing. */
static inline const char *said_wrong(int err)
{
	static const char none[sizeof(said.answer.message)];
	const struct rein_answer *answer = &said.answer;
	size_t len = strnlen(answer->message, sizeof(answer->message));

	/* Nobody could be told, or there was nothing to be told by. */
	if (err == EFAULT || err == ENOTTY || err == E2BIG || err == EINTR)
		return NULL;
	if (answer->reserved)
		return "reserved: not 0";
	if (len == sizeof(answer->message))
		return "message: not terminated";
	if (memcmp(answer->message + len, none, sizeof(answer->message) - len))
		return "message: something behind its end";
	/* Of a scope that was not made there is no id. */
	if (answer->record == UINT64_MAX ||
	    (!err && (said.id == UINT64_MAX || said.number == UINT32_MAX)))
		return "an answer that was not written";
	/* Nothing to be granted yet, or not yet decided: that is no failure. */
	if (!err || (err == EAGAIN && !answer->code))
		return answer->code || len ? "something failed" : NULL;
	if (!answer->code)
		return "code: none";
	if (answer->code > 999)
		return "code: not a number of the book";
	return len ? NULL : "message: none";
}

/* --- what a descriptor tells ---------------------------------------------------------- */

/* What poll() says within @ms, 0 if nothing. POLLHUP and POLLERR come unasked. */
static inline int scope_events(int fd, int asked, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = asked };

	return poll(&pfd, 1, ms) == 1 ? pfd.revents : 0;
}

#define DONE		(POLLIN | POLLHUP)

/* What read() gives, of a scope that is done: false if it isn't, or gives something else. */
static inline bool scope_read(int fd, struct rein_scope_done *done)
{
	memset(done, 0xff, sizeof(*done));
	return (scope_events(fd, POLLIN, 0) & POLLHUP) &&
	       read(fd, done, sizeof(*done)) == sizeof(*done);
}

/* Why is it done? REIN_CAUSE_NONE: it isn't. */
static inline unsigned int scope_cause(int fd)
{
	struct rein_scope_done done;

	return scope_read(fd, &done) ? done.cause : REIN_CAUSE_NONE;
}

static inline uint64_t scope_origin(int fd)
{
	struct rein_scope_done done;

	return scope_read(fd, &done) ? done.origin : 0;
}

/* Waits until it is done; why it is then, REIN_CAUSE_NONE if that takes too long. */
static inline unsigned int scope_wait(int fd)
{
	scope_events(fd, 0, LONG_MS);
	return scope_cause(fd);
}

/* The value of a line "KEY:\tVALUE" of fdinfo; false if there is none. */
static inline bool fd_info(int fd, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		size_t len = strlen(key);

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		found = true;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + len + 1 + strspn(line + len + 1, " \t"));
	}
	if (file)
		fclose(file);
	return found;
}

/* --- what netlink tells ----------------------------------------------------------------- */

/**
 * struct scope_view - a scope, as netlink shows it; 0 or empty where it says nothing
 * @has:	a bit for each attribute that is there
 */
struct scope_view {
	uint64_t has;
	uint64_t id;
	uint64_t parent;
	uint64_t left_ns;
	uint64_t origin;
	uint64_t record;
	uint64_t cgroup_id;
	uint32_t depth;
	uint32_t cause;
	uint32_t children;
	uint32_t waiters;
	uint32_t pid;
	uint32_t uid;
	uint32_t race;
	uint32_t number;
	uint32_t winner;
	unsigned int n;
	char name[REIN_SCOPE_NAME_LEN];
	char reason[REIN_REASON_LEN];
	char comm[32];
};

static inline void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	if (attr)
		snprintf(to, size, "%s", (const char *)genl_data(attr));
}

static inline void take_scope(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr), *attr;
	struct scope_view *view = arg;

	for (attr = first; (const char *)attr < end; attr = genl_next(attr))
		view->has |= 1ULL << (attr->nla_type & 63);
	view->n++;
	view->id = genl_u64(genl_find(first, end, REIN_A_SCOPE_ID));
	view->parent = genl_u64(genl_find(first, end, REIN_A_SCOPE_PARENT));
	view->left_ns = genl_u64(genl_find(first, end, REIN_A_SCOPE_LEFT_NS));
	view->origin = genl_u64(genl_find(first, end, REIN_A_SCOPE_ORIGIN));
	view->record = genl_u64(genl_find(first, end, REIN_A_SCOPE_RECORD));
	view->cgroup_id = genl_u64(genl_find(first, end, REIN_A_SCOPE_CGROUP_ID));
	view->depth = genl_u32(genl_find(first, end, REIN_A_SCOPE_DEPTH));
	view->cause = genl_u32(genl_find(first, end, REIN_A_SCOPE_CAUSE));
	view->children = genl_u32(genl_find(first, end, REIN_A_SCOPE_CHILDREN));
	view->waiters = genl_u32(genl_find(first, end, REIN_A_SCOPE_WAITERS));
	view->pid = genl_u32(genl_find(first, end, REIN_A_SCOPE_PID));
	view->uid = genl_u32(genl_find(first, end, REIN_A_SCOPE_UID));
	view->race = genl_u32(genl_find(first, end, REIN_A_SCOPE_RACE));
	view->number = genl_u32(genl_find(first, end, REIN_A_SCOPE_NUMBER));
	view->winner = genl_u32(genl_find(first, end, REIN_A_SCOPE_WINNER));
	copy_text(view->name, sizeof(view->name), genl_find(first, end, REIN_A_SCOPE_NAME));
	copy_text(view->reason, sizeof(view->reason), genl_find(first, end, REIN_A_SCOPE_REASON));
	copy_text(view->comm, sizeof(view->comm), genl_find(first, end, REIN_A_SCOPE_COMM));
}

/* One scope by its id; 0 or a negative errno. */
static inline int read_scope(int fd, uint64_t id, struct scope_view *view)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(view, 0, sizeof(*view));
	genl_begin(&msg, REIN_CMD_SCOPE_GET, 0);
	genl_put_u64(&msg, REIN_A_SCOPE_ID, id);
	return genl_ask(fd, &msg, &answer, take_scope, view) ?: -answer.err;
}

/* The last of those of that name (NULL: of any), and @view->n says how many. */
static inline int read_scopes(int fd, const char *name, struct scope_view *view)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(view, 0, sizeof(*view));
	genl_begin(&msg, REIN_CMD_SCOPE_GET, NLM_F_DUMP);
	if (name)
		genl_put_string(&msg, REIN_A_SCOPE_NAME, name);
	return genl_ask(fd, &msg, &answer, take_scope, view) ?: -answer.err;
}

static inline bool scope_has(const struct scope_view *view, unsigned int attr)
{
	return view->has >> attr & 1;
}

/* How many scopes there are. */
static inline uint64_t count_scopes(int fd)
{
	return stat_number(fd, REIN_A_STAT_SCOPES);
}

/* Waits until there are @n, and says how many there are then. */
static inline uint64_t settle_scopes(int fd, uint64_t n)
{
	uint64_t end = now_ns() + LONG, seen;

	while ((seen = count_scopes(fd)) != n && now_ns() < end)
		usleep(1000);
	return seen;
}

/**
 * struct scope_record - of a record, what scopes add to it
 */
struct scope_record {
	unsigned int code;
	uint64_t cause;
	uint64_t scope_id;
	uint32_t pid;
	char scope_name[REIN_SCOPE_NAME_LEN];
	char message[512];
};

static inline void take_scope_record(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr);
	struct scope_record *record = arg;

	record->code = genl_u32(genl_find(first, end, REIN_A_RECORD_CODE));
	record->cause = genl_u64(genl_find(first, end, REIN_A_RECORD_CAUSE));
	record->scope_id = genl_u64(genl_find(first, end, REIN_A_RECORD_SCOPE_ID));
	record->pid = genl_u32(genl_find(first, end, REIN_A_RECORD_PID));
	copy_text(record->scope_name, sizeof(record->scope_name),
		  genl_find(first, end, REIN_A_RECORD_SCOPE_NAME));
	copy_text(record->message, sizeof(record->message),
		  genl_find(first, end, REIN_A_RECORD_MESSAGE));
}

static inline int read_scope_record(int fd, uint64_t id, struct scope_record *record)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(record, 0, sizeof(*record));
	genl_begin(&msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(&msg, REIN_A_RECORD_ID, id);
	return genl_ask(fd, &msg, &answer, take_scope_record, record) ?: -answer.err;
}

/* A multicast group of the family, by its name. */
struct named_group {
	const char *name;
	uint32_t id;
};

static inline void take_group(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const struct nlattr *groups, *group, *name;
	struct named_group *wanted = arg;
	const char *end;

	groups = genl_find(genl_first(ghdr), (const char *)ghdr + len, CTRL_ATTR_MCAST_GROUPS);
	if (!groups)
		return;
	end = (const char *)groups + groups->nla_len;
	for (group = genl_data(groups); (const char *)group < end; group = genl_next(group)) {
		name = genl_find(genl_data(group), genl_next(group), CTRL_ATTR_MCAST_GRP_NAME);
		if (name && !strcmp(genl_data(name), wanted->name))
			wanted->id = genl_u32(genl_find(genl_data(group), genl_next(group),
							CTRL_ATTR_MCAST_GRP_ID));
	}
}

static inline uint32_t find_group(int fd, const char *name)
{
	struct named_group group = { .name = name };
	struct genl_answer answer;
	static struct genl_msg msg;

	genl_begin_type(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	genl_put_string(&msg, CTRL_ATTR_FAMILY_NAME, REIN_FAMILY_NAME);
	return genl_ask(fd, &msg, &answer, take_group, &group) || answer.err ? 0 : group.id;
}

/* A socket that hears of what a group is told, where the caller is; or a negative errno. */
static inline int listen_to(const char *name)
{
	int fd = genl_socket(), err = ENOENT;
	uint32_t group = find_group(fd, name);

	if (group) {
		if (!setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return fd;
		err = errno;
	}
	close(fd);
	return -err;
}

static inline int listen_to_scopes(void)
{
	return listen_to(REIN_MCGRP_SCOPES);
}

/* --- what is expected, in tests that have self->fd and say AGAIN how to run them ----------- */

/* At the beginning: the netlink socket, the device, and how many scopes there are. */
#define OPENS_REIN() do {								\
	self->fd = genl_socket();							\
	ASSERT_LE(0, self->fd);								\
	ASSERT_EQ(0, genl_resolve(self->fd)) {						\
		TH_LOG("the module is not loaded");					\
	}										\
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);				\
	ASSERT_LE(0, self->dev) {							\
		TH_LOG(REIN_DEV_PATH ": %s", strerror(errno));				\
	}										\
	self->before = count_scopes(self->fd);						\
} while (0)

/*
 * @call, one of those above, is refused with this errno and code; the answer is complete and
 * there is a record of it.
 */
#define FAILS(errno_, code_, call) do {							\
	int want_ = (errno_), seen_ = (call);						\
	unsigned int wanted_ = (code_);							\
	struct scope_record record_;							\
											\
	EXPECT_EQ(-want_, seen_) {							\
		TH_LOG("%s: expected %s, seen %s (%.128s); " AGAIN, #call,		\
		       strerror(want_), strerror(seen_ < 0 ? -seen_ : 0),		\
		       said.answer.message);						\
	}										\
	EXPECT_EQ(wanted_, said.answer.code) {						\
		TH_LOG("%s: %.128s; " AGAIN, #call, said.answer.message);		\
	}										\
	EXPECT_EQ(NULL, said_wrong(seen_ < 0 ? -seen_ : 0)) {				\
		TH_LOG("%s: the answer is not complete: %s; " AGAIN, #call,		\
		       said_wrong(seen_ < 0 ? -seen_ : 0));				\
	}										\
	EXPECT_NE(0, said.answer.record) {						\
		TH_LOG("%s: there is no record of it; " AGAIN, #call);			\
	}										\
	if (said.answer.record) {							\
		EXPECT_EQ(0, read_scope_record(self->fd, said.answer.record, &record_)); \
		EXPECT_EQ(wanted_, record_.code) {					\
			TH_LOG("%s: its record: %s; " AGAIN, #call, record_.message);	\
		}									\
	}										\
	if (seen_ > 2)									\
		close(seen_);								\
} while (0)

/* @call succeeds, and says nothing else. */
#define SUCCEEDS(call) ({								\
	int seen_ = (call);								\
											\
	EXPECT_LE(0, seen_) {								\
		TH_LOG("%s: %s (%.128s); " AGAIN, #call, strerror(-seen_),		\
		       said.answer.message);						\
	}										\
	if (seen_ >= 0) {								\
		EXPECT_EQ(NULL, said_wrong(0)) {					\
			TH_LOG("%s: %s; " AGAIN, #call, said_wrong(0));			\
		}									\
	}										\
	seen_;										\
})

/* A scope is done, and why; or it isn't: REIN_CAUSE_NONE. */
#define CAUSE_IS(cause_, at) do {							\
	unsigned int want_ = (cause_), seen_ = scope_cause(at);				\
											\
	EXPECT_EQ(want_, seen_) {							\
		TH_LOG("%s: " AGAIN, #at);						\
	}										\
} while (0)

#define SIZED(request, size) \
	_IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, _IOC_NR(request), size)

#define ERRNO_IS(errno_, at, request, arg) do {						\
	unsigned long request_ = (request);						\
	int fd_ = ioctl(at, request_, arg);						\
											\
	EXPECT_EQ(-1, fd_);								\
	EXPECT_EQ(errno_, errno) {							\
		TH_LOG("request %#lx: %s; " AGAIN, request_, strerror(errno));		\
	}										\
	if (fd_ > 2)									\
		close(fd_);								\
} while (0)

/* --- for many of them ----------------------------------------------------------------------- */

static inline void close_all(const int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

/* Let this process have so many files; false if it may not. */
static inline bool allow_files(rlim_t n)
{
	struct rlimit files = { n, n };

	return !setrlimit(RLIMIT_NOFILE, &files);
}

/* A parameter of the module, by its path; 0: there is none. */
static inline uint64_t get_parameter(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return got > 0 ? strtoull(text, NULL, 10) : 0;
}

static inline bool set_parameter(const char *path, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return put_file(path, text);
}

static inline uint64_t scopes_per_user(void)
{
	return get_parameter(SCOPES_PER_USER);
}

static inline bool set_scopes_per_user(uint64_t n)
{
	return set_parameter(SCOPES_PER_USER, n);
}

static inline uint64_t random_step(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;	/* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static inline uint64_t dice_of(uint64_t *state, uint64_t below)
{
	return random_step(state) % below;
}

/* Where to begin: other numbers each time; TEST_SEED makes them the same again. */
static inline uint64_t choose_seed(void)
{
	const char *text = getenv("TEST_SEED");

	return text ? strtoull(text, NULL, 0) : now_ns() % 1000000007;
}

/* --- who has it ------------------------------------------------------------------------------ */

/* The exit status of a child, -1 if it had none. */
static inline int wait_child(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool send_fd(int sock, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1;
}

static inline int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* What a process of another user says. */
struct report {
	int ret[8];
	struct rein_answer answers[8];
};

static inline struct report *new_report(void)
{
	return mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
}

static inline void note(struct report *report, size_t i, int ret)
{
	report->ret[i] = ret;
	report->answers[i] = said.answer;
}

/* Of another process: as if it were this one's. */
static inline int noted(const struct report *report, size_t i)
{
	said = (struct said){ .answer = report->answers[i] };
	return report->ret[i];
}

/* Waits until the thread whose id @tid will be sleeps; false if that takes too long. */
static inline bool wait_asleep(const pid_t *tid)
{
	uint64_t end = now_ns() + LONG;
	char path[64], text[256];
	const char *state;
	ssize_t got;
	int fd;

	while (now_ns() < end) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
			 __atomic_load_n(tid, __ATOMIC_SEQ_CST));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[got > 0 ? got : 0] = '\0';
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			return true;
		usleep(1000);
	}
	return false;
}

static inline void no_action(int sig)
{
	(void)sig;
}

#endif /* REIN_SELFTESTS_SCOPE_H */
