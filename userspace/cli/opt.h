/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options of commands.
 *
 * Promise: names are matched whole, a value is whatever follows its option,
 * no option is taken twice unless it may be, and what is wrong is named.
 */
#ifndef REIN_CLI_OPT_H
#define REIN_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct opt - an option that a command knows
 * @name:	long name, without the dashes
 * @letter:	short name, or 0
 * @value:	what its value is called; NULL if it takes none
 * @repeat:	may be given several times
 */
struct opt {
	const char *name;
	char letter;
	const char *value;
	bool repeat;
};

/* More arguments than any command has use for. */
#define OPT_MAX	128

/**
 * struct opt_given - an option as it was given
 * @opt:	which
 * @value:	its value, or NULL
 */
struct opt_given {
	const struct opt *opt;
	const char *value;
};

struct opt_args {
	struct opt_given given[OPT_MAX];
	size_t n_given;
	const char *words[OPT_MAX];
	size_t n_words;
};

struct cli;

int opt_parse(struct cli *cli, int argc, char **argv, const struct opt *opts,
	      struct opt_args *args);
const struct opt_given *opt_find(const struct opt_args *args, const char *name);
const char *opt_value(const struct opt_args *args, const char *name);
int opt_words(struct cli *cli, const struct opt_args *args, size_t least, size_t most,
	      const char *what);
const char *closest(const char *word, const char *(*name)(size_t i, void *arg), void *arg);

#endif /* REIN_CLI_OPT_H */
