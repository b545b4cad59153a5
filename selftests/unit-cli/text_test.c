// SPDX-License-Identifier: GPL-2.0
/*
 * Text from elsewhere: names that try to reach the terminal, batch lines,
 * mount tables, and the two forms of output.
 */
#include <json-c/json.h>

#include "cgroup.h"
#include "cli.h"
#include "format.h"
#include "test.h"

static void escapes(void)
{
	static const struct {
		const char *raw, *text, *json;
	} rows[] = {
		{ "plain", "plain", "plain" },
		{ "", "", "" },
		{ "\x1b[31mred", "\\x1b[31mred", "\x1b[31mred" },
		{ "a\tb\nc\rd", "a\\x09b\\x0ac\\x0dd", "a\tb\nc\rd" },
		{ "back\\slash", "back\\\\slash", "back\\slash" },
		{ "del\x7f", "del\\x7f", "del\x7f" },
		{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\xe2\x82\xac\xf0\x9f\x98\x80" },
		/* C1: CSI as one character */
		{ "\302\23331m", "\\xc2\\x9b31m", "\302\23331m" },
		/* right-to-left override */
		{ "a\342\200\256b", "a\\xe2\\x80\\xaeb", "a\342\200\256b" },
		/* not UTF-8: a lone byte, cut short, overlong, a surrogate, too large */
		{ "\x9b", "\\x9b", "\\x9b" },
		{ "a\xc3", "a\\xc3", "a\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" },
		{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xff", "\\xff", "\\xff" },
	};
	char *seen;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		static char copy[64];

		test_row = rows[i].text;
		seen = format_escape(rows[i].raw);
		snprintf(copy, sizeof(copy), "%s", seen);
		free(seen);
		CHECK_STR(copy, rows[i].text);
		seen = format_json_text(rows[i].raw);
		snprintf(copy, sizeof(copy), "%s", seen);
		free(seen);
		CHECK_STR(copy, rows[i].json);
	}
}

static void batch_lines(void)
{
	static const struct {
		const char *line;
		int n;
		const char *joined, *error;
	} rows[] = {
		{ "", 0, "", NULL },
		{ "  \t\n", 0, "", NULL },
		{ "# all of it", 0, "", NULL },
		{ "limit list\n", 2, "limit|list|", NULL },
		{ "  limit   list  # why\n", 2, "limit|list|", NULL },
		{ "limit list\r\n", 2, "limit|list|", NULL },
		{ "a#b #c", 1, "a#b|", NULL },
		{ "'a b' \"c d\" e\\ f", 3, "a b|c d|e f|", NULL },
		{ "'a\\b' \"c\\d\" \"e\\\"f\" 'g\"h' \"i'j\"", 5,
		  "a\\b|c\\d|e\"f|g\"h|i'j|", NULL },
		{ "'' \"\"", 2, "||", NULL },
		{ "a'b'\"c\"d", 1, "abcd|", NULL },
		{ "\\# x", 2, "#|x|", NULL },
		{ "'#' x", 2, "#|x|", NULL },
		{ "end\\", 1, "end\\|", NULL },
		{ "foo 'bar", 2, NULL, "a ' is not closed" },
		{ "foo \"bar", 2, NULL, "a \" is not closed" },
		{ "a b c d e f g h i", 8, NULL, "the line has too many words" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		char line[128], joined[128] = "", *argv[8];
		const char *error;
		int n, j;

		test_row = rows[i].line;
		strcpy(line, rows[i].line);
		n = batch_split(line, argv, 8, &error);
		CHECK_EQ(n, rows[i].n);
		CHECK_STR(error ? error : "", rows[i].error ? rows[i].error : "");
		if (error)
			continue;
		for (j = 0; j < n; j++) {
			strcat(joined, argv[j]);
			strcat(joined, "|");
		}
		CHECK_STR(joined, rows[i].joined);
	}
}

static int find_in(const char *text, struct rein_mount *mount)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret = rein_find_mount(file, mount);

	fclose(file);
	return ret;
}

static void mounts(void)
{
	static struct rein_mount mount;

	CHECK_EQ(find_in("31 23 0:26 / /sys/fs/cgroup rw - cgroup2 none rw\n", &mount), 0);
	CHECK_STR(mount.path, "/sys/fs/cgroup");
	CHECK_STR(mount.root, "/");
	/* a hybrid host */
	CHECK_EQ(find_in("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs none rw,mode=755\n"
			 "35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup none rw,memory\n"
			 "41 31 0:38 / /sys/fs/cgroup/unified rw shared:8 master:1 - cgroup2 none rw\n",
			 &mount), 0);
	CHECK_STR(mount.path, "/sys/fs/cgroup/unified");
	/* blanks and backslashes in the path */
	CHECK_EQ(find_in("1 2 0:3 / /mnt/a\\040b\\134c rw - cgroup2 none rw\n", &mount), 0);
	CHECK_STR(mount.path, "/mnt/a b\\c");
	/* the whole hierarchy is preferred to a part of it */
	CHECK_EQ(find_in("1 2 0:3 /part /mnt/part rw - cgroup2 none rw\n"
			 "2 2 0:3 / /mnt/whole rw - cgroup2 none rw\n"
			 "3 2 0:3 / /mnt/again rw - cgroup2 none rw\n", &mount), 0);
	CHECK_STR(mount.path, "/mnt/whole");
	CHECK_EQ(find_in("1 2 0:3 /part /mnt/part rw - cgroup2 none rw\n", &mount), 0);
	CHECK_STR(mount.root, "/part");
	/* none, and lines that are no lines */
	CHECK_EQ(find_in("1 2 0:3 / /sys/fs/cgroup rw - cgroup none rw\n", &mount),
		 (uint64_t)-1);
	CHECK_EQ(find_in("nothing\n - cgroup2 x\n1 2 - cgroup2 x y\n", &mount), (uint64_t)-1);
	CHECK_EQ(find_in("\n", &mount), (uint64_t)-1);
}

static int own_in(const char *text, char *path, size_t size)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret = rein_read_cgroup(file, path, size);

	fclose(file);
	return ret;
}

