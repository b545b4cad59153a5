// SPDX-License-Identifier: GPL-2.0
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "cli.h"

/* The kernel writes blanks and backslashes in mountinfo as \ooo. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*out++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS */
static bool read_mount(char *line, struct cgroup_mount *mount)
{
	char *type = strstr(line, " - "), *save, *root, *path;
	int i;

	if (!type || strncmp(type, " - cgroup2 ", 11))
		return false;
	*type = '\0';
	for (i = 0, root = strtok_r(line, " ", &save); root && i < 3; i++)
		root = strtok_r(NULL, " ", &save);
	path = strtok_r(NULL, " ", &save);
	if (!root || !path || strlen(root) >= PATH_MAX || strlen(path) >= PATH_MAX)
		return false;
	strcpy(mount->root, root);
	strcpy(mount->path, path);
	unescape(mount->root);
	unescape(mount->path);
	return true;
}

/**
 * cgroup_find_mount() - where is the cgroup2 hierarchy?
 * @mountinfo:	the file of that name, open
 * @mount:	where it goes; one that shows the whole hierarchy if there is one
 *
 * Return: 0, or -1 if it is not mounted.
 */
int cgroup_find_mount(FILE *mountinfo, struct cgroup_mount *mount)
{
	struct cgroup_mount *other = malloc(sizeof(*other));
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (other && getline(&line, &size, mountinfo) > 0) {
		if (!read_mount(line, other))
			continue;
		if (!found || (strcmp(mount->root, "/") && !strcmp(other->root, "/")))
			*mount = *other;
		found = true;
	}
	free(line);
	free(other);
	return found ? 0 : -1;
}

/**
 * cgroup_read_own() - the cgroup2 path of a process
 * @cgroups:	its /proc/PID/cgroup, open
 * @path:	where it goes
 * @size:	how much fits there
 *
 * Return: 0, or -1 if there is none.
 */
int cgroup_read_own(FILE *cgroups, char *path, size_t size)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int ret = -1;

	while (ret && (len = getline(&line, &room, cgroups)) > 0) {
		if (strncmp(line, "0::/", 4))
			continue;
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if ((size_t)snprintf(path, size, "%s", line + 3) < size)
			ret = 0;
	}
	free(line);
	return ret;
}

static int find_mount(struct cli *cli, const char *option)
{
	FILE *file;
	int ret = -1;

	if (cli->mount)
		return 0;
	cli->mount = malloc(sizeof(*cli->mount));
	file = fopen("/proc/self/mountinfo", "re");
	if (file && cli->mount)
		ret = cgroup_find_mount(file, cli->mount);
	if (file)
		fclose(file);
	if (!ret)
		return 0;
	free(cli->mount);
	cli->mount = NULL;
	return cli_fail(cli, CODE_NO_CGROUP2, option, NULL,
			"the cgroup2 hierarchy is not mounted");
}

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool on_cgroup2(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Open a path that begins at the root of the hierarchy. */
static int open_below(const struct cgroup_mount *mount, const char *path)
{
	char *full;
	int fd;

	if (asprintf(&full, "%s/%s", mount->path, path) < 0) {
		errno = ENOMEM;
		return -1;
	}
	fd = open_directory(full);
	free(full);
	return fd;
}

static int fail_open(struct cli *cli, const char *option, const char *name, int err)
{
	char hint[PATH_MAX + 64];

	snprintf(hint, sizeof(hint), "cgroups are named as below %s, / is the root",
		 cli->mount->path);
	if (err == ENOENT)
		return cli_fail(cli, CODE_CGROUP_OPEN, option, hint, "there is no cgroup %s", name);
	return cli_fail(cli, CODE_CGROUP_OPEN, option, hint, "can't open the cgroup %s: %s", name,
			strerror(err));
}

/* The cgroup of a process, from its /proc/PID/cgroup. */
static int open_of(struct cli *cli, const char *option, const char *file_name, int *fd)
{
	const char *root;
	char path[PATH_MAX];
	FILE *file;
	size_t len;
	int ret;

	ret = find_mount(cli, option);
	if (ret)
		return ret;
	file = fopen(file_name, "re");
	if (!file)
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL, "there is no such process");
	ret = cgroup_read_own(file, path, sizeof(path));
	fclose(file);
	if (ret)
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL,
				"the process has ended, or is in no cgroup2");
	/* Inside of a namespace, those outside of it are above its root. */
	root = cli->mount->root;
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (!strncmp(path, "/..", 3) || strncmp(path, root, len) ||
	    (len && path[len] && path[len] != '/'))
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL,
				"the process is in a cgroup that can't be seen from here: %s",
				path);
	*fd = open_below(cli->mount, path + len);
	return *fd < 0 ? fail_open(cli, option, path, errno) : 0;
}

/**
 * cgroup_open() - open the cgroup that --cgroup names
 * @cli:	the command
 * @name:	relative to the cgroup2 mount, absolute below it, or "self"
 * @fd:		where the directory goes; the caller closes it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cgroup_open(struct cli *cli, const char *name, int *fd)
{
	char option[256];
	int ret, err;

	snprintf(option, sizeof(option), "--cgroup %s", name);
	if (!*name)
		return cli_fail(cli, CODE_CGROUP_OPEN, "--cgroup", NULL,
				"the path of the cgroup is empty");
	if (!strcmp(name, "self"))
		return open_of(cli, option, "/proc/self/cgroup", fd);
	ret = find_mount(cli, option);
	if (ret)
		return ret;
	*fd = name[0] == '/' ? open_directory(name) : -1;
	if (*fd >= 0 && on_cgroup2(*fd))
		return 0;
	ret = open_below(cli->mount, name);
	err = errno;
	/* A directory elsewhere: let the kernel say so, that makes a record. */
	if (ret < 0 && err == ENOENT && *fd >= 0)
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = ret;
	return ret < 0 ? fail_open(cli, option, name, err) : 0;
}

/**
 * cgroup_open_pid() - open the cgroup of a process
 * @cli:	the command
 * @pid:	as given by --pid
 * @fd:		where the directory goes; the caller closes it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cgroup_open_pid(struct cli *cli, const char *pid, int *fd)
{
	struct parse_error error;
	char option[64], file[64];
	uint64_t number;

	if (parse_number(pid, "process ID", INT_MAX, &number, &error))
		return cli_fail_parse(cli, "--pid", pid, &error);
	snprintf(option, sizeof(option), "--pid %s", pid);
	snprintf(file, sizeof(file), "/proc/%" PRIu64 "/cgroup", number);
	return open_of(cli, option, file, fd);
}
