/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches: requests, what there is of a watch as its descriptor, netlink, records and events
 * tell, and when that has to be.
 */
#ifndef REIN_SELFTESTS_WATCH_H
#define REIN_SELFTESTS_WATCH_H

#include <pthread.h>
#include <sys/mman.h>

#include "cgroup.h"

#define WATCHES_PER_USER	"/sys/module/rein/parameters/watches_per_user"
#define LOOKS_PER_USER		"/sys/module/rein/parameters/looks_per_user"
#define LIMITS_PER_USER		"/sys/module/rein/parameters/limits_per_user"

/* --- requests: what they return is a descriptor, or 0, or a negative errno ---------- */

/**
 * struct watch_ask - a request for a watch, and what it points to
 * @args:	all bits set where nothing was asked, so that what the kernel doesn't
 *		write is seen, and so behind the end of the name
 * @steps:	one more than there may be
 */
struct watch_ask {
	struct rein_watch_args args;
	struct rein_watch_step steps[REIN_STEPS_MAX + 1];
};

/* Over the caller; without rules it only counts. */
static inline struct watch_ask *ask_watch(struct watch_ask *ask, uint32_t flags)
{
	struct rein_watch_args *args = &ask->args;

	memset(ask, 0xff, sizeof(*ask));
	args->flags = flags;
	args->subject = REIN_SUBJECT_PROCESS;
	args->fd = REIN_NO_FD;
	args->pid = 0;
	args->start = 0;
	args->kill_fd = REIN_NO_FD;
	args->scope_fd = REIN_NO_FD;
	args->name[0] = '\0';
	memset(&args->rules, 0, sizeof(args->rules));
	args->steps = (uintptr_t)ask->steps;
	args->n_steps = 0;
	args->wants = 0;
	args->reserved = 0;
	return ask;
}

static inline struct watch_ask *watch_called(struct watch_ask *ask, const char *name)
{
	size_t len = strlen(name), size = sizeof(ask->args.name);

	memcpy(ask->args.name, name, len < size ? len + 1 : size);
	return ask;
}

static inline struct watch_ask *watch_pid(struct watch_ask *ask, pid_t pid)
{
	ask->args.pid = pid;
	return ask;
}

static inline struct watch_ask *watch_cgroup(struct watch_ask *ask, int dir, int kill_fd)
{
	ask->args.subject = REIN_SUBJECT_CGROUP;
	ask->args.fd = dir;
	ask->args.kill_fd = kill_fd;
	return ask;
}

static inline struct watch_ask *watch_socket(struct watch_ask *ask, int sock)
{
	ask->args.subject = REIN_SUBJECT_SOCKET;
	ask->args.fd = sock;
	return ask;
}

/* A beat in each @every_ns, but for @miss times in a row. */
static inline struct watch_ask *watch_every(struct watch_ask *ask, uint64_t every_ns, uint32_t miss)
{
	ask->args.rules.every_ns = every_ns;
	ask->args.rules.min = 1;
	ask->args.rules.miss = miss;
	return ask;
}

static inline struct watch_ask *watch_units(struct watch_ask *ask, uint64_t min_ns, uint64_t max_ns)
{
	ask->args.rules.unit_min_ns = min_ns;
	ask->args.rules.unit_max_ns = max_ns;
	return ask;
}

static inline struct watch_ask *watch_step(struct watch_ask *ask, uint32_t kind, uint32_t signal,
					   uint64_t delay_ns)
{
	ask->steps[ask->args.n_steps++] = (struct rein_watch_step){ kind, signal, delay_ns };
	return ask;
}

static inline struct watch_ask *watch_wants(struct watch_ask *ask, uint32_t wants)
{
	ask->args.wants = wants;
	return ask;
}

static inline int watch_make(int dev, struct watch_ask *ask)
{
	int fd = ioctl(dev, REIN_IOC_WATCH, &ask->args), err = errno;

	said = (struct said){ .answer = ask->args.answer, .id = ask->args.id };
	if (ask->args.flags & (REIN_WATCH_SLOT | REIN_WATCH_STAMP))
		said.number = ask->args.slot;
	return fd < 0 ? -err : fd;
}

