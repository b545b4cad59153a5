// SPDX-License-Identifier: GPL-2.0
/*
 * rein take: tokens by name, and perhaps a command once they are there.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "span.h"

/**
 * struct take - a take as the command line describes it
 * @args:	the options and names
 * @wants:	what is wanted
 * @n:		of how many limits
 * @try:	never wait
 * @timed:	wait for @timeout_ns, whatever the limits say
 * @timeout_ns:	REIN_FOREVER_NS: as long as it takes
 * @command:	what to run then, NULL: nothing
 * @result:	what became of it
 */
struct take {
	struct opt_args args;
	struct rein_take_want wants[REIN_TAKE_NAMES_MAX];
	unsigned int n;
	bool try;
	bool timed;
	uint64_t timeout_ns;
	char **command;
	struct rein_take_result result;
};

/* NAME[=N] */
static int take_want(struct cli *cli, struct take *take, const char *word)
{
	struct rein_take_want *want = &take->wants[take->n];
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	struct parse_error error;
	uint64_t tokens = 1;
	unsigned int i;

	if (!len)
		return cli_fail(cli, CODE_USAGE, word, "write: NAME or NAME=N",
				"the name of the limit is missing");
	if (len >= sizeof(want->name))
		return cli_fail(cli, CODE_USAGE, word, NULL,
				"the name is too long: limits have at most %d characters",
				REIN_NAME_MAX);
	if (equals && parse_number(equals + 1, "number of tokens", UINT64_MAX, &tokens, &error))
		return cli_fail(cli, error.code, word, error.hint, "%s", error.message);
	memcpy(want->name, word, len);
	want->tokens = tokens;
	for (i = 0; i < take->n; i++)
		if (!strcmp(take->wants[i].name, want->name))
			return cli_fail(cli, CODE_USAGE, word, "name it once, with the sum",
					"%s is named twice", want->name);
	take->n++;
	return 0;
}

static int take_wants(struct cli *cli, struct take *take)
{
	size_t i;
	int ret = 0;

	if (!take->args.n_words)
		return cli_fail(cli, CODE_USAGE, NULL, NULL, "the NAME of a limit is missing");
	if (take->args.n_words > REIN_TAKE_NAMES_MAX)
		return cli_fail(cli, CODE_USAGE, take->args.words[REIN_TAKE_NAMES_MAX], NULL,
				"at most %d limits can be named", REIN_TAKE_NAMES_MAX);
	for (i = 0; i < take->args.n_words && !ret; i++)
		ret = take_want(cli, take, take->args.words[i]);
	return ret;
}

static int take_line(struct cli *cli, struct take *take, int argc, char **argv)
{
	static const struct opt opts[] = {
		{ "timeout", 0, "TIME", false },
		{ "try", 0, NULL, false },
		{ 0 },
	};
	struct parse_error error;
	const char *timeout;
	int ret;

	ret = opt_parse(cli, argc, argv, opts, &take->args);
	if (!ret)
		ret = take_wants(cli, take);
	if (ret)
		return ret;
	timeout = opt_value(&take->args, "timeout");
	take->try = opt_find(&take->args, "try");
	take->timed = timeout;
	if (timeout && parse_time(timeout, &take->timeout_ns, &error))
		return cli_fail_parse(cli, "--timeout", timeout, &error);
	if (take->timed && take->try)
		return cli_fail(cli, CODE_USAGE, "--try", "name one of them",
				"--try doesn't wait, so there is no time to give it");
	if (take->command && !take->command[0])
		return cli_fail(cli, CODE_USAGE, "--", NULL, "the COMMAND is missing");
	return 0;
}

/*
 * Signals that end a process end this one, without a handler. One that stops
 * it ends the wait once it goes on: then it waits for what is left.
 */
static int ask(struct take *take, int fd)
{
	uint32_t flags = take->try ? REIN_TAKE_TRY : take->timed ? REIN_TAKE_TIMEOUT : 0;
	uint64_t since = span_now(), left = take->timeout_ns;
	int ret;

	do {
		ret = rein_take_in(fd, REIN_NO_FD, take->wants, take->n, flags,
				   take->timed ? left : 0, &take->result);
		left = span_left(take->timeout_ns, since);
	} while (ret == -EINTR);
	return ret;
}

