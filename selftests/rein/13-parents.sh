#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A limit binds all below it, however deep, and divides fairly among children.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
# All at the same time, each row a limit of its own on the first cgroup:
#
#	fam/small, fam/large	wait: UDP of 92 and of 1,428 bytes, as fast as it goes
#	duo/tcp, duo/udp	wait: a TCP flow, and UDP as fast as it goes
#	top/loose		wait; and a limit of four times the rate on loose
#	roomy/tight		wait, four times the rate; the rate on tight
#	hard/a, hard/b		refuse: two UDP flows, each above the rate
#	deep/2/3/.../40		wait: UDP in the 40th
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=4000000 SECONDS_SENT=5
[ -z "$DEBUG" ] || RATE=200000
# 100 ms
BURST=$((RATE / 80))

# limited CGROUP RATE OVER: a limit named after it
limited() {
	rein limit add "${1##*/}" --cgroup "$(cg "$1")" --on egress \
		--rate "$2bit/s,burst=$BURST" --over "$3" || exit
}

DEEP=deep$(printf '/%d' $(seq 2 40))
make_peer far 1
FAR=$(peer 1)
sinks far 5001 5002 5003 5004 5005 5006 5007 5008 5009
make_cgroup fam/small fam/large duo/tcp duo/udp top/loose roomy/tight hard/a hard/b "$DEEP"
for name in fam duo top deep; do
	limited $name $RATE wait
done
limited top/loose $((RATE * 4)) wait
limited roomy $((RATE * 4)) wait
limited roomy/tight $RATE wait
limited hard $RATE refuse

capture far
T=(-t "$SECONDS_SENT")
OVER=$((RATE * 3 / 2 / 8 / 1428))
start small fam/small "${T[@]}" -u -s 64 "$FAR" 5001
start large fam/large "${T[@]}" -u "$FAR" 5002
start tcp duo/tcp "${T[@]}" "$FAR" 5003
start udp duo/udp "${T[@]}" -u "$FAR" 5004
start loose top/loose "${T[@]}" -u "$FAR" 5005
start tight roomy/tight "${T[@]}" -u "$FAR" 5006
start a hard/a "${T[@]}" -u -r $OVER "$FAR" 5007
start b hard/b "${T[@]}" -u -r $OVER "$FAR" 5008
start deep "$DEEP" "${T[@]}" -u "$FAR" 5009
wait_sent
capture_end

LAST=$(calc "$SECONDS_SENT - 0.3" %.1f)
# A late CPU holds back for 20 ms what it has admitted.
SLACK=$((RATE / 8 / 50))
GSO=68000

# held PORTS PACKET WHAT: never more than the limit, PACKET being the largest
held() {
	at_most "$(wire excess "$1" "$RATE")" $((BURST + $2 + SLACK)) \
		"$3: bytes over the limit in any interval"
}

near_rate 5001,5002 $RATE 3 $BURST 1 "$LAST" "small and large packets: the sum is the parent's rate"
held 5001,5002 1428 "small and large packets"
near "$(wire rate 5001 1 "$LAST")" $((RATE / 2)) 20 "the child with small packets has half of it"
near "$(wire rate 5002 1 "$LAST")" $((RATE / 2)) 20 "the child with large packets has half of it"
near_rate 5003,5004 $RATE 3 $BURST 1 "$LAST" "TCP and UDP: the sum is the parent's rate"
held 5003,5004 $GSO "TCP and UDP"
near "$(wire rate 5003 1 "$LAST")" $((RATE / 2)) 20 "the child with TCP has half of it"
near "$(wire rate 5004 1 "$LAST")" $((RATE / 2)) 20 "the child with UDP has half of it"
near_rate 5005 $RATE 3 $BURST 1 "$LAST" "a child's limit above its parent's: the parent's holds"
held 5005 1428 "a loose child"
near_rate 5006 $RATE 3 $BURST 1 "$LAST" "a child's limit below its parent's: its own holds"
held 5006 1428 "a tight child"
near_rate 5007,5008 $RATE 5 $BURST 1 "$LAST" "refused: the sum is the parent's rate"
held 5007,5008 1428 "refused"
near_rate 5009 $RATE 3 $BURST 1 "$LAST" "40 levels down the limit of the first holds"
held 5009 1428 "40 levels down"
is "$(packets fam seen)" "$(($(sent small .sent) + $(sent large .sent)))" "a parent has seen all its children sent"
for name in fam duo top loose roomy tight hard deep; do
	identity $name
done
done_testing
