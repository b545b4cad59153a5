// SPDX-License-Identifier: GPL-2.0
#include "codes.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

#include <linux/rein.h>

const struct code code_book[] = {
#define REIN_CODE(number, name, kind, severity, errno_, hint, meaning, remedy) \
	{ number, #name, REIN_KIND_##kind, REIN_SEVERITY_##severity, errno_,   \
	  hint, meaning, remedy },
#include "../../kmod/codes.def"
#include "codes.def"
#undef REIN_CODE
};

const size_t code_count = sizeof(code_book) / sizeof(code_book[0]);

/* The entry of that number, NULL if there is none. */
const struct code *code_find(uint32_t number)
{
	size_t i;

	for (i = 0; i < code_count; i++)
		if (code_book[i].number == number)
			return &code_book[i];
	return NULL;
}

static bool is_device(uint32_t number)
{
	return number / 100 == 6 || number / 100 == 7;
}

/*
 * What an errno without a record means: the only entry that has it. The
 * netlink core itself answers EPERM and EINVAL before the module is asked. What /dev/rein
 * says of scopes and watches comes with its number.
 */
const struct code *code_by_errno(int err)
{
	const struct code *found = NULL;
	size_t i;

	if (err == EPERM)
		return code_find(CODE_PERMISSION);
	if (err == EINVAL)
		return code_find(CODE_MALFORMED);
	for (i = 0; i < code_count; i++) {
		if (code_book[i].err != err || is_device(code_book[i].number))
			continue;
		if (found)
			return NULL;
		found = &code_book[i];
	}
	return found;
}

/* REIN-E0301, E0301, 0301 or 301, in any case. */
const struct code *code_by_text(const char *text)
{
	char *end;
	unsigned long number;

	if (!strncasecmp(text, "rein-", 5))
		text += 5;
	if (*text == 'e' || *text == 'E')
		text++;
	if (!isdigit((unsigned char)*text))
		return NULL;
	number = strtoul(text, &end, 10);
	return *end || number > 9999 ? NULL : code_find(number);
}
