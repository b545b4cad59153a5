// SPDX-License-Identifier: GPL-2.0
#include "cell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sched.h>

#include "cgroup.h"
#include "cli.h"
#include "command.h"

/* How often another name is tried, if there is a cgroup of that name. */
#define NAMES_MAX	100

/*
 * How often the processes are read again for those that came since. What goes on forking
 * for longer than that is not to be had by signals.
 */
#define SIGNAL_ROUNDS	64

/* How deep the cgroups go that a command makes in its own; deeper ones are left. */
#define DEPTH_MAX	64

/* --- made ------------------------------------------------------------------------ */

static int fail_cell(struct cli *cli, const struct cell *cell, const char *what, int err)
{
	const char *hint = NULL;

	if (err == EAGAIN)
		hint = "allow more of them: cgroup.max.descendants, cgroup.max.depth";
	else if (err == EOPNOTSUPP)
		hint = "run it in a cgroup that is not threaded (cgroup.type)";
	else if (err == EMFILE)
		hint = "allow more files: ulimit -n";
	else if (err == EBUSY)
		hint = "run it in a cgroup whose cgroup.subtree_control is empty";
	return cli_fail(cli, CODE_CELL, NULL, hint, "%s below the cgroup %s: %s", what, cell->path,
			strerror(err));
}

/* rein-NAME or rein-PID, and the number; if that is taken, more to it. */
static void name_cell(struct cell *cell, const char *name, unsigned int number, unsigned int try)
{
	size_t size = sizeof(cell->name), len;

	if (name)
		len = snprintf(cell->name, size, "rein-%s", name);
	else
		len = snprintf(cell->name, size, "rein-%d", (int)getpid());
	if (name && try)
		len += snprintf(cell->name + len, size - len, "-%d", (int)getpid());
	if (try > 1 || (try && !name))
		len += snprintf(cell->name + len, size - len, ".%u", try);
	if (number)
		snprintf(cell->name + len, size - len, "-%u", number);
}

static int make_directory(struct cell *cell, const char *name, unsigned int number)
{
	unsigned int try;

	for (try = 0; try < NAMES_MAX; try++) {
		name_cell(cell, name, number, try);
		if (!mkdirat(cell->parent, cell->name, 0755))
			return 0;
		if (errno != EEXIST)
			break;
	}
	cell->name[0] = '\0';
	return -errno;
}

