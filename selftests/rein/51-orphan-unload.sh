#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The cgroup that a limit is on, and the module itself, go while packets wait.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

# shellcheck disable=SC2317 # by wait_for
no_limits() {
	[ "$(rein -j limit list | grep -c '"name"')" = 0 ]
}

orphaned() {
	local before

	background rein -j monitor limits errors >"$TMP/monitor"
	wait_for "$SOON" said listening || not_ok "the monitor listens"
	rein limit add l --cgroup "$(cg web/inner)" --on egress --rate 1Mbit/s,burst=3000 \
		--over wait --patience 30s
	load web/inner
	must_wait l 20
	# What was sent by those who are killed still waits.
	rein limit set l --rate 1kbit/s
	kill_in web/inner
	before=$(packets l queued)
	at_least "$before" 1 "packets of those who were killed still wait"
	in_time 5 "their cgroup is removed" rmdir "$CGROOT/$CGTEST/web/inner"
	if wait_for "$SOON" no_limits; then
		ok "its limit is removed"
	else
		not_ok "its limit is removed" "no limit" "$(rein limit list)"
	fi
	heard '"event":"orphaned"' "the limit's end is notified"
	heard '"event":"record".*"code":"REIN-E0401"' "and its record"
	matches "$(rein -j errors list)" '"code":"REIN-E0401".*"limit":"l"' \
		"REIN-E0401 names the limit"
	kill "$PID"
	settled "cgroup removed"
}

# Below a limit that stays, packets go on waiting for that.
orphaned_below() {
	make_cgroup web/inner
	rein limit add outer --cgroup "$(cg web)" --on egress --rate 2Mbit/s,burst=3000 \
		--over wait --patience 30s
	rein limit add inner --cgroup "$(cg web/inner)" --on egress --rate 1Mbit/s,burst=3000 \
		--over wait --patience 30s
	load web/inner
	must_wait inner 20
	kill_in web/inner
	in_time 5 "a cgroup below another limit is removed" rmdir "$CGROOT/$CGTEST/web/inner"
	must_empty outer "inner cgroup removed"
	identity outer "inner cgroup removed"
	rein limit del outer
	settled "inner cgroup removed"
}

unloaded() {
	rein limit add l --cgroup "$(cg web)" --on egress --rate 1Mbit/s,burst=3000 --over wait \
		--patience 30s
	load web
	must_wait l 20
	in_time 5 "the module is unloaded while packets wait" rmmod rein
	flows "without the module"
	exits_with 0 "it is loaded under load" modprobe rein
	is "$(rein -j limit list | grep -c '"name"')" 0 "it knows no limit"
	flows "loaded again"
	rein limit add l --cgroup "$(cg web)" --on egress --rate 1Mbit/s,burst=3000 --over wait
	must_wait l 20
	identity l "loaded again"
	kill_in web
	rein limit del l
	settled "loaded again"
}

start_peer
make_cgroup web/inner
orphaned
orphaned_below
unloaded
done_testing
