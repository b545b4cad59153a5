// SPDX-License-Identifier: GPL-2.0
/*
 * A batch file: quotes, continued lines, commands and all their options. As if
 * the module were not loaded, whatever is loaded here.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"
#include "fuzz.h"

int __wrap_rein_open(struct rein **rein);

int __wrap_rein_open(struct rein **rein)
{
	*rein = NULL;
	return -ENODEV;
}

int __wrap_rein_dev_open(void)
{
	return -ENODEV;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cli cli = { .force = true };
	int fd = memfd_create("batch", MFD_CLOEXEC), ret;
	char path[64], *text = NULL;
	size_t len = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cli.out.file = open_memstream(&text, &len);
	cli.out.json = size && data[0] == '#';
	ret = batch_run(&cli, path);
	EXPECT(ret == EXIT_OK || ret == EXIT_USAGE || ret == EXIT_REFUSED || ret == EXIT_NO_MODULE,
	       "exit status %d", ret);
	out_free(&cli.out);
	fclose(cli.out.file);
	free(text);
	free(cli.mount);
	close(fd);
	return 0;
}
