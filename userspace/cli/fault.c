// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/**
 * fault_set() - begin a fault
 * @fault:	it
 * @code:	CODE_*
 * @option:	the option at fault as it was typed, or NULL
 * @hint:	what to do next; NULL or empty: the code book's
 * @format:	what happened
 */
void fault_set(struct fault *fault, uint32_t code, const char *option, const char *hint,
	       const char *format, ...)
{
	va_list ap;

	memset(fault, 0, sizeof(*fault));
	fault->code = code;
	fault->exit = code == CODE_NO_MODULE ? EXIT_NO_MODULE : EXIT_USAGE;
	snprintf(fault->option, sizeof(fault->option), "%s", option ? option : "");
	snprintf(fault->hint, sizeof(fault->hint), "%s", hint ? hint : "");
	va_start(ap, format);
	vsnprintf(fault->message, sizeof(fault->message), format, ap);
	va_end(ap);
}

/**
 * fault_answer() - begin a fault by what /dev/rein answered
 * @fault:	it; its record is left to the caller
 * @things:	what a module that is too old doesn't know
 * @option:	the option at fault as it was typed, or NULL
 * @what:	what can't be done, if the kernel didn't say more than @err
 * @err:	errno
 * @code:	the number in REIN-Ennnn, 0: it didn't say
 * @message:	likewise, or empty
 */
void fault_answer(struct fault *fault, const char *things, const char *option, const char *what,
		  int err, uint32_t code, const char *message)
{
	fault_set(fault, code ? code : CODE_NETLINK, option, NULL, "%s", message);
	if (err == ENOTTY)
		snprintf(fault->message, sizeof(fault->message), "the module is too old to know %s",
			 things);
	else if (!*fault->message)
		snprintf(fault->message, sizeof(fault->message), "%s: %s", what, strerror(err));
	fault->exit = EXIT_REFUSED;
}

static void report_place(struct cli *cli, struct out *out)
{
	if (!cli->file)
		return;
	out_str(out, NULL, "", cli->file);
	out_num(out, NULL, ":", cli->line);
	out_text(out, ": ");
}

/* When to come back: rounded up, as earlier would be in vain. */
static void report_take(struct cli *cli, struct out *out, const struct rein_take_result *take)
{
	uint64_t unit = take->retry_after_ns < 1000000000 ? 1000000 : 100000000;

	if (take->retry_after_ns == REIN_DEV_NEVER) {
		out_null(out, "retry_after_ns", NULL);
	} else {
		out_num(out, "retry_after_ns", NULL, take->retry_after_ns);
		out_left(out, NULL, take->retry_after_ns ? "\nretry after " : NULL,
			 (take->retry_after_ns + unit - 1) / unit * unit);
	}
	out_num(out, "wanted", cli->verbose ? "\nwanted: " : NULL, take->wanted);
	out_num(out, "available", cli->verbose ? ", available: " : NULL, take->available);
}

/* What to name in its place; of JSON only that, as text has the option, too. */
static void report_target(struct out *out, const struct fault *fault, const char *target)
{
	out_text(out, "\ntarget: ");
	out_text(out, fault->target ? fault->target : "--cgroup ");
	out_str(out, "", "", target);
}

/* Which scope ended it, and why that is done. */
static void report_scope(struct out *out, const struct fault *fault)
{
	out_word(out, "cause", "\ncause: ", rein_cause_name(fault->cause), fault->cause);
	if (!fault->scope)
		return;
	out_id(out, "scope", " (rein scope show ", fault->scope);
	out_text(out, ")");
}

static void report_details(struct cli *cli, struct out *out, const struct fault *fault)
{
	const struct code *code = code_find(fault->code);
	const char *hint = fault->hint;
	size_t i;

	if (!*hint && code)
		hint = code->hint;
	if (fault->code)
		out_code(out, "code", cli->verbose ? "\ncode: " : NULL, fault->code);
	if (*fault->option)
		out_str(out, "option", "\noption: ", fault->option);
	if (*hint)
		out_str(out, "hint", "\nhint: ", hint);
	if (fault->n_targets)
		out_list(out, "targets");
	for (i = 0; i < fault->n_targets; i++)
		report_target(out, fault, fault->targets[i]);
	if (fault->n_targets)
		out_end(out);
	if (fault->cause)
		report_scope(out, fault);
	if (fault->record) {
		out_id(out, "record", "\nrecord: ", fault->record);
		out_num(out, NULL, " (rein errors show ", fault->record);
		out_text(out, ")");
	}
	if (fault->take)
		report_take(cli, out, fault->take);
	if (cli->verbose && code) {
		out_str(out, "meaning", "\nmeaning: ", code->meaning);
		out_str(out, "remedy", "\nremedy: ", code->remedy);
	}
}

/**
 * fault_report() - print an error
 * @cli:	the command
 * @fault:	what went wrong
 *
 * Return: the exit code that goes with it.
 */
int fault_report(struct cli *cli, const struct fault *fault)
{
	struct out out = { .file = stderr, .json = cli->out.json, .pretty = cli->out.pretty };

	/* What was asked for before goes out before. */
	out_drop(&cli->out);
	fflush(cli->out.file);
	out_object(&out, NULL);
	report_place(cli, &out);
	out_str(&out, "error", "error: ", fault->message);
	if (!cli->quiet || out.json)
		report_details(cli, &out, fault);
	if (cli->file && out.json) {
		out_str(&out, "file", NULL, cli->file);
		out_num(&out, "line", NULL, cli->line);
	}
	out_end(&out);
	out_flush(&out);
	out_free(&out);
	return fault->exit;
}

