// SPDX-License-Identifier: GPL-2.0
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "cli.h"

static int find_mount(struct cli *cli, const char *option)
{
	if (cli->mount)
		return 0;
	cli->mount = malloc(sizeof(*cli->mount));
	if (cli->mount && !rein_own_mount(cli->mount))
		return 0;
	free(cli->mount);
	cli->mount = NULL;
	return cli_fail(cli, CODE_NO_CGROUP2, option, NULL,
			"the cgroup2 hierarchy is not mounted");
}

static bool on_cgroup2(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
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

/* The cgroup of a process, and its path, from its /proc/PID/cgroup. */
static int open_of(struct cli *cli, const char *option, const char *file_name,
		   char path[PATH_MAX], int *fd)
{
	int ret;

	ret = find_mount(cli, option);
	if (ret)
		return ret;
	*fd = rein_open_cgroup_of(cli->mount, file_name, path, PATH_MAX);
	switch (*fd) {
	case -ESRCH:
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL, "there is no such process");
	case -ENODATA:
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL,
				"the process has ended, or is in no cgroup2");
	case -EXDEV:
		return cli_fail(cli, CODE_NO_PROCESS, option, NULL,
				"the process is in a cgroup that can't be seen from here: %s",
				path);
	default:
		return *fd < 0 ? fail_open(cli, option, path, -*fd) : 0;
	}
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
	char option[256], path[PATH_MAX];
	int ret;

	snprintf(option, sizeof(option), "--cgroup %s", name);
	if (!*name)
		return cli_fail(cli, CODE_CGROUP_OPEN, "--cgroup", NULL,
				"the path of the cgroup is empty");
	if (!strcmp(name, "self"))
		return open_of(cli, option, "/proc/self/cgroup", path, fd);
	ret = find_mount(cli, option);
	if (ret)
		return ret;
	*fd = name[0] == '/' ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*fd >= 0 && on_cgroup2(*fd))
		return 0;
	ret = rein_open_below(cli->mount, name);
	/* A directory elsewhere: let the kernel say so, that makes a record. */
	if (ret == -ENOENT && *fd >= 0)
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = ret;
	return ret < 0 ? fail_open(cli, option, name, -ret) : 0;
}

/**
 * cgroup_open_own() - open the cgroup of this process
 * @cli:	the command
 * @path:	where its path goes
 * @fd:		where the directory goes; the caller closes it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cgroup_open_own(struct cli *cli, char path[PATH_MAX], int *fd)
{
	return open_of(cli, NULL, "/proc/self/cgroup", path, fd);
}

/* What stands in records: the path from the root of the hierarchy, each "/" once. */
static int put_path(struct cli *cli, const char *root, const char *below, char *path, size_t size)
{
	char whole[2 * PATH_MAX];
	const char *p;
	size_t len = 0;

	snprintf(whole, sizeof(whole), "%s/%s", root, below);
	for (p = whole; *p && len + 1 < size; p++)
		if (*p != '/' || !len || path[len - 1] != '/')
			path[len++] = *p;
	if (*p)
		return cli_fail(cli, CODE_CGROUP_OPEN, "--cgroup", NULL,
				"the path of the cgroup is too long");
	if (len > 1 && path[len - 1] == '/')
		len--;
	path[len] = '\0';
	return 0;
}

/* Below the root of the cgroup namespace, as records tell it in there. */
static int own_path(struct cli *cli, char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	int ret = file ? rein_read_cgroup(file, path, size) : -1;

	if (file)
		fclose(file);
	return ret ? cli_fail(cli, CODE_NO_CGROUP2, "--cgroup self", NULL,
			      "this process is in no cgroup2 cgroup") : 0;
}

/**
 * cgroup_path() - the path of the cgroup that --cgroup names, as it stands in records
 * @cli:	the command
 * @name:	as of cgroup_open(), but without "." and ".."; the cgroup may have been
 *		removed
 * @path:	where it goes
 * @size:	of that
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cgroup_path(struct cli *cli, const char *name, char *path, size_t size)
{
	char own[PATH_MAX];
	size_t len;
	int ret;

	if (!*name)
		return cli_fail(cli, CODE_CGROUP_OPEN, "--cgroup", NULL,
				"the path of the cgroup is empty");
	if (!strcmp(name, "self")) {
		ret = own_path(cli, own, sizeof(own));
		return ret ? ret : put_path(cli, "", own, path, size);
	}
	ret = find_mount(cli, "--cgroup");
	if (ret)
		return ret;
	if (!strncmp(cli->mount->root, "/..", 3))
		return cli_fail(cli, CODE_CGROUP_OPEN, "--cgroup",
				"mount cgroup2 in here, say self, or select by --limit",
				"the cgroup2 mount shows more than this cgroup namespace, whose root paths begin at");
	len = strlen(cli->mount->path);
	if (!strncmp(name, cli->mount->path, len) && (!name[len] || name[len] == '/'))
		name += len;
	return put_path(cli, cli->mount->root, name, path, size);
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
	char option[64], file[64], path[PATH_MAX];
	uint64_t number;

	if (parse_number(pid, "process ID", INT_MAX, &number, &error))
		return cli_fail_parse(cli, "--pid", pid, &error);
	snprintf(option, sizeof(option), "--pid %s", pid);
	snprintf(file, sizeof(file), "/proc/%" PRIu64 "/cgroup", number);
	return open_of(cli, option, file, path, fd);
}
