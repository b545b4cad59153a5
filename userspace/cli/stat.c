// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

static void show(const struct rein_stat *stat, void *arg)
{
	struct out *out = arg;

	out_object(out, NULL);
	out_str(out, "version", "module:\t", stat->version);
	out_num(out, "abi", ", abi ", stat->abi);
	out_str(out, "boot_id", "\nboot:\t", stat->boot_id);
	out_num(out, "limits", "\nlimits:\t", stat->limits);
	out_num(out, "cgroups", "\ncgroups:\t", stat->cgroups);
	out_num(out, "sockets", "\nsockets:\t", stat->sockets);
	out_num(out, "namespaces", "\nnamespaces:\t", stat->namespaces);
	out_num(out, "scopes", "\nscopes:\t", stat->scopes);
	out_num(out, "watches", "\nwatches:\t", stat->watches);
	out_bool(out, "hooked", "\nhooked:\t", stat->hooked);
	out_bool(out, "events", "\nevents:\t", stat->events);
	out_object(out, "records");
	out_num(out, "raised", "\nrecords:\t", stat->records_raised);
	out_num(out, "stored", " raised = ", stat->records_stored);
	out_num(out, "folded", " stored + ", stat->records_folded);
	out_num(out, "overwritten", " folded + ", stat->records_overwritten);
	out_num(out, "suppressed", " overwritten + ", stat->records_suppressed);
	out_text(out, " suppressed");
	out_id(out, "newest", "\n  newest:\trecord ", stat->records_newest);
	out_id(out, "oldest", NULL, stat->records_oldest);
	out_end(out);
	out_text(out, "\ntotal:");
	show_stats(out, "total", &stat->total, false, STATS_TABLE);
	out_end(out);
}

int stat_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt no_opts[] = { { 0 } };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	if (rein_stat_get(cli->rein, show, &cli->out))
		return cli_fail_kernel(cli, NULL);
	out_flush(&cli->out);
	return EXIT_OK;
}
