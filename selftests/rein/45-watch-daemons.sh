#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs that were made to be supervised by systemd are by rein watch run, as they are:
# systemd-notify(1), which is libsystemd's sd_notify(3) and sd_notify_barrier(3), and a daemon
# that beats as WatchdogSec= has it.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

JOURNALD=/usr/lib/systemd/systemd-journald

make_cgroup a
HOME_CGROUP=$CGROOT/$CGTEST/a

# left: cgroups below that of this test, and processes
left() {
	find "$HOME_CGROUP" -mindepth 1 -type d
	find "$HOME_CGROUP" -name cgroup.procs -exec cat {} +
}

# beats NAME N: it has had so many
# shellcheck disable=SC2317 # wait_for calls it
beats() {
	[ "$(json watch show "$1" .beats)" -ge "$2" ] 2>/dev/null
}

worker() {
	# shellcheck disable=SC2016 # for the inner shell
	local beat='systemd-notify --ready; n=0
		while [ $n -lt 5 ]; do systemd-notify WATCHDOG=1; n=$((n + 1)); done'

	exits_with 7 "a worker that beats by libsystemd" \
		in_cgroup a rein watch run worker --every 20s -- sh -c "$beat; exit 7"
	is "$(left)" "" "nothing is left of it"
	exits_with 124 "one that hangs is killed" \
		in_cgroup a rein watch run worker --every 2s --grace 30s -- sh -c "$beat; sleep 1000"
	is "$(left)" "" "nothing is left of that"
}

daemon() {
	local pid

	[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
	# shellcheck disable=SC2016 # for the inner shell
	background bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$HOME_CGROUP" \
		rein watch run journal --every 3s --grace 60s -- "$JOURNALD"
	if ! wait_for 60 beats journal 3; then
		not_ok "systemd-journald beats" "3 beats" "$(rein watch show journal 2>&1)"
		return
	fi
	ok "systemd-journald beats"
	is "$(json watch show journal .faults)" 0 "in time"
	pid=$(pidof systemd-journald)
	kill -STOP "$pid"
	wait "$PID"
	is "$?" 124 "stopped, it is killed"
	is "$(left)" "" "and nothing is left of it"
	matches "$(rein -j errors list --code REIN-E0706)" '"watch_name":"journal"' "there is a record"
}

if command -v systemd-notify >/dev/null; then
	worker
else
	skip "there is no systemd-notify" "a worker that beats by libsystemd"
fi
if [ -x $JOURNALD ]; then
	daemon
else
	skip "there is no systemd-journald" "a daemon of systemd's"
fi
done_testing
