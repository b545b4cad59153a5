#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Nothing waits longer than its patience: not a packet, nor a network namespace
# that has packets waiting. What is dropped says why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

closed() {
	rein limit add l --cgroup "$(cg web)" --on egress --rate 0 --over wait "$@" ||
		not_ok "limit l can be added"
}

# shellcheck disable=SC2317 # by wait_for
namespaces_are() {
	[ "$(rein -j stat | sed 's/.*"namespaces":\([0-9]*\),.*/\1/')" = "$1" ]
}

# shellcheck disable=SC2317 # by wait_for
some() {
	[ "$(packets l "$1")" -gt 0 ]
}

# happens STAT CODE: packets end in that way, and a record says so
happens() {
	if wait_for "$SOON" some "$1"; then
		ok "$1: packets are counted"
	else
		not_ok "$1: packets are counted" "1 or more" "$(rein limit show l)"
	fi
	matches "$(rein -j errors list)" "\"code\":\"$2\".*\"limit\":\"l\"" "$1: $2 is recorded"
	identity l "$1"
}

stale() {
	closed --patience 300ms
	background in_cgroup web tool-robust-traffic udp 10.0.1.2 9 1000 20 2>/dev/null
	happens stale REIN-E0303
	kill_in web
	must_empty l "after its patience"
	identity l "all stale"
	rein limit del l
	settled "stale"
}

overflow() {
	rein limit add l --cgroup "$(cg web)" --on egress --rate 1kbit/s,burst=2000 --over wait \
		--patience 1h --queue 64KiB
	for _ in 1 2 3; do
		{ background in_cgroup web tool-robust-traffic udp 10.0.1.2 9 1400 200; } 2>/dev/null
	done
	happens overflow REIN-E0304
	at_most "$(_limit l | _counters | sed 's/.*\<queued=[0-9]*,\([0-9]*\).*/\1/')" 65536 \
		"overflow: no more waits than the queue holds"
	kill_in web
	in_time 5 "those who wait are let go when the limit is" rein limit del l
	settled "overflow"
}

# A flow that is further ahead of its limit than anybody would wait.
impatient() {
	rein limit add l --cgroup "$(cg web)" --on egress --rate 20kbit/s,burst=2000 --over wait \
		--patience 2s
	{ background in_cgroup web tool-robust-traffic udp 10.0.1.2 9 1400 200; } 2>/dev/null
	happens refused REIN-E0302
	kill_in web
	rein limit del l
	settled "impatient"
}

# Packets keep their sockets, and these their namespace.
namespace() {
	local pid before ms bound=2500

	[ -z "$DEBUG" ] || bound=6000
	make_netns near
	ip -n near link add dummy9 type dummy
	ip -n near addr add 10.9.0.1/24 dev dummy9
	ip -n near link set dummy9 up
	before=$(rein -j stat | sed 's/.*"namespaces":\([0-9]*\),.*/\1/')
	closed --patience 1s
	{
		background in_cgroup web ip netns exec near \
			tool-robust-traffic udp 10.9.0.2 9 1000 100
	} 2>/dev/null
	# At a closed limit, one packet of each flow.
	must_wait l
	kill_in web
	for pid in $(ip netns pids near); do
		kill -9 "$pid"
	done
	ms=$(_ms)
	in_time 5 "a namespace with packets waiting is deleted" ip netns del near
	if wait_for "$SOON" namespaces_are $((before - 1)); then
		ms=$(($(_ms) - ms))
		at_most "$ms" "$bound" "it is gone after its packets' patience, in ms"
	else
		not_ok "it is gone after its packets' patience" $((before - 1)) "$(rein stat)"
	fi
	must_empty l "namespace gone"
	identity l "namespace gone"
	rein limit del l
	settled "namespace gone"
}

start_peer
make_cgroup web
stale
overflow
impatient
namespace
done_testing