static int open_files(struct cell *cell)
{
	cell->dir = openat(cell->parent, cell->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cell->dir < 0)
		return -errno;
	cell->events = openat(cell->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (cell->events < 0)
		return -errno;
	cell->kill = openat(cell->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	return cell->kill < 0 ? -errno : 0;
}

static void forget(struct cell *cell)
{
	int *fds[] = { &cell->kill, &cell->events, &cell->dir, &cell->parent };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	cell->name[0] = '\0';
}

/**
 * cell_make() - make a cgroup below rein's own
 * @cli:	the command
 * @name:	how it is called, NULL: by rein's PID
 * @number:	and with that number, 0: without
 * @cell:	where it goes
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cell_make(struct cli *cli, const char *name, unsigned int number, struct cell *cell)
{
	int ret;

	*cell = CELL_NONE;
	ret = cgroup_open_own(cli, cell->path, &cell->parent);
	if (ret)
		return ret;
	ret = make_directory(cell, name, number);
	if (ret)
		return fail_cell(cli, cell, "no cgroup can be made", -ret);
	ret = open_files(cell);
	if (ret)
		return fail_cell(cli, cell, "the new cgroup can't be used", -ret);
	return 0;
}

/* --- entered ---------------------------------------------------------------------- */

/**
 * struct stumble - what a child says of itself if it does not become the command
 * @entering:	it came not even into the cgroup
 * @err:	why, errno
 */
struct stumble {
	bool entering;
	int err;
};

static void stumble(int fd, bool entering)
{
	struct stumble stumble = { entering, errno };

	/* If that can't be said nobody is there to hear it. */
	if (write(fd, &stumble, sizeof(stumble)) < 0)
		_exit(EXIT_COMMAND_FAILED);
	_exit(EXIT_NO_EXEC);
}

static void redirect(int from, int to)
{
	if (from >= 0)
		dup2(from, to);
}

/* In the child. @procs: the file by which it comes into the cgroup, -1: it is there. */
static void become(struct cli *cli, const struct launch *launch, int procs, int say)
{
	char pid[16];

	if (procs >= 0 && write(procs, "0", 1) != 1)
		stumble(say, true);
	redirect(launch->input, STDIN_FILENO);
	redirect(launch->output, STDOUT_FILENO);
	redirect(launch->errors, STDERR_FILENO);
	if (launch->pid_name) {
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv(launch->pid_name, pid, 1);
	}
	command_signals(cli);
	sigprocmask(SIG_SETMASK, launch->mask, NULL);
	execvp(launch->command[0], launch->command);
	stumble(say, false);
}

/* Right into the cgroup; -ENOSYS where that is not to be had. */
static pid_t fork_into(const struct cell *cell, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cell->dir,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid >= 0)
		return pid;
	/* A kernel that is too old for it, or a filter that knows no better. */
	return errno == E2BIG || errno == EINVAL || errno == EPERM ? -ENOSYS : -errno;
}

/* Without clone3() the child moves itself, before it becomes the command. */
static pid_t fork_beside(const struct cell *cell, int *procs, int *pidfd)
{
	pid_t pid;

	*procs = openat(cell->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (*procs < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		return 0;
	close(*procs);
	*pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd >= 0)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -ENOSYS;
}

/* Which it became: the command, or nothing. */
static int hear(struct cli *cli, const struct cell *cell, const struct launch *launch,
		struct process *process, int from)
{
	struct stumble stumble;
	bool killed;

	if (read(from, &stumble, sizeof(stumble)) != sizeof(stumble))
		return 0;
	cell_reap(process, &killed);
	if (stumble.entering)
		return fail_cell(cli, cell, "the command can't be started in a cgroup",
				 stumble.err);
	return command_fail(cli, launch->command[0], stumble.err);
}

/**
 * cell_start() - start a command in the cgroup
 * @cli:	the command of rein
 * @cell:	the cgroup
 * @launch:	how
 * @process:	where it goes; cell_reap() gives it back
 *
 * It is in rein's process group, so that it may read the terminal.
 *
 * Return: 0, or an exit code and the error has been printed: EXIT_NO_EXEC and
 * EXIT_NO_COMMAND are for the command.
 */
int cell_start(struct cli *cli, const struct cell *cell, const struct launch *launch,
	       struct process *process)
{
	int ends[2], procs = -1, ret;

	*process = (struct process){ .fd = -1 };
	if (pipe2(ends, O_CLOEXEC))
		return cli_fail(cli, CODE_CELL, NULL, "allow more files: ulimit -n",
				"no pipe can be made: %s", strerror(errno));
	fflush(NULL);
	process->pid = fork_into(cell, &process->fd);
	if (process->pid == -ENOSYS)
		process->pid = fork_beside(cell, &procs, &process->fd);
	if (!process->pid)
		become(cli, launch, procs, ends[1]);
	close(ends[1]);
	if (process->pid < 0)
		ret = fail_cell(cli, cell, "the command can't be started in a cgroup",
				-process->pid);
	else
		ret = hear(cli, cell, launch, process, ends[0]);
	close(ends[0]);
	return ret;
}

/**
 * cell_reap() - wait for the end of a process
 * @process:	it
 * @killed:	whether a signal ended it goes here
 *
 * Return: its status, as a shell has it: 128+N if signal N ended it.
 */
int cell_reap(struct process *process, bool *killed)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(process->fd);
	process->fd = -1;
	*killed = WIFSIGNALED(status);
	return *killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- signalled -------------------------------------------------------------------- */

/* Is anything left in there, or below? */
bool cell_populated(const struct cell *cell)
{
	char text[256];
	ssize_t len = pread(cell->events, text, sizeof(text) - 1, 0);

	/* If it can't be read the cgroup is gone. */
	if (len <= 0)
		return false;
	text[len] = '\0';
	return strstr(text, "populated 1");
}

/* Is this process in there, or below? */
bool cell_has(const struct cell *cell, pid_t pid)
{
	char name[64], path[PATH_MAX], own[PATH_MAX + sizeof(cell->name)];
	FILE *file;
	size_t len;
	int ret;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	file = fopen(name, "re");
	if (!file)
		return false;
	ret = rein_read_cgroup(file, path, sizeof(path));
	fclose(file);
	len = snprintf(own, sizeof(own), "%s/%s", strcmp(cell->path, "/") ? cell->path : "",
		       cell->name);
	return !ret && !strncmp(path, own, len) && (!path[len] || path[len] == '/');
}

/* Whatever it does meanwhile: what it forks is killed, too. */
void cell_kill(const struct cell *cell)
{
	/* It fails only if the cgroup is gone. */
	if (pwrite(cell->kill, "1", 1, 0) < 0)
		return;
}

/**
 * struct signalled - the processes that have got a signal
 * @sig:	the signal
 * @pids:	they, ascending
 * @n:		how many
 * @size:	room for so many
 * @news:	there were some that had not got it
 */
struct signalled {
	int sig;
	pid_t *pids;
	size_t n;
	size_t size;
	bool news;
};

/* Where a process is in the list, or would be. */
static size_t place_of(const struct signalled *signalled, pid_t pid)
{
	size_t low = 0, high = signalled->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (signalled->pids[middle] < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void signal_one(struct signalled *signalled, pid_t pid)
{
	size_t at = place_of(signalled, pid);

	if (at < signalled->n && signalled->pids[at] == pid)
		return;
	if (signalled->n == signalled->size) {
		size_t size = signalled->size * 2 + 64;
		pid_t *pids = realloc(signalled->pids, size * sizeof(*pids));

		if (!pids)
			return;
		signalled->pids = pids;
		signalled->size = size;
	}
	memmove(signalled->pids + at + 1, signalled->pids + at,
		(signalled->n - at) * sizeof(*signalled->pids));
	signalled->pids[at] = pid;
	signalled->n++;
	signalled->news = true;
	kill(pid, signalled->sig);
	/* One that is stopped couldn't act on it. */
	if (signalled->sig != SIGKILL && signalled->sig != SIGCONT)
		kill(pid, SIGCONT);
}

static void signal_directory(int dir, struct signalled *signalled)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* One of another PID namespace is 0 here. */
	while (fscanf(file, "%d", &pid) == 1)
		if (pid > 0)
			signal_one(signalled, pid);
	fclose(file);
}

/* Call fn for a cgroup and all below it, those first. */
static void each_directory(int dir, int depth, void (*fn)(int parent, const char *name, int dir,
							  void *arg), void *arg)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below;
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!stream) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(stream))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || depth == DEPTH_MAX)
			continue;
		below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below < 0)
			continue;
		each_directory(below, depth + 1, fn, arg);
		fn(dir, entry->d_name, below, arg);
		close(below);
	}
	closedir(stream);
}

