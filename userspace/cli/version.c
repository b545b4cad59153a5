// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "cli.h"

static void show(const struct rein_stat *stat, void *arg)
{
	struct out *out = arg;

	out_str(out, "module", "\nmodule:\t", stat->version);
	out_num(out, "abi", ", abi ", stat->abi);
}

/* Says its own version whatever happens; the module's is an error if absent. */
int version_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt no_opts[] = { { 0 } };
	struct out *out = &cli->out;
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (ret)
		return ret;
	ret = cli->rein ? 0 : rein_open(&cli->rein);
	out_object(out, NULL);
	out_str(out, "tool", "rein:\t", rein_version());
	if (ret || rein_stat_get(cli->rein, show, out)) {
		out_null(out, "module", "\nmodule:\t");
		out_null(out, "abi", NULL);
		out_end(out);
		out_flush(out);
		return cli->rein ? cli_fail_kernel(cli, NULL) : cli_connect(cli);
	}
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}
