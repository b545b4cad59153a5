// SPDX-License-Identifier: GPL-2.0
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"

/* --- told ------------------------------------------------------------------------------ */

static void forget_variables(char **variables)
{
	size_t i;

	for (i = 0; variables && variables[i]; i++)
		free(variables[i]);
	free(variables);
}

__attribute__((format(printf, 1, 2)))
static char *text_of(const char *format, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	return len < 0 ? NULL : text;
}

/* What isn't known is empty. NULL if there is no memory. */
static char **variables_of(const struct rein_watch *watch)
{
	const char *subject = rein_subject_name(watch->subject);
	const char *fault = rein_fault_name(watch->fault);
	char **variables = calloc(HOOK_VARIABLES + 1, sizeof(*variables));
	int i;

	if (!variables)
		return NULL;
	variables[0] = text_of("REIN_WATCH_ID=%" PRIu64, watch->id);
	variables[1] = text_of("REIN_WATCH_NAME=%s", watch->name ? watch->name : "");
	variables[2] = text_of("REIN_WATCH_SUBJECT=%s", subject ? subject : "");
	variables[3] = text_of("REIN_WATCH_CGROUP=%s", watch->cgroup ? watch->cgroup : "");
	variables[4] = watch->subject_pid ? text_of("REIN_WATCH_PID=%u", watch->subject_pid) :
					    strdup("REIN_WATCH_PID=");
	variables[5] = text_of("REIN_WATCH_RECORD=%" PRIu64, watch->record);
	variables[6] = text_of("REIN_WATCH_FAULT=%s", fault ? fault : "");
	for (i = 0; i < HOOK_VARIABLES && variables[i]; i++)
		;
	if (i == HOOK_VARIABLES)
		return variables;
	for (i = 0; i < HOOK_VARIABLES; i++)
		free(variables[i]);
	free(variables);
	return NULL;
}

/* --- run --------------------------------------------------------------------------------- */

/* In the child. It reads nothing: several may run. */
static void become(struct cli *cli, const char *command, char **variables)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	while (*variables)
		putenv(*variables++);
	command_signals(cli);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(EXIT_NO_EXEC);
}

static pid_t begin(struct cli *cli, const char *command, char **variables)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		become(cli, command, variables);
	if (pid < 0)
		cli_note(cli, "%s can't be run: %s", command, strerror(errno));
	return pid;
}

static struct hook *hook_of(struct hooks *hooks, uint64_t watch)
{
	size_t i;

	for (i = 0; i < hooks->n; i++)
		if (hooks->hook[i].watch == watch)
			return &hooks->hook[i];
	return NULL;
}

/**
 * hooks_want() - is that an event to do something?
 * @watch:	what it is about
 *
 * Return: true if it is.
 */
bool hooks_want(const struct rein_watch *watch)
{
	return watch->event == REIN_WATCH_EVENT_STEP && !watch->test &&
	       watch->at_step < watch->n_steps &&
	       watch->steps[watch->at_step].kind == REIN_STEP_EXEC;
}

/**
 * hooks_run() - run a command because of a watch, or have it run next
 * @cli:	the command of rein
 * @hooks:	those that run
 * @command:	for sh -c
 * @watch:	which it is told of
 */
void hooks_run(struct cli *cli, struct hooks *hooks, const char *command,
	       const struct rein_watch *watch)
{
	struct hook *hook = hook_of(hooks, watch->id);
	char **variables;

	if (!hook && hooks->n == HOOKS_MAX) {
		cli_note(cli, "watch %" PRIu64 " is not healed: %d commands run already", watch->id,
			 HOOKS_MAX);
		return;
	}
	variables = variables_of(watch);
	if (!variables)
		return;
	if (hook) {
		forget_variables(hook->next);
		hook->next = variables;
		return;
	}
	hook = &hooks->hook[hooks->n];
	*hook = (struct hook){ .watch = watch->id, .pid = begin(cli, command, variables) };
	if (hook->pid > 0)
		hooks->n++;
	forget_variables(variables);
}

/* Has it ended, and nobody is to run after it? */
static bool is_over(struct cli *cli, struct hook *hook, const char *command)
{
	int status;

	if (!waitpid(hook->pid, &status, WNOHANG))
		return false;
	if (!hook->next)
		return true;
	hook->pid = begin(cli, command, hook->next);
	forget_variables(hook->next);
	hook->next = NULL;
	return hook->pid < 0;
}

/**
 * hooks_reap() - forget those that have ended, run those that were to be next
 * @cli:	the command of rein
 * @hooks:	those that run
 * @command:	for sh -c
 */
void hooks_reap(struct cli *cli, struct hooks *hooks, const char *command)
{
	size_t i = 0;

	while (i < hooks->n) {
		if (is_over(cli, &hooks->hook[i], command))
			hooks->hook[i] = hooks->hook[--hooks->n];
		else
			i++;
	}
}

/* Those that run go on. */
void hooks_forget(struct hooks *hooks)
{
	size_t i;

	for (i = 0; i < hooks->n; i++)
		forget_variables(hooks->hook[i].next);
	hooks->n = 0;
}
