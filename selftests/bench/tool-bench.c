// SPDX-License-Identifier: GPL-2.0
/*
 * Do the same thing many times and say how long one of them takes, as JSON in
 * one line.
 *
 *	tool-bench [OPTION]... send ADDRESS PORT	send a datagram
 *	tool-bench [OPTION]... take NAME...		take a token of each
 *	tool-bench ioctl				an ioctl that /dev/rein
 *							does not know
 *	tool-bench beat WAY				beat: by ioctl, write, counter,
 *							time; or as sd_notify does
 *	tool-bench write FILE				write a byte
 *
 *	-b BATCHES	how many batches (default 200)
 *	-n COUNT	how many in each (default 100)
 *	-s SIZE		send: bytes in each (default 100)
 *	-c DIRECTORY	send: from as many sockets as this cgroup has children,
 *			in turn, each made in one of them
 *	-t		take: don't wait (REIN_TAKE_TRY)
 *
 * One tenth as many are done first, to warm up. A batch is shorter than a tick
 * of the clock, so that the median is that of batches without one.
 *
 * done, failed: how many did and didn't succeed; errno: of the last that didn't;
 * min, median, max: over the batches, of the time for one, in ns
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <linux/rein_dev.h>

static long batches = 200, count = 100, size = 100;
static const char *children;
static char buf[65536];
static struct rein_take_want wants[REIN_TAKE_NAMES_MAX];
static struct rein_take_args take = { .wants = (uintptr_t)wants };
static int *fds, n_fds, next_fd;
static struct rein_watch_slot *slot;
static long done, failed;
static int last_errno;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* --- what is done --------------------------------------------------------------- */

static int do_send(void)
{
	int fd = fds[next_fd];

	next_fd = next_fd + 1 < n_fds ? next_fd + 1 : 0;
	return sendto(fd, buf, size, 0, NULL, 0);
}

static int do_take(void)
{
	return ioctl(fds[0], REIN_IOC_TAKE, &take);
}

static int do_ioctl(void)
{
	if (ioctl(fds[0], _IO(REIN_IOC_MAGIC, 255)) == -1 && errno == ENOTTY)
		return 0;
	return -1;
}

static int do_beat(void)
{
	struct rein_beat_args args = { .kind = REIN_BEAT };

	return ioctl(fds[0], REIN_IOC_BEAT, &args);
}

static int do_write(void)
{
	return write(fds[0], "x", 1);
}

static int do_counter(void)
{
	__atomic_store_n(&slot->beats, slot->beats + 1, __ATOMIC_RELAXED);
	return 0;
}

static int do_time(void)
{
	__atomic_store_n(&slot->stamp_ns, now(), __ATOMIC_RELAXED);
	return 0;
}

/* A socket for each, as in libsystemd; and whoever it is sent to reads it. */
static int do_notify(void)
{
	static const struct sockaddr_un to = { AF_UNIX, "\0tool-bench" };
	const socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof("\0tool-bench") - 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	ret = sendto(fd, "WATCHDOG=1", 10, MSG_NOSIGNAL, (void *)&to, len);
	close(fd);
	return ret < 0 ? ret : recv(fds[0], buf, sizeof(buf), 0);
}

/* --- what it is done with -------------------------------------------------------- */

static void add_fd(int fd)
{
	if (fd < 0)
		die("open");
	fds = realloc(fds, (n_fds + 1) * sizeof(*fds));
	if (!fds)
		die("realloc");
	fds[n_fds++] = fd;
}

static void add_socket(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die(address);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	add_fd(fd);
}

/* A socket belongs to the cgroup in which it was made. */
static void enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static void add_children(const char *address, int port)
{
	struct rlimit files;
	struct dirent *entry;
	char path[4096];
	DIR *dir = opendir(children);

	if (!dir)
		die(children);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", children, entry->d_name);
		enter(path);
		add_socket(address, port);
	}
	closedir(dir);
	enter(children);
}

/* One over itself that nobody could be late for. */
static void add_watch(uint32_t flags)
{
	struct rein_watch_args args = {
		.flags = REIN_WATCH_OWNED | REIN_WATCH_ARM | flags,
		.subject = REIN_SUBJECT_PROCESS, .fd = REIN_NO_FD, .kill_fd = REIN_NO_FD,
		.scope_fd = REIN_NO_FD, .rules = { .every_ns = 3600000000000, .min = 1 },
	};
	char *page;

	add_fd(ioctl(open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC), REIN_IOC_WATCH, &args));
	if (!flags)
		return;
	page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (page == MAP_FAILED)
		die("mmap");
	slot = (void *)(page + args.slot);
}

