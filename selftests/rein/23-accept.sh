#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits on accept: new incoming TCP connections.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
# Rates are one a minute where only the burst is asked for.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for limited()
RESOURCE=accept
. "$(dirname "$0")/lib-connect.sh"

# calls [NETNS] ARGUMENT...: what tool-connect says there is in $SAID. NETNS - is
# this one.
calls() {
	local in=()

	[ "$1" = - ] || in=(in_netns "$1")
	SAID=$("${in[@]}" tool-connect "${@:2}")
}

# Connections that TCP began to accept here.
passive_opens() {
	awk '$1 == "Tcp:" { n = $7 } END { print n }' /proc/net/snmp
}

make_peer far 1
make_cgroup free

# --- refuse ----------------------------------------------------------------------

listens free 5000
while read -r name from address port; do
	limited "$name" 1/min,burst=3
	listens "$name" "$port"
	opens=$(passive_opens)
	calls "$from" -n 5 "$address" "$port"
	is $(($(passive_opens) - opens)) 3 "$name: the listener has not heard of the others"
	is "$(said ok) $(said ECONNREFUSED)" "3 2" "$name: three are accepted, the others are refused"
	at_most "$(mostly ECONNREFUSED)" "$AT_ONCE" "$name: at once: ms"
	is "$(packets "$name" passed) $(packets "$name" refused)" "3 2" "$name: that is what is counted"
	identity "$name"
	calls "$from" -n 5 "$address" 5000
	is "$(said ok)" 5 "$name: a listener of another cgroup accepts all"
done <<TABLE
far4 far 10.0.1.1 5001
far6 far fd00:1::1 5002
lo4 - 127.0.0.1 5003
lo6 - ::1 5004
TABLE
is "$(record far4 REIN-E0309 '"\(.count) \(.errno) \(.socket.protocol) \(.socket.source) \(.socket.destination) \(.socket.destination_port) \(.values.wanted_calls)"')" \
	"2 111 tcp 10.0.1.2 10.0.1.1 5001 1" "a record says who called whom"
matches "$(record far4 REIN-E0309 .message)" "^incoming connections were refused" "in words"
matches "$(record far4 REIN-E0309 .hint)" "raise the rate" "and what to do"
in_netns far tool-connect -u -n 20 10.0.1.1 5001 >/dev/null
is "$(packets far4 seen)" 5 "datagrams are no connections"
calls far -n 2 10.0.1.1 5999
is "$(said ECONNREFUSED)" 2 "where nobody listens"
is "$(packets far4 seen)" 5 "nobody counts"
rein limit set far4 --rate unlimited
calls far -n 3 10.0.1.1 5001
is "$(said ok)" 3 "the rate is raised: all are accepted"

limited rate 5/s,burst=3
listens rate 5005
BEGAN=$(_ms)
calls far -n 100 -i 20 10.0.1.1 5005
TOOK=$(($(_ms) - BEGAN))
at_most "$(said ok)" "$(calc "4 + 5 * $TOOK / 1000")" "5/s: at most the burst, and 5 a second"
at_least "$(said ok)" 5 "5/s: more than the burst"
identity rate

# --- one connection is one call ---------------------------------------------------

# The caller never hears the answer, and calls again.
in_netns far nft -f - <<RULES
table inet deaf {
	chain in {
		type filter hook input priority 0
		tcp sport 5006 drop
	}
}
RULES
limited deaf 1/min,burst=3
listens deaf 5006
calls far -w 3500 10.0.1.1 5006
is "$(said timeout)" 1 "the answer is lost"
# shellcheck disable=SC2016 # for the shell in there
at_least "$(in_netns far bash -c "$(declare -f counters); counters TCPSynRetrans")" 1 "SYNs are sent again"
is "$(packets deaf seen)" 1 "which costs nothing while the first is being answered"

# From a port whose last connection is in TIME_WAIT here.
limited again 1/min,burst=2
listens again -c 5007
for i in 1 2 3; do
	calls far -b 4007 10.0.1.1 5007
	note "$SAID"
	[ $i = 3 ] || is "$(said ok)" 1 "number $i from one and the same port"