static void signal_below(int parent, const char *name, int dir, void *arg)
{
	(void)parent;
	(void)name;
	signal_directory(dir, arg);
}

/**
 * cell_signal() - send a signal to all processes in the cgroup and below
 * @cell:	the cgroup
 * @sig:	the signal
 *
 * To each of them once, also to those that come while it is at it.
 */
void cell_signal(const struct cell *cell, int sig)
{
	struct signalled signalled = { .sig = sig };
	int round;

	for (round = 0; round < SIGNAL_ROUNDS; round++) {
		signalled.news = false;
		signal_directory(cell->dir, &signalled);
		each_directory(cell->dir, 0, signal_below, &signalled);
		if (!signalled.news)
			break;
	}
	free(signalled.pids);
}

/* --- removed ----------------------------------------------------------------------- */

static void remove_below(int parent, const char *name, int dir, void *arg)
{
	(void)dir;
	(void)arg;
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* Wait until nothing is left in there. */
static void wait_empty(const struct cell *cell)
{
	struct pollfd poll_fd = { .fd = cell->events, .events = POLLPRI };

	while (cell_populated(cell))
		poll(&poll_fd, 1, -1);
}

/**
 * cell_remove() - kill what is left in the cgroup, and remove it
 * @cli:	the command
 * @cell:	the cgroup, or CELL_NONE
 *
 * Waits until what is killed has ended.
 */
void cell_remove(struct cli *cli, struct cell *cell)
{
	int err = 0;

	if (cell->dir >= 0) {
		if (cell_populated(cell))
			cell_kill(cell);
		wait_empty(cell);
		each_directory(cell->dir, 0, remove_below, NULL);
	}
	if (*cell->name && unlinkat(cell->parent, cell->name, AT_REMOVEDIR))
		err = errno;
	if (err && err != ENOENT)
		cli_note(cli, "the cgroup %s/%s is left over: %s", cell->path, cell->name,
			 strerror(err));
	forget(cell);
}
