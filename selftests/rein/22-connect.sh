#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits on connect: new outgoing connections, and flows of other protocols.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
# Rates are one a minute where only the burst is asked for, so that it does not
# matter how slow the machine is.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-connect.sh"

make_peer far 1
FAR=$(peer 1) FAR6=$(peer 1 6)
sinks far 5001 5002 5003 5004 5005
sinks - 6001
make_netns other
sinks other 6001

# Half a minute of idleness makes a flow a new one; half of that does not.
limited idle 1/min,burst=10
limited busy 1/min,burst=10
start idle -u -n 2 -i 31000 "$FAR" 5001
start busy -u -n 3 -i 16000 "$FAR" 5001

# --- refuse ----------------------------------------------------------------------

TOTAL=$(json stat .total.seen.packets)
while read -r name address port; do
	limited "$name" 1/min,burst=3
	connects "$name" -n 10 "$address" "$port"
	is "$(said ok) $(said ECONNREFUSED)" "3 7" "$name: a burst of 3 connects, the others are refused"
	at_most "$(mostly ECONNREFUSED)" "$AT_ONCE" "$name: at once: ms"
	is "$(packets "$name" passed) $(packets "$name" refused)" "3 7" "$name: that is what is counted"
	identity "$name"
done <<TABLE
far4 $FAR 5001
far6 $FAR6 5001
lo4 127.0.0.1 6001
lo6 ::1 6001
TABLE

is "$(record far4 REIN-E0308 '"\(.count) \(.errno) \(.socket.protocol) \(.socket.destination) \(.socket.destination_port) \(.values.wanted_calls) \(.values.available_calls)"')" \
	"7 111 tcp $FAR 5001 1 0" "a record says whose connections, and how many"
matches "$(record far4 REIN-E0308 .message)" "^connections were refused" "in words"
matches "$(record far4 REIN-E0308 .hint)" "--over wait" "and what to do"
at_least "$(record far4 REIN-E0308 .values.retry_after_ns)" 30000000000 "and when to try again"
is "$(json stat .total.seen.packets)" "$TOTAL" "the total of packets has none of them"

limited rate 5/s,burst=3
BEGAN=$(_ms)
connects rate -n 100 -i 20 "$FAR" 5001
TOOK=$(($(_ms) - BEGAN))
at_most "$(said ok)" "$(calc "4 + 5 * $TOOK / 1000")" "5/s: at most the burst, and 5 a second"
at_least "$(said ok)" 5 "5/s: more than the burst"
identity rate

# --- what a SYN that is sent again costs -------------------------------------------

in_netns far nft -f - <<RULES
table inet hole {
	chain in {
		type filter hook input priority 0
		tcp dport 5999 drop
	}
}
RULES
limited hole 1/min,burst=2
AGAIN_BEFORE=$(counters TCPSynRetrans)
connects hole -w 3500 "$FAR" 5999
is "$(said timeout)" 1 "nobody answers"
at_least $(($(counters TCPSynRetrans) - AGAIN_BEFORE)) 1 "SYNs are sent again"
is "$(packets hole seen)" 1 "which costs nothing"

# lost NAME: SYNs of its connection to port 5002 don't come as far as the limit
lost() {
	nft -f - <<-RULES
	table inet lost {
		chain out {
			type filter hook output priority 0
			tcp dport 5002 counter drop
		}
	}
	RULES
	start "$1" -w 4500 "$FAR" 5002
	wait_for 10 dropped || not_ok "$1: the first SYN is lost"
	nft delete table inet lost
}
# shellcheck disable=SC2317 # by wait_for
dropped() {
	nft list table inet lost | grep -q 'packets [1-9]'
}
limited late 1/min,burst=2
lost late
ends late ok 10000 "the first SYN is lost on its way to the limit: it connects"
is "$(packets late seen)" 1 "it is the second that costs"
limited closed 0
lost closed
ends closed timeout 10000 "a closed limit lets no second one pass either"
at_least "$(packets closed refused)" 1 "it is refused"
is "$(packets closed passed)" 0 "nobody gets away by losing SYNs"
identity closed

