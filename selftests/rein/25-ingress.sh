#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits on ingress: packets that arrive.
#
#	far  eth0 10.0.1.2 ------ 10.0.1.1 v1  here
#
# far sends, rein limits what gets to sockets here. How many datagrams reached a socket is
# read from the socket itself: tool-sink has the kernel drop them there, which counts them.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for limited()
RESOURCE=ingress
. "$(dirname "$0")/lib-connect.sh"

# reached PORT: how many datagrams that socket was handed
reached() {
	awk -v port="$(printf ':%04X' "$1")" '$2 ~ port "$" { print $NF }' /proc/net/udp6
}

# shellcheck disable=SC2317 # by name
# received PORT: bytes that TCP was handed for the connections to it
received() {
	ss -Htin state established "sport = :$1" | grep -o 'bytes_received:[0-9]*' |
		awk -F: '{ n += $2 } END { print n + 0 }'
}

# sends NETNS ARGUMENT...: tool-connect there; - is here
sends() {
	local in=()

	[ "$1" = - ] || in=(in_netns "$1")
	"${in[@]}" tool-connect "${@:2}" >/dev/null
}

make_peer far 1
make_cgroup free
listens free 5000

# --- refuse: datagrams -------------------------------------------------------------

while read -r name from address port; do
	limited "$name" 1p/min,burst=10
	listens "$name" "$port"
	sends "$from" -u -n 30 "$address" "$port"
	is "$(reached "$port")" 10 "$name: ten of thirty reach the socket"
	is "$(packets "$name" passed) $(packets "$name" refused)" "10 20" "$name: that is what is counted"
	identity "$name"
	sends "$from" -u -n 30 "$address" 5000
done <<TABLE
far4 far 10.0.1.1 5001
far6 far fd00:1::1 5002
lo4 - 127.0.0.1 5003
lo6 - ::1 5004
TABLE
is "$(reached 5000)" 120 "a socket of another cgroup gets all"
is "$(record far4 REIN-E0301 '"\(.count) \(.socket.protocol) \(.socket.source) \(.socket.destination) \(.socket.destination_port) \(.values.wanted_packets)"')" \
	"20 udp 10.0.1.2 10.0.1.1 5001 1" "a record says who sent to whom"
is "$(record far4 REIN-E0301 '.while[0].what')" "receiving a packet" "and what was being done"

# One datagram is one packet of its whole size, however many fragments it came in.
for version in 4 6; do
	limited "whole$version" 1B/s,burst=100000
	listens "whole$version" 501$version
	address=10.0.1.1 size=$((20 + 8 + 5000))
	[ $version = 4 ] || address=fd00:1::1 size=$((40 + 8 + 5000))
	in_netns far tool-send -u -n 4 -s 5000 $address 501$version >/dev/null
	is "$(packets "whole$version" passed) $(bytes "whole$version" passed)" "4 $((4 * size))" \
		"IPv$version: fragments are charged as the datagram"
	is "$(reached 501$version)" 4 "IPv$version: and get there as one"
done

# --- TCP ------------------------------------------------------------------------------

# What arrives is counted in the segments it had on its way, whatever GRO made of them.
for version in 4 6; do
	for early in 1 0; do
		name=tcp$version-$early port=50$((20 + version + early))
		sysctl -qw net.ipv4.ip_early_demux=$early
		limited $name unlimited
		listens $name $port
		address=10.0.1.1
		[ $version = 4 ] || address=fd00:1::1
		capture - v1
		in_netns far tool-send -t 20 -n 40 -s 25000 $address $port >"$TMP/$name.json"
		# shellcheck disable=SC2317 # by wait_for
		arrived() { ! ss -Htn state established "sport = :$port" | grep -q .; }
		wait_for 20 arrived
		capture_end
		# What comes when the connection has ended is nobody's.
		near "$(bytes $name passed)" "$(wire bytes $port)" 0.1 \
			"$name: bytes, as seen on the wire"
		near "$(packets $name passed)" "$(wire packets $port)" 1 \
			"$name: and packets"
		identity $name
	done
