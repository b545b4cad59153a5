// SPDX-License-Identifier: GPL-2.0
#include "notify.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel passes no more with one message (SCM_MAX_FD). */
#define FDS_MAX		253

/* --- parsed --------------------------------------------------------------------------- */

/* Digits and nothing else. */
static bool take_number(const char *text, uint64_t most, uint64_t *number)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > most)
		return false;
	*number = value;
	return true;
}

static uint32_t read_watchdog(const char *value, struct notice *notice)
{
	(void)notice;
	if (!strcmp(value, "1"))
		return NOTICE_BEAT;
	return strcmp(value, "trigger") ? 0 : NOTICE_TRIGGER;
}

/* They are taken times 1000. */
static uint32_t read_every(const char *value, struct notice *notice)
{
	return take_number(value, UINT64_MAX / 1000, &notice->every_us) ? NOTICE_EVERY : 0;
}

static uint32_t read_extend(const char *value, struct notice *notice)
{
	return take_number(value, UINT64_MAX / 1000, &notice->extend_us) ? NOTICE_EXTEND : 0;
}

static uint32_t read_status(const char *value, struct notice *notice)
{
	snprintf(notice->status, sizeof(notice->status), "%s", value);
	return NOTICE_STATUS;
}

static uint32_t read_main(const char *value, struct notice *notice)
{
	uint64_t pid;

	if (!take_number(value, INT_MAX, &pid) || !pid)
		return 0;
	notice->main = pid;
	return NOTICE_MAIN;
}

static uint32_t read_ready(const char *value, struct notice *notice)
{
	(void)notice;
	return strcmp(value, "1") ? 0 : NOTICE_READY;
}

static uint32_t read_stopping(const char *value, struct notice *notice)
{
	(void)notice;
	return strcmp(value, "1") ? 0 : NOTICE_STOPPING;
}

static uint32_t read_barrier(const char *value, struct notice *notice)
{
	(void)notice;
	return strcmp(value, "1") ? 0 : NOTICE_BARRIER;
}

static void parse_line(char *line, struct notice *notice)
{
	static const struct {
		const char *name;
		uint32_t (*read)(const char *value, struct notice *notice);
	} lines[] = {
		{ "READY", read_ready },
		{ "WATCHDOG", read_watchdog },
		{ "WATCHDOG_USEC", read_every },
		{ "EXTEND_TIMEOUT_USEC", read_extend },
		{ "STOPPING", read_stopping },
		{ "STATUS", read_status },
		{ "MAINPID", read_main },
		{ "BARRIER", read_barrier },
	};
	char *value = strchr(line, '=');
	size_t i;

	if (!value)
		return;
	*value++ = '\0';
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strcmp(line, lines[i].name))
			notice->says |= lines[i].read(value, notice);
}

/**
 * notify_parse() - what a message says
 * @text:	it, with room for one byte behind it; written to
 * @len:	how long it is
 * @notice:	where it goes
 *
 * Lines NAME=VALUE. What isn't understood is ignored; with a NUL in it, all of it is.
 */
void notify_parse(char *text, size_t len, struct notice *notice)
{
	char *line, *rest = text;

	memset(notice, 0, sizeof(*notice));
	text[len] = '\0';
	/* One at the end is no harm. */
	if (len && !text[len - 1])
		len--;
	if (strlen(text) != len)
		return;
	while ((line = strsep(&rest, "\n")))
		parse_line(line, notice);
}

/* --- the socket -------------------------------------------------------------------------- */

/* In TMPDIR, unless that is too long for the address of a socket. */
static int make_directory(struct notify *notify)
{
	static const char name[] = "rein-XXXXXX", file[] = "notify";
	const char *in = getenv("TMPDIR");
	size_t room = sizeof(notify->directory) - sizeof(name) - sizeof(file);

	if (!in || *in != '/' || strlen(in) > room)
		in = "/tmp";
	snprintf(notify->directory, sizeof(notify->directory), "%.*s/%s", (int)room, in, name);
	if (!mkdtemp(notify->directory)) {
		notify->directory[0] = '\0';
		return -errno;
	}
	notify->address.sun_family = AF_UNIX;
	snprintf(notify->address.sun_path, sizeof(notify->address.sun_path), "%.*s/%s",
		 (int)(sizeof(notify->directory) - sizeof(file) - 1), notify->directory, file);
	return 0;
}

/*
 * A command may give up its privileges and still has to reach it. That others can, too, is no
 * harm: who they are is told with each message.
 */
static int make_socket(struct notify *notify)
{
	const struct sockaddr *address = (const struct sockaddr *)&notify->address;
	int on = 1;

	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0 ||
	    setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(notify->fd, address, sizeof(notify->address)) ||
	    chmod(notify->address.sun_path, 0666) || chmod(notify->directory, 0711))
		return -errno;
	return 0;
}

/**
 * notify_open() - have a socket for such messages
 * @notify:	where it goes; notify_close() gives it back, also if this fails
 *
 * Return: 0 or a negative errno.
 */
int notify_open(struct notify *notify)
{
	int ret;

	*notify = NOTIFY_NONE;
	ret = make_directory(notify);
	return ret ? ret : make_socket(notify);
}

/* Who has sent it; what came along is closed. 0: not to be seen from here. */
static pid_t take_control(struct msghdr *msg)
{
	struct cmsghdr *part;
	struct ucred sender = { 0 };
	int fds[FDS_MAX];
	size_t n, i;

	for (part = CMSG_FIRSTHDR(msg); part; part = CMSG_NXTHDR(msg, part)) {
		size_t len = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_CREDENTIALS && len == sizeof(sender))
			memcpy(&sender, CMSG_DATA(part), len);
		if (part->cmsg_type != SCM_RIGHTS || len > sizeof(fds))
			continue;
		n = len / sizeof(fds[0]);
		memcpy(fds, CMSG_DATA(part), len);
		for (i = 0; i < n; i++)
			close(fds[i]);
	}
	return sender.pid;
}

/**
 * notify_take() - the next message
 * @notify:	from where
 * @notice:	where what it says goes
 * @pid:	where goes who has sent it; 0: nobody that could be seen from here
 *
 * One that is too long says nothing.
 *
 * Return: 1; 0 if there is none; a negative errno.
 */
int notify_take(const struct notify *notify, struct notice *notice, pid_t *pid)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	char text[NOTIFY_MAX + 1];
	struct iovec iov = { text, NOTIFY_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t len;

	len = recvmsg(notify->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*pid = take_control(&msg);
	notify_parse(text, msg.msg_flags & MSG_TRUNC ? 0 : len, notice);
	return 1;
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	if (*notify->address.sun_path)
		unlink(notify->address.sun_path);
	if (*notify->directory)
		rmdir(notify->directory);
	*notify = NOTIFY_NONE;
}
