// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/*
 * Take one word from *in, undoing its quotes in place: '...' as it stands,
 * "..." with \" and \\, and \ before any other character.
 */
static char *take_word(char **in, const char **error)
{
	char *p = *in, *out = p, *word = p;
	char quote = '\0';

	for (; *p && (quote || !strchr(" \t\r\n", *p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
		else if (*p == '\\' && quote != '\'' && p[1] &&
			 (!quote || p[1] == '"' || p[1] == '\\'))
			*out++ = *++p;
		else
			*out++ = *p;
	}
	if (quote)
		*error = quote == '"' ? "a \" is not closed" : "a ' is not closed";
	*in = *p ? p + 1 : p;
	*out = '\0';
	return word;
}

/**
 * batch_split() - split a line into words as a shell does
 * @line:	it; is written over
 * @argv:	where the words go
 * @max:	how many fit there
 * @error:	what is wrong, NULL if nothing is
 *
 * A word that begins with # begins a comment.
 *
 * Return: how many words there are.
 */
int batch_split(char *line, char **argv, int max, const char **error)
{
	int n = 0;

	*error = NULL;
	for (;;) {
		line += strspn(line, " \t\r\n");
		if (!*line || *line == '#' || *error)
			return n;
		if (n == max) {
			*error = "the line has too many words";
			return n;
		}
		argv[n++] = take_word(&line, error);
	}
}

/* Read a line, with those that a \ at its end continues it by. */
static ssize_t read_line(FILE *file, char **line, size_t *size, unsigned int *lines)
{
	ssize_t len = getline(line, size, file);
	char *next = NULL;
	size_t room = 0;

	*lines = 1;
	while (len > 1 && (*line)[len - 1] == '\n' && (*line)[len - 2] == '\\') {
		ssize_t more = getline(&next, &room, file);

		if (more < 0)
			break;
		if (len + more + 1 > (ssize_t)*size) {
			char *longer = realloc(*line, len + more + 1);

			if (!longer)
				break;
			*line = longer;
			*size = len + more + 1;
		}
		memcpy(*line + len - 2, next, more + 1);
		len += more - 2;
		++*lines;
	}
	free(next);
	return len;
}

static int run_line(struct cli *cli, char *line, size_t len)
{
	bool quiet = cli->quiet, verbose = cli->verbose;
	char *argv[OPT_MAX + 1];
	const char *error;
	int argc, ret;

	if (strlen(line) != len)
		return cli_fail(cli, CODE_BATCH, NULL, NULL, "the line has a NUL byte");
	argc = batch_split(line, argv, OPT_MAX, &error);
	if (error)
		return cli_fail(cli, CODE_BATCH, NULL, NULL, "%s", error);
	if (!argc)
		return 0;
	argv[argc] = NULL;
	ret = cli_run(cli, argc, argv);
	cli->quiet = quiet;
	cli->verbose = verbose;
	return ret;
}

static int run_lines(struct cli *cli, FILE *file)
{
	unsigned int next = 1, lines;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int first = 0;

	while ((len = read_line(file, &line, &size, &lines)) >= 0) {
		int ret;

		cli->line = next;
		next += lines;
		ret = run_line(cli, line, len);
		if (ret && !first)
			first = ret;
		if ((ret && !cli->force) || ferror(cli->out.file))
			break;
	}
	free(line);
	if (ferror(file) && !first)
		first = cli_fail(cli, CODE_BATCH, NULL, NULL, "reading failed: %s",
				 strerror(errno));
	return first;
}

/**
 * batch_run() - run the commands of a file
 * @cli:	the command
 * @path:	the file, - is stdin
 *
 * Stops at the first that fails, unless it was told to go on.
 *
 * Return: the exit code of the first command that failed, 0 if none did.
 */
int batch_run(struct cli *cli, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int ret;

	if (!file) {
		char option[256];

		snprintf(option, sizeof(option), "-b %s", path);
		return cli_fail(cli, CODE_BATCH, option,
				"name a file that can be read, or - for stdin",
				"can't open %s: %s", path, strerror(errno));
	}
	cli->file = is_stdin ? "stdin" : path;
	out_batch_begin(&cli->out);
	ret = run_lines(cli, file);
	out_batch_end(&cli->out);
	cli->file = NULL;
	if (!is_stdin)
		fclose(file);
	return ret;
}