done
at_least "$(ss -Htn state time-wait "sport = :5007" | wc -l)" 1 "the last one is in TIME_WAIT"
is "$(said ECONNREFUSED)" 1 "that is no way past the limit"
is "$(packets again seen)" 3 "all are counted"
identity again

# --- who counts ----------------------------------------------------------------------

# Whichever listener the kernel chooses, it is that one's cgroup that pays.
limited one 0
make_cgroup two
listens one -r 5008
ONE=$PID
listens two -r 5008
TWO=$PID
background in_netns far tool-connect -n 60 -k 30000 10.0.1.1 5008 >"$TMP/shared"
# shellcheck disable=SC2317 # by wait_for
all_called() {
	[ "$(wc -l <"$TMP/shared")" = 60 ]
}
wait_for 60 all_called
SAID=$(cat "$TMP/shared")
note "SO_REUSEPORT: $(said ok) accepted, $(said ECONNREFUSED) refused"
at_least "$(said ok)" 1 "SO_REUSEPORT: the listener without a limit gets some"
at_least "$(said ECONNREFUSED)" 1 "SO_REUSEPORT: those of the other one are refused"
is "$(said ECONNREFUSED)" "$(packets one refused)" "SO_REUSEPORT: and nobody else's"
is "$(($(said ok) + $(said ECONNREFUSED)))" 60 "SO_REUSEPORT: nothing else happens"
ACCEPTED=$(ss -Htnp state established "sport = :5008")
is "$(grep -c "pid=$ONE," <<<"$ACCEPTED") $(grep -c "pid=$TWO," <<<"$ACCEPTED")" "0 $(said ok)" \
	"SO_REUSEPORT: no connection gets past the closed limit"

limited parent 1/min,burst=2
make_cgroup parent/child
rein limit add child --cgroup "$(cg parent/child)" --on accept --rate 1/min,burst=10 || exit
listens parent/child 5009
calls far -n 4 10.0.1.1 5009
is "$(said ok) $(said ECONNREFUSED)" "2 2" "a child's connections count in its parent"
is "$(packets parent seen) $(packets child seen)" "4 4" "and in itself"
is "$(limit child .tiers[0].tokens)" 8 "a refusal by the parent charges the child nothing"
identity parent
identity child

limited observe 0 --over observe
listens observe 5010
calls far -n 3 10.0.1.1 5010
is "$(said ok)" 3 "observe: all are accepted"
is "$(packets observe observed) $(packets observe passed)" "3 3" "and counted"
matches "$(record observe REIN-E0307 .message)" "^incoming connections passed" "and recorded"
identity observe

# In other network namespaces; one is made when the limit is there.
limited nets 1/min,burst=2
make_netns new
for net in far new; do
	PID=$(in_cgroup nets ip netns exec $net tool-sink 5011) || exit
	_pids+=("$PID")
	calls $net -n 1 127.0.0.1 5011
	is "$(said ok)" 1 "$net: one is accepted in another network namespace"
done
calls - -n 1 10.0.1.2 5011
is "$(said ECONNREFUSED)" 1 "the next one is refused there"
is "$(packets nets seen)" 3 "all are counted"
identity nets

# With a limit on connect at the other end of the same connection.
limited pair 1/min,burst=1
make_cgroup caller
rein limit add caller --cgroup "$(cg caller)" --on connect --rate 1/min,burst=10 || exit
listens pair 5012
SAID=$(in_cgroup caller tool-connect -n 3 127.0.0.1 5012)
is "$(said ok) $(said ECONNREFUSED)" "1 2" "loopback: called from a cgroup with a limit on connect"
is "$(packets pair seen) $(packets caller passed)" "3 3" "either pays for itself"

nothing_left
calls far -n 5 10.0.1.1 5001
is "$(said ok)" 5 "without limits all are accepted"
done_testing
