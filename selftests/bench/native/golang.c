// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of golang.go, which is a program of its own: Go's threads would be in the
 * way of ours. It sleeps while it isn't asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "native.h"

static FILE *to, *from;

/**
 * go_start() - start it
 * @program:	its path
 * @cpus:	the CPUs that it may use
 * @n:		how many
 * @version:	set to which Go it is
 * @size:	of that
 *
 * Return: whether it has answered.
 */
bool go_start(const char *program, const int *cpus, unsigned int n, char *version, int size)
{
	char first[16], second[16];
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		return false;
	snprintf(first, sizeof(first), "%d", cpus[0]);
	snprintf(second, sizeof(second), "%d", cpus[n - 1]);
	if (!fork()) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		/* Its last read has to find the end. */
		close(in[1]);
		execl(program, program, first, n > 1 ? second : NULL, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to = fdopen(in[1], "w");
	from = fdopen(out[0], "r");
	if (!fgets(version, size, from))
		return false;
	version[strcspn(version, "\n")] = '\0';
	return true;
}

static double go_round(const char *subject, enum situation situation,
		       unsigned long times, unsigned long *admitted)
{
	double ns;

	fprintf(to, "%s %s %lu\n", subject, situation_keys[situation], times);
	fflush(to);
	if (fscanf(from, "%lf %lu", &ns, admitted) == 2)
		return ns;
	fprintf(stderr, "bench: the Go program gave no answer\n");
	exit(1);
}

static double clock_round(enum situation situation, unsigned long times,
			  unsigned long *admitted)
{
	return go_round("clock", situation, times, admitted);
}

const struct subject go_clock_subject = {
	.key = "go_clock",
	.situations = 1 << ONE,
	.round = clock_round,
};

static double rate_round(enum situation situation, unsigned long times,
			 unsigned long *admitted)
{
	return go_round("go", situation, times, admitted);
}

const struct subject go_subject = {
	.key = "go",
	.situations = (1 << SITUATIONS) - 1,
	.round = rate_round,
};
