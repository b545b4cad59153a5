// SPDX-License-Identifier: GPL-2.0
#include "out.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

/* There is nothing sensible to print when there is no memory to print it. */
static void *checked(void *memory)
{
	if (!memory) {
		fputs("error: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* JSON */

/*
 * Characters that json-c leaves as they are but a terminal would obey: DEL
 * and U+0080 to U+009F. They can only stand inside of strings.
 */
static void print_json_text(FILE *file, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\x7f\xc2");
		unsigned char next;

		fwrite(text, 1, len, file);
		text += len;
		if (!*text)
			return;
		next = text[1];
		if (*text == 0x7f) {
			fputs("\\u007f", file);
		} else if (next >= 0x80 && next < 0xa0) {
			fprintf(file, "\\u%04x", next);
			text++;
		} else {
			putc(*text, file);
		}
		text++;
	}
}

static void print_json(struct out *out, struct json_object *object)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	flags |= out->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED :
			       JSON_C_TO_STRING_PLAIN;
	print_json_text(out->file, checked((void *)json_object_to_json_string_ext(object, flags)));
}

/* An element of the list that is printed as it comes. */
static void print_element(struct out *out, struct json_object *object)
{
	const char *before = out->batch ? "\n" : "[\n";

	fputs(out->elements++ ? ",\n" : before, out->file);
	print_json(out, object);
}

static void add(struct out *out, const char *key, struct json_object *value)
{
	struct json_object *parent = out->depth ? out->open[out->depth - 1] : NULL;

	if (!parent) {
		json_object_put(value);
		return;
	}
	if (json_object_is_type(parent, json_type_array))
		json_object_array_add(parent, value);
	else
		json_object_object_add(parent, key, value);
}

static void push(struct out *out, struct json_object *value)
{
	if (out->depth == OUT_DEPTH)
		abort();
	out->open[out->depth++] = checked(value);
}

/**
 * out_object() - begin an object
 * @out:	where
 * @key:	its key; ignored at the top and in a list
 */
void out_object(struct out *out, const char *key)
{
	struct json_object *object;

	if (!out->json)
		return;
	object = checked(json_object_new_object());
	/* Elements of the list at the top belong to nobody: they are printed. */
	if (out->depth && !(out->depth == 1 && out->streaming))
		add(out, key, object);
	push(out, object);
}

/**
 * out_list() - begin a list
 * @out:	where
 * @key:	its key; ignored at the top
 *
 * A list of objects at the top of a document is printed as it comes, so that
 * its size doesn't matter.
 */
void out_list(struct out *out, const char *key)
{
	struct json_object *list;

	if (!out->json)
		return;
	list = checked(json_object_new_array());
	if (out->depth) {
		add(out, key, list);
	} else if (!out->batch) {
		out->streaming = true;
		out->elements = 0;
	}
	push(out, list);
}

static void end_document(struct out *out, struct json_object *object)
{
	if (out->batch) {
		print_element(out, object);
	} else if (out->streaming) {
		fputs(out->elements ? "\n]\n" : "[]\n", out->file);
		out->streaming = false;
	} else {
		print_json(out, object);
		putc('\n', out->file);
	}
	json_object_put(object);
}

/**
 * out_end() - end what was begun last
 * @out:	where
 */
void out_end(struct out *out)
{
	struct json_object *object;

	if (!out->json)
		return;
	object = out->open[--out->depth];
	if (!out->depth) {
		end_document(out, object);
	} else if (out->depth == 1 && out->streaming) {
		print_element(out, object);
		json_object_put(object);
	}
}

/**
 * out_batch_begin() - what follows is the output of several commands
 * @out:	where
 */
void out_batch_begin(struct out *out)
{
	out->batch = true;
	out->elements = 0;
	if (out->json)
		putc('[', out->file);
}

void out_batch_end(struct out *out)
{
	if (out->json)
		fputs(out->elements ? "\n]\n" : "]\n", out->file);
}

/**
 * out_drop() - forget what was begun: the command failed
 * @out:	where
 */
void out_drop(struct out *out)
{
	if (out->depth)
		json_object_put(out->open[0]);
	/* An element of a list that is printed as it comes is not in the list. */
	if (out->depth > 1 && out->streaming)
		json_object_put(out->open[1]);
	out->depth = 0;
	out->streaming = false;
	out->len = 0;
}

void out_free(struct out *out)
{
	out_drop(out);
	free(out->text);
	out->text = NULL;
	out->size = 0;
}

/* Text */

static void append(struct out *out, const char *text)
{
	size_t len;

	/* What begins a line needs no new one at the beginning. */
	if (!out->len && *text == '\n')
		text++;
	len = strlen(text);
	if (out->len + len + 1 > out->size) {
		out->size = (out->len + len + 1) * 2;
		out->text = checked(realloc(out->text, out->size));
	}
	memcpy(out->text + out->len, text, len + 1);
	out->len += len;
}

#define COLUMNS	24

#define RED	"\033[31m"
#define PLAIN	"\033[0m"

static size_t width(const char *text, size_t len)
{
	size_t i, columns = 0;

	for (i = 0; i < len; i++) {
		/* Paint takes no room; there are no other escapes. */
		if (text[i] == '\033')
			i += strcspn(text + i, "m");
		else
			columns += (text[i] & 0xc0) != 0x80;
	}
	return columns;
}

/* Call fn for each cell; last: the cell ends its line. */
static void each_cell(const char *text,
		      void (*fn)(const char *cell, size_t len, int column, bool last, void *arg),
		      void *arg)
{
	int column = 0;

	while (*text) {
		size_t len = strcspn(text, "\t\n");
		bool last = text[len] != '\t';

		fn(text, len, column, last, arg);
		column = last || column == COLUMNS - 1 ? 0 : column + 1;
		text += len + (text[len] != '\0');
	}
}

static void measure(const char *cell, size_t len, int column, bool last, void *arg)
{
	size_t *widths = arg, columns = width(cell, len);

	if (!last && columns > widths[column])
		widths[column] = columns;
}

struct printer {
	FILE *file;
	const size_t *widths;
};

static void print_cell(const char *cell, size_t len, int column, bool last, void *arg)
{
	struct printer *printer = arg;
	size_t columns = width(cell, len);

	fwrite(cell, 1, len, printer->file);
	if (last)
		putc('\n', printer->file);
	else
		fprintf(printer->file, "%*s", (int)(printer->widths[column] - columns + 2), "");
}

/**
 * out_flush() - print the text so far, in columns
 * @out:	where
 */
void out_flush(struct out *out)
{
	size_t widths[COLUMNS] = { 0 };
	struct printer printer = { out->file, widths };

	if (!out->len)
		return;
	each_cell(out->text, measure, widths);
	each_cell(out->text, print_cell, &printer);
	out->len = 0;
	out->text[0] = '\0';
}

/* Fields */

static void field(struct out *out, const char *key, const char *lead, struct json_object *value,
		  const char *text)
{
	if (out->json) {
		if (key)
			add(out, key, value);
		else
			json_object_put(value);
		return;
	}
	if (lead) {
		append(out, lead);
		append(out, text);
	}
}

/* Text that has no part in JSON; it is ours, so nothing is escaped. */
void out_text(struct out *out, const char *text)
{
	if (!out->json)
		append(out, text);
}

/* What follows is red, or isn't any more, if text may be painted. */
void out_paint(struct out *out, bool red)
{
	if (out->colour)
		out_text(out, red ? RED : PLAIN);
}

void out_str(struct out *out, const char *key, const char *lead, const char *value)
{
	char *text;

	if (!value) {
		out_null(out, key, NULL);
		return;
	}
	text = checked(out->json ? format_json_text(value) : format_escape(value));
	field(out, key, lead, out->json ? checked(json_object_new_string(text)) : NULL, text);
	free(text);
}

void out_null(struct out *out, const char *key, const char *lead)
{
	field(out, key, lead, NULL, "-");
}

void out_bool(struct out *out, const char *key, const char *lead, bool value)
{
	field(out, key, lead, out->json ? checked(json_object_new_boolean(value)) : NULL,
	      value ? "yes" : "no");
}

static void number(struct out *out, const char *key, const char *lead, uint64_t value,
		   const char *text)
{
	field(out, key, lead, out->json ? checked(json_object_new_uint64(value)) : NULL, text);
}

void out_num(struct out *out, const char *key, const char *lead, uint64_t value)
{
	char text[FORMAT_MAX];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	number(out, key, lead, value, text);
}

/* An ID is text: a number of 64 bits doesn't survive every JSON reader. */
void out_id(struct out *out, const char *key, const char *lead, uint64_t value)
{
	char text[FORMAT_MAX];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	out_str(out, key, lead, text);
}

/* A word of an enum; its number if this version has no word for it. */
void out_word(struct out *out, const char *key, const char *lead, const char *word,
	      uint32_t value)
{
	char text[FORMAT_MAX];

	snprintf(text, sizeof(text), "%" PRIu32, value);
	out_str(out, key, lead, word ? word : text);
}

void out_ns(struct out *out, const char *key, const char *lead, uint64_t ns)
{
	char text[FORMAT_MAX];

	number(out, key, lead, ns, format_time(ns, text));
}

void out_left(struct out *out, const char *key, const char *lead, uint64_t ns)
{
	char text[FORMAT_MAX];

	number(out, key, lead, ns, format_left(ns, text));
}

void out_size(struct out *out, const char *key, const char *lead, uint64_t size, uint32_t unit)
{
	char text[FORMAT_MAX];

	number(out, key, lead, size, format_size(size, unit, text));
}

void out_about(struct out *out, const char *key, const char *lead, uint64_t size, uint32_t unit)
{
	char text[FORMAT_MAX];

	number(out, key, lead, size, format_about(size, unit, text));
}

void out_date(struct out *out, const char *key, const char *lead, uint64_t ns, int digits)
{
	char text[FORMAT_MAX];

	out_str(out, key, lead, format_date(ns, out->json ? 9 : digits, text));
}

void out_code(struct out *out, const char *key, const char *lead, uint32_t code)
{
	char text[FORMAT_MAX];

	out_str(out, key, lead, format_code(code, text));
}

void out_address(struct out *out, const char *key, const char *lead, const void *address,
		 size_t len)
{
	char text[FORMAT_MAX];

	out_str(out, key, lead, format_address(address, len, text));
}

/* A rate: one text, four keys. */
void out_rate(struct out *out, const char *lead, const struct rein_tier *tier)
{
	char text[FORMAT_MAX];

	out_word(out, "unit", NULL, rein_unit_name(tier->unit), tier->unit);
	out_bool(out, "unlimited", NULL, tier->unlimited);
	if (tier->unlimited) {
		out_null(out, "rate_tokens", NULL);
		out_null(out, "rate_period_ns", NULL);
	} else {
		out_num(out, "rate_tokens", NULL, tier->rate_tokens);
		out_num(out, "rate_period_ns", NULL, tier->rate_period_ns);
	}
	field(out, NULL, lead, NULL, format_rate(tier, text));
}

/* What may be absent: of JSON only. */
void out_id_or_null(struct out *out, const char *key, uint64_t id)
{
	if (id)
		out_id(out, key, NULL, id);
	else
		out_null(out, key, NULL);
}

void out_num_or_null(struct out *out, const char *key, bool there, uint64_t number)
{
	if (there)
		out_num(out, key, NULL, number);
	else
		out_null(out, key, NULL);
}

void out_word_or_null(struct out *out, const char *key, const char *word, uint32_t value)
{
	if (value)
		out_word(out, key, NULL, word, value);
	else
		out_null(out, key, NULL);
}

/* In a table what isn't there is "-": of text only. */
void out_cell(struct out *out, const char *text)
{
	if (text)
		out_str(out, NULL, "\t", text);
	else
		out_null(out, NULL, "\t");
}
