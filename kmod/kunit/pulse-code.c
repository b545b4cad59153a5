// SPDX-License-Identifier: GPL-2.0
/*
 * The pulse, in a file of its own: its rules have words of their own for what it does.
 */
#include "../pulse.c"
