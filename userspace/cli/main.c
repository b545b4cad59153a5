// SPDX-License-Identifier: GPL-2.0
/*
 * rein: token bucket limits on cgroups, enforced in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"

const struct command top_commands[] = {
	{ .name = "limit", .subs = limit_commands, .summary = "limits on cgroups",
	  .usage = "limit COMMAND ..." },
	{ .name = "take", .run = take_main, .summary = "take tokens by name, then run a command",
	  .usage = "take NAME[=N]... [--timeout TIME] [--try] [-- COMMAND...]",
	  .details =
	  "Takes N tokens (default: 1) of the limits of that name on call, from the own\n"
	  "cgroup upwards; of several names all or nothing. Waits if the limits say wait.\n\n"
	  "  --timeout TIME   wait so long, whatever they say: 50ms 2s infinity\n"
	  "  --try            never wait\n"
	  "  -- COMMAND       then become this command; the tokens stay taken\n\n"
	  "Ends with 3 if it is over a limit, 4 if the time does not suffice; with a\n"
	  "COMMAND with its status, or 121 and 124, and 125 if rein itself fails.\n" },
	{ .name = "scope", .subs = scope_commands,
	  .summary = "what ends as a whole: commands with all that they start",
	  .usage = "scope COMMAND ..." },
	{ .name = "race", .run = race_main,
	  .summary = "run a command several times, take the first that succeeds",
	  .usage = "race -n N [--after TIME] [--timeout TIME] [--name NAME]\n"
		   "            [--budget NAME [--credit N]] -- COMMAND...",
	  .details =
	  "Runs COMMAND up to N times, each time in a cgroup of its own; the first that\n"
	  "ends with 0 has won. Its output is the output; the others are killed with all\n"
	  "that they have started. In COMMAND {} is the number of the replica, from 1, and\n"
	  "so is REIN_REPLICA in its environment; its input is empty unless N is 1.\n\n"
	  "  -n N, --replicas N  at most so many in all\n"
	  "  --after TIME        another one each time so much has passed without an\n"
	  "                      answer, or at once when one fails; default: all at once\n"
	  "  --timeout TIME      then all of them are killed: 50ms 2s\n"
	  "  --budget NAME       each but the first takes a token of this limit on call, or\n"
	  "                      isn't started\n"
	  "  --credit N          if one has won, that limit gets so much of a token back, as\n"
	  "                      0.05, but no more than its own credit: see help limit add\n"
	  "  --name NAME         how it is called in rein scope list\n\n"
	  "Ends with 0 if one has won; with the status of the last one if all failed; 124\n"
	  "if the time has passed, 122 if it was cancelled, 125 if rein itself fails, 126\n"
	  "and 127 if COMMAND can't be executed. -v says what became of each.\n" },
	{ .name = "watch", .subs = watch_commands,
	  .summary = "what has to be alive: beats, and what is done without",
	  .usage = "watch COMMAND ..." },
	{ .name = "beat", .run = beat_main, .summary = "say that all is well",
	  .usage = "beat ID|NAME [--begin UNIT [--deadline TIME] | --end UNIT |\n"
		   "            --checkpoint N] [--token N]",
	  .details =
	  "Whoever a watch is kept over may beat.\n\n"
	  "  --begin UNIT     a unit of work begins, and what was under way before ends\n"
	  "  --deadline TIME  it has to end within this time\n"
	  "  --end UNIT       it ends; this is no beat of a cycle\n"
	  "  --checkpoint N   the program is at this one, 0 to 15\n"
	  "  --token N        what the beat before has printed, if the watch wants it; 0:\n"
	  "                   there was none\n\n"
	  "In C rein_beat() does so without a system call.\n" },
	{ .name = "chain", .run = chain_main,
	  .summary = "every limit that binds a cgroup or a socket",
	  .usage = "chain (--cgroup PATH | --pid PID | --socket PID:FD)",
	  .details =
	  "Lists the limits of the socket, of the cgroup and of all its ancestors, level by\n"
	  "level, and the tightest rate among those that are enforced. Of a limit that is\n"
	  "per socket, that of a socket has what this has of it.\n" },
	{ .name = "errors", .subs = errors_commands, .initial = "list",
	  .summary = "records of what was refused, and what errors mean",
	  .usage = "errors [COMMAND ...]" },
	{ .name = "monitor", .run = monitor_main, .summary = "what happens, as it happens",
	  .usage = "monitor [limits|errors|scopes|watches]... [--exec CMD]",
	  .details =
	  "Prints limits that come, change and go, records as they are made, and what\n"
	  "becomes of scopes and watches.\n\n"
	  "  --exec CMD       what sh does at the step exec of a watch, with REIN_WATCH_ID,\n"
	  "                   _NAME, _SUBJECT, _CGROUP, _PID, _RECORD and _FAULT\n\n"
	  "With -j each line is a JSON document. Ends on SIGINT.\n" },
	{ .name = "stat", .run = stat_main, .summary = "the module's own counters",
	  .usage = "stat" },
	{ .name = "flush", .run = flush_main, .summary = "remove every limit",
	  .usage = "flush [--force]",
	  .details =
	  "What waits for a limit is let go; with --force it is dropped.\n" },
	{ .name = "version", .run = version_main, .usage = "version",
	  .summary = "versions of the command and of the module" },
	{ .name = "help", .run = help_main, .usage = "help [COMMAND ...]",
	  .summary = "this, or how to use a command" },
	{ 0 },
};

static const char *command_name(size_t i, void *arg)
{
	const struct command *commands = arg;

	return commands[i].name;
}

static const struct command *find_command(const struct command *commands, const char *name)
{
	for (; commands->name; commands++)
		if (!strcmp(commands->name, name))
			return commands;
	return NULL;
}

static int unknown_command(struct cli *cli, const struct command *commands, const char *name)
{
	const char *meant = closest(name, command_name, (void *)commands);
	char hint[192] = "";
	size_t i, len = 0;

	if (meant)
		len = snprintf(hint, sizeof(hint), "did you mean %s? ", meant);
	len += snprintf(hint + len, sizeof(hint) - len, "there are:");
	for (i = 0; commands[i].name; i++)
		len += snprintf(hint + len, sizeof(hint) - len, " %s", commands[i].name);
	return cli_fail(cli, CODE_USAGE, name, hint, "there is no command '%s'", name);
}

static void print_commands(FILE *file, const struct command *commands)
{
	for (; commands->name; commands++)
		fprintf(file, "  %-9s%s\n", commands->name, commands->summary);
}

static void print_usage(FILE *file, const char *prefix, const struct command *command)
{
	const char *line = command->usage;

	/* A long synopsis goes on in further lines, which are indented there. */
	fprintf(file, "usage: rein %s%s\n\n%s\n", prefix, line, command->summary);
	if (command->details)
		fprintf(file, "\n%s", command->details);
}

