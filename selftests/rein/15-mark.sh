#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --over mark: CE instead of loss for those who understand it, up to eight bursts
# of debt; a refusal for everybody else.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#					  netem 20 ms
#
# With no delay a congestion window of two segments is already too large for
# the rate; with 20 ms the rate is a window of 25 KB. The debug kernel gets a tenth
# of the rate, five times the delay and three times the burst, in time.
#
#	tcp	TCP with ECN: it loses nothing, not in slow start either
#	ignore	UDP that sets ECT(0) and doesn't care what comes of it
#	plain	UDP without ECT
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=10000000 DELAY=20 BURST=125000 SECONDS_SENT=6
[ -z "$DEBUG" ] || RATE=1000000 DELAY=100 BURST=37500

make_peer far 1
FAR=$(peer 1)
in_netns far tc qdisc add dev eth0 root netem delay ${DELAY}ms limit 10000
in_netns far sysctl -qw net.ipv4.tcp_ecn=1
# A SYN that a stalled machine sends for the second time asks for ECN, too.
for name in tcp_ecn:1 tcp_ecn_fallback:0; do
	at_exit sysctl -qw "net.ipv4.${name%:*}=$(sysctl -n "net.ipv4.${name%:*}")"
	sysctl -qw "net.ipv4.${name/:/=}"
done
sinks far 5001 5002 5003
make_cgroup tcp ignore plain
for name in tcp ignore plain; do
	rein limit add $name --cgroup "$(cg $name)" --on egress \
		--rate "${RATE}bit/s,burst=$BURST" --over mark || exit
done
# What has no neighbour yet waits for one, and from that queue the SYN would be the first to
# be dropped, when the others send twice the rate.
ping -q -c 1 -W 10 "$FAR" >/dev/null || not_ok "there is a neighbour"
NEEDLESS=$(counters TCPDSACKRecv)
capture far
start tcp tcp -t $SECONDS_SENT "$FAR" 5001
start ignore ignore -t $SECONDS_SENT -e -r $((RATE * 2 / 8 / 1428)) "$FAR" 5002
start plain plain -t $SECONDS_SENT -u -m "$((RATE / 8)),$BURST" -r $((RATE * 2 / 8 / 1428)) "$FAR" 5003
wait_sent
capture_end

LAST=$(calc "$SECONDS_SENT - 0.3" %.1f)
# A late CPU holds back what it has admitted.
SLACK=$((1428 + RATE / 8 / 20))
[ -z "$DEBUG" ] || SLACK=$((1428 + RATE / 8 / 4))
# When who sends twice the rate has come to the end of the debt.
HELD=$(calc "9 * $BURST * 8 / $RATE + 0.5" %.1f)
note "tcp: $(cat "$TMP/tcp.json")"
at_least "$(wire ce 5001)" 1 "TCP's packets are marked"
is "$(packets tcp marked)" "$(wire ce 5001)" "as many as are counted"
at_most "$(sent tcp .ssthresh)" 1000000 "it takes marks as congestion: ssthresh"
# What TCP is told that it sent for the second time was late, not lost.
NEEDLESS=$(($(counters TCPDSACKRecv) - NEEDLESS))
at_most "$(sent tcp .retransmits)" "$NEEDLESS" "it loses nothing: retransmits"
# A FIN is not ECN capable (RFC 3168, 6.1.4), and is sent again if it is refused.
at_most "$(packets tcp refused)" 3 "as nothing is refused but its FIN"
# How close to the rate is a matter of TCP's: it halves its window, or so.
near "$(wire rate 5001 1 "$LAST")" $((RATE * 3 / 4)) 40 "it slows to about the rate: bits per second"
at_most "$(wire excess 5001 $RATE)" $((9 * BURST + SLACK + 65536)) "tcp: bytes over the rate in any interval"
at_least "$(wire ce 5002)" 1 "UDP with ECT is marked"
at_most "$(wire excess 5002 $RATE)" $((9 * BURST + SLACK)) "who ignores CE is still held: bytes over the rate in any interval"
at_most "$(wire rate 5002 "$HELD" "$LAST")" $((RATE * 105 / 100)) "to the rate: bits per second"
at_least "$(packets ignore refused)" 1 "by refusals"
is "$(wire ce 5003)" 0 "UDP without ECT is not marked"
at_least "$(packets plain refused)" 1 "it is refused"
at_most "$(wire excess 5003 $RATE)" $((BURST + SLACK)) "at once: bytes over the rate in any interval"
near "$(wire packets 5003)" "$(sent plain .ideal)" 5 "as many packets pass as an ideal bucket lets"
for name in tcp ignore plain; do
	identity $name
done
done_testing
