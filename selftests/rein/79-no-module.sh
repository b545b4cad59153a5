#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Without the module every command says so, and what to do.
. "$(dirname "$0")/lib.sh"

make_cgroup web
# Where the module is installed the kernel loads it for whoever asks for it.
modprobe=$(cat /proc/sys/kernel/modprobe)
rmmod rein || not_ok "the module can be unloaded"
exits_with 0 "it is loaded when it is asked for" rein stat
echo /bin/false >/proc/sys/kernel/modprobe
rmmod rein || not_ok "the module can be unloaded"
for command in "limit list" "limit show x" "limit del x" "errors list" "errors show 1" stat \
	flush "chain --cgroup /" "take x" monitor version \
	"limit add x --cgroup $(cg web) --on egress --rate 1MB/s"; do
	# shellcheck disable=SC2086 # words
	exits_with 6 "rein $command: exit status 6" timeout 10 rein $command
	matches "$OUT" "not loaded" "rein $command: says why"
	matches "$OUT" "modprobe rein" "rein $command: and what to do"
done
exits_with 0 "errors can be explained all the same" rein errors explain REIN-E0301
exits_with 0 "and help be had" rein help
echo "$modprobe" >/proc/sys/kernel/modprobe
exits_with 0 "the module can be loaded" modprobe rein
exits_with 0 "and then it works" rein stat
done_testing
