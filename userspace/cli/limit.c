// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "target.h"

/* More tiers than the kernel takes: it is the kernel that says so. */
#define TIERS_MAX	64

/**
 * struct limit_args - a limit as the command line describes it
 * @args:	the options
 * @request:	what the kernel is asked for
 * @resource_open: what it meters was not said, and need not be
 * @tiers:	its tiers
 * @rates:	how they were typed
 */
struct limit_args {
	struct opt_args args;
	struct rein_limit_request request;
	bool resource_open;
	struct rein_tier tiers[TIERS_MAX];
	const char *rates[TIERS_MAX];
};

/* The option that an attribute was made of, as it was typed. */
static const struct {
	unsigned int attr;
	const char *name;
} attr_options[] = {
	{ REIN_A_LIMIT_RESOURCE, "on" },
	{ REIN_A_LIMIT_OVER, "over" },
	{ REIN_A_LIMIT_CGROUP_FD, "cgroup" },
	{ REIN_A_LIMIT_SOCKET_FD, "socket" },
	{ REIN_A_LIMIT_PATIENCE_NS, "patience" },
	{ REIN_A_LIMIT_QUEUE, "queue" },
	{ REIN_A_LIMIT_CREDIT, "credit" },
	{ REIN_A_LIMIT_FOR_NS, "for" },
	{ REIN_A_LIMIT_PER_SOCKET, "per-socket" },
};

static void option_at_fault(const struct limit_args *limit, const struct rein_error *error,
			    char *text, size_t size)
{
	size_t i;

	text[0] = '\0';
	if (error->attr == REIN_A_LIMIT_NAME)
		snprintf(text, size, "%s", limit->request.name ? limit->request.name : "NAME");
	if (error->attr == REIN_A_LIMIT_TIER && error->index < limit->request.n_tiers)
		snprintf(text, size, "--rate %s", limit->rates[error->index]);
	else if (error->attr == REIN_A_LIMIT_TIER)
		snprintf(text, size, "--rate");
	for (i = 0; i < sizeof(attr_options) / sizeof(attr_options[0]); i++) {
		const char *value = opt_value(&limit->args, attr_options[i].name);

		if (attr_options[i].attr == error->attr)
			snprintf(text, size, "--%s%s%s", attr_options[i].name, value ? " " : "",
				 value ? value : "");
	}
}

struct targets {
	char *paths[32];
	size_t n;
};

static void take_target(const struct rein_limit *limit, void *arg)
{
	struct targets *targets = arg;

	if (targets->n < sizeof(targets->paths) / sizeof(targets->paths[0]) && limit->cgroup)
		targets->paths[targets->n++] = strdup(limit->cgroup);
}

/* The name alone does not say which limit is meant: list those that it may be. */
static int fail_ambiguous(struct cli *cli, const struct limit_args *limit, struct fault *fault)
{
	struct rein_limit_request request = { .name = limit->request.name, .cgroup_fd = -1 };
	struct targets targets = { .n = 0 };
	int ret;

	rein_limit_dump(cli->rein, &request, take_target, &targets);
	fault->targets = targets.paths;
	fault->n_targets = targets.n;
	fault->exit = EXIT_USAGE;
	ret = fault_report(cli, fault);
	while (targets.n)
		free(targets.paths[--targets.n]);
	return ret;
}

static int fail_limit(struct cli *cli, const struct limit_args *limit)
{
	const struct rein_error error = *rein_last_error(cli->rein);
	struct fault fault;

	fault_from_kernel(cli, &fault);
	option_at_fault(limit, &error, fault.option, sizeof(fault.option));
	/* To the policy it is a string that is too long, and no more than that. */
	if (error.attr == REIN_A_LIMIT_NAME && strlen(limit->request.name) > REIN_NAME_MAX) {
		snprintf(fault.message, sizeof(fault.message), "the name is too long");
		snprintf(fault.hint, sizeof(fault.hint), "use at most %d characters",
			 REIN_NAME_MAX);
	}
	if (fault.code == CODE_NOT_A_CGROUP && !*fault.option && opt_find(&limit->args, "cgroup"))
		snprintf(fault.option, sizeof(fault.option), "--cgroup %s",
			 opt_value(&limit->args, "cgroup"));
	if (fault.code == CODE_LIMIT_AMBIGUOUS)
		return fail_ambiguous(cli, limit, &fault);
	return fault_report(cli, &fault);
}

