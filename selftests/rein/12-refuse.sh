#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --over refuse: what is over the limit is dropped, and its sender can tell.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#	      v2 10.0.2.1 ------ 10.0.2.2 eth0  police
#
# far takes what rein limits. police sends TCP the other way, through tc's
# police action with the same rate and burst, for comparison, from a namespace
# of its own, so that the counters here are those of rein's flows. Policed TCP
# is poor whoever does it, and never the same twice: three flows each, compared
# by the sum. How many UDP packets would pass in a perfect world is counted by
# the sender, whom this machine may stop for longer than the burst lasts. The
# burst is what the rate gives in 100 ms, as police lets no GSO
# packet pass that is larger.
# The debug kernel manages a few hundred packets per second: it gets less, and
# how well TCP does there isn't asked.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=10000000 SECONDS_SENT=6
[ -z "$DEBUG" ] || RATE=400000
BURST=$((RATE / 80))
[ -z "$DEBUG" ] || BURST=20000

limited() {
	make_cgroup "$1"
	rein limit add "$1" --cgroup "$(cg "$1")" --on egress \
		--rate "${RATE}bit/s,burst=${2:-$BURST}" --over refuse || exit
}

make_peer far 1
make_peer police 2
meet "$(peer 1)" "$(peer 1 6)" "$(peer 2)"
sinks far 5001 5002 5003 5004 5005 5006
sinks - 5001 5002 5003
in_netns police tc qdisc add dev eth0 clsact
for port in 5001 5002 5003; do
	in_netns police tc filter add dev eth0 egress protocol ip u32 \
		match ip dport $port 0xffff \
		action police rate ${RATE}bit burst $BURST conform-exceed drop/ok || exit
done
for name in tcp1 tcp2 tcp3 udp udp6 errors; do
	limited "$name"
done
make_cgroup police

FAST=$((RATE * 2 / 8 / 1428))
capture far
capture - v2 policed
TIMEOUTS=$(counters TCPTimeouts) PROBES=$(counters TCPWinProbe)
for i in 1 2 3; do
	start "tcp$i" "tcp$i" -t $SECONDS_SENT "$(peer 1)" "500$i"
	background in_netns police tool-send -t $SECONDS_SENT 10.0.2.1 "500$i" >"$TMP/police$i.json"
	_senders+=("$PID")
done
IDEAL=(-m "$((RATE / 8)),$BURST")
start udp udp -t $SECONDS_SENT -u -r $FAST "${IDEAL[@]}" "$(peer 1)" 5004
start udp6 udp6 -t $SECONDS_SENT -u -r $FAST "${IDEAL[@]}" "$(peer 1 6)" 5005
start errors errors -t $SECONDS_SENT -E -r $FAST "$(peer 1)" 5006
wait_sent
capture_end

LAST=$(calc "$SECONDS_SENT - 0.3" %.1f)
# One maximal packet, and what a late CPU holds back for 50 ms after it has
# been admitted.
SLACK=$((65536 + RATE / 8 / 20))
for flow in udp:5004 udp6:5005; do
	name=${flow%:*} port=${flow#*:}
	note "$name: $(cat "$TMP/$name.json")"
	near "$(wire packets "$port")" "$(sent "$name" .ideal)" 5 \
		"$name: as many packets as an ideal bucket lets pass"
	at_most "$(wire rate "$port" 1 "$LAST")" $((RATE * 105 / 100)) "$name: bits per second"
	at_most "$(wire excess "$port" "$RATE")" $((BURST + SLACK)) "$name: bytes over the rate in any interval"
	matches "$(cat "$TMP/$name.json")" '"errors": \{\}' "$name: the sender sees no error"
	at_least "$(packets "$name" refused)" 1 "$name: packets were refused"
	is "$(wire packets "$port")" "$(packets "$name" passed)" "$name: what passed arrived"
	identity "$name"
done
at_least "$(sent errors .errors.ENOBUFS)" 1 "with IP_RECVERR the sender sees ENOBUFS"
is "$(sent errors '.errors | length')" 1 "and nothing else"
is "$(sent errors .errors.ENOBUFS)" "$(packets errors refused)" "once for each refusal"

SUM=0 POLICED=0
for i in 1 2 3; do
	rate=$(wire rate "500$i" 1 "$LAST")
	at_most "$(wire excess "500$i" "$RATE")" $((BURST + SLACK)) "tcp$i: bytes over the rate in any interval"
	unless_debug at_most "$(wire gap "500$i")" 1000 "tcp$i: it never stalls: longest pause in ms"
	unless_debug at_least "$(sent "tcp$i" .retransmits)" 1 "tcp$i: what was refused is sent again"
	at_most "$(sent "tcp$i" .ssthresh)" 1000000 "tcp$i: it takes a refusal as congestion: ssthresh"
	matches "$(cat "$TMP/tcp$i.json")" '"errors": \{\}' "tcp$i: the sender sees no error"
	identity "tcp$i"
	policed=$(WIRE=policed wire rate "500$i" 1 "$LAST")
	note "tcp$i: $rate bits per second, police $policed; $(cat "$TMP/tcp$i.json"); police $(cat "$TMP/police$i.json")"
	SUM=$((SUM + rate)) POLICED=$((POLICED + policed))
done
note "pauses under police: $(for i in 1 2 3; do WIRE=policed wire gap 500$i; done | tr '\n' ' ')ms"
note "retransmission timeouts: $(($(counters TCPTimeouts) - TIMEOUTS))"
is "$(($(counters TCPWinProbe) - PROBES))" 0 "TCP never had to wait for its probe timer"
unless_debug at_least "$SUM" "$POLICED" "three TCP flows get at least what police gives them"
done_testing
