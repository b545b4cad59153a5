// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "ids.h"

static const struct opt no_opts[] = { { 0 } };

/* --- list ------------------------------------------------------------------------ */

static const struct opt filter_opts[] = { FILTER_OPTS, { 0 } };

/**
 * struct lister - which records are to be shown
 * @out:	where
 * @filter:	which are wanted
 * @ids:	of these, ascending
 * @n_bugs:	how many were bugs, before all but the last were left out
 * @bugs:	show the bugs now; else the others
 * @any:	one was shown
 *
 * Records are read several times, since bugs are shown first, wherever they are, and
 * which are the last can't be known before the end. Which are shown is decided the first
 * time: meanwhile others may come.
 */
struct lister {
	struct out *out;
	const struct filter *filter;
	struct ids ids;
	size_t n_bugs;
	bool bugs;
	bool any;
};

static void collect(const struct rein_record *record, void *arg)
{
	struct lister *lister = arg;

	if (!filter_wants(lister->filter, record))
		return;
	ids_add(&lister->ids, record->id);
	lister->n_bugs += record->kind == REIN_KIND_BUG;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void list_one(const struct rein_record *record, void *arg)
{
	bool bug = record->kind == REIN_KIND_BUG;
	struct lister *lister = arg;

	if (lister->bugs != bug ||
	    !bsearch(&record->id, lister->ids.id, lister->ids.n, sizeof(*lister->ids.id), by_id))
		return;
	if (!lister->any)
		out_text(lister->out, "ID\tTIME\tCODE\tLIMIT\tCOUNT\tMESSAGE");
	lister->any = true;
	out_object(lister->out, NULL);
	show_record_row(lister->out, record);
	out_end(lister->out);
}

/* The ids of those that are wanted. */
static int list_collect(struct cli *cli, struct lister *lister)
{
	uint64_t last = lister->filter->last;
	struct ids *ids = &lister->ids;

	if (rein_record_dump(cli->rein, &lister->filter->kernel, collect, lister))
		return cli_fail_kernel(cli, NULL);
	if (!last || ids->n <= last)
		return 0;
	memmove(ids->id, ids->id + ids->n - last, last * sizeof(*ids->id));
	ids->n = last;
	return 0;
}

/* What was printed is a whole document, even if the rest can't be read. */
static int list_ids(struct cli *cli, struct lister *lister)
{
	int err = 0;

	out_list(&cli->out, NULL);
	lister->bugs = true;
	if (lister->n_bugs)
		err = rein_record_dump(cli->rein, &lister->filter->kernel, list_one, lister);
	lister->bugs = false;
	if (!err && lister->ids.n)
		err = rein_record_dump(cli->rein, &lister->filter->kernel, list_one, lister);
	if (err && !lister->any)
		return cli_fail_kernel(cli, NULL);
	out_end(&cli->out);
	out_flush(&cli->out);
	return err ? cli_fail_kernel(cli, NULL) : EXIT_OK;
}

static int list_filtered(struct cli *cli, const struct filter *filter)
{
	struct lister lister = { .out = &cli->out, .filter = filter };
	int ret;

	ret = list_collect(cli, &lister) ?: list_ids(cli, &lister);
	ids_free(&lister.ids);
	return ret;
}

/* The options of a command that reads many records; connects. */
static int many(struct cli *cli, int argc, char **argv, struct opt_args *args,
		struct filter *filter)
{
	int ret;

	*filter = (struct filter){ .last = 0 };
	ret = opt_parse(cli, argc, argv, filter_opts, args);
	if (!ret)
		ret = opt_words(cli, args, 0, 0, NULL);
	if (!ret)
		ret = filter_parse(cli, args, filter);
	return ret ? ret : cli_connect(cli);
}

static int errors_list(struct cli *cli, int argc, char **argv)
{
	struct opt_args args;
	struct filter filter;
	int ret = many(cli, argc, argv, &args, &filter);

	return ret ? ret : list_filtered(cli, &filter);
}

static int errors_follow(struct cli *cli, int argc, char **argv)
{
	struct opt_args args;
	struct filter filter;
	int ret;

	if (cli->file)
		return cli_fail(cli, CODE_BATCH, "follow", "run it on its own",
				"follow never ends, so it has no place in a batch");
	ret = many(cli, argc, argv, &args, &filter);
	return ret ? ret : follow_run(cli, &filter);
}

static int errors_clear(struct cli *cli, int argc, char **argv)
{
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	if (rein_record_clear(cli->rein))
		return cli_fail_kernel(cli, NULL);
	return cli_done(cli, "cleared", NULL, NULL);
}

/* --- one ------------------------------------------------------------------------- */

/* The most records that one may be the consequence of, each of the next. */
#define CAUSES_MAX	8

/**
 * struct shown - a record that is shown, and those that led to it
 * @out:	where
 * @cause:	id of the one that led to what was shown last, 0: none did
 */
struct shown {
	struct out *out;
	uint64_t cause;
};

static void show_one(const struct rein_record *record, void *arg)
{
	struct shown *shown = arg;

	shown->cause = record->cause;
	show_record_full(shown->out, record);
}

static void show_cause(const struct rein_record *record, void *arg)
{
	struct shown *shown = arg;

	shown->cause = record->cause;
	if (shown->out->json) {
		out_object(shown->out, NULL);
		show_record_row(shown->out, record);
		out_end(shown->out);
	} else {
		out_text(shown->out, "\n  because:\t");
		show_record_line(shown->out, record);
	}
}

/* What led to it, and what led to that. */
static void show_causes(struct cli *cli, struct shown *shown)
{
	unsigned int i;
	uint64_t id;

	out_list(&cli->out, "causes");
	for (i = 0; i < CAUSES_MAX && shown->cause; i++) {
		id = shown->cause;
		shown->cause = 0;
		/* It may have made room already; "cause" of the one before names it. */
		if (rein_record_get(cli->rein, id, show_cause, shown))
			out_id(&cli->out, NULL, "\n  because:\trecord not held any more: ", id);
	}
	out_end(&cli->out);
}

static int errors_show(struct cli *cli, int argc, char **argv)
{
	struct shown shown = { &cli->out, 0 };
	struct parse_error error;
	struct opt_args args;
	uint64_t id;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 1, 1, "the ID of the record");
	if (ret)
		return ret;
	if (parse_number(args.words[0], "record ID", UINT64_MAX, &id, &error))
		return cli_fail(cli, error.code, args.words[0],
				"see what is held: rein errors list", "%s", error.message);
	ret = cli_connect(cli);
	if (ret)
		return ret;
	out_object(&cli->out, NULL);
	if (rein_record_get(cli->rein, id, show_one, &shown))
		return cli_fail_kernel(cli, args.words[0]);
	show_causes(cli, &shown);
	out_end(&cli->out);
	out_flush(&cli->out);
	return EXIT_OK;
}

