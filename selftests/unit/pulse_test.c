// SPDX-License-Identifier: GPL-2.0
/* The rules of pulses, by examples. */
#include "pulse.h"
#include "unit.h"
#include "../../kmod/kunit/pulse_rules.h"

int main(int argc, char **argv)
{
	return unit_main(pulse_rules, ARRAY_SIZE(pulse_rules), argc, argv);
}