/* Over the caller, with a beat in each @every_ns (0: no cycles); it goes with its descriptor. */
static inline int watch_new(int dev, uint32_t flags, uint64_t every_ns)
{
	struct watch_ask ask;

	ask_watch(&ask, flags | REIN_WATCH_OWNED);
	return watch_make(dev, every_ns ? watch_every(&ask, every_ns, 0) : &ask);
}

static inline int watch_look_for(int dev, uint32_t flags, uint32_t wants, uint64_t id,
				 const char *name)
{
	struct rein_look_args args;
	size_t len = strlen(name);
	int fd, err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	args.wants = wants;
	args.id = id;
	memcpy(args.name, name, len < sizeof(args.name) ? len + 1 : sizeof(args.name));
	fd = ioctl(dev, REIN_IOC_LOOK, &args);
	err = errno;
	said = (struct said){ .answer = args.answer };
	return fd < 0 ? -err : fd;
}

static inline int watch_look(int dev, uint32_t flags, uint64_t id)
{
	return watch_look_for(dev, flags, 0, id, "");
}

/* The same with the token for the next beat at @next, unless that is NULL. */
static inline int watch_beat_as(int fd, uint32_t kind, uint32_t checkpoint, const char *unit,
				uint64_t deadline_ns, uint64_t token, uint64_t *next)
{
	struct rein_beat_args args;
	size_t len = strlen(unit);
	int err;

	memset(&args, 0xff, sizeof(args));
	args.kind = kind;
	args.checkpoint = checkpoint;
	args.token = token;
	args.deadline_ns = deadline_ns;
	memcpy(args.unit, unit, len < sizeof(args.unit) ? len + 1 : sizeof(args.unit));
	err = ioctl(fd, REIN_IOC_BEAT, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer };
	/* A token of all bits is not to be expected: it was not written. */
	if (next)
		*next = said.id = args.next;
	return -err;
}

static inline int watch_beat(int fd)
{
	return watch_beat_as(fd, REIN_BEAT, 0, "", 0, 0, NULL);
}

static inline int watch_begin(int fd, const char *unit, uint64_t deadline_ns)
{
	return watch_beat_as(fd, REIN_BEAT_BEGIN, 0, unit, deadline_ns, 0, NULL);
}

static inline int watch_finish(int fd, const char *unit)
{
	return watch_beat_as(fd, REIN_BEAT_END, 0, unit, 0, 0, NULL);
}

static inline int watch_checkpoint(int fd, uint32_t at)
{
	return watch_beat_as(fd, REIN_BEAT_CHECKPOINT, at, "", 0, 0, NULL);
}

static inline int watch_arm_as(int fd, uint32_t flags, uint64_t every_ns, uint64_t grace_ns)
{
	struct rein_arm_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	args.reserved = 0;
	args.every_ns = every_ns;
	args.grace_ns = grace_ns;
	err = ioctl(fd, REIN_IOC_ARM, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer };
	return -err;
}

static inline int watch_arm(int fd)
{
	return watch_arm_as(fd, 0, 0, 0);
}

static inline int watch_disarm(int fd)
{
	return watch_arm_as(fd, REIN_ARM_OFF, 0, 0);
}

static inline int watch_test(int fd, uint32_t flags)
{
	struct rein_test_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	args.flags = flags;
	args.reserved = 0;
	err = ioctl(fd, REIN_IOC_TEST, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer };
	return -err;
}

/* Ends the watch itself. */
static inline int watch_end(int fd)
{
	struct rein_unwatch_args args;
	int err;

	memset(&args, 0xff, sizeof(args));
	err = ioctl(fd, REIN_IOC_UNWATCH, &args) ? errno : 0;
	said = (struct said){ .answer = args.answer };
	return -err;
}

/* --- what a descriptor tells ---------------------------------------------------------- */

/* What read() gives, if there is anything to be read; else @state stays as it is. */
static inline bool watch_read(int fd, struct rein_watch_state *state)
{
	struct rein_watch_state now;

	if (!(scope_events(fd, POLLIN, 0) & POLLIN))
		return false;
	memset(&now, 0xff, sizeof(now));
	if (read(fd, &now, sizeof(now)) != sizeof(now))
		return false;
	*state = now;
	return true;
}

/*
 * Reads until there were @n of that count, of enum rein_watch_count; @state is what was read
 * so far of this descriptor, which has to want that. False if it takes too long.
 */