/* Where nobody has said what is metered, a rate may be that of calls. */
static bool is_of_calls(const struct limit_args *limit, const char *rate, struct rein_tier *tier)
{
	struct parse_error error;

	return limit->resource_open && !parse_tier(rate, REIN_RESOURCE_CALL, tier, &error);
}

static int take_tiers(struct cli *cli, struct limit_args *limit)
{
	struct parse_error error;
	size_t i, n = 0;

	for (i = 0; i < limit->args.n_given; i++) {
		const struct opt_given *given = &limit->args.given[i];

		if (strcmp(given->opt->name, "rate"))
			continue;
		if (n == TIERS_MAX)
			return cli_fail(cli, CODE_USAGE, "--rate", NULL, "too many --rate options");
		if (parse_tier(given->value, limit->request.resource, &limit->tiers[n], &error) &&
		    !is_of_calls(limit, given->value, &limit->tiers[n]))
			return cli_fail_parse(cli, "--rate", given->value, &error);
		limit->rates[n++] = given->value;
	}
	limit->request.tiers = limit->tiers;
	limit->request.n_tiers = n;
	return 0;
}

static int take_times(struct cli *cli, struct limit_args *limit)
{
	struct rein_limit_request *request = &limit->request;
	const char *patience = opt_value(&limit->args, "patience");
	const char *lifetime = opt_value(&limit->args, "for");
	struct parse_error error;

	if (patience && parse_time(patience, &request->patience_ns, &error))
		return cli_fail_parse(cli, "--patience", patience, &error);
	request->has_patience = patience;
	if (!lifetime)
		return 0;
	if (parse_time(lifetime, &request->for_ns, &error))
		return cli_fail_parse(cli, "--for", lifetime, &error);
	if (!request->for_ns)
		return cli_fail(cli, CODE_VALUE, "--for 0", "remove a limit with: rein limit del",
				"a limit can't remove itself at once");
	/* On the wire, 0 is what lets a limit stay. */
	if (request->for_ns == REIN_FOREVER_NS)
		request->for_ns = 0;
	request->has_for = true;
	return 0;
}

/* What is read differently for packets than for calls and connections. */
static int take_amounts(struct cli *cli, struct limit_args *limit)
{
	struct rein_limit_request *request = &limit->request;
	const char *queue = opt_value(&limit->args, "queue");
	const char *credit = opt_value(&limit->args, "credit");
	struct parse_error error;

	if (queue && parse_queue(queue, request->resource, &request->queue, &error))
		return cli_fail_parse(cli, "--queue", queue, &error);
	request->has_queue = queue;
	if (credit && parse_credit(credit, &request->credit, &error))
		return cli_fail_parse(cli, "--credit", credit, &error);
	request->has_credit = credit;
	return take_tiers(cli, limit);
}

static int take_options(struct cli *cli, struct limit_args *limit)
{
	struct rein_limit_request *request = &limit->request;
	const char *on = opt_value(&limit->args, "on");
	const char *over = opt_value(&limit->args, "over");
	struct parse_error error;

	if (on && parse_resource(on, &request->resource, &error))
		return cli_fail_parse(cli, "--on", on, &error);
	request->has_resource = on;
	if (over && parse_over(over, &request->over, &error))
		return cli_fail_parse(cli, "--over", over, &error);
	request->has_over = over;
	request->per_socket = opt_find(&limit->args, "per-socket");
	if (target_check(cli, &limit->args))
		return EXIT_USAGE;
	return take_times(cli, limit);
}

