// SPDX-License-Identifier: GPL-2.0
#include "named.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define DIGITS	"0123456789"

/**
 * named_check() - may a new one be called so?
 * @cli:	the command
 * @noun:	a what
 * @option:	by which it is named, NULL: by the name alone
 * @name:	it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int named_check(struct cli *cli, const char *noun, const char *option, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = DIGITS "._-:@";
	size_t len = strlen(name), good = 0, more;
	char text[128];

	snprintf(text, sizeof(text), "%s%s%.80s", option ? option : "", option ? " " : "", name);
	do {
		more = strspn(name + good, letters);
		more += strspn(name + good + more, others);
		good += more;
	} while (more);
	if (!len || len >= REIN_SCOPE_NAME_LEN || good != len || *name == '-')
		return cli_fail(cli, CODE_VALUE, text,
				"1 to 63 letters, digits and any of . _ - : @, no dash at the beginning",
				"a %s can't be called '%.80s'", noun, name);
	if (strspn(name, DIGITS) == len)
		return cli_fail(cli, CODE_VALUE, text, "begin it with a letter",
				"a name of digits only would be taken for an ID: %s", name);
	return 0;
}

/**
 * named_take() - the only word, ID or NAME
 * @cli:	the command
 * @kind:	of what
 * @args:	what was typed
 * @named:	where it goes
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int named_take(struct cli *cli, const struct named_kind *kind, const struct opt_args *args,
	       struct named *named)
{
	struct parse_error error;
	char what[64];
	int ret;

	snprintf(what, sizeof(what), "the ID or NAME of the %s", kind->noun);
	ret = opt_words(cli, args, 1, 1, what);
	if (ret)
		return ret;
	*named = (struct named){ .word = args->words[0] };
	if (!*named->word)
		return cli_fail(cli, CODE_USAGE, NULL, kind->see, "the name of the %s is empty",
				kind->noun);
	if (strspn(named->word, DIGITS) != strlen(named->word))
		return 0;
	snprintf(what, sizeof(what), "%s ID", kind->noun);
	if (parse_number(named->word, what, UINT64_MAX, &named->id, &error))
		return cli_fail(cli, error.code, named->word, kind->see, "%s", error.message);
	return 0;
}

/* One more that has the name. */
void named_add(struct named_ids *ids, uint64_t id)
{
	char **texts = realloc(ids->texts, (ids->n + 1) * sizeof(*texts));

	if (!texts)
		return;
	ids->texts = texts;
	if (asprintf(&texts[ids->n], "%" PRIu64, id) < 0)
		return;
	ids->n++;
	ids->id = id;
}

static void forget_ids(struct named_ids *ids)
{
	size_t i;

	for (i = 0; i < ids->n; i++)
		free(ids->texts[i]);
	free(ids->texts);
}

static int fail_name(struct cli *cli, const struct named_kind *kind, const struct named *named,
		     const struct named_ids *ids)
{
	struct fault fault;

	if (ids->n) {
		fault_set(&fault, kind->ambiguous, named->word, NULL, "several %s have that name",
			  kind->nouns);
	} else {
		fault_set(&fault, kind->unknown, named->word, NULL, "there is no %s of that name",
			  kind->noun);
		fault.exit = EXIT_REFUSED;
	}
	fault.target = "";
	fault.targets = ids->texts;
	fault.n_targets = ids->n;
	return fault_report(cli, &fault);
}

/**
 * named_pick() - the only one of a name
 * @cli:	the command
 * @kind:	of what
 * @named:	where its id goes
 * @ids:	all of them; forgotten
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int named_pick(struct cli *cli, const struct named_kind *kind, struct named *named,
	       struct named_ids *ids)
{
	int ret = 0;

	if (ids->n != 1)
		ret = fail_name(cli, kind, named, ids);
	named->id = ids->id;
	forget_ids(ids);
	return ret;
}