static inline bool watch_wait(int fd, struct rein_watch_state *state, unsigned int count,
			      uint64_t n)
{
	uint64_t end = now_ns() + LONG;

	while (state->count[count] < n) {
		if (!(scope_events(fd, POLLIN, LONG_MS) & POLLIN) || now_ns() > end)
			return false;
		if (!watch_read(fd, state))
			return false;
	}
	return true;
}

/* Waits until it is over. */
static inline bool watch_over(int fd)
{
	return scope_events(fd, 0, LONG_MS) & POLLHUP;
}

/* The page of a watch's slots; NULL: it can't be mapped, see errno. */
static inline char *map_slots(int fd)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

static inline void unmap_slots(char *page)
{
	munmap(page, sysconf(_SC_PAGESIZE));
}

/* What a program does that beats so. */
static inline void slot_beat(struct rein_watch_slot *slot)
{
	__atomic_fetch_add(&slot->beats, 1, __ATOMIC_RELEASE);
}

/* --- what netlink tells ----------------------------------------------------------------- */

/**
 * struct watch_view - a watch, as netlink shows it; 0 or empty where it says nothing
 * @has:	a bit for each attribute that is there
 * @n:		how many were told of
 * @n_steps:	how many steps it has; the last is in @step_kind
 */
struct watch_view {
	uint64_t has;
	uint64_t id;
	uint64_t record;
	uint64_t cgroup_id;
	uint64_t every_ns;
	uint64_t grace_ns;
	uint64_t beats;
	uint64_t begins;
	uint64_t ends;
	uint64_t faults;
	uint64_t expiries;
	uint64_t idle_ns;
	uint64_t left_ns;
	uint64_t unit_ns;
	uint32_t status;
	uint32_t fault;
	uint32_t misses;
	uint32_t subject;
	uint32_t subject_pid;
	uint32_t flags;
	uint32_t miss;
	uint32_t beats_min;
	uint32_t beats_max;
	uint32_t first;
	uint32_t step_kind;
	uint32_t at_step;
	uint32_t pid;
	uint32_t uid;
	uint32_t err;
	uint32_t event;
	unsigned int n;
	unsigned int n_steps;
	char name[REIN_WATCH_NAME_LEN];
	char path[256];
	char unit[REIN_UNIT_LEN];
	char comm[32];
};

static inline void take_watch_steps(const struct nlattr *first, const char *end,
				    struct watch_view *view)
{
	const struct nlattr *attr;

	view->n_steps = 0;
	for (attr = first; (const char *)attr < end; attr = genl_next(attr)) {
		if ((attr->nla_type & NLA_TYPE_MASK) != REIN_A_WATCH_STEP)
			continue;
		view->n_steps++;
		view->step_kind = genl_u32(genl_find(genl_data(attr), genl_next(attr),
						     REIN_A_WATCH_STEP_KIND));
	}
}

static inline void take_watch(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr), *attr;
	struct watch_view *view = arg;
	unsigned int n = view->n;

#define U32(attr) genl_u32(genl_find(first, end, REIN_A_WATCH_##attr))
#define U64(attr) genl_u64(genl_find(first, end, REIN_A_WATCH_##attr))
	*view = (struct watch_view){
		.n = n + 1,
		.id = U64(ID), .record = U64(RECORD), .cgroup_id = U64(CGROUP_ID),
		.every_ns = U64(EVERY_NS), .grace_ns = U64(GRACE_NS), .beats = U64(BEATS),
		.begins = U64(BEGINS), .ends = U64(ENDS), .faults = U64(FAULTS),
		.expiries = U64(EXPIRIES), .idle_ns = U64(IDLE_NS), .left_ns = U64(LEFT_NS),
		.unit_ns = U64(UNIT_NS), .status = U32(STATUS), .fault = U32(FAULT),
		.misses = U32(MISSES), .subject = U32(SUBJECT), .subject_pid = U32(SUBJECT_PID),
		.flags = U32(FLAGS), .miss = U32(MISS), .beats_min = U32(BEATS_MIN),
		.beats_max = U32(BEATS_MAX), .first = U32(FIRST), .at_step = U32(AT_STEP),
		.pid = U32(PID), .uid = U32(UID), .err = U32(ERRNO), .event = U32(EVENT),
	};
