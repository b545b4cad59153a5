// SPDX-License-Identifier: GPL-2.0
/*
 * Asks what neither rein nor librein would ask, or lets memory be missing, to be told off:
 *
 *	tool-wrong WHAT DIRECTORY NAME
 *
 * DIRECTORY is a cgroup, NAME a limit. See the table at the end for WHAT there is. Of those
 * that go by /dev/rein NAME is a limit on calls that binds this process.
 *
 * Says, as rein does, which record there is of it, where the kernel tells:
 *
 *	record: ID (rein errors show ID)
 *
 * Exits with 0 if it was refused, 1 if it wasn't, 4 if this kernel can't do WHAT.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fault.h"

/* More than anything here has to fail, and than anything takes. */
#define FAULTS		1000
#define LONG_MS		60000

static const char *directory, *name;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-wrong: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int refused(uint64_t record)
{
	if (record)
		printf("record: %llu (rein errors show %llu)\n", (unsigned long long)record,
		       (unsigned long long)record);
	return 0;
}

/* --- requests ------------------------------------------------------------------ */

static int connect_to_rein(void)
{
	int fd = genl_socket();

	if (fd < 0 || genl_resolve(fd))
		die("netlink");
	return fd;
}

static int open_directory(void)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(directory);
	return fd;
}

static int ask(struct genl_msg *msg)
{
	struct genl_answer answer;
	int fd = connect_to_rein();

	/* The family is known only now. */
	msg->nlh.nlmsg_type = genl_family;
	if (genl_ask(fd, msg, &answer, NULL, NULL))
		die("no answer");
	close(fd);
	return answer.err ? refused(answer.record) : 1;
}

static struct genl_msg msg;

static void put_tier(void)
{
	genl_put_tier(&msg, REIN_UNIT_CALLS, 1, SECOND, 1);
}

static void put_call(const char *limit, int dir)
{
	begin(&msg, REIN_CMD_LIMIT_ADD, limit, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
}

static int do_nameless(void)
{
	put_call(NULL, open_directory());
	put_tier();
	return ask(&msg);
}

static int do_targetless(void)
{
	put_call(name, -1);
	put_tier();
	return ask(&msg);
}

static int do_tierless(void)
{
	put_call(name, open_directory());
	return ask(&msg);
}

static int do_rateless(void)
{
	put_call(name, open_directory());
	genl_put_tier(&msg, REIN_UNIT_CALLS, UINT64_MAX, UINT64_MAX, 1);
	return ask(&msg);
}

static int do_unknown(void)
{
	put_call(name, open_directory());
	put_tier();
	genl_put_u32(&msg, REIN_A_LIMIT_MAX + 1, 0);
	return ask(&msg);
}

/* The directory is removed between its being opened and the request. */
static int do_removed(void)
{
	int dir = open_directory();

	if (rmdir(directory))
		die(directory);
	put_call(name, dir);
	put_tier();
	return ask(&msg);
}

/* --- /dev/rein ------------------------------------------------------------------ */

static struct take take;

static int open_device(void)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);

	if (dev < 0)
		die(REIN_DEV_PATH);
	return dev;
}

static int take_it(void)
{
	return take_now(open_device(), &take) ? refused(take.args.record) : 1;
}

static int do_flags(void)
{
	ask_for(&take, name, 1, REIN_TAKE_TRY | REIN_TAKE_TIMEOUT, 0);
	return take_it();
}

static int do_twice(void)
{
	ask_more(ask_for(&take, name, 1, 0, 0), name, 1);
	return take_it();
}

static int do_names(void)
{
	ask_for(&take, name, 1, 0, 0);
	take.args.wants = 1;
	return take_it();
}

static int do_arguments(void)
{
	return ioctl(open_device(), REIN_IOC_TAKE, NULL) ? refused(0) : 1;
}

static int do_newer(void)
{
	struct {
		struct rein_take_args args;
		uint64_t more;
	} newer = { .args = ask_for(&take, name, 1, 0, 0)->args, .more = 1 };

	return ioctl(open_device(), _IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC,
					 _IOC_NR(REIN_IOC_TAKE), sizeof(newer)), &newer) ?
	       refused(0) : 1;
}