static const struct opt change_opts[] = {
	{ "cgroup", 0, "PATH", false },
	{ "socket", 0, "PID:FD", false },
	{ "on", 0, "RESOURCE", false },
	{ "rate", 0, "RATE[,burst=SIZE]", true },
	{ "over", 0, "refuse|wait|mark|observe", false },
	{ "patience", 0, "TIME", false },
	{ "queue", 0, "SIZE|N", false },
	{ "credit", 0, "N", false },
	{ "for", 0, "TIME", false },
	{ "per-socket", 0, NULL, false },
	{ 0 },
};

/* What a new limit can't do without. */
static int check_new(struct cli *cli, const struct limit_args *limit)
{
	if (!opt_find(&limit->args, "cgroup") && !opt_find(&limit->args, "socket"))
		return cli_fail(cli, CODE_USAGE, "--cgroup",
				"name a cgroup: --cgroup PATH, / is the whole host; or --socket PID:FD",
				"a limit needs a target, so that a forgotten option can't throttle the host");
	if (!limit->request.has_resource)
		return cli_fail(cli, CODE_USAGE, "--on", "say what is metered: --on egress",
				"a limit needs a resource");
	if (!limit->request.n_tiers)
		return cli_fail(cli, CODE_USAGE, "--rate", "give at least one, as --rate 10Mbit/s",
				"a limit needs a rate");
	return 0;
}

/* That --per-socket alone can change nothing the kernel says better: it knows the limit. */
static int check_set(struct cli *cli, const struct limit_args *limit)
{
	size_t targets = opt_find(&limit->args, "cgroup") || opt_find(&limit->args, "socket");

	if (limit->args.n_given > targets)
		return 0;
	return cli_fail(cli, CODE_USAGE, NULL, "name what is to change: --rate, --over, ...",
			"there is nothing to set");
}

static void take_resource(const struct rein_limit *limit, void *arg)
{
	*(uint32_t *)arg = limit->resource;
}

/* Amounts without a resource are those of the resource that the limit has. */
static int ask_amounts(struct cli *cli, struct limit_args *limit)
{
	struct rein_limit_request request = {
		.name = limit->request.name, .cgroup_fd = limit->request.cgroup_fd,
		.has_socket = limit->request.has_socket, .socket_fd = limit->request.socket_fd,
	};

	if (!opt_find(&limit->args, "rate") && !opt_find(&limit->args, "queue"))
		return 0;
	if (rein_limit_get(cli->rein, &request, take_resource, &limit->request.resource))
		return fail_limit(cli, limit);
	return take_amounts(cli, limit);
}

/* All that can be said about a change without asking the kernel. */
static int take_change(struct cli *cli, struct limit_args *limit, int argc, char **argv, bool set)
{
	int ret;

	ret = opt_parse(cli, argc, argv, change_opts, &limit->args);
	if (!ret)
		ret = opt_words(cli, &limit->args, 1, 1, "the NAME of the limit");
	if (!ret)
		ret = take_options(cli, limit);
	if (!ret && (!set || limit->request.has_resource))
		ret = take_amounts(cli, limit);
	limit->request.name = limit->args.words[0];
	if (ret)
		return ret;
	return set ? check_set(cli, limit) : check_new(cli, limit);
}

static int limit_change(struct cli *cli, int argc, char **argv, unsigned int command,
			const char *done)
{
	struct limit_args limit = { 0 };
	bool set = command == REIN_CMD_LIMIT_SET;
	int ret;

	ret = take_change(cli, &limit, argc, argv, set);
	if (!ret)
		ret = cli_connect(cli);
	if (!ret)
		ret = target_open(cli, &limit.args, &limit.request);
	if (ret)
		return ret;
	if (set && !limit.request.has_resource)
		ret = ask_amounts(cli, &limit);
	if (!ret && rein_limit_change(cli->rein, command, &limit.request))
		ret = fail_limit(cli, &limit);
	else if (!ret)
		ret = cli_done(cli, done, "limit", limit.request.name);
	target_close(&limit.request);
	return ret;
}

static int limit_add(struct cli *cli, int argc, char **argv)
{
	return limit_change(cli, argc, argv, REIN_CMD_LIMIT_ADD, "added");
}

