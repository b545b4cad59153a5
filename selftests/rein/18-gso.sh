#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A GSO packet larger than the burst passes, and at the configured rate.
#
#	here  v1 10.0.1.1 fd00:1::1 ------ fd00:1::2 10.0.1.2 eth0  far
#
# A burst of 2 KB, which at 10 Mbit/s is refilled in 1.6 ms. Whatever costs more
# waits for a full bucket and leaves a debt. A timer that is late by 0.1 ms finds
# the bucket full and loses what would have come in: 64 KB take 52 ms, two
# segments 2.4 ms, so that the rate is reached within 10 %.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=10000000 SECONDS_SENT=5 BURST=2000
[ -z "$DEBUG" ] || RATE=2000000

make_peer far 1
sinks far 5001 5002 5003
make_cgroup four six refuse
for name in four six; do
	rein limit add $name --cgroup "$(cg $name)" --on egress \
		--rate "${RATE}bit/s,burst=$BURST" --over wait || exit
done
rein limit add refuse --cgroup "$(cg refuse)" --on egress \
	--rate "${RATE}bit/s,burst=$BURST" --over refuse || exit
NEEDLESS=$(counters TCPDSACKRecv)
capture far
start four four -t $SECONDS_SENT "$(peer 1)" 5001
start six six -t $SECONDS_SENT "$(peer 1 6)" 5002
start refuse refuse -t $SECONDS_SENT "$(peer 1)" 5003
wait_sent
capture_end

for flow in four:5001 six:5002; do
	name=${flow%:*} port=${flow#*:}
	at_least "$(wire largest "$port")" $((BURST + 1)) "$name: packets are larger than the burst: bytes"
	near_rate "$port" $RATE 10 $BURST 1 4.7 "$name: bits per second"
	at_most "$(wire excess "$port" $RATE)" $((BURST + $(wire largest "$port") + RATE / 8 / 50)) \
		"$name: bytes over the rate in any interval"
	at_most "$(wire gap "$port")" 500 "$name: it is never stuck: longest pause in ms"
	at_most "$(sent "$name" .retransmits)" $(($(counters TCPDSACKRecv) - NEEDLESS)) "$name: nothing is sent twice, unless its answer was late"
	identity "$name"
done
# How fast is another question: with so small a burst all but a packet or two of
# each window is refused.
note "refused: $(wire rate 5003 1 4.7) bits per second, $(cat "$TMP/refuse.json")"
at_least "$(wire largest 5003)" $((BURST + 1)) "refused: a packet larger than the burst passes: bytes"
at_least "$(wire packets 5003 1)" 10 "refused: TCP isn't stuck: packets after the first second"
at_most "$(wire gap 5003)" 1000 "refused: longest pause in ms"
at_most "$(wire excess 5003 $RATE)" $((BURST + $(wire largest 5003) + RATE / 8 / 50)) \
	"refused: bytes over the rate in any interval"
identity refuse
done_testing