static void own_cgroup(void)
{
	char path[32];

	CHECK_EQ(own_in("0::/a/b\n", path, sizeof(path)), 0);
	CHECK_STR(path, "/a/b");
	CHECK_EQ(own_in("3:memory:/x\n0::/\n", path, sizeof(path)), 0);
	CHECK_STR(path, "/");
	CHECK_EQ(own_in("0::/../a\n", path, sizeof(path)), 0);
	CHECK_STR(path, "/../a");
	CHECK_EQ(own_in("3:memory:/x\n", path, sizeof(path)), (uint64_t)-1);
	CHECK_EQ(own_in("0::/longer/than/there/is/room/for/it\n", path, sizeof(path)),
		 (uint64_t)-1);
}

/* Print something of everything and return what came out. */
static char *print_all(bool json, bool pretty, bool batch)
{
	static const struct rein_tier tier = {
		REIN_UNIT_BYTES, false, 1250000, 1000000000, 12500, 100, 0
	};
	static char text[2048];
	FILE *file = fmemopen(text, sizeof(text), "w");
	struct out out = { .file = file, .json = json, .pretty = pretty };
	int i;

	if (batch)
		out_batch_begin(&out);
	out_list(&out, NULL);
	for (i = 0; i < 2; i++) {
		out_text(&out, "\n");
		out_object(&out, NULL);
		out_str(&out, "name", "limit ", i ? "\x1b[ma\xc2\x9b\x7f\"/" : "longer name");
		out_str(&out, "none", "\t", NULL);
		out_id(&out, "id", "\t", UINT64_MAX);
		out_num(&out, NULL, NULL, 3);
		out_list(&out, "tiers");
		show_tier(&out, &tier, "\t", " burst ", NULL, NULL);
		out_end(&out);
		out_bool(&out, "flag", "\tflag ", i);
		out_end(&out);
	}
	out_end(&out);
	if (batch) {
		out_object(&out, NULL);
		out_ns(&out, "a_ns", "", 5);
		out_end(&out);
		out_batch_end(&out);
	}
	out_flush(&out);
	out_free(&out);
	fclose(file);
	return text;
}

