/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code book: every error of the module and of this command.
 */
#ifndef REIN_CLI_CODES_H
#define REIN_CLI_CODES_H

#include <stddef.h>
#include <stdint.h>

enum {
#define REIN_CODE(number, name, kind, severity, errno_, hint, meaning, remedy) \
	CODE_##name = number,
#include "../../kmod/codes.def"
#include "codes.def"
#undef REIN_CODE
};

/**
 * struct code - an entry of the code book
 * @number:	the nnnn of REIN-Ennnn
 * @name:	its name in the source
 * @kind:	enum rein_kind
 * @severity:	enum rein_severity
 * @err:	the errno that goes with it, 0 if none
 * @hint:	what to do next, one line
 * @meaning:	what it means
 * @remedy:	what to do about it
 */
struct code {
	uint32_t number;
	const char *name;
	uint32_t kind;
	uint32_t severity;
	int err;
	const char *hint;
	const char *meaning;
	const char *remedy;
};

extern const struct code code_book[];
extern const size_t code_count;

const struct code *code_find(uint32_t number);
const struct code *code_by_errno(int err);
const struct code *code_by_text(const char *text);

#endif /* REIN_CLI_CODES_H */
