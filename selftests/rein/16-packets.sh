#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rates in packets.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

PPS=5000 SECONDS_SENT=4
[ -z "$DEBUG" ] || PPS=300

make_peer far 1
FAR=$(peer 1)
sinks far 5001 5002 5003 5004
make_cgroup wait refuse once both
# 100 ms
BURST=$((PPS / 10))
rein limit add wait --cgroup "$(cg wait)" --on egress --rate "${PPS}p/s,burst=$BURST" --over wait || exit
rein limit add refuse --cgroup "$(cg refuse)" --on egress --rate "$(calc "$PPS / 1000" %.1f)kp/s,burst=$BURST" || exit
rein limit add once --cgroup "$(cg once)" --on egress --rate 1p/min || exit
# Two tiers: the one in packets is the tighter for what is small.
rein limit add both --cgroup "$(cg both)" --on egress --rate 100p/s,burst=10 --rate 1MB/s --over wait || exit
# One after the other: it is the number of packets that an emulated machine
# minds most.
capture far eth0 first
start wait wait -t $SECONDS_SENT -u -s 64 "$FAR" 5001
wait_sent
capture_end
capture far
start refuse refuse -t $SECONDS_SENT -u -s 64 -r $((PPS * 2)) -M "$PPS,$BURST" "$FAR" 5002
start once once -t $SECONDS_SENT -u -s 64 -r 10 "$FAR" 5003
start both both -t $SECONDS_SENT -u -s 64 "$FAR" 5004
wait_sent
capture_end

# per_second PORT: packets of 92 bytes
per_second() {
	calc "$(wire rate "$1" 1 $((SECONDS_SENT - 1)).7) / 8 / 92" %.1f
}

WIRE=first near_rate 5001 $((PPS * 92 * 8)) 3 $((BURST * 92)) 1 3.7 "wait: packets per second, times their bits"
near "$(wire packets 5002)" "$(sent refuse .ideal)" 5 "refuse: as many packets as an ideal bucket lets pass"
at_most "$(per_second 5002)" $((PPS * 105 / 100)) "refuse: packets per second"
near_rate 5004 $((100 * 92 * 8)) 3 $((10 * 92)) 1 3.7 "two tiers, wait: packets per second, times their bits"
is "$(wire packets 5003)" 1 "1p/min: the first passes, no other does"
is "$(packets once passed)" 1 "and that is what is counted"
at_least "$(packets once refused)" 10 "the others are refused"
RETRY=$(record once REIN-E0301 .values.retry_after_ns)
at_most "$RETRY" 60000000000 "the record says when to try again: ns"
at_least "$RETRY" 50000000000 "in almost a minute"
for name in wait refuse once both; do
	identity $name
done
done_testing