static void help_top(FILE *file)
{
	fputs("usage: rein [-j] [-p] [-q] [-v] COMMAND ...\n"
	      "       rein [-j] [-p] [-q] [-v] [-f] -b FILE\n\n"
	      "Token bucket limits on cgroups, ends of what runs in them, and watches over it,\n"
	      "enforced in the kernel.\n\n", file);
	print_commands(file, top_commands);
	fputs("\n  -j, --json     print one JSON document\n"
	      "  -p, --pretty   the same with line breaks\n"
	      "  -q, --quiet    errors in one line, no notes\n"
	      "  -v, --verbose  say what was done, and all about an error\n"
	      "  -b, --batch FILE  run the commands of a file, one a line; - is stdin\n"
	      "  -f, --force    go on after an error in a batch\n\n"
	      "See: rein help COMMAND, rein(8)\n", file);
}

static void help_on(FILE *file, const struct command *group, const struct command *command)
{
	char prefix[32] = "";

	if (group)
		snprintf(prefix, sizeof(prefix), "%s ", group->name);
	print_usage(file, prefix, command);
	if (command->subs) {
		putc('\n', file);
		print_commands(file, command->subs);
		fprintf(file, "\nSee: rein help %s COMMAND\n", command->name);
	}
}

/* Help as it stands, or as one string in JSON. */
static int say_help(struct cli *cli, const struct command *group, const struct command *command)
{
	char *text = NULL;
	size_t size;
	FILE *file = cli->out.json ? open_memstream(&text, &size) : cli->out.file;

	if (!file)
		return cli_fail(cli, CODE_OUTPUT, NULL, NULL, "out of memory");
	if (command)
		help_on(file, group, command);
	else
		help_top(file);
	if (!cli->out.json)
		return EXIT_OK;
	fclose(file);
	out_object(&cli->out, NULL);
	out_str(&cli->out, "help", NULL, text);
	out_end(&cli->out);
	free(text);
	return EXIT_OK;
}

int help_main(struct cli *cli, int argc, char **argv)
{
	const struct command *commands = top_commands, *group = NULL, *command = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (!commands)
			return cli_fail(cli, CODE_USAGE, argv[i], NULL,
					"'%s' is one argument too many", argv[i]);
		group = command;
		command = find_command(commands, argv[i]);
		if (!command)
			return unknown_command(cli, commands, argv[i]);
		commands = command->subs;
	}
	return say_help(cli, group, command);
}

static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run_group(struct cli *cli, const struct command *group, int argc, char **argv)
{
	const struct command *command;
	char hint[64];
	const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : group->initial;

	if (argc > 1 && argv[1] == name) {
		argc--;
		argv++;
	}
	if ((!name || argv[0] != name) && wants_help(argc, argv))
		return say_help(cli, NULL, group);
	if (!name) {
		snprintf(hint, sizeof(hint), "see: rein help %s", group->name);
		return cli_fail(cli, CODE_USAGE, group->name, hint, "rein %s needs a command",
				group->name);
	}
	command = find_command(group->subs, name);
	if (!command)
		return unknown_command(cli, group->subs, name);
	if (wants_help(argc, argv))
		return say_help(cli, group, command);
	return command->run(cli, argc, argv);
}

