// SPDX-License-Identifier: GPL-2.0
#include "opt.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Known to every command, before it or after it. */
static const struct opt everywhere[] = {
	{ "json", 'j', NULL, true },
	{ "pretty", 'p', NULL, true },
	{ "quiet", 'q', NULL, true },
	{ "verbose", 'v', NULL, true },
	{ 0 },
};

#define WORD_MAX	32

/* How many letters have to change to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], len = strlen(b), i, j;

	if (strlen(a) > WORD_MAX || len > WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (j = 1; j <= len; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

/**
 * closest() - what may have been meant
 * @word:	what was typed
 * @name:	gives the i-th word that there is, NULL after the last
 * @arg:	handed to @name
 *
 * Return: a word like it, NULL if there is none.
 */
const char *closest(const char *word, const char *(*name)(size_t i, void *arg), void *arg)
{
	const char *best = NULL, *other;
	size_t least = strlen(word) > 4 ? 3 : 2, i;

	for (i = 0; (other = name(i, arg)); i++) {
		size_t far = distance(word, other);

		if (far < least) {
			least = far;
			best = other;
		}
	}
	return best;
}

static const char *opt_name(size_t i, void *arg)
{
	const struct opt *opts = arg;
	size_t n;

	for (n = 0; opts[n].name; n++)
		if (n == i)
			return opts[n].name;
	return i - n < sizeof(everywhere) / sizeof(everywhere[0]) ? everywhere[i - n].name : NULL;
}

static int unknown_option(struct cli *cli, const char *arg, const struct opt *opts)
{
	const char *meant = closest(arg + strspn(arg, "-"), opt_name, (void *)opts);
	char hint[128] = "";

	if (meant)
		snprintf(hint, sizeof(hint), "did you mean --%s?", meant);
	else if (!strcmp(arg, "-b") || !strcmp(arg, "-f") || !strcmp(arg, "--batch"))
		snprintf(hint, sizeof(hint), "%s stands alone, before any command: rein -b FILE",
			 arg);
	return cli_fail(cli, CODE_USAGE, arg, hint, "there is no option %s", arg);
}

static const struct opt *find_long(const struct opt *opts, const char *name, size_t len)
{
	for (; opts->name; opts++)
		if (strlen(opts->name) == len && !memcmp(opts->name, name, len))
			return opts;
	return NULL;
}

static const struct opt *find_letter(const struct opt *opts, char letter)
{
	for (; opts->name; opts++)
		if (letter && opts->letter == letter)
			return opts;
	return NULL;
}

static int take_everywhere(struct cli *cli, const struct opt *opt)
{
	if (opt->letter == 'q')
		cli->quiet = true;
	else if (opt->letter == 'v')
		cli->verbose = true;
	else if (cli->file)
		return cli_fail(cli, CODE_USAGE, opt->letter == 'j' ? "-j" : "-p",
				"give it to rein itself: rein -j -b FILE",
				"the form of the output is the same for the whole batch");
	else
		cli->out.json = true;
	if (opt->letter == 'p')
		cli->out.pretty = true;
	return 0;
}

static int add_given(struct cli *cli, const struct opt *opt, const char *value,
		     struct opt_args *args)
{
	char name[64];

	snprintf(name, sizeof(name), "--%s", opt->name);
	if (!opt->repeat && opt_find(args, opt->name))
		return cli_fail(cli, CODE_USAGE, name, "give it once", "%s is given twice", name);
	if (args->n_given == OPT_MAX)
		return cli_fail(cli, CODE_USAGE, name, NULL, "too many options");
	args->given[args->n_given].opt = opt;
	args->given[args->n_given++].value = value;
	return 0;
}

static int missing_value(struct cli *cli, const char *arg, const struct opt *opt)
{
	char hint[128];

	snprintf(hint, sizeof(hint), "write: %s %s", arg, opt->value);
	return cli_fail(cli, CODE_USAGE, arg, hint, "the value of %s is missing", arg);
}