/* By the code, or by the errno if the kernel gave none. */
static int exit_of(uint32_t code, int err)
{
	static const struct {
		uint32_t code;
		int err;
		int exit;
	} outcomes[] = {
		{ CODE_TAKE_OVER, EAGAIN, EXIT_OVER },
		{ CODE_TAKE_LATE, ETIME, EXIT_LATE },
		{ CODE_TAKE_TIMEOUT, ETIMEDOUT, EXIT_LATE },
		{ CODE_TAKE_BURST, E2BIG, EXIT_OVER },
		{ CODE_TAKE_FULL, ENOBUFS, EXIT_OVER },
		{ CODE_TAKE_PATIENCE, EAGAIN, EXIT_OVER },
		{ CODE_TAKE_CANCELLED, ECANCELED, EXIT_CANCELLED },
	};
	size_t i;

	/* Of those of scopes there is one for each cause. */
	if (code >= CODE_SCOPE_TIMEOUT && code <= CODE_SCOPE_DONE)
		return EXIT_CANCELLED;
	for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (code ? outcomes[i].code == code : outcomes[i].err == err)
			return outcomes[i].exit;
	return EXIT_REFUSED;
}

static int fail_take(struct cli *cli, const struct take *take, int err)
{
	const struct rein_take_result *result = &take->result;
	struct fault fault;

	fault_answer(&fault, "takes", NULL, "the tokens can't be taken", err, result->code,
		     result->message);
	if (result->code && result->want < take->n)
		snprintf(fault.option, sizeof(fault.option), "%s",
			 take->args.words[result->want]);
	fault.exit = exit_of(result->code, err);
	fault.record = result->record;
	fault.cause = result->cause;
	fault.scope = result->scope_id;
	if (result->code && (fault.exit == EXIT_OVER || fault.exit == EXIT_LATE))
		fault.take = result;
	return fault_report(cli, &fault);
}

/* Standard output is the command's, if there is one. */
static void say_taken(struct cli *cli, const struct take *take)
{
	struct out to_stderr = {
		.file = stderr, .json = cli->out.json, .pretty = cli->out.pretty,
	};
	struct out *out = take->command ? &to_stderr : &cli->out;
	unsigned int i;

	if (!out->json && !cli->verbose)
		return;
	out_object(out, NULL);
	out_str(out, "result", "", "taken");
	out_list(out, "wants");
	for (i = 0; i < take->n; i++) {
		out_object(out, NULL);
		out_str(out, "name", " ", take->wants[i].name);
		out_num(out, "tokens", "=", take->wants[i].tokens);
		out_end(out);
	}
	out_end(out);
	out_left(out, "waited_ns", ", waited ", take->result.waited_ns);
	out_num(out, "granted_ns", NULL, take->result.granted_ns);
	out_end(out);
	out_flush(out);
	out_free(&to_stderr);
}

/* Become the command; returns only if that fails. */
static int run_command(struct cli *cli, char **command)
{
	fflush(NULL);
	command_signals(cli);
	execvp(command[0], command);
	return command_fail(cli, command[0], errno);
}

static int take_tokens(struct cli *cli, struct take *take, int argc, char **argv)
{
	int ret, fd;

	ret = take_line(cli, take, argc, argv);
	if (!ret)
		ret = cli_device(cli, &fd);
	if (ret)
		return ret;
	ret = ask(take, fd);
	close(fd);
	if (ret)
		return fail_take(cli, take, -ret);
	say_taken(cli, take);
	return EXIT_OK;
}

int take_main(struct cli *cli, int argc, char **argv)
{
	struct take take = { .n = 0 };
	int words, ret;

	take.command = command_split(argc, argv, &words);
	if (take.command && cli->file)
		return cli_fail(cli, CODE_BATCH, "--", "take in the batch, or run it on its own",
				"a batch would end where rein becomes another command");
	ret = take_tokens(cli, &take, words, argv);
	if (!take.command)
		return ret;
	return ret ? command_status(ret) : run_command(cli, take.command);
}