/* Report an error of the command's own; returns its exit code. */
int cli_fail(struct cli *cli, uint32_t code, const char *option, const char *hint,
	     const char *format, ...)
{
	struct fault fault;
	va_list ap;

	fault_set(&fault, code, option, hint, "%s", "");
	va_start(ap, format);
	vsnprintf(fault.message, sizeof(fault.message), format, ap);
	va_end(ap);
	return fault_report(cli, &fault);
}

/* Report a value that can't be read; returns the exit code. */
int cli_fail_parse(struct cli *cli, const char *option, const char *value,
		   const struct parse_error *error)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s", option, value);
	return cli_fail(cli, error->code, text, error->hint, "%s", error->message);
}

struct wanted {
	uint32_t code;
	char *hint;
	size_t size;
};

static void take_code(const struct rein_record *record, void *arg)
{
	struct wanted *wanted = arg;

	wanted->code = record->code;
	if (record->hint)
		snprintf(wanted->hint, wanted->size, "%s", record->hint);
}

/**
 * fault_from_kernel() - what the connection's last error means
 * @cli:	the command
 * @fault:	where it goes; its option is left empty
 */
void fault_from_kernel(struct cli *cli, struct fault *fault)
{
	const struct rein_error error = *rein_last_error(cli->rein);
	struct wanted wanted = { 0, fault->hint, sizeof(fault->hint) };
	const struct code *code;

	fault_set(fault, CODE_NETLINK, NULL, NULL, "%s", error.message);
	fault->exit = EXIT_REFUSED;
	if (!error.refused) {
		if (error.err == ENODEV) {
			fault->code = CODE_NO_MODULE;
			fault->exit = EXIT_NO_MODULE;
		} else if (error.err == EPERM) {
			fault->code = CODE_PERMISSION;
		}
		return;
	}
	fault->record = error.record;
	if (error.record && !rein_record_get(cli->rein, error.record, take_code, &wanted))
		fault->code = wanted.code;
	if (fault->code != CODE_NETLINK)
		return;
	/* No record, or one that can't be read: the errno says a little. */
	code = code_by_errno(error.err);
	if (!code && error.bare)
		snprintf(fault->message, sizeof(fault->message),
			 "the kernel refused it, and only said: %s", strerror(error.err));
	if (!code)
		return;
	fault->code = code->number;
	/* Some kernels can't say why a dump was refused. */
	if (error.bare)
		snprintf(fault->message, sizeof(fault->message), "%s", code->meaning);
}

/* Report what the kernel said to the last request; returns the exit code. */
int cli_fail_kernel(struct cli *cli, const char *option)
{
	struct fault fault;

	fault_from_kernel(cli, &fault);
	if (option)
		snprintf(fault.option, sizeof(fault.option), "%s", option);
	return fault_report(cli, &fault);
}

/* Something worth knowing that is no error; not said if -q, nor in JSON. */
void cli_note(struct cli *cli, const char *format, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	fputs("note: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	putc('\n', stderr);
}

/**
 * cli_connect() - make the connection, unless there is one
 * @cli:	the command
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cli_connect(struct cli *cli)
{
	struct fault fault;
	int ret;

	if (cli->rein)
		return 0;
	ret = rein_open(&cli->rein);
	if (!ret)
		return 0;
	if (ret == -ENODEV)
		return cli_fail(cli, CODE_NO_MODULE, NULL, NULL, "the rein module is not loaded");
	fault_set(&fault, CODE_NETLINK, NULL, NULL, "there is no way to talk to the kernel: %s",
		  strerror(-ret));
	fault.exit = EXIT_REFUSED;
	return fault_report(cli, &fault);
}

/**
 * cli_device() - open /dev/rein
 * @cli:	the command
 * @fd:		where the descriptor goes; the caller closes it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int cli_device(struct cli *cli, int *fd)
{
	struct fault fault;

	*fd = rein_dev_open();
	if (*fd >= 0)
		return 0;
	if (*fd == -ENODEV)
		return cli_fail(cli, CODE_NO_MODULE, NULL, NULL, "the rein module is not loaded");
	fault_set(&fault, CODE_DEVICE, REIN_DEV_PATH, NULL, "%s can't be opened: %s",
		  REIN_DEV_PATH, strerror(-*fd));
	fault.exit = EXIT_REFUSED;
	return fault_report(cli, &fault);
}

/**
 * cli_done() - say that something was done
 * @cli:	the command
 * @what:	"added", ...
 * @kind:	what was: "limit", or NULL
 * @name:	its name
 *
 * Return: EXIT_OK.
 */
int cli_done(struct cli *cli, const char *what, const char *kind, const char *name)
{
	struct out *out = &cli->out;

	if (!out->json && !cli->verbose)
		return EXIT_OK;
	out_object(out, NULL);
	out_str(out, "result", "", what);
	if (kind) {
		out_text(out, " ");
		out_text(out, kind);
		out_str(out, kind, " ", name);
	}
	out_end(out);
	out_flush(out);
	return EXIT_OK;
}