static int limit_replace(struct cli *cli, int argc, char **argv)
{
	return limit_change(cli, argc, argv, REIN_CMD_LIMIT_REPLACE, "replaced");
}

static int limit_set(struct cli *cli, int argc, char **argv)
{
	return limit_change(cli, argc, argv, REIN_CMD_LIMIT_SET, "set");
}

/* The arguments of del and show: a name, and perhaps a target. */
static int take_one(struct cli *cli, int argc, char **argv, struct limit_args *limit)
{
	static const struct opt opts[] = {
		{ "cgroup", 0, "PATH", false },
		{ "socket", 0, "PID:FD", false },
		{ 0 },
	};
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &limit->args);
	if (!ret)
		ret = opt_words(cli, &limit->args, 1, 1, "the NAME of the limit");
	if (!ret)
		ret = target_check(cli, &limit->args);
	if (!ret)
		ret = cli_connect(cli);
	if (!ret)
		ret = target_open(cli, &limit->args, &limit->request);
	limit->request.name = limit->args.words[0];
	return ret;
}

static int limit_del(struct cli *cli, int argc, char **argv)
{
	struct limit_args limit = { 0 };
	int ret = take_one(cli, argc, argv, &limit);

	if (ret)
		return ret;
	if (rein_limit_change(cli->rein, REIN_CMD_LIMIT_DEL, &limit.request))
		ret = fail_limit(cli, &limit);
	else
		ret = cli_done(cli, "deleted", "limit", limit.request.name);
	target_close(&limit.request);
	return ret;
}

static void show_one(const struct rein_limit *limit, void *arg)
{
	struct cli *cli = arg;

	out_object(&cli->out, NULL);
	show_limit_full(&cli->out, limit);
	out_end(&cli->out);
}

static int limit_show(struct cli *cli, int argc, char **argv)
{
	struct limit_args limit = { 0 };
	int ret = take_one(cli, argc, argv, &limit);

	if (ret)
		return ret;
	if (rein_limit_get(cli->rein, &limit.request, show_one, cli))
		ret = fail_limit(cli, &limit);
	out_flush(&cli->out);
	target_close(&limit.request);
	return ret;
}

/**
 * struct lister - what is listed
 * @cli:	the command
 * @stats:	with what became of the requests
 * @sockets:	only limits of sockets, and what these have of limits per socket
 */
struct lister {
	struct cli *cli;
	bool stats;
	bool sockets;
};

static void list_one(const struct rein_limit *limit, void *arg)
{
	struct lister *lister = arg;
	struct out *out = &lister->cli->out;

	if (lister->sockets && !limit->has_socket)
		return;
	out_text(out, "\n");
	out_object(out, NULL);
	show_limit_row(out, limit, lister->stats);
	out_end(out);
}

static int limit_list(struct cli *cli, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "cgroup", 0, "PATH", false },
		{ "socket", 0, "PID:FD", false },
		{ "sockets", 0, NULL, false },
		{ "on", 0, "RESOURCE", false },
		{ "stats", 's', NULL, false },
		{ 0 },
	};
	struct limit_args limit = { 0 };
	struct lister lister = { .cli = cli };
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &limit.args);
	if (!ret)
		ret = opt_words(cli, &limit.args, 0, 0, NULL);
	if (!ret)
		ret = take_options(cli, &limit);
	if (!ret)
		ret = cli_connect(cli);
	if (!ret)
		ret = target_open(cli, &limit.args, &limit.request);
	if (ret)
		return ret;
	lister.stats = opt_find(&limit.args, "stats");
	lister.sockets = opt_find(&limit.args, "sockets");
	limit.request.copies = lister.sockets;
	out_list(&cli->out, NULL);
	if (rein_limit_dump(cli->rein, &limit.request, list_one, &lister)) {
		ret = fail_limit(cli, &limit);
	} else {
		out_end(&cli->out);
		out_flush(&cli->out);
		if (rein_interrupted(cli->rein))
			cli_note(cli, "limits changed while they were read; some may be missing");
	}
	target_close(&limit.request);
	return ret;
}

