// SPDX-License-Identifier: GPL-2.0
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/**
 * command_split() - the command that is to be run
 * @argc:	how many words
 * @argv:	they, ended by NULL
 * @words:	how many come before it, may be NULL
 *
 * Return: it, NULL if there is none.
 */
char **command_split(int argc, char **argv, int *words)
{
	int i = 0;

	while (i < argc && strcmp(argv[i], "--"))
		i++;
	if (words)
		*words = i;
	return i < argc ? argv + i + 1 : NULL;
}

/* Is this a form that runs a command, and is there one? The first is the name of rein's. */
bool command_follows(int argc, char **argv)
{
	if (!argc || !command_split(argc, argv, NULL))
		return false;
	return !strcmp(argv[0], "take") || !strcmp(argv[0], "race") ||
	       ((!strcmp(argv[0], "scope") || !strcmp(argv[0], "watch")) &&
		!strcmp(argv[1], "run"));
}

/* How long a word is with {} replaced, and if there is room for it, the word. */
static size_t put_number(const char *word, const char *number, char *room)
{
	size_t len = 0, digits = strlen(number);

	while (*word) {
		if (word[0] == '{' && word[1] == '}') {
			if (room)
				memcpy(room + len, number, digits);
			len += digits;
			word += 2;
		} else {
			if (room)
				room[len] = *word;
			len++;
			word++;
		}
	}
	if (room)
		room[len] = '\0';
	return len;
}

/**
 * command_number() - a command with a number in place of each {}
 * @words:	it, ended by NULL
 * @number:	the number
 *
 * Return: one block of memory, for the caller to free; NULL if there is none.
 */
char **command_number(char **words, unsigned int number)
{
	char text[16], *room, **numbered;
	size_t n, i, size = 0;

	snprintf(text, sizeof(text), "%u", number);
	for (n = 0; words[n]; n++)
		size += put_number(words[n], text, NULL) + 1;
	numbered = malloc((n + 1) * sizeof(*numbered) + size);
	if (!numbered)
		return NULL;
	room = (char *)(numbered + n + 1);
	for (i = 0; i < n; i++) {
		numbered[i] = room;
		room += put_number(words[i], text, room) + 1;
	}
	numbered[n] = NULL;
	return numbered;
}

/* A command that rein becomes, or starts, ignores what rein's parent wanted it to. */
void command_signals(const struct cli *cli)
{
	signal(SIGPIPE, cli->sigpipe);
	signal(SIGCHLD, cli->sigchld);
}

/* What ends rein in the command's place must not look like its statuses. */
int command_status(int ret)
{
	switch (ret) {
	case EXIT_OVER:
		return EXIT_COMMAND_OVER;
	case EXIT_CANCELLED:
		return EXIT_COMMAND_CANCELLED;
	case EXIT_LATE:
		return EXIT_COMMAND_LATE;
	default:
		return EXIT_COMMAND_FAILED;
	}
}

/* Say why it could not be run; returns the exit code. */
int command_fail(struct cli *cli, const char *command, int err)
{
	struct fault fault;

	fault_set(&fault, CODE_EXEC, command, NULL, "can't run %s: %s", command, strerror(err));
	fault.exit = err == ENOENT ? EXIT_NO_COMMAND : EXIT_NO_EXEC;
	return fault_report(cli, &fault);
}
