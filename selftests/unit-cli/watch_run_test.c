// SPDX-License-Identifier: GPL-2.0
/*
 * rein watch run, against an ioctl() that notes what it is asked, and directories like any
 * other in place of cgroups. The command is this program, which says what it is told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "cell.h"
#include "cli.h"
#include "run.h"
#include "watch.h"

#define SEC	1000000000ULL

/**
 * struct kernel - what stands in for it
 * @watch:	where the watch is told by
 * @pid:	of the command
 * @elsewhere:	it is in no cgroup of rein's
 * @stopped:	nobody is killed by cgroup.kill
 * @refuse:	request that fails
 * @log:	what was asked, in words
 */
static struct kernel {
	int watch;
	pid_t pid;
	bool elsewhere;
	bool stopped;
	unsigned long refuse;
	char log[1024];
} *kernel;

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	size_t len = strlen(kernel->log);
	va_list ap;

	va_start(ap, format);
	vsnprintf(kernel->log + len, sizeof(kernel->log) - len, format, ap);
	va_end(ap);
}

int __wrap_open(const char *path, int flags, ...)
{
	return openat(AT_FDCWD, strcmp(path, REIN_DEV_PATH) ? path : "/dev/zero", flags, 0600);
}

/* It has expired, and its first step is to kill. */
static void expire(void)
{
	const struct rein_watch_state state = {
		.status = REIN_WATCH_EXPIRED, .fault = REIN_FAULT_TEST, .record = 12,
		.count = { [REIN_COUNT_EXPIRE] = 1, [REIN_COUNT_STEP] = 1 },
	};

	if (write(kernel->watch, &state, sizeof(state)) != sizeof(state))
		abort();
	kill(kernel->pid, SIGKILL);
}

static int a_descriptor(int *other)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		abort();
	*other = ends[1];
	return ends[0];
}

static int answer(unsigned long request, void *arg)
{
	const struct rein_watch_args *watch = arg;
	const struct rein_arm_args *arm = arg;
	int other;

	if (request == kernel->refuse) {
		errno = EPERM;
		return -1;
	}
	switch (request) {
	case REIN_IOC_SCOPE:
		return a_descriptor(&other);
	case REIN_IOC_WATCH:
		note("watch %x %u ", watch->flags, watch->n_steps);
		return a_descriptor(&kernel->watch);
	case REIN_IOC_ARM:
		note("arm %u %llu %llu ", arm->flags, arm->every_ns / 1000000,
		     arm->grace_ns / 1000000);
		return 0;
	case REIN_IOC_BEAT:
		note("beat ");
		return 0;
	case REIN_IOC_TEST:
		note("test ");
		expire();
		return 0;
	default:
		return 0;
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	(void)fd;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return answer(request, arg);
}

int __wrap_cell_make(struct cli *cli, const char *name, unsigned int number, struct cell *cell)
{
	(void)cli;
	(void)number;
	*cell = CELL_NONE;
	snprintf(cell->name, sizeof(cell->name), "rein-%s", name);
	return 0;
}

int __wrap_cell_start(struct cli *cli, const struct cell *cell, const struct launch *launch,
		      struct process *process)
{
	char pid[16];

	(void)cli;
	(void)cell;
	process->pid = fork();
	if (!process->pid) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		if (launch->pid_name)
			setenv(launch->pid_name, pid, 1);
		sigprocmask(SIG_SETMASK, launch->mask, NULL);
		execvp(launch->command[0], launch->command);
		_exit(127);
	}
	kernel->pid = process->pid;
	process->fd = syscall(SYS_pidfd_open, process->pid, 0);
	return 0;
}

bool __wrap_cell_populated(const struct cell *cell)
{
	(void)cell;
	return false;
}

bool __wrap_cell_has(const struct cell *cell, pid_t pid)
{
	return *cell->name && pid == kernel->pid && !kernel->elsewhere;
}

void __wrap_cell_kill(const struct cell *cell)
{
	(void)cell;
	/* What has ended is killed once more, in case that it has left something. */
	if (!kill(kernel->pid, 0)) {
		note("kill ");
		kill(kernel->pid, SIGKILL);
	}
}

void __wrap_cell_signal(const struct cell *cell, int sig)
{
	(void)cell;
	note("signal %d ", sig);
	kill(kernel->pid, sig);
}

void __wrap_cell_remove(struct cli *cli, struct cell *cell)
{
	(void)cli;
	(void)cell;
	note("gone ");
}

/* --- the command ------------------------------------------------------------------------ */

