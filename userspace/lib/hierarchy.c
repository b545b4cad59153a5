// SPDX-License-Identifier: GPL-2.0
#include "hierarchy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
static bool read_mount(char *line, struct rein_mount *mount)
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
 * rein_find_mount() - where is the cgroup2 hierarchy?
 * @mountinfo:	the file of that name, open
 * @mount:	where it goes; one that shows the whole hierarchy if there is one
 *
 * Return: 0, or -1 if it is not mounted.
 */
int rein_find_mount(FILE *mountinfo, struct rein_mount *mount)
{
	struct rein_mount *other = malloc(sizeof(*other));
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
 * rein_own_mount() - where does this process see the cgroup2 hierarchy?
 * @mount:	where it goes
 *
 * Return: 0, or -1 if it is not mounted.
 */
int rein_own_mount(struct rein_mount *mount)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	int ret;

	if (!file)
		return -1;
	ret = rein_find_mount(file, mount);
	fclose(file);
	return ret;
}

/**
 * rein_read_cgroup() - the cgroup2 path of a process
 * @cgroups:	its /proc/PID/cgroup, open
 * @path:	where it goes
 * @size:	how much fits there
 *
 * Return: 0, or -1 if there is none.
 */
int rein_read_cgroup(FILE *cgroups, char *path, size_t size)
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

/**
 * rein_open_below() - open a path that begins at the root of the mount
 * @mount:	where the hierarchy is
 * @path:	the path
 *
 * Return: a descriptor that the caller closes, or a negative errno.
 */
int rein_open_below(const struct rein_mount *mount, const char *path)
{
	char *full;
	int fd;

	if (asprintf(&full, "%s/%s", mount->path, path) < 0)
		return -ENOMEM;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(full);
	return fd;
}

/**
 * rein_open_cgroup_of() - open the cgroup of a process
 * @mount:	where the hierarchy is
 * @file_name:	its /proc/PID/cgroup
 * @path:	what that file says goes here, empty if it says nothing
 * @size:	how much fits there
 *
 * Return: a descriptor that the caller closes; -ESRCH if there is no such
 * process; -ENODATA if it has ended or is in no cgroup2; -EXDEV if its cgroup
 * can't be seen from here; another negative errno if it can't be opened.
 */
int rein_open_cgroup_of(const struct rein_mount *mount, const char *file_name, char *path,
			size_t size)
{
	size_t len = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	FILE *file = fopen(file_name, "re");
	int ret;

	*path = '\0';
	if (!file)
		return -ESRCH;
	ret = rein_read_cgroup(file, path, size);
	fclose(file);
	if (ret)
		return -ENODATA;
	/* Inside of a namespace, those outside of it are above its root. */
	if (!strncmp(path, "/..", 3) || strncmp(path, mount->root, len) ||
	    (len && path[len] && path[len] != '/'))
		return -EXDEV;
	return rein_open_below(mount, path + len);
}
