/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things that are named by their ID or by a name, which several may have.
 *
 * Promise: digits only are an ID. A name that several have is none of them: they are
 * listed, and nothing is done.
 */
#ifndef REIN_CLI_NAMED_H
#define REIN_CLI_NAMED_H

#include <stddef.h>
#include <stdint.h>

struct cli;
struct opt_args;

/**
 * struct named_kind - such things
 * @noun:	what one is called,
 * @nouns:	and several
 * @see:	where to see which there are
 * @unknown:	CODE_*: there is none of that name
 * @ambiguous:	CODE_*: there are several
 */
struct named_kind {
	const char *noun;
	const char *nouns;
	const char *see;
	uint32_t unknown;
	uint32_t ambiguous;
};

/**
 * struct named - the one that is meant
 * @word:	as it was typed
 * @id:		its id, 0: by @word
 */
struct named {
	const char *word;
	uint64_t id;
};

/**
 * struct named_ids - those of a name
 * @id:		the last of them
 * @n:		how many
 * @texts:	the ids of all
 */
struct named_ids {
	uint64_t id;
	size_t n;
	char **texts;
};

int named_check(struct cli *cli, const char *noun, const char *option, const char *name);
int named_take(struct cli *cli, const struct named_kind *kind, const struct opt_args *args,
	       struct named *named);
void named_add(struct named_ids *ids, uint64_t id);
int named_pick(struct cli *cli, const struct named_kind *kind, struct named *named,
	       struct named_ids *ids);

#endif /* REIN_CLI_NAMED_H */