static void explain(struct out *out, const struct code *code)
{
	out_object(out, NULL);
	out_code(out, "code", "", code->number);
	out_str(out, "name", " ", code->name);
	out_word(out, "kind", " (", rein_kind_name(code->kind), code->kind);
	out_word(out, "severity", ", ", rein_severity_name(code->severity), code->severity);
	out_text(out, ")");
	if (code->err)
		out_num(out, "errno", NULL, code->err);
	else
		out_null(out, "errno", NULL);
	out_str(out, "meaning", "\n", code->meaning);
	out_str(out, "remedy", "\nremedy: ", code->remedy);
	out_str(out, "hint", "\nhint: ", code->hint);
	out_end(out);
	out_flush(out);
}

static int explain_all(struct cli *cli)
{
	struct out *out = &cli->out;
	size_t i;

	out_list(out, NULL);
	for (i = 0; i < code_count; i++) {
		const struct code *code = &code_book[i];

		out_object(out, NULL);
		out_code(out, "code", "\n", code->number);
		out_word(out, "kind", "\t", rein_kind_name(code->kind), code->kind);
		out_str(out, "name", "\t", code->name);
		out_str(out, "meaning", "\t", code->meaning);
		out_end(out);
	}
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}

static int errors_explain(struct cli *cli, int argc, char **argv)
{
	const struct code *code;
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 1, NULL);
	if (ret)
		return ret;
	if (!args.n_words)
		return explain_all(cli);
	ret = filter_find_code(cli, args.words[0], args.words[0], &code);
	if (!ret)
		explain(&cli->out, code);
	return ret;
}

const struct command errors_commands[] = {
	{ .name = "list", .run = errors_list,
	  .summary = "the records that are held, bugs first, then oldest first",
	  .usage = "list " FILTER_USAGE, .details = FILTER_DETAILS },
	{ .name = "follow", .run = errors_follow,
	  .summary = "records as they are made, one a line",
	  .usage = "follow " FILTER_USAGE,
	  .details = FILTER_DETAILS
		     "With --since or --last those that are there already come first.\n" },
	{ .name = "clear", .run = errors_clear, .summary = "forget all records",
	  .usage = "clear" },
	{ .name = "show", .run = errors_show, .summary = "all of one record",
	  .usage = "show ID" },
	{ .name = "explain", .run = errors_explain, .summary = "what an error code means",
	  .usage = "explain [CODE]",
	  .details = "CODE is written REIN-E0301, E0301 or 301; without it all are listed.\n" },
	{ 0 },
};