static int reserve_it(uint64_t claim_ns)
{
	int fd;

	ask_for(&take, name, 1, 0, 0);
	take.args.claim_ns = claim_ns;
	fd = reserve(open_device(), &take);
	if (fd < 0) {
		errno = -fd;
		die("no reservation");
	}
	return fd;
}

static int do_late(void)
{
	struct pollfd fd = { reserve_it(REIN_CLAIM_MIN_NS), POLLIN, 0 };

	/* Granted at once; POLLERR tells that its time is over. */
	while (poll(&fd, 1, LONG_MS) == 1 && !(fd.revents & POLLERR))
		usleep(1000);
	return claim(fd.fd, &take) ? refused(take.args.record) : 1;
}

static int do_again(void)
{
	int fd = reserve_it(0);

	if (claim(fd, &take))
		die("not claimed");
	return claim(fd, &take) ? refused(take.args.record) : 1;
}

static void limit_files(rlim_t n)
{
	struct rlimit limit = { n, n };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

static int reserve_all(void)
{
	int dev = open_device(), i, fd;

	for (i = 0; i <= REIN_RESERVATIONS_MAX; i++) {
		fd = reserve(dev, ask_for(&take, name, 1, 0, 0));
		if (fd < 0)
			return refused(take.args.record);
	}
	return 1;
}

static int do_many(void)
{
	limit_files(REIN_RESERVATIONS_MAX + 64);
	return reserve_all();
}

static int do_files(void)
{
	limit_files(8);
	return reserve_all();
}

/* --- no memory ------------------------------------------------------------------ */

static bool lacks(int err)
{
	return err == ENOMEM && take.args.code == NO_MEMORY;
}

/* The kernel's checkers allocate now and then, and fail in our place: try again. */
static int do_memory(void)
{
	int dev = open_device(), err;
	unsigned int i;

	if (!prepare())
		return 4;
	for (i = 0; i < FAULTS; i++) {
		ask_for(&take, name, 1, REIN_TAKE_TRY, 0);
		fail_nth(1 + i % 16);
		err = take_now(dev, &take);
		fail_nth(0);
		if (lacks(err))
			return refused(take.args.record);
	}
	return 1;
}

/* From a cgroup where packets wait already. */
static int do_room(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), netlink = connect_to_rein();
	uint64_t before = newest(netlink, NO_ROOM_MEMORY), now;
	unsigned int i;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!prepare())
		return 4;
	for (i = 0; i < FAULTS; i++) {
		fail_nth(1 + i % 64);
		sendto(fd, "x", 1, MSG_DONTWAIT, (void *)&to, sizeof(to));
		fail_nth(0);
		now = newest(netlink, NO_ROOM_MEMORY);
		if (now != before)
			return refused(now);
	}
	return 1;
}

static const struct {
	const char *what;
	int (*act)(void);
} acts[] = {
	{ "nameless", do_nameless },	/* a limit without a name */
	{ "targetless", do_targetless },
	{ "tierless", do_tierless },
	{ "rateless", do_rateless },	/* a tier without a rate */
	{ "unknown", do_unknown },	/* an attribute that nobody knows */
	{ "removed", do_removed },	/* DIRECTORY is removed just before */
	{ "flags", do_flags },		/* that exclude each other */
	{ "twice", do_twice },		/* NAME is there twice */
	{ "names", do_names },		/* names at a bad address */
	{ "arguments", do_arguments },	/* all at a bad address */
	{ "newer", do_newer },		/* arguments that are longer, and not 0 there */
	{ "late", do_late },		/* a claim after its time */
	{ "again", do_again },		/* a second claim */
	{ "many", do_many },		/* reservations */
	{ "files", do_files },		/* that are open */
	{ "memory", do_memory },	/* none for a take */
	{ "room", do_room },		/* no memory to let a packet wait */
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 4 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(acts[i].what, argv[1]))
			continue;
		directory = argv[2];
		name = argv[3];
		return acts[i].act();
	}
	fprintf(stderr, "tool-wrong: see the top of tool-wrong.c\n");
	return 2;
}
