#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit suites of kmod/kunit, on kernels that have KUnit: each case is a result.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

# name_of RESULT: what stands behind its number, and a dash on some kernels
name_of() {
	[[ $1 =~ ok\ [0-9]+\ (-\ )?(.*) ]] && echo "${BASH_REMATCH[2]}"
}

# run_suites: load the module that runs them, and read what it said
run_suites() {
	local log line

	dmesg -c >/dev/null
	insmod /vm/rein-kunit.ko && rmmod rein_kunit
	is $? 0 "the suites can be loaded and unloaded"
	log=$(dmesg | sed 's/^\[[^]]*\] //')
	# Cases are indented once, those with parameters twice.
	while IFS= read -r line; do
		case $line in
		"        ok "* | "    ok "*)	ok "$(name_of "$line")" ;;
		"        not ok "* | "    not ok "*)
			not_ok "$(name_of "$line")" "no failure" \
				"$(grep -A8 'EXPECTATION FAILED\|ASSERTION FAILED' <<<"$log" | head -n 40)"
			;;
		esac
	done <<<"$log"
	is "$(grep -c '^ok ' <<<"$log")" 5 "all suites pass"
}

if [ -e /vm/rein-kunit.ko ]; then
	run_suites
else
	skip "this kernel has no KUnit" "KUnit suites"
fi
done_testing