# A SYN that a limit on egress refuses has paid for the connection.
limited both 1/min,burst=2
rein limit add bytes --cgroup "$(cg both)" --on egress --rate 0 || exit
start both -w 10000 "$FAR" 5001
wait_for 10 counts bytes refused 1 || not_ok "the SYN is refused by the limit on egress"
rein limit set bytes --rate unlimited
ends both ok 10000 "a SYN that a limit on egress refused is sent again"
is "$(packets both seen)" 1 "that costs no second call"
is "$(json chain --cgroup "$(cg both)" '[.levels[].limits[].resource] | tostring')" '["egress","connect"]' \
	"a chain has limits of both"

# --- other protocols -----------------------------------------------------------------

limited udp 1/min,burst=12
connects udp -u -n 20 "$FAR" 5001 5002 5003 5004 5005
is "$(said ok) $(packets udp seen)" "100 5" "UDP: 100 datagrams to 5 destinations are 5 calls"
connects udp -c -n 20 "$FAR" 5001 5002 5003 5004 5005
is "$(said ok) $(packets udp seen)" "100 10" "connected sockets, too, are flows of their own"
connects udp -u -n 2 "$FAR6" 5001
is "$(said ok) $(packets udp seen)" "2 11" "IPv6, too"
connects udp -r -n 3 "$FAR" 1 2
is "$(said ok) $(packets udp seen)" "6 12" "ICMP from a raw socket has no ports"
capture far eth0 refused
connects udp -u -n 3 "$FAR" 5006
is "$(said ECONNREFUSED)" 3 "UDP: a send that would begin a flow is refused"
connects udp -c -n 3 "$FAR6" 5006
is "$(said ECONNREFUSED)" 3 "IPv6, too"
capture_end
is "$(WIRE=refused wire packets 5006)" 0 "nothing of it is sent"
is "$(packets udp refused)" 6 "each is a refusal"
matches "$(record udp REIN-E0308 '"\(.socket.protocol) \(.socket.destination_port)"')" "^udp 5006$" \
	"recorded with its addresses"
identity udp

# --- who counts ----------------------------------------------------------------------

limited parent 1/min,burst=3
make_cgroup parent/child
rein limit add child --cgroup "$(cg parent/child)" --on connect --rate 1/min,burst=10 || exit
connects parent/child -n 5 "$FAR" 5001
is "$(said ok) $(said ECONNREFUSED)" "3 2" "a child's connections count in its parent"
is "$(packets parent seen) $(packets child seen)" "5 5" "and in itself"
is "$(limit child .tiers[0].tokens)" 7 "a refusal by the parent charges the child nothing"
identity parent
identity child

limited observe 0 --over observe
connects observe -n 3 "$FAR" 5001
is "$(said ok)" 3 "observe: all connect"
is "$(packets observe observed) $(packets observe passed)" "3 3" "and are counted"
matches "$(record observe REIN-E0307 .message)" "^connections passed" "and recorded"
identity observe

limited nets 1/min,burst=3
make_netns new
sinks new 6001
connects nets -n 1 "$FAR" 5001
is "$(said ok)" 1 "one from here"
for net in far other new; do
	SAID=$(in_cgroup nets ip netns exec $net tool-connect 127.0.0.1 "$([ $net = far ] && echo 5001 || echo 6001)")
	note "$net: $SAID"
	[ $net = new ] || is "$(said ok)" 1 "one from another network namespace"
done
is "$(said ECONNREFUSED)" 1 "a namespace that is made afterwards is no way out"
is "$(packets nets seen)" 4 "all are counted"
identity nets

# --- the end ---------------------------------------------------------------------------

wait_for 40 counts idle seen 2
is "$(packets idle seen)" 2 "a flow that was idle for half a minute is a new one"
wait_for 40 ended busy 3
is "$(packets busy seen) $(said ok busy)" "1 3" "one that was not stays what it is"

nothing_left
done_testing
