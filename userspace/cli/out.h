/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output, as text or as JSON, from one call per field.
 *
 * Promise: both forms come from the same call and can't drift apart. Text is
 * aligned, and safe for a terminal; JSON is one valid document.
 *
 * Every field has a key and a lead. The lead is what stands before the value
 * in the text: a tab begins the next column, a newline the next line; NULL
 * keeps the field out of the text. A NULL key keeps it out of JSON; elements
 * of lists have the key "".
 */
#ifndef REIN_CLI_OUT_H
#define REIN_CLI_OUT_H

#include <stdio.h>

#include "rein.h"

struct json_object;

#define OUT_DEPTH	8

/**
 * struct out - where output goes
 * @file:	stdout as a rule
 * @json:	JSON instead of text
 * @pretty:	JSON with line breaks
 * @colour:	text may be painted
 * @batch:	the documents of all commands are elements of one list
 * @depth:	open objects and lists
 * @open:	them
 * @elements:	of the list at the top have been printed
 * @streaming:	the list at the top is printed as it comes
 * @text:	what is not yet aligned
 * @len:	length of @text
 * @size:	memory of @text
 */
struct out {
	FILE *file;
	bool json;
	bool pretty;
	bool colour;
	bool batch;
	int depth;
	struct json_object *open[OUT_DEPTH];
	size_t elements;
	bool streaming;
	char *text;
	size_t len;
	size_t size;
};

void out_object(struct out *out, const char *key);
void out_list(struct out *out, const char *key);
void out_end(struct out *out);
void out_flush(struct out *out);
void out_drop(struct out *out);
void out_batch_begin(struct out *out);
void out_batch_end(struct out *out);
void out_free(struct out *out);

void out_text(struct out *out, const char *text);
void out_paint(struct out *out, bool red);
void out_str(struct out *out, const char *key, const char *lead, const char *value);
void out_bool(struct out *out, const char *key, const char *lead, bool value);
void out_null(struct out *out, const char *key, const char *lead);
void out_num(struct out *out, const char *key, const char *lead, uint64_t value);
void out_id(struct out *out, const char *key, const char *lead, uint64_t value);
void out_word(struct out *out, const char *key, const char *lead, const char *word,
	      uint32_t value);
void out_ns(struct out *out, const char *key, const char *lead, uint64_t ns);
void out_left(struct out *out, const char *key, const char *lead, uint64_t ns);
void out_size(struct out *out, const char *key, const char *lead, uint64_t size, uint32_t unit);
void out_about(struct out *out, const char *key, const char *lead, uint64_t size, uint32_t unit);
void out_date(struct out *out, const char *key, const char *lead, uint64_t ns, int digits);
void out_code(struct out *out, const char *key, const char *lead, uint32_t code);
void out_rate(struct out *out, const char *lead, const struct rein_tier *tier);
void out_address(struct out *out, const char *key, const char *lead, const void *address,
		 size_t len);
void out_id_or_null(struct out *out, const char *key, uint64_t id);
void out_num_or_null(struct out *out, const char *key, bool there, uint64_t number);
void out_word_or_null(struct out *out, const char *key, const char *word, uint32_t value);
void out_cell(struct out *out, const char *text);

#endif /* REIN_CLI_OUT_H */
