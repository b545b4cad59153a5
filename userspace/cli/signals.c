// SPDX-License-Identifier: GPL-2.0
#include "signals.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static bool is_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

/**
 * signals_hold() - from now on signals that would end rein are only noted
 * @cli:	the command
 * @signals:	where they go; signals_release() ends it
 *
 * Return: 0, or an exit code and the error has been printed.
 */
int signals_hold(struct cli *cli, struct signals *signals)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		/* The kernel would keep one that is ignored, if it is blocked. */
		if (!is_ignored(held[i]))
			sigaddset(&set, held[i]);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return cli_fail(cli, CODE_CELL, NULL, "allow more files: ulimit -n",
				"signals can't be waited for: %s", strerror(errno));
	sigprocmask(SIG_BLOCK, &set, &signals->before);
	return 0;
}

/* The signal that has come, 0 if none has. */
int signals_take(const struct signals *signals)
{
	struct signalfd_siginfo info;

	return read(signals->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* Those that have come meanwhile have their effect now. */
void signals_release(struct signals *signals)
{
	close(signals->fd);
	sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

/* Die of it. A core of rein would be of no use to anybody. */
void signals_die(int sig)
{
	sigset_t set;

	prctl(PR_SET_DUMPABLE, 0);
	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static const struct {
	int sig;
	const char *name;
} names[] = {
	{ SIGHUP, "SIGHUP" }, { SIGINT, "SIGINT" }, { SIGQUIT, "SIGQUIT" }, { SIGILL, "SIGILL" },
	{ SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" },
	{ SIGKILL, "SIGKILL" }, { SIGUSR1, "SIGUSR1" }, { SIGSEGV, "SIGSEGV" },
	{ SIGUSR2, "SIGUSR2" }, { SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" },
	{ SIGTERM, "SIGTERM" }, { SIGCHLD, "SIGCHLD" }, { SIGCONT, "SIGCONT" },
	{ SIGSTOP, "SIGSTOP" }, { SIGTSTP, "SIGTSTP" }, { SIGTTIN, "SIGTTIN" },
	{ SIGTTOU, "SIGTTOU" }, { SIGURG, "SIGURG" }, { SIGXCPU, "SIGXCPU" },
	{ SIGXFSZ, "SIGXFSZ" }, { SIGVTALRM, "SIGVTALRM" }, { SIGPROF, "SIGPROF" },
	{ SIGWINCH, "SIGWINCH" }, { SIGIO, "SIGIO" }, { SIGPWR, "SIGPWR" }, { SIGSYS, "SIGSYS" },
};

/* A constant string. */
const char *signals_name(int sig)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].sig == sig)
			return names[i].name;
	return "a signal";
}

/* TERM, SIGTERM or 15, in any case; 0 if there is none. */
int signals_parse(const char *text)
{
	char *end;
	long number;
	size_t i;

	if (isdigit((unsigned char)*text)) {
		number = strtol(text, &end, 10);
		return *end || number > SIGRTMAX ? 0 : (int)number;
	}
	if (!strncasecmp(text, "sig", 3))
		text += 3;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(names[i].name + 3, text))
			return names[i].sig;
	return 0;
}