static void add_notified(void)
{
	static const struct sockaddr_un own = { AF_UNIX, "\0tool-bench" };
	const socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof("\0tool-bench") - 1;

	add_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (bind(fds[0], (void *)&own, len))
		die("bind");
}

static const struct {
	const char *name;
	uint32_t flags;
	int (*one)(void);
} ways[] = {
	{ "ioctl", 0, do_beat },
	{ "write", 0, do_write },
	{ "counter", REIN_WATCH_SLOT, do_counter },
	{ "time", REIN_WATCH_STAMP, do_time },
};

static void add_want(const char *name)
{
	struct rein_take_want *want = &wants[take.n_wants];

	if (take.n_wants++ == REIN_TAKE_NAMES_MAX) {
		errno = E2BIG;
		die(name);
	}
	strncpy(want->name, name, sizeof(want->name) - 1);
	want->tokens = 1;
}

/* --- how long it takes ------------------------------------------------------------ */

static double batch(int (*one)(void))
{
	int64_t start = now();
	long i;

	for (i = 0; i < count; i++) {
		if (one() >= 0) {
			done++;
			continue;
		}
		failed++;
		last_errno = errno;
	}
	return (double)(now() - start) / count;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(int (*one)(void))
{
	double *took = calloc(batches, sizeof(*took));
	long i;

	if (!took)
		die("calloc");
	for (i = 0; i < batches / 10; i++)
		batch(one);
	done = 0;
	failed = 0;
	for (i = 0; i < batches; i++)
		took[i] = batch(one);
	qsort(took, batches, sizeof(*took), by_value);
	printf("{\"done\": %ld, \"failed\": %ld, \"errno\": \"%s\", ", done, failed,
	       failed ? strerrorname_np(last_errno) : "");
	printf("\"min\": %.1f, \"median\": %.1f, \"max\": %.1f}\n", took[0],
	       took[batches / 2], took[batches - 1]);
}

static void measure_beats(const char *way)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(way, ways[i].name)) {
			add_watch(ways[i].flags);
			measure(ways[i].one);
			return;
		}
	add_notified();
	measure(do_notify);
}

int main(int argc, char **argv)
{
	const char *what;
	int opt, left;

	while ((opt = getopt(argc, argv, "+b:n:s:c:t")) != -1) {
		switch (opt) {
		case 'b':
			batches = atol(optarg);
			break;
		case 'n':
			count = atol(optarg);
			break;
		case 's':
			size = atol(optarg);
			break;
		case 'c':
			children = optarg;
			break;
		case 't':
			take.flags = REIN_TAKE_TRY;
			break;
		default:
			return 2;
		}
	}
	left = argc - optind - 1;
	what = left < 0 ? "" : argv[optind++];
	if (batches < 1 || count < 1 || size < 0 || size > (long)sizeof(buf))
		what = "";
	if (!strcmp(what, "send") && left == 2) {
		if (children)
			add_children(argv[optind], atoi(argv[optind + 1]));
		else
			add_socket(argv[optind], atoi(argv[optind + 1]));
		measure(do_send);
	} else if (!strcmp(what, "take") && left > 0) {
		add_fd(open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC));
		for (; argv[optind]; optind++)
			add_want(argv[optind]);
		measure(do_take);
	} else if (!strcmp(what, "ioctl") && !left) {
		add_fd(open(REIN_DEV_PATH, O_RDWR | O_CLOEXEC));
		measure(do_ioctl);
	} else if (!strcmp(what, "beat") && left == 1) {
		measure_beats(argv[optind]);
	} else if (!strcmp(what, "write") && left == 1) {
		add_fd(open(argv[optind], O_WRONLY | O_CLOEXEC));
		measure(do_write);
		/* To a watchdog: it is let go of on purpose. */
		if (write(fds[0], "V", 1) != 1)
			die(argv[optind]);
	} else {
		fputs("tool-bench: see the top of its source\n", stderr);
		return 2;
	}
	return 0;
}
