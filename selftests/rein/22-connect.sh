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

# How late what has waited may be, and how long what is refused may take: ms.
# Without a limit that wakes it up a SYN would wait for a second.
LATE=800 AT_ONCE=500
[ -z "$DEBUG" ] || LATE=2000 AT_ONCE=1500

# limited NAME RATE [ARGUMENT]...: a cgroup and a limit of that name
limited() {
	make_cgroup "$1"
	rein limit add "$1" --cgroup "$(cg "$1")" --on connect --rate "$2" "${@:3}" || exit
}

# connects CGROUP ARGUMENT...: what tool-connect says is in $SAID
connects() {
	SAID=$(in_cgroup "$1" tool-connect "${@:2}")
}

# said WORD [NAME]: in how many lines of $SAID, or of what start() made
said() {
	_said "${2:-}" | grep -c "^$1 "
}

_said() {
	if [ -n "$1" ]; then
		cat "$TMP/$1"
	else
		echo "$SAID"
	fi
}

# start NAME ARGUMENT...: tool-connect in the background, in the cgroup NAME
start() {
	background in_cgroup "$1" tool-connect "${@:2}" >"$TMP/$1"
}

# took WORD [NAME]: the longest of them, in ms
took() {
	_said "${2:-}" | awk -v word="$1" '$1 == word && $2 > max { max = $2 } END { printf "%d", max }'
}

# shellcheck disable=SC2317 # by wait_for
counts() {
	[ "$(packets "$1" "$2")" = "$3" ]
}

# shellcheck disable=SC2317 # by wait_for
ended() {
	[ "$(wc -l <"$TMP/$1")" -ge "${2:-1}" ]
}

# waits NAME: start() a connection that has to wait
waits() {
	start "$1" -w 20000 "${2:-$FAR}" "${3:-5001}"
	wait_for 10 counts "$1" queued 1 || not_ok "$1: a connection waits" 1 "$(packets "$1" queued)"
}

# ends NAME WORD MS DESCRIPTION: it does, with WORD, within so many ms from now
ends() {
	local from

	from=$(_ms)
	wait_for 20 ended "$1"
	is "$(said "$2" "$1")" 1 "$4"
	at_most $(($(_ms) - from)) "$3" "$4: ms"
}

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
	at_most "$(took ECONNREFUSED)" $AT_ONCE "$name: at once: ms"
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
at_least "$(said ok)" "$(calc "3 + 3 * $TOOK / 1000")" "5/s: not much less"
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

# --- wait ---------------------------------------------------------------------------

limited wait 2/s,burst=1 --over wait
connects wait -n 4 -p "$FAR" 5001
note "$SAID"
is "$(said ok)" 4 "all of 4 that wait connect"
for i in 0 1 2 3; do
	ms=$(awk -v n=$((i + 1)) 'NR == n { printf "%d", $2 }' <<<"$SAID")
	at_least "$ms" $((i * 500 - LATE / 3)) "number $i after $((i * 500)) ms"
	at_most "$ms" $((i * 500 + LATE)) "number $i after $((i * 500)) ms"
done
is "$(packets wait passed) $(packets wait released)" "1 3" "three of them had to wait"
identity wait

# Longer than TCP waits for an answer to a SYN.
limited long 24/min,burst=1 --over wait
AGAIN_BEFORE=$(counters TCPSynRetrans)
capture far eth0 long
connects long -n 2 "$FAR6" 5001
capture_end
at_least "$(took ok)" 2485 "after 2.5 s: ms"
at_most "$(took ok)" $((2500 + LATE)) "after 2.5 s: ms"
is "$(packets long seen)" 2 "its SYN is one call"
is $(($(counters TCPSynRetrans) - AGAIN_BEFORE)) 0 "and is not sent again while it waits"

# With data in the SYN, which is sent again without them.
at_exit sysctl -qw "net.ipv4.tcp_fastopen=$(sysctl -n net.ipv4.tcp_fastopen)"
sysctl -qw net.ipv4.tcp_fastopen=0x607
limited fast 24/min,burst=1 --over wait
connects fast -f -n 2 127.0.0.1 6001
is "$(said ok)" 2 "Fast Open: both connect"
at_least "$(took ok)" 2485 "Fast Open: after 2.5 s: ms"
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
background in_cgroup open tool-connect "$FAR" 5001
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
ends del ok $LATE "the limit is deleted: it connects"
waits refuse
rein limit set refuse --over refuse
ends refuse ECONNREFUSED $((LATE + 200)) "the limit refuses now: it fails"
waits faster
rein limit set faster --rate 100/s
ends faster ok $LATE "the rate is raised: it connects"
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
ends down ok $LATE "and connects"
identity down

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

limited later 1/s,burst=1 --over wait
capture far eth0 later
connects later -u -n 1 "$FAR" 5001
connects later -u -n 50 "$FAR" 5002
is "$(said ok)" 50 "UDP: a flow that waits takes datagrams"
wait_for 10 counts later released 1
sleep 0.2
capture_end
is "$(WIRE=later wire packets 5002)" 50 "all of them are sent"
is "$(packets later seen) $(packets later released)" "2 1" "for one call"
identity later

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

limited force 0 --over wait
waits force
rein flush --force
ends force ok 8000 "all limits are flushed: the next SYN connects"
is "$(json stat '"\(.limits) \(.cgroups) \(.hooked)"')" "0 0 false" "nothing is left"
limited unload 0 --over wait
waits unload
exits_with 0 "the module is unloaded while a connection waits" rmmod rein
ends unload ok 8000 "the next SYN connects"
modprobe rein
done_testing