/* --name, --name value or --name=value; *used: arguments it took beyond its own. */
static int take_long(struct cli *cli, char **argv, int left, const struct opt *opts,
		     struct opt_args *args, int *used)
{
	const char *arg = argv[0], *name = arg + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct opt *opt = find_long(opts, name, len);

	if (!opt) {
		opt = find_long(everywhere, name, len);
		if (!opt)
			return unknown_option(cli, arg, opts);
		if (!value)
			return take_everywhere(cli, opt);
	}
	if (!opt->value && value)
		return cli_fail(cli, CODE_USAGE, arg, NULL, "--%s takes no value", opt->name);
	if (opt->value && !value) {
		if (left < 2)
			return missing_value(cli, arg, opt);
		value = argv[1];
		*used = 1;
	}
	return add_given(cli, opt, value, args);
}

/* -x, -x value, or several such letters; a value is always of its own. */
static int take_letters(struct cli *cli, char **argv, int left, const struct opt *opts,
			struct opt_args *args, int *used)
{
	const char *arg = argv[0], *p;
	int ret = 0;

	for (p = arg + 1; *p && !ret; p++) {
		const struct opt *opt = find_letter(opts, *p);
		const char *value = NULL;
		char name[3] = { '-', *p, '\0' };

		if (!opt) {
			opt = find_letter(everywhere, *p);
			if (!opt)
				return unknown_option(cli, p == arg + 1 && !p[1] ? arg : name,
						      opts);
			ret = take_everywhere(cli, opt);
			continue;
		}
		if (opt->value) {
			if (p[1] || left < 2)
				return missing_value(cli, name, opt);
			value = argv[1];
			*used = 1;
		}
		ret = add_given(cli, opt, value, args);
	}
	return ret;
}

/**
 * opt_parse() - sort arguments into options and words
 * @cli:	the command
 * @argc:	how many arguments
 * @argv:	they; the first is the name of the command
 * @opts:	what it knows, ended by an empty entry
 * @args:	where they go
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int opt_parse(struct cli *cli, int argc, char **argv, const struct opt *opts,
	      struct opt_args *args)
{
	bool words_only = false;
	int i, ret = 0;

	memset(args, 0, sizeof(*args));
	for (i = 1; i < argc && !ret; i++) {
		const char *arg = argv[i];
		int used = 0;

		if (words_only || arg[0] != '-' || !arg[1]) {
			if (args->n_words == OPT_MAX)
				return cli_fail(cli, CODE_USAGE, arg, NULL, "too many arguments");
			args->words[args->n_words++] = arg;
		} else if (!strcmp(arg, "--")) {
			words_only = true;
		} else if (arg[1] == '-') {
			ret = take_long(cli, argv + i, argc - i, opts, args, &used);
		} else {
			ret = take_letters(cli, argv + i, argc - i, opts, args, &used);
		}
		i += used;
	}
	return ret;
}

/* The option as it was given, NULL if it wasn't. */
const struct opt_given *opt_find(const struct opt_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < args->n_given; i++)
		if (!strcmp(args->given[i].opt->name, name))
			return &args->given[i];
	return NULL;
}

/* The value of an option, NULL if it wasn't given. */
const char *opt_value(const struct opt_args *args, const char *name)
{
	const struct opt_given *given = opt_find(args, name);

	return given ? given->value : NULL;
}

/**
 * opt_words() - are there as many words as there should be?
 * @cli:	the command
 * @args:	what was given
 * @least:	at least so many
 * @most:	at most so many
 * @what:	what a word is
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int opt_words(struct cli *cli, const struct opt_args *args, size_t least, size_t most,
	      const char *what)
{
	if (args->n_words < least)
		return cli_fail(cli, CODE_USAGE, NULL, NULL, "%s is missing", what);
	if (args->n_words > most)
		return cli_fail(cli, CODE_USAGE, args->words[most], NULL,
				"'%s' is one argument too many", args->words[most]);
	return 0;
}