#define ADD_USAGE \
	" NAME (--cgroup PATH | --socket PID:FD) --on RESOURCE\n" \
	"                --rate RATE[,burst=SIZE] [--rate ...]\n" \
	"                [--over refuse|wait|mark|observe] [--patience TIME]\n" \
	"                [--queue SIZE|N] [--credit N] [--for TIME] [--per-socket]"

#define CHANGE_DETAILS \
	"  --cgroup PATH    what it binds: a path as below the cgroup2 mount, / is the\n" \
	"                   root; an absolute path below that mount; or self\n" \
	"  --socket PID:FD  or one socket, as process PID has it open (ls -l /proc/PID/fd);\n" \
	"                   or as rein itself was given it, self:FD. The limit goes when the\n" \
	"                   socket is closed. One's own can be limited without privileges\n" \
	"  --on RESOURCE    what it meters: egress (packets that leave); ingress (packets\n" \
	"                   that arrive); connect or accept (new connections, out and in);\n" \
	"                   call (tokens that are taken by name, see: rein help take)\n" \
	"  --rate RATE[,burst=SIZE]\n" \
	"                   up to 8 of them, all must have tokens: 10Mbit/s 1MB/s\n" \
	"                   5kp/s 1p/min, of connections and calls 2/s 10/min; 0:\n" \
	"                   closed; unlimited. SIZE in the unit of the rate; default:\n" \
	"                   what a second gives, at least 64KiB, or 1\n" \
	"  --over WHAT      what happens over the limit: refuse (default), wait,\n" \
	"                   mark (set ECN CE), observe (only count)\n" \
	"  --patience TIME  longest wait of a packet, connection or call: 50ms 2s 5min\n" \
	"  --queue SIZE|N   bytes of packets, or how many calls, that may wait at the\n" \
	"                   same time\n" \
	"  --credit N       of a limit on call: how much of a token a success gives back,\n" \
	"                   as 0.05; see: rein help race\n" \
	"  --for TIME       the limit removes itself after this long\n" \
	"  --per-socket     of a cgroup's limit on egress or ingress: each socket gets tokens\n" \
	"                   of its own; see: rein limit list --sockets -s. It can't be changed\n" \
	"                   later: delete the limit and add it anew\n"

#define ONE_DETAILS \
	"Without a target the name has to be the only one, of cgroups' limits first;\n" \
	"otherwise those that it may be are listed.\n"

const struct command limit_commands[] = {
	{ .name = "add", .run = limit_add, .summary = "attach a new limit to a cgroup or a socket",
	  .usage = "add" ADD_USAGE, .details = CHANGE_DETAILS },
	{ .name = "replace", .run = limit_replace,
	  .summary = "as add, or as set where the limit exists",
	  .usage = "replace" ADD_USAGE, .details = CHANGE_DETAILS },
	{ .name = "set", .run = limit_set,
	  .summary = "change a limit; what isn't named stays, tokens are kept",
	  .usage = "set NAME [--cgroup PATH | --socket PID:FD] [--rate RATE[,burst=SIZE]]...\n"
		   "                [--over refuse|wait|mark|observe] [--patience TIME]\n"
		   "                [--queue SIZE|N] [--credit N] [--for TIME|infinity]",
	  .details = CHANGE_DETAILS "\n--rate replaces all tiers. " ONE_DETAILS },
	{ .name = "del", .run = limit_del, .summary = "remove a limit; what waits is let go",
	  .usage = "del NAME [--cgroup PATH | --socket PID:FD]", .details = ONE_DETAILS },
	{ .name = "show", .run = limit_show, .summary = "all there is to know about a limit",
	  .usage = "show NAME [--cgroup PATH | --socket PID:FD]", .details = ONE_DETAILS },
	{ .name = "list", .run = limit_list, .summary = "the limits there are",
	  .usage = "list [--cgroup PATH | --socket PID:FD] [--sockets] [--on RESOURCE] [-s]",
	  .details = "  -s, --stats      with what became of the requests\n"
		     "  --sockets        only those of sockets, and what each socket has of those\n"
		     "                   that are --per-socket\n" },
	{ 0 },
};
