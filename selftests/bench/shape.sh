#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What selftests/bench/shape runs in its VM. For each limiter and rate a line for shape.awk:
#
#	@shape DIRECTION KBIT KEY BITS-PER-SECOND RETRANSMITS LOST MEDIAN-US P95-US
#
# A bulk transfer by TCP and an echo request by UDP, 50 times a second, share the limiter; LOST
# is of the latter. A round trip takes 10 ms without any. The first second is left out. What is
# sent to here is seen where it arrives, before it is limited: with what is dropped then.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
# shellcheck source=selftests/rein/lib.sh
. /rein/lib.sh >/dev/null
plan 0 >/dev/null
PATH=/rein:$PATH CGTEST=shape
SECONDS_SENT=6

fail() {
	echo "shape: $*"
	exit 1
}

try() {
	local said

	said=$("$@" 2>&1) || fail "$*: $said"
}

# transfer FROM TO: bulk and echoes, and what arrives where they go; FROM and TO are here and far
transfer() {
	local address port=$PORT from=(in_cgroup bulk) captured=(far)

	PORT=$((PORT + 2))
	if [ "$1" = here ]; then
		address=$(peer 1)
		sinks far "$port" $((port + 1))
	else
		address=10.0.1.1 from=(in_netns far) captured=(- v1)
		# The sockets that are limited are those of who receives.
		in_cgroup bulk tool-sink "$port" $((port + 1)) >"$TMP/sink" || fail "tool-sink"
		_pids+=("$(cat "$TMP/sink")")
	fi
	capture "${captured[@]}"
	background "${from[@]}" tool-send -t $SECONDS_SENT "$address" "$port" >"$TMP/bulk.json"
	_senders=("$PID")
	background "${from[@]}" tool-send -t $SECONDS_SENT -p "$address" $((port + 1)) >"$TMP/echo.json"
	_senders+=("$PID")
	wait_sent
	capture_end
	RATE=$(wire rate "t$port" 1 $((SECONDS_SENT - 1)))
}

# measure DIRECTION KBIT KEY
measure() {
	if [ "$1" = out ]; then
		transfer here far
	else
		transfer far here
	fi
	echo "@shape $1 $2 $3 ${RATE:-0} $(sent bulk .retransmits) $(sent echo .lost) $(sent echo .p50_us) $(sent echo .p95_us)"
}

# rein_row DIRECTION KBIT OVER
rein_row() {
	local on=egress

	[ "$1" = out ] || on=ingress
	try rein limit add bulk --cgroup "$(cg bulk)" --on $on --over "$3" \
		--rate "$2kbit/s,burst=$(burst "$2")"
	measure "$1" "$2" "rein_$3"
	try rein limit del bulk
}

# Bytes: 20 ms at the rate, and two large packets at least.
burst() {
	local bytes=$(($1 * 1000 / 8 / 50))

	echo $((bytes > 4000 ? bytes : 4000))
}

# qdisc KBIT KEY ARGUMENT...
qdisc() {
	try tc qdisc add dev v1 root handle 1: "${@:3}"
	if [ "$3" = htb ]; then
		try tc class add dev v1 parent 1: classid 1:1 htb rate "$1kbit" burst "$(burst "$1")"
		[ "$2" = tc_htb ] || try tc qdisc add dev v1 parent 1:1 handle 2: fq_codel
	fi
	measure out "$1" "$2"
	try tc qdisc del dev v1 root
}

# police DIRECTION KBIT
police() {
	local hook=egress

	[ "$1" = out ] || hook=ingress
	try tc qdisc add dev v1 clsact
	try tc filter add dev v1 $hook matchall action police rate "$2kbit" \
		burst "$(burst "$2")" conform-exceed drop
	measure "$1" "$2" tc_police
	try tc qdisc del dev v1 clsact
}

# nft_row DIRECTION KBIT
nft_row() {
	local hook=output

	[ "$1" = out ] || hook=input
	nft -f - <<-NFT || fail "nft"
		table ip shape {
			chain limiter {
				type filter hook $hook priority filter
				limit rate over $(($2 * 125)) bytes/second burst $(burst "$2") bytes drop
			}
		}
	NFT
	measure "$1" "$2" nft_limit
	try nft delete table ip shape
}

make_peer far 1
# What leaves in packets of 64 KB would be policed in these.
ip link set v1 gso_max_segs 10
ip -n far link set eth0 gso_max_segs 10
try in_netns far tc qdisc add dev eth0 root netem delay 10ms limit 100000
make_cgroup bulk
PORT=6000
for kbit in 1000 10000 100000; do
	measure out $kbit nothing
	rein_row out $kbit wait
	rein_row out $kbit refuse
	qdisc $kbit tc_tbf tbf rate ${kbit}kbit burst "$(burst $kbit)" latency 100ms
	qdisc $kbit tc_htb htb default 1
	qdisc $kbit tc_htb_fq_codel htb default 1
	qdisc $kbit tc_fq fq maxrate ${kbit}kbit
	police out $kbit
	nft_row out $kbit
	rein_row in $kbit wait
	rein_row in $kbit refuse
	police in $kbit
	nft_row in $kbit
done
done_testing