static void output_text(void)
{
	CHECK_STR(print_all(false, false, false),
		  "limit longer name            18446744073709551615  10Mbit/s burst 12.5kB  flag no\n"
		  "limit \\x1b[ma\\xc2\\x9b\\x7f\"/  18446744073709551615  10Mbit/s burst 12.5kB  flag yes\n");
}

static void output_json(void)
{
	static const char id[] = "\"none\":null,\"id\":\"18446744073709551615\"";
	static const char unit[] = "\"unit\":\"bytes\",\"unlimited\":false";
	static const char rate[] = "\"rate_tokens\":1250000,\"rate_period_ns\":1000000000";
	static const char level[] = "\"burst_tokens\":12500,\"tokens\":100,\"debt_tokens\":0";
	static char row[512], expected[2048];

	snprintf(row, sizeof(row), "%s,\"tiers\":[{%s,%s,%s}],\"flag\":", id, unit, rate, level);
	snprintf(expected, sizeof(expected),
		 "[\n{\"name\":\"longer name\",%sfalse},\n"
		 "{\"name\":\"\\u001b[ma\\u009b\\u007f\\\"/\",%strue}\n]\n", row, row);
	CHECK_STR(print_all(true, false, false), expected);
}

static void output_json_is_valid(void)
{
	struct json_object *document, *element;
	int i;

	for (i = 0; i < 4; i++) {
		document = json_tokener_parse(print_all(true, i & 1, i & 2));
		CHECK_EQ(!document, 0);
		CHECK_EQ(json_object_array_length(document), 2);
		element = json_object_array_get_idx(document, 1);
		if (i & 2)
			CHECK_EQ(json_object_get_int(json_object_object_get(element, "a_ns")), 5);
		else
			CHECK_STR(json_object_get_string(json_object_object_get(element, "name")),
				  "\x1b[ma\xc2\x9b\x7f\"/");
		json_object_put(document);
	}
}

static void output_dropped(void)
{
	char text[64] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");
	struct out out = { .file = file, .json = true };

	out_list(&out, NULL);
	out_object(&out, NULL);
	out_num(&out, "a", NULL, 1);
	out_drop(&out);
	out_list(&out, NULL);
	out_end(&out);
	out_free(&out);
	fclose(file);
	CHECK_STR(text, "[]\n");
}

static const char *word(size_t i, void *arg)
{
	static const char *const words[] = { "limit", "chain", "errors", NULL };

	(void)arg;
	return words[i];
}

static void suggestions(void)
{
	CHECK_STR(closest("limt", word, NULL), "limit");
	CHECK_STR(closest("erorrs", word, NULL), "errors");
	CHECK_STR(closest("limit", word, NULL), "limit");
	CHECK_EQ(!closest("take", word, NULL), 1);
	CHECK_EQ(!closest("", word, NULL), 1);
	CHECK_EQ(!closest("a-word-that-is-longer-than-any-word-there-is-at-all", word, NULL), 1);
}

static const struct test tests[] = {
	TEST(escapes),
	TEST(batch_lines),
	TEST(mounts),
	TEST(own_cgroup),
	TEST(output_text),
	TEST(output_json),
	TEST(output_json_is_valid),
	TEST(output_dropped),
	TEST(suggestions),
};

int main(int argc, char **argv)
{
	return test_main(tests, COUNT(tests), argc, argv);
}
