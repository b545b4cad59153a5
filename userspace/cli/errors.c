// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

static const struct opt no_opts[] = { { 0 } };

struct lister {
	struct out *out;
	bool any;
};

static void list_one(const struct rein_record *record, void *arg)
{
	struct lister *lister = arg;

	if (!lister->any)
		out_text(lister->out, "ID\tTIME\tCODE\tLIMIT\tCOUNT\tMESSAGE");
	lister->any = true;
	out_object(lister->out, NULL);
	show_record_row(lister->out, record);
	out_end(lister->out);
}

static int errors_list(struct cli *cli, int argc, char **argv)
{
	struct lister lister = { .out = &cli->out };
	struct opt_args args;
	int ret;

	ret = opt_parse(cli, argc, argv, no_opts, &args);
	if (!ret)
		ret = opt_words(cli, &args, 0, 0, NULL);
	if (!ret)
		ret = cli_connect(cli);
	if (ret)
		return ret;
	out_list(&cli->out, NULL);
	if (rein_record_dump(cli->rein, list_one, &lister))
		return cli_fail_kernel(cli, NULL);
	out_end(&cli->out);
	out_flush(&cli->out);
	if (rein_interrupted(cli->rein))
		cli_note(cli, "records were made while they were read; some may be missing");
	return EXIT_OK;
}

static void show_one(const struct rein_record *record, void *arg)
{
	struct out *out = arg;

	out_object(out, NULL);
	show_record_full(out, record);
	out_end(out);
}

static int errors_show(struct cli *cli, int argc, char **argv)
{
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
	if (rein_record_get(cli->rein, id, show_one, &cli->out))
		return cli_fail_kernel(cli, args.words[0]);
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
	code = code_by_text(args.words[0]);
	if (!code)
		return cli_fail(cli, CODE_VALUE, args.words[0],
				"codes look like REIN-E0301; see all: rein errors explain",
				"there is no error code '%s'", args.words[0]);
	explain(&cli->out, code);
	return EXIT_OK;
}

const struct command errors_commands[] = {
	{ .name = "list", .run = errors_list,
	  .summary = "the records that are held, oldest first",
	  .usage = "list" },
	{ .name = "show", .run = errors_show, .summary = "all of one record",
	  .usage = "show ID" },
	{ .name = "explain", .run = errors_explain, .summary = "what an error code means",
	  .usage = "explain [CODE]",
	  .details = "CODE is written REIN-E0301, E0301 or 301; without it all are listed.\n" },
	{ 0 },
};