#undef U32
#undef U64
	for (attr = first; (const char *)attr < end; attr = genl_next(attr))
		view->has |= 1ULL << (attr->nla_type & 63);
	take_watch_steps(first, end, view);
	copy_text(view->name, sizeof(view->name), genl_find(first, end, REIN_A_WATCH_NAME));
	copy_text(view->path, sizeof(view->path), genl_find(first, end, REIN_A_WATCH_CGROUP_PATH));
	copy_text(view->unit, sizeof(view->unit), genl_find(first, end, REIN_A_WATCH_UNIT));
	copy_text(view->comm, sizeof(view->comm), genl_find(first, end, REIN_A_WATCH_COMM));
}

/* One watch by its id; 0 or a negative errno. */
static inline int read_watch(int fd, uint64_t id, struct watch_view *view)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(view, 0, sizeof(*view));
	genl_begin(&msg, REIN_CMD_WATCH_GET, 0);
	genl_put_u64(&msg, REIN_A_WATCH_ID, id);
	return genl_ask(fd, &msg, &answer, take_watch, view) ?: -answer.err;
}

/* The last of those of that name (NULL: of any), and @view->n says how many. */
static inline int read_watches(int fd, const char *name, struct watch_view *view)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(view, 0, sizeof(*view));
	genl_begin(&msg, REIN_CMD_WATCH_GET, NLM_F_DUMP);
	if (name)
		genl_put_string(&msg, REIN_A_WATCH_NAME, name);
	return genl_ask(fd, &msg, &answer, take_watch, view) ?: -answer.err;
}

static inline bool watch_has(const struct watch_view *view, unsigned int attr)
{
	return view->has >> attr & 1;
}

/* How many watches there are. */
static inline uint64_t count_watches(int fd)
{
	return stat_number(fd, REIN_A_STAT_WATCHES);
}

/* Waits until there are @n, and says how many there are then. */
static inline uint64_t settle_watches(int fd, uint64_t n)
{
	uint64_t end = now_ns() + LONG, seen;

	while ((seen = count_watches(fd)) != n && now_ns() < end)
		usleep(1000);
	return seen;
}

/* --- records ---------------------------------------------------------------------------- */

/**
 * struct watch_record - of a record, what watches add to it, and when it was
 * @wanted:	of which code, 0: any
 * @of:		of which watch, 0: any
 * @boottime_ns: CLOCK_BOOTTIME, as boottime_ns() has it
 */
struct watch_record {
	unsigned int wanted;
	uint64_t of;
	uint64_t id;
	unsigned int code;
	uint64_t boottime_ns;
	uint64_t count;
	uint64_t cause;
	uint64_t watch_id;
	uint32_t err;
	uint32_t pid;
	unsigned int n;
	char watch_name[REIN_WATCH_NAME_LEN];
	char message[512];
};

/* The newest that fits stays. */
static inline void take_watch_record(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *first = genl_first(ghdr);
	unsigned int code = genl_u32(genl_find(first, end, REIN_A_RECORD_CODE));
	uint64_t of = genl_u64(genl_find(first, end, REIN_A_RECORD_WATCH_ID));
	struct watch_record *record = arg;

	if ((record->wanted && record->wanted != code) || (record->of && record->of != of))
		return;
	record->n++;
	record->id = genl_u64(genl_find(first, end, REIN_A_RECORD_ID));
	record->code = code;
	record->watch_id = of;
	record->boottime_ns = genl_u64(genl_find(first, end, REIN_A_RECORD_BOOTTIME_NS));
	record->count = genl_u64(genl_find(first, end, REIN_A_RECORD_COUNT));
	record->cause = genl_u64(genl_find(first, end, REIN_A_RECORD_CAUSE));
	record->err = genl_u32(genl_find(first, end, REIN_A_RECORD_ERRNO));
	record->pid = genl_u32(genl_find(first, end, REIN_A_RECORD_PID));
	copy_text(record->watch_name, sizeof(record->watch_name),
		  genl_find(first, end, REIN_A_RECORD_WATCH_NAME));
	copy_text(record->message, sizeof(record->message),
		  genl_find(first, end, REIN_A_RECORD_MESSAGE));
}

static inline int read_watch_record(int fd, uint64_t id, struct watch_record *record)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(record, 0, sizeof(*record));
	genl_begin(&msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(&msg, REIN_A_RECORD_ID, id);
	return genl_ask(fd, &msg, &answer, take_watch_record, record) ?: -answer.err;
}