/**
 * cli_run() - run one command
 * @cli:	the command line it belongs to
 * @argc:	how many words
 * @argv:	they; the first is the name of the command
 *
 * Return: an exit code.
 */
int cli_run(struct cli *cli, int argc, char **argv)
{
	const struct command *command = find_command(top_commands, argv[0]);

	if (!command)
		return unknown_command(cli, top_commands, argv[0]);
	if (command->subs)
		return run_group(cli, command, argc, argv);
	if (wants_help(argc, argv))
		return say_help(cli, NULL, command);
	return command->run(cli, argc, argv);
}

/* What stands before the command: its own arguments begin at *next. */
static int global_options(struct cli *cli, int argc, char **argv, int *next, const char **batch)
{
	static const struct opt opts[] = {
		{ "batch", 'b', "FILE", false },
		{ "force", 'f', NULL, false },
		{ "help", 'h', NULL, false },
		{ "version", 'V', NULL, false },
		{ 0 },
	};
	char version[] = "version", help[] = "help", *word[] = { help, NULL };
	struct opt_args args;
	int i, ret;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++)
		if (!strcmp(argv[i], "-b") || !strcmp(argv[i], "--batch"))
			i++;
	*next = i < argc ? i : argc;
	ret = opt_parse(cli, *next, argv, opts, &args);
	if (ret)
		return ret;
	cli->force = opt_find(&args, "force");
	*batch = opt_value(&args, "batch");
	if (opt_find(&args, "help"))
		return cli_run(cli, 1, word) ? EXIT_USAGE : -1;
	if (opt_find(&args, "version")) {
		word[0] = version;
		ret = cli_run(cli, 1, word);
		return ret ? ret : -1;
	}
	return 0;
}

/* Where a command was to be run, what is wrong before it isn't its status. */
static int fail_early(int ret, int argc, char **argv)
{
	return command_follows(argc, argv) ? EXIT_COMMAND_FAILED : ret;
}

static int run(struct cli *cli, int argc, char **argv)
{
	const char *batch = NULL;
	int next, ret;

	ret = global_options(cli, argc, argv, &next, &batch);
	if (ret)
		return ret < 0 ? EXIT_OK : fail_early(ret, argc - next, argv + next);
	if (batch && next < argc) {
		ret = cli_fail(cli, CODE_USAGE, argv[next], "write the command into the file",
			       "with -b there is no command besides those of the file");
		return fail_early(ret, argc - next, argv + next);
	}
	if (batch)
		return batch_run(cli, batch);
	if (cli->force) {
		ret = cli_fail(cli, CODE_USAGE, "-f", "use it with -b FILE",
			       "-f is about batches");
		return fail_early(ret, argc - next, argv + next);
	}
	if (next == argc) {
		help_top(stderr);
		return EXIT_USAGE;
	}
	return cli_run(cli, argc - next, argv + next);
}

/* Has whoever read the output gone away? */
bool reader_gone(FILE *file)
{
	struct pollfd fd = { .fd = fileno(file) };

	return poll(&fd, 1, 0) == 1 && fd.revents & POLLERR;
}

/* A reader that has seen enough is no error; a full disk is. */
static int finish(struct cli *cli, int ret)
{
	struct cli say = {
		.out = { .file = stderr, .json = cli->out.json, .pretty = cli->out.pretty },
		.quiet = cli->quiet, .verbose = cli->verbose,
	};
	bool failed;

	errno = 0;
	failed = fflush(cli->out.file) || ferror(cli->out.file);
	if (!failed || ret || reader_gone(cli->out.file))
		return ret;
	return cli_fail(&say, CODE_OUTPUT, NULL, NULL, "the output can't be written%s%s",
			errno ? ": " : "", errno ? strerror(errno) : "");
}

/* See no-color.org. */
static bool may_paint(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb");
}

/*
 * What is opened later, a netlink socket perhaps, must not become the standard output that
 * was closed. Reading and writing fail, as before, and a command finds them closed.
 */
static bool fill_closed(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd] | O_CLOEXEC) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct cli cli = { .out = { .file = stdout, .colour = may_paint() } };
	int ret;

	if (!fill_closed())
		return EXIT_COMMAND_FAILED;
	cli.sigpipe = signal(SIGPIPE, SIG_IGN);
	/* Whose parent ignores it is told nothing of what becomes of its own children. */
	cli.sigchld = signal(SIGCHLD, SIG_DFL);
	ret = finish(&cli, run(&cli, argc, argv));
	rein_close(cli.rein);
	out_free(&cli.out);
	free(cli.mount);
	return ret;
}
