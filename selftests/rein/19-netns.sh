#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A network namespace is no way out: a limit holds in all of them.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
#	      before  10.1.1.1 n1 ------ 10.1.1.2 p1  far
#	      after   10.1.2.1 n2 ------ 10.1.2.2 p2  far
#	      routed  10.1.3.1 n3 ------ 10.1.3.2 p3  here
#
# before, after and routed are made with unshare by a process in the cgroup: the
# first before there is any limit, so that nothing is hooked yet, the others
# afterwards. The first two have a device of their own to far; what routed sends
# is forwarded here, and paid once.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=4000000 SECONDS_SENT=5
[ -z "$DEBUG" ] || RATE=400000
BURST=$((RATE / 80))
declare -A INSIDE

# In its cgroup, a process with a namespace of its own.
# inside NAME K PEER: with a device that leads there
inside() {
	local to=(netns "$3")

	[ "$3" != here ] || to=()
	background in_cgroup "$1" unshare -n sleep 1000
	INSIDE[$1]=$PID
	# The shell that in_cgroup starts becomes unshare, then sleep.
	wait_for 10 found "$1" || exit
	ip link add "n$2" netns "${INSIDE[$1]}" type veth peer name "p$2" "${to[@]}" || exit
	nsenter -t "${INSIDE[$1]}" -n ip addr add "10.1.$2.1/24" dev "n$2"
	nsenter -t "${INSIDE[$1]}" -n ip link set "n$2" up
	if [ "$3" = here ]; then
		ip addr add "10.1.$2.2/24" dev "p$2"
		ip link set "p$2" up
	else
		ip -n "$3" addr add "10.1.$2.2/24" dev "p$2"
		ip -n "$3" link set "p$2" up
	fi
}

# shellcheck disable=SC2317 # by wait_for
found() {
	local pid

	# shellcheck disable=SC2013 # one word in a line
	for pid in $(cat "$CGROOT/$CGTEST/$1/cgroup.procs"); do
		[ "$(cat "/proc/$pid/comm")" = sleep ] || continue
		[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] || continue
		INSIDE[$1]=$pid
		return
	done
	return 1
}

# start_inside NAME ARGUMENT...
start_inside() {
	background in_cgroup "$1" nsenter -t "${INSIDE[$1]}" -n tool-send "${@:2}" >"$TMP/$1.json"
	_senders+=("$PID")
}

limited() {
	rein limit add "$1" --cgroup "$(cg "$1")" --on egress \
		--rate "${RATE}bit/s,burst=$BURST" --over wait || exit
}

make_peer far 1
sinks far 5001 5002 5003
make_cgroup before after routed
inside before 1 far
is "$(json stat .hooked)" false "nothing is hooked before there is a limit"
for name in before after routed; do
	limited $name
done
inside after 2 far
inside routed 3 here
nsenter -t "${INSIDE[routed]}" -n ip route add default via 10.1.3.2
in_netns far ip route add 10.1.3.0/24 via 10.0.1.1
at_exit sysctl -qw "net.ipv4.ip_forward=$(sysctl -n net.ipv4.ip_forward)"
sysctl -qw net.ipv4.ip_forward=1

capture far p1 before
capture far p2 after
capture far eth0 routed
start_inside before -t $SECONDS_SENT -u 10.1.1.2 5001
start_inside after -t $SECONDS_SENT 10.1.2.2 5002
start_inside routed -t $SECONDS_SENT -u "$(peer 1)" 5003
wait_sent
capture_end

WIRE=before near_rate 5001 $RATE 5 $BURST 1 4.7 "a namespace made before the limit: bits per second"
WIRE=after near_rate 5002 $RATE 5 $BURST 1 4.7 "a namespace made after it: bits per second"
WIRE=routed near_rate 5003 $RATE 5 $BURST 1 4.7 "a namespace whose packets are forwarded: bits per second"
# The kernel's own sockets of a namespace belong to who made it: a few packets of
# IPv6's neighbour discovery.
at_most "$(packets routed seen)" $(($(sent routed .sent) + 30)) "they pay once: packets"
for name in before after routed; do
	identity $name
done
done_testing
