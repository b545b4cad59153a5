#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits on connect that let connections wait.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-connect.sh"

make_peer far 1
FAR=$(peer 1) FAR6=$(peer 1 6)
sinks far 5001 5002 5003
sinks - 6001

# in_all MS DESCRIPTION: since $BEGAN, or a little more. The clock has 10 ms.
in_all() {
	local ms=$(($(_ms) - BEGAN))

	at_least "$ms" $(($1 - 15)) "$2"
	at_most "$ms" $(($1 + LATE)) "$2"
}

limited wait 2/s,burst=1 --over wait
BEGAN=$(_ms)
connects wait -n 4 -p "$FAR" 5001
in_all 1500 "4 connections at 2/s: ms"
note "$SAID"
is "$(said ok)" 4 "all of them connect"
is "$(packets wait passed) $(packets wait released)" "1 3" "three of them had to wait"
identity wait

# Longer than TCP waits for an answer to a SYN.
limited long 24/min,burst=1 --over wait
AGAIN_BEFORE=$(counters TCPSynRetrans)
BEGAN=$(_ms)
connects long -n 2 "$FAR6" 5001
in_all 2500 "2 connections at 24/min: ms"
is "$(said ok)" 2 "both connect"
is "$(packets long seen)" 2 "its SYN is one call"
is $(($(counters TCPSynRetrans) - AGAIN_BEFORE)) 0 "and is not sent again while it waits"

# With data in the SYN, which is sent again without them.
at_exit sysctl -qw "net.ipv4.tcp_fastopen=$(sysctl -n net.ipv4.tcp_fastopen)"
sysctl -qw net.ipv4.tcp_fastopen=0x607
limited fast 24/min,burst=1 --over wait
BEGAN=$(_ms)
connects fast -f -n 2 127.0.0.1 6001
in_all 2500 "Fast Open: ms"
is "$(said ok)" 2 "Fast Open: both connect"
is "$(packets fast seen)" 2 "Fast Open: a SYN without the data is no call of its own"
identity fast

limited patience 0 --over wait --patience 500ms
connects patience "$FAR" 5001
is "$(said ECONNREFUSED)" 1 "when patience ends it fails"
at_least "$(took ECONNREFUSED)" 485 "not before: ms"
at_most "$(took ECONNREFUSED)" $((600 + LATE)) "and not much later: ms"
is "$(packets patience stale)" 1 "it is counted as stale"
matches "$(record patience REIN-E0303 .message)" "^waiting connections" "and recorded"
identity patience

limited gone 0,burst=2 --over wait
connects gone -w 300 "$FAR" 5001
is "$(said timeout)" 1 "one that waits is closed"
rein limit set gone --rate 1/min,burst=2
wait_for 10 counts gone cancelled 1
is "$(packets gone cancelled) $(packets gone queued)" "1 0" "it is counted as cancelled"
is "$(limit gone .tiers[0].tokens)" "$(limit gone .tiers[0].burst_tokens)" "and is not charged"
identity gone

# What waits to connect holds up nobody who is connected.
limited open unlimited --over wait
rein limit add packets --cgroup "$(cg open)" --on egress --rate 10Mbit/s --over wait || exit
start open -u -n 1000 -i 20 "$FAR" 5001
wait_for 10 ended open
rein limit set open --rate 0
background in_cgroup open tool-connect "$FAR" 5001 >"$TMP/open"
wait_for 10 counts open queued 1 || not_ok "open: a connection waits"
BEFORE=$(packets packets passed)
# shellcheck disable=SC2317 # by wait_for
more() {
	[ "$(packets packets passed)" -ge $((BEFORE + 10)) ]
}
wait_for 10 more
at_least "$(packets packets passed)" $((BEFORE + 10)) "packets go on while a connection waits"

# --- limits come and go while connections wait ---------------------------------------

for name in del refuse faster down; do
	limited $name 0 --over wait
done
waits del
rein limit del del
ends del ok "$LATE" "the limit is deleted: it connects"
waits refuse
rein limit set refuse --over refuse
ends refuse ECONNREFUSED $((LATE + 200)) "the limit refuses now: it fails"
waits faster
rein limit set faster --rate 100/s
ends faster ok "$LATE" "the rate is raised: it connects"
identity faster
waits down
ip link set v1 down
wait_for 10 counts down teardown 1
is "$(packets down teardown)" 1 "the device goes down: the SYN is dropped"
ip link set v1 up
ip addr replace fd00:1::1/64 dev v1 nodad
wait_for 10 counts down queued 1
is "$(packets down queued)" 1 "when it is up again the next SYN waits"
rein limit set down --rate unlimited
ends down ok "$LATE" "and connects"
identity down

# --- other protocols -----------------------------------------------------------------

limited later 1/min,burst=1 --over wait
# Datagrams that UDP has seen there: by then they have been captured, too.
arrived() {
	in_netns far cat /proc/net/snmp |
		awk '$1 == "Udp:" { seen = $2 + $3 } END { print seen }'
}
# shellcheck disable=SC2317 # by wait_for
all_arrived() {
	[ "$(arrived)" -ge $((ARRIVED + 51)) ]
}
ARRIVED=$(arrived)
capture far eth0 later
connects later -u -n 1 "$FAR" 5001
connects later -u -n 50 "$FAR" 5002
is "$(said ok)" 50 "UDP: a flow that waits takes datagrams"
is "$(packets later queued)" 1 "one call waits"
rein limit set later --rate 100/s
wait_for 10 counts later released 1
wait_for 10 all_arrived
capture_end
is "$(WIRE=later wire packets 5002)" 50 "all of them are sent"
is "$(packets later seen) $(packets later released)" "2 1" "for one call"
identity later

# When the one that the others wait for is dropped the next one asks.
limited bereft 0,burst=2 --over wait --patience 500ms
start bereft -u -n 300 -i 100 "$FAR" 5003
# shellcheck disable=SC2317 # by wait_for
stale() {
	[ "$(packets bereft stale)" -ge 2 ] && [ "$(packets bereft queued)" = 1 ]
}
wait_for 10 stale || not_ok "the first datagrams of a flow are dropped, the next one waits"
identity bereft "while one waits"
rein limit set bereft --rate 1/min,burst=2
wait_for 10 counts bereft queued 0
is "$(packets bereft released) $(limit bereft .tiers[0].tokens)" "1 1" "of a flow that begins late one call is charged"
is "$(packets bereft seen)" "$(($(packets bereft stale) + 1))" "each that was dropped is one, too"
identity bereft

# --- the end ---------------------------------------------------------------------------

limited force 0 --over wait
waits force
rein flush --force
ends force ok 8000 "all limits are flushed: the next SYN connects"
limited unload 0 --over wait
waits unload
exits_with 0 "the module is unloaded while a connection waits" rmmod rein
ends unload ok 8000 "the next SYN connects"
modprobe rein
done_testing