done
sysctl -qw net.ipv4.ip_early_demux=1

limited closed 0
listens closed 5030
# shellcheck disable=SC2034 # for said()
SAID=$(in_netns far tool-connect -w 1500 10.0.1.1 5030)
is "$(said timeout)" 1 "a closed limit lets no connection begin"
at_least "$(packets closed refused)" 1 "its SYNs are refused"

# --- wait, mark: to the rate -------------------------------------------------------------

# crosses WHAT PORT NUMBER: until so much was received, or reached; says how much it is, and when,
# in milliseconds since boot
crosses() {
	# shellcheck disable=SC2317 # by wait_for
	_crossed() {
		SEEN=$("$1" "$2")
		WHEN=$(_ms)
		[ "$SEEN" -ge "$3" ]
	}
	wait_for 60 _crossed "$1" "$2" "$3" && echo "$SEEN $WHEN"
}

# goes WHAT PORT FROM TO BYTES: bits per second between these numbers, each of so many bytes
goes() {
	local seen1 when1 seen2 when2

	read -r seen1 when1 < <(crosses "$1" "$2" "$3")
	read -r seen2 when2 < <(crosses "$1" "$2" "$4")
	calc "($seen2 - $seen1) * $5 * 8 / (($when2 - $when1) / 1000)"
}

KBIT=4000
[ -z "$DEBUG" ] || KBIT=400
BURST=$((KBIT * 125 / 20))
[ $BURST -ge 10000 ] || BURST=10000

limited datagrams ${KBIT}kbit/s,burst=$BURST --over wait
listens datagrams 5040
background in_netns far tool-send -t 60 -u -r $((KBIT * 250 / 1428)) 10.0.1.1 5040 >"$TMP/datagrams.json"
SECOND=$((KBIT * 125 / 1428))
near "$(goes reached 5040 $SECOND $((SECOND * 5)) 1428)" $((KBIT * 1000)) 5 \
	"wait: UDP gets what the limit gives: bits per second"
kill "$PID"
rein limit del datagrams

# TCP in slow start sends more than the queue holds, and then some of it twice: that is charged,
# too. By default it is short, so that little is.
limited wait ${KBIT}kbit/s,burst=$BURST --over wait
is "$(json limit show wait .queue_bytes)" 65536 "wait: an eighth of a second may wait, 64 KiB at least"
listens wait 5041
background in_netns far tool-send -t 60 10.0.1.1 5041 >"$TMP/wait.json"
# Of 1500 bytes 1448 are what is received.
RATE=$(calc "$(goes received 5041 $((KBIT * 125)) $((KBIT * 125 * 5)) 1) * 1500 / 1448")
at_most "$RATE" $((KBIT * 1050)) "wait: TCP gets no more than the limit gives: bits per second"
unless_debug at_least "$RATE" $((KBIT * 750)) "wait: and most of it"
at_least "$(packets wait released)" 100 "wait: packets waited"
identity wait
ID=$(ss -Htnp state established "sport = :5041" | grep -o 'pid=[0-9]*,fd=[0-9]*')
note "$ID: $(ss -Htin state established 'sport = :5041' | tail -n 1)"
rein limit set wait --rate 100Mbit/s
is "$(json limit show wait .queue_bytes)" 2097152 "wait: a higher rate, a longer queue"
crosses received 5041 $((KBIT * 125 * 8)) >/dev/null
is $? 0 "wait: a higher rate is felt at once"
rein limit del wait
crosses received 5041 $((KBIT * 125 * 12)) >/dev/null
is $? 0 "wait: without the limit it goes on"
kill "$PID"

