/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs the command in a child, as a shell would, with what it says kept.
 *
 * What stands in for the kernel is linked in with --wrap. It is told what to
 * answer before, and what it was asked is read after, in memory that parent
 * and child share: see shared().
 */
#ifndef REIN_RUN_H
#define REIN_RUN_H

#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define RUN_WORDS	64

/* main() of the command, as the Makefile calls it. */
int rein_main(int argc, char **argv);

/**
 * struct ran - what became of a command
 * @status:	its exit status, as a shell has it: 128+N if a signal ended it
 * @out:	what it printed
 * @err:	what it said on standard error
 */
struct ran {
	int status;
	char out[8192];
	char err[8192];
};

/* Where the command's output goes in place of struct ran; -1: it doesn't. */
static int run_stdout = -1;

static inline void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

static inline void run_read(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	text[len < 0 ? 0 : len] = '\0';
	close(fd);
}

static inline struct ran *run_argv(int argc, char **argv)
{
	static struct ran ran;
	int out = memfd_create("out", 0), err = memfd_create("err", 0), status;
	pid_t child;

	/* Else the child would print again what is not yet written. */
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(run_stdout < 0 ? out : run_stdout, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		/* As where that is no terminal. */
		setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
		status = rein_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	ran.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	run_read(out, ran.out, sizeof(ran.out));
	run_read(err, ran.err, sizeof(ran.err));
	return &ran;
}

/* Words, separated by one blank each. */
static inline struct ran *run(const char *line)
{
	char copy[4096], *argv[RUN_WORDS] = { "rein" }, *save, *word;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word && argc < RUN_WORDS - 1;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	test_row = line;
	return run_argv(argc, argv);
}

#endif /* REIN_RUN_H */
