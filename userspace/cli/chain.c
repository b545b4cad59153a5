// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "cli.h"

typedef unsigned __int128 u128;

/* The rate that holds everything else back, one per resource and unit. */
struct tightest {
	struct rein_tier tier;
	char *limit;
	char *cgroup;
};

struct chain {
	struct out *out;
	bool any;
	uint64_t cgroup_id;
	struct tightest tightest[REIN_RESOURCE_CALL + 1][REIN_UNIT_CALLS + 1];
};

static bool slower(const struct rein_tier *a, const struct rein_tier *b)
{
	return (u128)a->rate_tokens * b->rate_period_ns < (u128)b->rate_tokens * a->rate_period_ns;
}

static void compare(struct chain *chain, const struct rein_limit *limit,
		    const struct rein_tier *tier)
{
	struct tightest *tightest;

	/* A limit that only observes holds nothing back. */
	if (limit->over == REIN_OVER_OBSERVE || tier->unlimited ||
	    tier->unit > REIN_UNIT_CALLS || limit->resource > REIN_RESOURCE_CALL)
		return;
	tightest = &chain->tightest[limit->resource][tier->unit];
	if (tightest->limit && !slower(tier, &tightest->tier))
		return;
	free(tightest->limit);
	free(tightest->cgroup);
	tightest->tier = *tier;
	tightest->limit = strdup(limit->name ? limit->name : "");
	tightest->cgroup = strdup(limit->cgroup ? limit->cgroup : "");
}

static void end_level(struct chain *chain)
{
	if (!chain->any)
		return;
	out_end(chain->out);
	out_end(chain->out);
}

static void show_link(const struct rein_limit *limit, void *arg)
{
	struct chain *chain = arg;
	const struct rein_count *queued = &limit->stats.count[REIN_A_STATS_QUEUED];
	struct out *out = chain->out;
	bool calls = limit->resource == REIN_RESOURCE_CONNECT ||
		     limit->resource == REIN_RESOURCE_ACCEPT;
	bool new = !chain->any || chain->cgroup_id != limit->cgroup_id;
	size_t i;

	if (new) {
		end_level(chain);
		out_object(out, NULL);
	}
	out_num(out, new ? "level" : NULL, "\nlevel ", limit->level);
	out_str(out, new ? "cgroup" : NULL, "\t", limit->cgroup);
	if (new) {
		out_id(out, "cgroup_id", NULL, limit->cgroup_id);
		out_list(out, "limits");
	}
	chain->any = true;
	chain->cgroup_id = limit->cgroup_id;
	out_object(out, NULL);
	out_str(out, "name", "\tlimit ", limit->name);
	out_word(out, "resource", "\t", rein_resource_name(limit->resource), limit->resource);
	out_word(out, "over", "\tover ", rein_over_name(limit->over), limit->over);
	out_list(out, "tiers");
	for (i = 0; i < limit->n_tiers; i++) {
		show_tier(out, &limit->tiers[i], i ? ", " : "\t", NULL, " has ", " owes ");
		compare(chain, limit, &limit->tiers[i]);
	}
	out_end(out);
	out_num(out, "waiting_packets", "\twaiting ", queued->packets);
	out_about(out, "waiting_bytes", calls ? NULL : "p ", queued->bytes, REIN_UNIT_BYTES);
	out_end(out);
}

static void show_tightest_of(struct out *out, uint32_t resource, struct tightest *tightest)
{
	if (!tightest->limit)
		return;
	out_object(out, NULL);
	out_word(out, "resource", "\ntightest ", rein_resource_name(resource), resource);
	out_rate(out, ": ", &tightest->tier);
	out_str(out, "limit", " by ", tightest->limit);
	out_str(out, "cgroup", " on ", tightest->cgroup);
	out_end(out);
	free(tightest->limit);
	free(tightest->cgroup);
}

static void show_tightest(struct chain *chain)
{
	struct out *out = chain->out;
	uint32_t resource, unit;

	out_list(out, "tightest");
	for (resource = 0; resource <= REIN_RESOURCE_CALL; resource++)
		for (unit = 0; unit <= REIN_UNIT_CALLS; unit++)
			show_tightest_of(out, resource, &chain->tightest[resource][unit]);
	out_end(out);
}

static int show_chain(struct cli *cli, const struct rein_limit_request *request,
		      const char *option)
{
	struct chain chain = { .out = &cli->out };

	out_object(&cli->out, NULL);
	out_list(&cli->out, "levels");
	if (rein_limit_dump(cli->rein, request, show_link, &chain))
		return cli_fail_kernel(cli, option);
	end_level(&chain);
	out_end(&cli->out);
	if (!chain.any)
		out_text(&cli->out, "no limit binds it");
	out_flush(&cli->out);
	show_tightest(&chain);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

int chain_main(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "cgroup", 0, "PATH", false },
		{ "pid", 0, "PID", false },
		{ 0 },
	};
	struct rein_limit_request request = { .cgroup_fd = -1, .chain = true };
	const char *cgroup, *pid;
	struct opt_args args;
	char option[256];
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (ret)
		return ret;
	cgroup = opt_value(&args, "cgroup");
	pid = opt_value(&args, "pid");
	if (!cgroup == !pid)
		return cli_fail(cli, CODE_USAGE, NULL, "name one: --cgroup PATH or --pid PID",
				"a chain begins at one cgroup or process");
	ret = cli_connect(cli);
	if (!ret && cgroup)
		ret = cgroup_open(cli, cgroup, &request.cgroup_fd);
	else if (!ret)
		ret = cgroup_open_pid(cli, pid, &request.cgroup_fd);
	if (ret)
		return ret;
	snprintf(option, sizeof(option), "--%s %s", cgroup ? "cgroup" : "pid",
		 cgroup ? cgroup : pid);
	ret = show_chain(cli, &request, option);
	close(request.cgroup_fd);
	return ret;
}
