/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_COMPAT_LINUX_STACKTRACE_H
#define REIN_COMPAT_LINUX_STACKTRACE_H

#include_next <linux/stacktrace.h>

/* What other tasks are at is not told to modules everywhere: then it is not known. */
#ifndef REIN_HAVE_STACK_TRACE_SAVE_TSK
#define stack_trace_save_tsk(task, store, size, skip) \
	((void)(task), (void)(store), (void)(size), 0)
#endif

#endif /* REIN_COMPAT_LINUX_STACKTRACE_H */
