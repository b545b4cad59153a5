/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command: what all of its parts share.
 */
#ifndef REIN_CLI_CLI_H
#define REIN_CLI_CLI_H

#include "codes.h"
#include "opt.h"
#include "out.h"
#include "parse.h"
#include "rein.h"

/* Exit codes, as documented in Documentation/cli.rst. */
#define EXIT_OK		0
#define EXIT_USAGE	1
#define EXIT_REFUSED	2
#define EXIT_OVER	3
#define EXIT_LATE	4
#define EXIT_CANCELLED	5
#define EXIT_NO_MODULE	6
/* Those of forms that run a command, whose own status it is otherwise. */
#define EXIT_COMMAND_OVER	121
#define EXIT_COMMAND_CANCELLED	122
#define EXIT_COMMAND_LATE	124
#define EXIT_COMMAND_FAILED	125
#define EXIT_NO_EXEC		126
#define EXIT_NO_COMMAND		127

/**
 * struct cli - one run of the command
 * @out:	where output goes
 * @quiet:	say nothing but errors, and those in one line
 * @verbose:	say what was done, and all about errors
 * @force:	go on after an error in a batch
 * @rein:	the connection; made when it is first needed, then kept
 * @file:	the batch file, NULL outside of a batch
 * @line:	the line of it
 * @mount:	where cgroups are; found when it is first needed, then kept
 * @sigpipe:	what SIGPIPE did before; a command that is run gets it back
 * @sigchld:	likewise SIGCHLD
 */
struct cli {
	struct out out;
	bool quiet;
	bool verbose;
	bool force;
	struct rein *rein;
	const char *file;
	unsigned int line;
	struct rein_mount *mount;
	void (*sigpipe)(int sig);
	void (*sigchld)(int sig);
};

/**
 * struct command - an entry of a table of commands
 * @name:	what it is called
 * @run:	does it; argv[0] is the name; returns an exit code
 * @subs:	or a table of what may follow, ended by an empty entry
 * @usage:	lines of its synopsis
 * @summary:	one line
 * @details:	what its options mean
 * @initial:	the sub-command that is meant if none is given
 */
struct command {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);
	const struct command *subs;
	const char *usage;
	const char *summary;
	const char *details;
	const char *initial;
};

/**
 * struct fault - what went wrong, on its way to the user
 * @code:	CODE_*, 0 if there is none
 * @exit:	the exit code that goes with it
 * @option:	the option at fault as it was typed, or empty
 * @message:	what happened
 * @hint:	what to do next; empty: the code book's
 * @record:	id of the kernel's record, 0 if there is none
 * @targets:	what the name may have meant
 * @n_targets:	how many
 * @target:	what stands before them in the text, NULL: "--cgroup "
 * @cause:	why the scope that ended it is done, enum rein_cause, 0: none did
 * @scope:	id of that scope, 0: not worth a look
 * @take:	the take that was over a limit, NULL if it wasn't that
 */
struct fault {
	uint32_t code;
	int exit;
	char option[256];
	char message[512];
	char hint[256];
	uint64_t record;
	char **targets;
	size_t n_targets;
	const char *target;
	uint32_t cause;
	uint64_t scope;
	const struct rein_take_result *take;
};

void fault_set(struct fault *fault, uint32_t code, const char *option, const char *hint,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));
void fault_answer(struct fault *fault, const char *things, const char *option, const char *what,
		  int err, uint32_t code, const char *message);
int fault_report(struct cli *cli, const struct fault *fault);
int cli_fail(struct cli *cli, uint32_t code, const char *option, const char *hint,
	     const char *format, ...) __attribute__((format(printf, 5, 6)));
int cli_fail_parse(struct cli *cli, const char *option, const char *value,
		   const struct parse_error *error);
int cli_fail_kernel(struct cli *cli, const char *option);
void fault_from_kernel(struct cli *cli, struct fault *fault);
void cli_note(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_connect(struct cli *cli);
int cli_device(struct cli *cli, int *fd);
int cli_done(struct cli *cli, const char *what, const char *kind, const char *name);

int cli_run(struct cli *cli, int argc, char **argv);
int batch_run(struct cli *cli, const char *path);
int batch_split(char *line, char **argv, int max, const char **error);

extern const struct command top_commands[];
extern const struct command limit_commands[];
extern const struct command errors_commands[];
extern const struct command scope_commands[];
extern const struct command watch_commands[];

int take_main(struct cli *cli, int argc, char **argv);
int scope_run_main(struct cli *cli, int argc, char **argv);
int race_main(struct cli *cli, int argc, char **argv);
int watch_add_main(struct cli *cli, int argc, char **argv);
int watch_run_main(struct cli *cli, int argc, char **argv);
int beat_main(struct cli *cli, int argc, char **argv);
int chain_main(struct cli *cli, int argc, char **argv);
struct filter;

int follow_run(struct cli *cli, const struct filter *filter);
int monitor_main(struct cli *cli, int argc, char **argv);
int stat_main(struct cli *cli, int argc, char **argv);
int flush_main(struct cli *cli, int argc, char **argv);
int version_main(struct cli *cli, int argc, char **argv);
int help_main(struct cli *cli, int argc, char **argv);

/* How statistics look as text; JSON always has all of them. */
enum stats_text {
	STATS_HIDDEN,
	STATS_LINE,
	STATS_TABLE,
};

/* Parts that several commands print. */
void show_limit_row(struct out *out, const struct rein_limit *limit, bool stats);
void show_limit_full(struct out *out, const struct rein_limit *limit);
void show_per_socket(struct out *out, const struct rein_limit *limit);
void show_tier(struct out *out, const struct rein_tier *tier, const char *lead,
	       const char *burst, const char *tokens, const char *debt);
void show_stats(struct out *out, const char *key, const struct rein_stats *stats, bool calls,
		enum stats_text text);
void show_scope_row(struct out *out, const struct rein_scope *scope);
void show_scope_event(struct out *out, const struct rein_scope *scope);
void show_scope_full(struct out *out, const struct rein_scope *scope);
void show_socket(struct out *out, const struct rein_socket *sock, const char *lead);
void show_maker(struct out *out, uint32_t pid, const char *comm, bool has_uid, uint32_t uid);
void show_record_line(struct out *out, const struct rein_record *record);
void show_record_row(struct out *out, const struct rein_record *record);
void show_record_full(struct out *out, const struct rein_record *record);

bool reader_gone(FILE *file);

#endif /* REIN_CLI_CLI_H */
