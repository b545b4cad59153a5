// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

int flush_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "force", 0, NULL, false },
		{ 0 },
	};
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	if (rein_flush(cli->rein, opt_find(&args, "force")))
		return cli_fail_kernel(cli, opt_find(&args, "force") ? "--force" : NULL);
	return cli_done(cli, "flushed", NULL, NULL);
}