static int send_text(const char *text, int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = { .head = { CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov,
			      .msg_iovlen = 1 };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", getenv("NOTIFY_SOCKET"));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(from, &msg, 0) < 0;
}

/* As sd_notify_barrier(): rein has closed it when it has heeded all that came before. */
static int barrier(void)
{
	struct pollfd fd;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) || send_text("BARRIER=1", ends[1]))
		return 1;
	close(ends[1]);
	fd = (struct pollfd){ .fd = ends[0] };
	return poll(&fd, 1, 10000) != 1;
}

/* Fails until there are so many bytes. */
static int try(const char *path, int n)
{
	int fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND, 0600);

	return write(fd, "x", 1) != 1 || lseek(fd, 0, SEEK_END) < n;
}

static int show(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");

	printf("%s %s\n", usec ? usec : "-", !pid ? "-" : atoi(pid) == getpid() ? "own" : "other");
	return fflush(stdout);
}

/* Until rein has passed the signal on. */
static int winch(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	return sigwait(&set, &sig);
}

static void block_winch(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* One word after the other. */
static int command(char **words)
{
	int ret = 0;

	block_winch();
	for (; *words && !ret; words++) {
		if (strchr(*words, '='))
			ret = send_text(*words, -1);
		else if (!strcmp(*words, "barrier"))
			ret = barrier();
		else if (!strcmp(*words, "env"))
			ret = show();
		else if (!strcmp(*words, "stop"))
			kill(getppid(), SIGTERM);
		else if (!strcmp(*words, "winch"))
			ret = winch();
		else if (!strcmp(*words, "pause"))
			pause();
		else if (!strcmp(*words, "die"))
			raise(SIGKILL);
		else if (**words == '/')
			ret = try(*words, 3);
		else
			return atoi(*words);
	}
	return ret;
}

/* --- tests ---------------------------------------------------------------------------------- */

static struct ran *run_command(const char *options, const char *words)
{
	char line[1024];

	memset(kernel->log, 0, sizeof(kernel->log));
	snprintf(line, sizeof(line), "watch run web %s -- /proc/self/exe --command %s", options,
		 words);
	return run(line);
}

/* The status is the command's. */
static void statuses(void)
{
	memset(kernel, 0, sizeof(*kernel));
	CHECK_EQ(run_command("--every 1s", "0")->status, 0);
	CHECK_STR(kernel->log, "watch 1 1 arm 0 0 0 gone ");
	CHECK_EQ(run_command("--every 1s --on-miss signal:TERM,kill:1s", "7")->status, 7);
	CHECK_STR(kernel->log, "watch 1 2 arm 0 0 0 gone ");
	CHECK_EQ(run_command("--every 1s", "die")->status, 137);
	CHECK_STR(kernel->log, "watch 1 1 arm 0 0 0 gone ");
	CHECK_STR(run_command("-v --every 1s", "3")->out, "");
	CHECK_EQ(!strncmp(run_command("-v --every 1s", "3")->err,
			  "ended: watch web, status 3, after ", 34), 1);
	kernel->refuse = REIN_IOC_ARM;
	CHECK_EQ(run_command("--every 1s", "pause")->status, 125);
	CHECK_STR(kernel->log, "watch 1 1 kill gone ");
	kernel->refuse = REIN_IOC_BIND;
	CHECK_EQ(run_command("--every 1s", "0")->status, 125);
	kernel->refuse = REIN_IOC_WATCH;
	CHECK_EQ(run_command("--every 1s", "0")->status, 125);
}

static void environment(void)
{
	memset(kernel, 0, sizeof(*kernel));
	setenv("WATCHDOG_USEC", "1", 1);
	setenv("WATCHDOG_PID", "1", 1);
	CHECK_STR(run_command("--every 50ms --miss 2", "env")->out, "150000 own\n");
	CHECK_STR(run_command("--unit-max 1s", "env")->out, "- -\n");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

#define BEGUN	"watch 1 1 arm 0 0 0 "

static void said(void)
{
	static const struct {
		const char *words, *log;
	} rows[] = {
		{ "READY=1 WATCHDOG=1", "arm 4 0 1000 beat " },
		{ "WATCHDOG=1 STOPPING=1 WATCHDOG=1", "beat arm 1 0 0 beat " },
		{ "WATCHDOG_USEC=3000000 READY=1", "arm 6 1000 1000 arm 4 0 1000 " },
		{ "WATCHDOG_USEC=600000 READY=1", "arm 6 200 200 arm 4 0 200 " },
		{ "WATCHDOG_USEC=0", "arm 1 0 0 " },
		{ "WATCHDOG_USEC=1", "arm 6 1 1 " },
		{ "EXTEND_TIMEOUT_USEC=5000000", "arm 4 0 5000 " },
		{ "EXTEND_TIMEOUT_USEC=0", "arm 4 0 1 " },
		{ "STOPPING=1", "arm 1 0 0 " },
		{ "STATUS=up MAINPID=1 FDSTORE=1 X=Y", "" },
	};
	char words[256], log[256];
	size_t i;

	memset(kernel, 0, sizeof(*kernel));
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(words, sizeof(words), "%s barrier 5", rows[i].words);
		snprintf(log, sizeof(log), BEGUN "%sgone ", rows[i].log);
		CHECK_EQ(run_command("--every 1s --miss 2", words)->status, 5);
		CHECK_STR(kernel->log, log);
	}
	/* Without a cycle there is none to be set. */
	CHECK_EQ(run_command("--unit-max 1s", "READY=1 WATCHDOG_USEC=5 WATCHDOG=1 barrier")->status,
		 0);
	CHECK_STR(kernel->log, BEGUN "beat gone ");
	CHECK_EQ(strncmp(run_command("-v --every 1s", "STATUS=a\x1b barrier die")->err,
			 "note: web: a\\x1b\nended: ", 23), 0);
	/* A barrier is for whoever sends it, but what others say is nothing. */
	kernel->elsewhere = true;
	CHECK_EQ(run_command("--every 1s", "READY=1 WATCHDOG=trigger barrier 4")->status, 4);
	CHECK_STR(kernel->log, BEGUN "gone ");
}

static void expired(void)
{
	struct ran *ran;

	memset(kernel, 0, sizeof(*kernel));
	ran = run_command("--every 1s", "WATCHDOG=trigger pause");
	CHECK_EQ(ran->status, 124);
	CHECK_STR(kernel->log, BEGUN "test gone ");
	CHECK_STR(ran->err,
		  "error: the command was ended: its watch has expired: none, it was a test\n"
		  "hint: a record of what it does before it expires: --pretimeout TIME\n"
		  "record: 12 (rein errors show 12)\n");
	ran = run_command("--every 1s --pretimeout 100ms", "WATCHDOG=trigger pause");
	CHECK_EQ(!!strstr(ran->err, "hint: see what it did: rein errors list --code REIN-E0707\n"),
		 1);
	/* Who was killed by others while it had only to be told of. */
	CHECK_EQ(run_command("--every 1s --on-miss record", "WATCHDOG=trigger pause")->status, 137);
}

static void restarted(void)
{
	char path[] = "/tmp/rein-run-XXXXXX";
	struct ran *ran;
	int fd = mkstemp(path);

	memset(kernel, 0, sizeof(*kernel));
	ran = run_command("--every 1s --restart --backoff 100ms,5s", path);
	CHECK_EQ(ran->status, 0);
	CHECK_STR(kernel->log, BEGUN "gone " BEGUN "gone " BEGUN "gone ");
	CHECK_STR(ran->err, "note: web is started again in 100ms\n"
			    "note: web is started again in 200ms\n");
	CHECK_EQ(ftruncate(fd, 0), 0);
	ran = run_command("-q --every 1s --restart --backoff 1ms", path);
	CHECK_EQ(ran->status, 0);
	CHECK_STR(ran->err, "");
	kernel->refuse = REIN_IOC_WATCH;
	CHECK_EQ(run_command("--every 1s --restart --backoff 1ms", path)->status, 125);
	unlink(path);
	close(fd);
}

/* The first signal ends all; with another to be sent that is what is done. */
static void stopped(void)
{
	memset(kernel, 0, sizeof(*kernel));
	CHECK_EQ(run_command("--every 1s --restart", "stop pause")->status, 128 + SIGTERM);
	CHECK_STR(kernel->log, BEGUN "arm 1 0 0 kill gone ");
	CHECK_EQ(run_command("--every 1s --restart -s USR1", "stop pause")->status, 128 + SIGTERM);
	CHECK_STR(kernel->log, BEGUN "arm 1 0 0 signal 10 gone ");
	CHECK_EQ(run_command("--every 1s -s WINCH", "stop winch stop pause")->status,
		 128 + SIGTERM);
	CHECK_STR(kernel->log, BEGUN "arm 1 0 0 signal 28 arm 1 0 0 kill gone ");
}

static const struct test tests[] = {
	TEST(statuses), TEST(environment), TEST(said), TEST(expired), TEST(restarted),
	TEST(stopped),
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--command"))
		return command(argv + 2);
	kernel = shared(sizeof(*kernel));
	return test_main(tests, COUNT(tests), argc, argv);
}
