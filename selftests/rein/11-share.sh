#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who shares a limit gets a fair part of it, and nobody else notices.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#	      v2 10.0.2.1 ------ 10.0.2.2 eth0  away, netem 5 ms
#
# All at the same time, each limit with a cgroup of its own:
#
#	pair	two TCP flows
#	flood	a TCP flow and UDP as fast as the socket takes it
#	mix	a TCP flow in bulk and an echo request every 20 ms, to away
#	near	the same, to far
#	umix	a UDP flood and an echo request every 20 ms
#	free	no limit: a UDP flow at a given rate and an echo request every 20 ms
#
# A new flow's turn comes when the packet that is being paid for has been paid.
# To away and at this rate TCP puts two segments into a packet: six segments'
# time is generous for nineteen of twenty echo requests. Where the round trip
# takes less than a millisecond TCP puts as much as it can into one packet, up to
# 64 KB, whatever the rate is (tcp_tso_rtt_log): there it is the time of two of
# the largest seen. What the machine itself adds, other cgroups' packets among it,
# is up to twice what the cgroup without limit sees.
# The debug kernel manages a few hundred packets per second: less of everything.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=10000000 ECHOES=50 SECONDS_SENT=6
[ -z "$DEBUG" ] || RATE=200000 ECHOES=5
# 100 ms
BURST=$((RATE / 80))

make_peer far 1
make_peer away 2
in_netns away tc qdisc add dev eth0 root netem delay 5ms
AWAY=$(peer 2)
sinks away 5005 5006 5010
FAR=$(peer 1)
sinks far 5001 5002 5003 5004 5007 5008 5009 5010 5011 5012
make_cgroup pair flood mix near umix free
for name in pair flood mix near umix; do
	rein limit add "$name" --cgroup "$(cg "$name")" --on egress \
		--rate "${RATE}bit/s,burst=$BURST" --over wait || exit
done
capture far
capture away eth0 away
T=(-t "$SECONDS_SENT")
start pair1 pair "${T[@]}" "$FAR" 5001
start pair2 pair "${T[@]}" "$FAR" 5002
start flood-tcp flood "${T[@]}" "$FAR" 5003
start flood-udp flood "${T[@]}" -u "$FAR" 5004
start mix-tcp mix "${T[@]}" "$AWAY" 5005
start mix-echo mix "${T[@]}" -p -r $ECHOES "$AWAY" 5006
start near-tcp near "${T[@]}" "$FAR" 5011
start near-echo near "${T[@]}" -p -r $ECHOES "$FAR" 5012
start umix-udp umix "${T[@]}" -u "$FAR" 5007
start umix-echo umix "${T[@]}" -p -r $ECHOES "$FAR" 5008
start free-udp free "${T[@]}" -u -r $((RATE / 10000)) "$FAR" 5009
start free-echo free "${T[@]}" -p -r $ECHOES "$FAR" 5010
start free-away free "${T[@]}" -p -r $ECHOES "$AWAY" 5010
wait_sent
capture_end

LAST=$(calc "$SECONDS_SENT - 0.3" %.1f)
HALF=$((RATE / 2))
near_rate 5001,5002 $RATE 3 $BURST 1 "$LAST" "two TCP flows use the limit"
near "$(wire rate 5001 1 "$LAST")" "$HALF" 20 "the first has half of it"
near "$(wire rate 5002 1 "$LAST")" "$HALF" 20 "the second has half of it"
near_rate 5003,5004 $RATE 3 $BURST 1 "$LAST" "TCP and a UDP flood use the limit"
at_least "$(wire rate 5003 1 "$LAST")" $((RATE / 3)) "TCP has a third of it"

# microseconds BYTES: what they take at the rate
microseconds() {
	calc "$1 * 8e6 / $RATE"
}

# echo_of NAME FREE BYTES: twice what the cgroup without limit sees,
# and what BYTES take
echo_of() {
	local at

	note "echoes in $1: $(cat "$TMP/$1-echo.json")"
	is "$(sent "$1-echo" .lost)" 0 "$1: no echo is lost"
	for at in p50 p95; do
		at_most "$(sent "$1-echo" .${at}_us)" \
			$((2 * $(sent "free-$2" .${at}_us) + $(microseconds "$3"))) \
			"$1: an echo isn't stuck behind bulk: ${at/p/percentile } in us"
	done
	identity "$1"
}

note "echoes without a limit: far $(cat "$TMP/free-echo.json"), away $(cat "$TMP/free-away.json")"
note "largest packet of near: $(wire largest 5011), of mix: $(WIRE=away wire largest 5005)"
echo_of mix away $((6 * 1500))
echo_of umix echo $((6 * 1500))
echo_of near echo $((2 * $(wire largest 5011)))
is "$(wire packets 5009)" "$(sent free-udp .sent)" "all packets of the free sibling arrive"
# In the long run: after a pause it catches up.
near "$(wire rate 5009)" $((RATE * 11424 / 10000)) 5 "at the rate they are sent"
done_testing
