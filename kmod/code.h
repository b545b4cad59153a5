/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Codes: every error has one, of a single book (codes.def), and never another one.
 */
#ifndef REIN_CODE_H
#define REIN_CODE_H

#include <linux/types.h>
#include <linux/rein.h>

#include "limit.h"

#define REIN_CODE(number, name, ...) REIN_E_##name = (number),
enum rein_code {
#include "codes.def"
};

#undef REIN_CODE

/**
 * struct rein_code_info - what the code book says of a code
 * @number:	the code
 * @kind:	bug or edge
 * @severity:	how much it matters
 * @err:	the errno the caller sees, positive; 0 if nobody does
 * @hint:	what to do next
 */
struct rein_code_info {
	u16 number;
	u8 kind;
	u8 severity;
	u16 err;
	const char *hint;
};

const struct rein_code_info *rein_code_info(enum rein_code code);
int rein_code_errno(enum rein_code code);

/**
 * struct rein_fold_info - what an event of the data path is called
 * @code:	its code
 * @message:	one line for its reader
 */
struct rein_fold_info {
	enum rein_code code;
	const char *message;
};

const struct rein_fold_info *rein_fold_info(enum rein_resource resource,
					    enum rein_fold fold);
const char *rein_resource_doing(enum rein_resource resource);

#endif /* REIN_CODE_H */
