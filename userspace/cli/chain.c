// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "cli.h"
#include "target.h"

typedef unsigned __int128 u128;

#define RESOURCES	(REIN_RESOURCE_CALL + 1)
#define UNITS		(REIN_UNIT_CALLS + 1)

/* The rate that holds everything else back, one per resource and unit. */
struct tightest {
	struct rein_tier tier;
	bool per_socket;
	char *limit;
	char *cgroup;
};

/**
 * struct chain - the limits of a chain, as they come
 * @out:	where they go
 * @found:	there was one
 * @open:	a level is open
 * @cgroup_id:	which
 * @of_socket:	it is that of the socket, which is in that cgroup
 * @tightest:	so far
 */
struct chain {
	struct out *out;
	bool found;
	bool open;
	uint64_t cgroup_id;
	bool of_socket;
	struct tightest tightest[RESOURCES][UNITS];
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
	if (limit->over == REIN_OVER_OBSERVE || tier->unlimited || tier->unit >= UNITS ||
	    limit->resource >= RESOURCES)
		return;
	tightest = &chain->tightest[limit->resource][tier->unit];
	if (tightest->limit && !slower(tier, &tightest->tier))
		return;
	free(tightest->limit);
	free(tightest->cgroup);
	tightest->tier = *tier;
	tightest->per_socket = limit->per_socket;
	tightest->limit = strdup(limit->name ? limit->name : "");
	tightest->cgroup = strdup(limit->cgroup ? limit->cgroup : "");
}

static void end_level(struct chain *chain)
{
	if (!chain->open)
		return;
	out_end(chain->out);
	out_end(chain->out);
	chain->open = false;
}

/* What waits, in requests and in what they cost. */
static void show_waiting(struct out *out, const struct rein_limit *limit)
{
	const struct rein_count *queued = &limit->stats.count[REIN_A_STATS_QUEUED];

	if (is_packet_resource(limit->resource)) {
		out_num(out, "waiting_packets", "\twaiting ", queued->packets);
		out_about(out, "waiting_bytes", "p ", queued->bytes, REIN_UNIT_BYTES);
		return;
	}
	out_num(out, "waiting_calls", "\twaiting ", queued->packets);
	out_about(out, "waiting_tokens", " calls ", queued->bytes, REIN_UNIT_CALLS);
	out_text(out, " tokens");
}

/* The socket, if it has limits of its own, is a level below its cgroup. */
static bool is_level(const struct chain *chain, const struct rein_limit *limit)
{
	return chain->open && chain->cgroup_id == limit->cgroup_id &&
	       chain->of_socket == limit->has_socket;
}

static void show_level(struct chain *chain, const struct rein_limit *limit)
{
	struct out *out = chain->out;
	bool new = !is_level(chain, limit);

	if (new) {
		end_level(chain);
		out_object(out, NULL);
	}
	if (limit->has_socket) {
		out_text(out, "\nsocket");
		if (new)
			show_socket(out, &limit->socket, NULL);
	}
	out_num(out, new ? "level" : NULL, limit->has_socket ? NULL : "\nlevel ", limit->level);
	out_str(out, new ? "cgroup" : NULL, "\t", limit->cgroup);
	if (new) {
		out_id(out, "cgroup_id", NULL, limit->cgroup_id);
		out_list(out, "limits");
	}
	chain->open = true;
	chain->found = true;
	chain->cgroup_id = limit->cgroup_id;
	chain->of_socket = limit->has_socket;
}

static void show_link(const struct rein_limit *limit, void *arg)
{
	struct chain *chain = arg;
	struct out *out = chain->out;
	size_t i;

	show_level(chain, limit);
	out_object(out, NULL);
	out_str(out, "name", "\tlimit ", limit->name);
	out_word(out, "resource", "\t", rein_resource_name(limit->resource), limit->resource);
	out_word(out, "over", "\tover ", rein_over_name(limit->over), limit->over);
	out_list(out, "tiers");
	for (i = 0; i < limit->n_tiers; i++) {
		show_tier(out, &limit->tiers[i], i ? ", " : "\t", " burst ", " has ",
			  " owes ");
		compare(chain, limit, &limit->tiers[i]);
	}
	out_end(out);
	show_waiting(out, limit);
	show_per_socket(out, limit);
	out_end(out);
}

static void show_tightest(struct chain *chain)
{
	struct out *out = chain->out;
	size_t i;

	out_list(out, "tightest");
	for (i = 0; i < RESOURCES * UNITS; i++) {
		struct tightest *tightest = &chain->tightest[i / UNITS][i % UNITS];

		if (!tightest->limit)
			continue;
		out_object(out, NULL);
		out_str(out, "resource", "\ntightest: ", rein_resource_name(i / UNITS));
		out_rate(out, " ", &tightest->tier);
		out_str(out, "limit", " by ", tightest->limit);
		out_str(out, "cgroup", " on ", tightest->cgroup);
		out_bool(out, "per_socket", NULL, tightest->per_socket);
		if (tightest->per_socket)
			out_text(out, ", per socket");
		out_end(out);
		free(tightest->limit);
		free(tightest->cgroup);
	}
	out_end(out);
}

static int show_chain(struct cli *cli, struct rein_limit_request *request, const char *option)
{
	struct chain chain = { .out = &cli->out };

	out_object(&cli->out, NULL);
	out_list(&cli->out, "levels");
	if (rein_limit_dump(cli->rein, request, show_link, &chain))
		return cli_fail_kernel(cli, option);
	end_level(&chain);
	out_end(&cli->out);
	if (!chain.found)
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
		{ "socket", 0, "PID:FD", false },
		{ 0 },
	};
	struct rein_limit_request request = { .cgroup_fd = -1, .chain = true };
	struct opt_args args;
	char option[256];
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (ret)
		return ret;
	/* Each is there once at most. */
	if (args.n_given != 1)
		return cli_fail(cli, CODE_USAGE, NULL,
				"name one: --cgroup PATH, --pid PID or --socket PID:FD",
				"a chain begins at one cgroup, process or socket");
	ret = cli_connect(cli);
	if (!ret && opt_find(&args, "pid"))
		ret = cgroup_open_pid(cli, opt_value(&args, "pid"), &request.cgroup_fd);
	else if (!ret)
		ret = target_open(cli, &args, &request);
	if (ret)
		return ret;
	snprintf(option, sizeof(option), "--%s %s", args.given[0].opt->name, args.given[0].value);
	ret = show_chain(cli, &request, option);
	target_close(&request);
	return ret;
}