# CE on what arrives tells a sender with ECN to slow down, as that of a router would. It sends
# two packets in each round trip at least: these have to take some time.
in_netns far tc qdisc add dev eth0 root netem delay 20ms limit 10000
limited mark ${KBIT}kbit/s,burst=64KiB --over mark
listens mark 5042
in_netns far sysctl -qw net.ipv4.tcp_ecn=1
sysctl -qw net.ipv4.tcp_ecn=1
in_netns far tool-send -t 60 -n $((KBIT * 125 * 4 / 10000)) -s 10000 10.0.1.1 5042 >"$TMP/mark.json"
at_least "$(packets mark marked)" 1 "mark: packets are marked"
at_most "$(sent mark .ssthresh)" 1000000 "mark: and the sender slows down: ssthresh"
# What carries no data, as the last ACK, doesn't understand CE.
unless_debug at_most "$(packets mark refused)" 5 "mark: next to nothing has to be dropped"
identity mark
sysctl -qw net.ipv4.tcp_ecn=2
in_netns far tc qdisc del dev eth0 root

limited observe 1p/min,burst=10 --over observe
listens observe 5043
sends far -u -n 30 10.0.1.1 5043
is "$(reached 5043) $(packets observe observed)" "30 20" "observe: all get there, those over are counted"
identity observe

# --- who counts ----------------------------------------------------------------------------

limited parent 1p/min,burst=5
make_cgroup parent/child
rein limit add child --cgroup "$(cg parent/child)" --on ingress --rate 1p/min,burst=10 || exit
listens parent/child 5051
sends far -u -n 20 10.0.1.1 5051
is "$(reached 5051)" 5 "a child has no more than its parent"
is "$(packets child passed) $(packets child refused)" "5 15" "all limits, or none, are charged"
identity parent
identity child

# Both directions are limits of their own.
limited both 1p/min,burst=3
rein limit add out --cgroup "$(cg both)" --on egress --rate 1p/min,burst=2 || exit
listens both 5052
in_cgroup both tool-connect -u -n 10 127.0.0.1 5052 >/dev/null
is "$(packets out passed) $(packets both seen) $(packets both passed)" "2 2 2" \
	"over loopback a packet is charged to its sender, and then to its receiver"

# In another network namespace.
limited elsewhere 1p/min,burst=4
FAR=$(in_cgroup elsewhere ip netns exec far tool-sink 5053)
_pids+=("$FAR")
tool-connect -u -n 9 "$(peer 1)" 5053 >/dev/null
is "$(packets elsewhere passed) $(packets elsewhere refused)" "4 5" "also in other network namespaces"

# Nobody in particular gets these.
limited nobody 1p/min,burst=1
listens nobody 5054
sends far -u -n 5 10.0.1.1 5999
in_netns far ping -c 3 -i 0.2 -q 10.0.1.1 >/dev/null
is "$(packets nobody seen)" 0 "what no socket receives is charged to nobody"

# --- going ------------------------------------------------------------------------------------

# Packets that wait go with their device, with their cgroup's limit, and with the module.
limited gone 1p/min,burst=1 --over wait --patience 10min
listens gone 5061
sends far -u -n 6 10.0.1.1 5061
is "$(packets gone queued)" 5 "five datagrams wait on their way in"
ip link set v1 down
is "$(packets gone queued) $(packets gone teardown)" "0 5" "a device that goes down takes them along"
identity gone
ip link set v1 up
wait_for 10 in_netns far ping -c 1 -W 1 -q 10.0.1.1 >/dev/null
rein limit set gone --rate 1p/min,burst=1
sends far -u -n 6 10.0.1.1 5061
at_least "$(packets gone queued)" 5 "others wait"
BEFORE=$(reached 5061)
rein limit del gone
# shellcheck disable=SC2317 # by wait_for
more() { [ "$(reached 5061)" -ge $((BEFORE + 5)) ]; }
wait_for 5 more
is $? 0 "without the limit they go on"

limited held 1p/min,burst=1 --over wait --patience 10min
listens held 5062
sends far -u -n 6 10.0.1.1 5062
kill "$PID"
# shellcheck disable=SC2317 # by wait_for
closed() { [ -z "$(reached 5062)" ]; }
wait_for 5 closed
rein limit del held
is $? 0 "a socket can be closed while packets wait for it"
done_testing
