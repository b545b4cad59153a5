#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --over observe counts and records, and changes nothing on the wire.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
# UDP and TCP in cgroups with a limit far below what they send, and the same
# at the same time in cgroups without.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

PPS=300
[ -z "$DEBUG" ] || PPS=60
make_peer far 1
FAR=$(peer 1)
sinks far 5001 5002 5003 5004
make_cgroup udp tcp free-udp free-tcp
for name in udp tcp; do
	rein limit add "$name" --cgroup "$(cg "$name")" --on egress \
		--rate 100kbit/s,burst=10000 --over observe || exit
done
NEEDLESS=$(counters TCPDSACKRecv)
capture far
start udp udp -t 4 -u -r $PPS "$FAR" 5001
start free-udp free-udp -t 4 -u -r $PPS "$FAR" 5002
start tcp tcp -t 4 "$FAR" 5003
start free-tcp free-tcp -t 4 "$FAR" 5004
wait_sent
capture_end

is "$(wire packets 5001)" "$(sent udp .sent)" "all packets arrive"
near "$(wire rate 5001 0.5 3.8)" "$(wire rate 5002 0.5 3.8)" 3 "as fast as without a limit"
at_most "$(sent tcp .retransmits)" $(($(counters TCPDSACKRecv) - NEEDLESS)) "TCP sends nothing twice, unless its answer was late"
# How much each gets of the CPU is for the scheduler to say; but none is held.
at_least "$(wire rate 5003 0.5 3.8)" $((20 * 100000)) \
	"TCP is more than twenty times as fast as its limit"
is "$(wire ce 5001,5003)" 0 "nothing is marked"
for name in udp tcp; do
	at_least "$(packets "$name" observed)" 1 "$name: what would have happened is counted"
	is "$(packets "$name" seen)" "$(packets "$name" passed)" "$name: all has passed"
	identity "$name"
	is "$(record "$name" REIN-E0307 .code)" REIN-E0307 \
		"$name: there is a record of it"
done
done_testing