/* The newest of that code about that watch; @record->n says how many there are. */
static inline bool find_watch_record(int fd, unsigned int code, uint64_t watch,
				     struct watch_record *record)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	*record = (struct watch_record){ .wanted = code, .of = watch };
	genl_begin(&msg, REIN_CMD_RECORD_GET, NLM_F_DUMP);
	genl_put_u32(&msg, REIN_A_RECORD_CODE, code);
	return !genl_ask(fd, &msg, &answer, take_watch_record, record) && !answer.err &&
	       record->n;
}

/* The same, @n of them, as soon as they are there. */
static inline bool wait_watch_records(int fd, unsigned int code, uint64_t watch, unsigned int n,
				      struct watch_record *record)
{
	uint64_t end = now_ns() + LONG;

	while (!find_watch_record(fd, code, watch, record) || record->n < n) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* --- events ------------------------------------------------------------------------------- */

static inline int listen_to_watches(void)
{
	return listen_to(REIN_MCGRP_WATCHES);
}

/**
 * struct watch_event - what a listener is told
 * @err:	0, or why it is told nothing
 * @cmd:	of the message
 * @test:	it is of a test
 * @watch:	the rest
 */
struct watch_event {
	int err;
	unsigned int cmd;
	bool test;
	struct watch_view watch;
};

/* The next that there is, or comes soon enough; @flags as for recv(). */
static inline void hear_watch(int ear, int flags, struct watch_event *event)
{
	static char buf[1 << 16];
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	const struct genlmsghdr *ghdr = NLMSG_DATA(nlh);
	ssize_t got;

	memset(event, 0, sizeof(*event));
	got = recv(ear, buf, sizeof(buf), flags);
	if (got < 0) {
		event->err = errno;
		return;
	}
	/* There is one in each. */
	if (!NLMSG_OK(nlh, got) || nlh->nlmsg_len != got || nlh->nlmsg_type != genl_family) {
		event->err = EBADMSG;
		return;
	}
	event->cmd = ghdr->cmd;
	take_watch(ghdr, nlh->nlmsg_len - NLMSG_HDRLEN, &event->watch);
	event->test = watch_has(&event->watch, REIN_A_WATCH_TEST);
}

/* --- when -------------------------------------------------------------------------------- */

/* How much later than it is due something may be found, on a machine that stands still never. */
static inline uint64_t slack_ns(void)
{
	return is_debug() ? SECOND : 50 * MS;
}

/**
 * struct gaps - how long the machine stood still, as its own clock says
 * @longest:	in ns, since it was set to 0
 *
 * VMs are emulated on a shared host, whose CPUs stand still at times: what falls due then
 * can't be seen in time. A thread that sleeps for a ms, again and again, says how much later
 * it woke up.
 */
struct gaps {
	pthread_t thread;
	bool stop;
	uint64_t longest;
};

static inline void *gaps_run(void *arg)
{
	struct gaps *gaps = arg;
	uint64_t from, gap;

	while (!__atomic_load_n(&gaps->stop, __ATOMIC_RELAXED)) {
		from = now_ns();
		usleep(1000);
		gap = now_ns() - from - MS;
		if (gap > __atomic_load_n(&gaps->longest, __ATOMIC_RELAXED))
			__atomic_store_n(&gaps->longest, gap, __ATOMIC_RELAXED);
	}
	return NULL;
}

static inline bool gaps_begin(struct gaps *gaps)
{
	*gaps = (struct gaps){ };
	return !pthread_create(&gaps->thread, NULL, gaps_run, gaps);
}

static inline void gaps_end(struct gaps *gaps)
{
	__atomic_store_n(&gaps->stop, true, __ATOMIC_RELAXED);
	pthread_join(gaps->thread, NULL);
}

/* --- what is expected, in tests that have self->fd and say AGAIN how to run them ----------- */

/* At the beginning. */
#define OPENS_WATCHES() do {								\
	OPENS_REIN();									\
	self->watches = count_watches(self->fd);					\
	self->raw = newest(self->fd, RAW);						\
} while (0)

/* At the end: every test closes all that it has opened. */
#define CLOSES_WATCHES() do {								\
	EXPECT_EQ(self->raw, newest(self->fd, RAW)) {					\
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);		\
	}										\
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches)) {		\
		TH_LOG("a watch is left; " AGAIN);					\
	}										\
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {		\
		TH_LOG("a scope is left; " AGAIN);					\
	}										\
	close(self->dev);								\
	close(self->fd);								\
} while (0)

/* Waits for the @n-th of a count of enum rein_watch_count, of what @at may read. */
#define COMES(at, state, count_, n) do {						\
	bool came_ = watch_wait(at, state, count_, n);					\
											\
	ASSERT_TRUE(came_) {								\
		TH_LOG("expected %llu of %s, seen %llu; " AGAIN, (unsigned long long)(n), \
		       #count_, (unsigned long long)(state)->count[count_]);		\
	}										\
} while (0)

/*
 * @at, a time of CLOCK_MONOTONIC, is not before @from, and not later than the slack (and what
 * the machine stood still, of @gaps, unless NULL) after @to.
 */
#define IN_TIME(at, from, to, gaps_) do {						\
	const uint64_t at_ = (at), from_ = (from), to_ = (to);				\
	const uint64_t stood_ = (gaps_) ? ((struct gaps *)(gaps_))->longest : 0;	\
											\
	EXPECT_LE(from_, at_) {								\
		TH_LOG("%llu us too early; " AGAIN, (unsigned long long)(from_ - at_) / 1000); \
	}										\
	EXPECT_GE(to_ + slack_ns() + stood_, at_) {					\
		TH_LOG("%llu us after it was due, the machine stood still for %llu us; " AGAIN, \
		       (unsigned long long)(at_ - to_) / 1000,				\
		       (unsigned long long)stood_ / 1000);				\
	}										\
} while (0)

/*
 * The last fault of a state that was just read: its record is of that code, about that watch,
 * and was in time as above.
 */
#define FOUND(state, fault_, code_, from, to, gaps) do {				\
	const struct rein_watch_state *state_ = (state);				\
	struct watch_record found_;							\
											\
	EXPECT_EQ(fault_, state_->fault);						\
	ASSERT_EQ(0, read_watch_record(self->fd, state_->record, &found_)) {		\
		TH_LOG("there is no record of it; " AGAIN);				\
	}										\
	EXPECT_EQ(code_, (int)found_.code) {						\
		TH_LOG("its record: %s; " AGAIN, found_.message);			\
	}										\
	EXPECT_EQ(state_->id, found_.watch_id);						\
	IN_TIME(found_.boottime_ns - boottime_ahead(), from, to, gaps);			\
} while (0)

/*
 * @beat, a statement, for six cycles, on which it lives, and once more; then it is found silent,
 * when it is looked at next. Nothing is said of when if this machine stood still for too long.
 */
#define FALLS_SILENT(at, state, cycle_, beat, gaps) do {				\
	const uint64_t step_ = (cycle_) / 20, end_ = now_ns() + 6 * (cycle_);		\
	uint64_t before_ = now_ns(), after_, longest_ = 0;				\
											\
	while (now_ns() < end_) {							\
		after_ = now_ns();							\
		if (after_ - before_ > longest_)					\
			longest_ = after_ - before_;					\
		before_ = after_;							\
		beat;									\
		usleep(2000);								\
	}										\
	before_ = now_ns();								\
	beat;										\
	after_ = now_ns();								\
	COMES(at, state, REIN_COUNT_EXPIRE, 1);						\
	if (longest_ < (cycle_) - step_) {						\
		EXPECT_EQ(1, (state)->count[REIN_COUNT_MISS]);				\
		FOUND(state, REIN_FAULT_SILENT, WATCH_SILENT, before_ + (cycle_),	\
		      after_ + (cycle_) + step_, gaps);					\
	} else {									\
		TH_LOG("this machine stood still for %llu us",				\
		       (unsigned long long)longest_ / 1000);				\
	}										\
} while (0)

/* CLOCK_BOOTTIME is so much ahead of CLOCK_MONOTONIC: nothing, unless the machine slept. */
static inline uint64_t boottime_ahead(void)
{
	uint64_t boot = boottime_ns(), after = now_ns();

	return boot <= after ? 0 : boot - after;
}

#endif /* REIN_SELFTESTS_WATCH_H */
