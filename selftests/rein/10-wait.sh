#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --over wait holds UDP and TCP, IPv4 and IPv6 to the rate, without loss.
#
#	here  v1 10.0.1.1 fd00:1::1 ------ fd00:1::2 10.0.1.2 eth0  far
#
# One cgroup and one limit for each flow. Rates are of layer 3 bytes that
# arrive at far's device, the first second left out. A burst is what the rate
# gives in 40 ms, or one large packet: less than 1 % of what is sent. The debug
# kernel can't send 100 Mbit/s in packets of 1,428 bytes: there it is 1, 3 and
# 10 Mbit/s, with the same bounds.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATES=(1 10 100)
[ -z "$DEBUG" ] || RATES=(1 3 10)
declare -A PORT
PORTS=5000

# flow NAME MBIT SECONDS ARGUMENT...: NAME ends in the IP version
flow() {
	local name=$1 mbit=$2 seconds=$3 burst

	shift 3
	PORTS=$((PORTS + 1))
	PORT[$name]=$PORTS
	sinks far "$PORTS"
	burst=$((mbit * 5000 > 10000 ? mbit * 5000 : 10000))
	make_cgroup "$name"
	rein limit add "$name" --cgroup "$(cg "$name")" --on egress \
		--rate "${mbit}Mbit/s,burst=$burst" --over wait || exit
	start "$name" "$name" -t "$seconds" "$@" "$(peer 1 "${name: -1}")" "$PORTS"
}

# flows MBIT SECONDS PROTOCOL...: over both versions of IP
flows() {
	local mbit=$1 seconds=$2 proto version

	shift 2
	for proto in "$@"; do
		for version in 4 6; do
			case $proto in
			udp)	flow "udp$mbit-$version" "$mbit" "$seconds" -u ;;
			tcp)	flow "tcp$mbit-$version" "$mbit" "$seconds" ;;
			esac
		done
	done
}

# judge MBIT SECONDS PROTOCOL...
judge() {
	local mbit=$1 seconds=$2 proto version name what lost

	shift 2
	for proto in "$@"; do
		for version in 4 6; do
			name=$proto$mbit-$version
			what="${proto^^} over IPv$version at $mbit Mbit/s"
			near "$(wire rate "${PORT[$name]}" 1 "$seconds")" "${mbit}000000" 3 \
				"$what: bits per second"
			identity "$name"
			[ "$proto" = tcp ] || continue
			lost=$(limit "$name" '.stats | .refused.packets + .overflow.packets + .stale.packets + .nomem.packets')
			at_most "$lost" "$((mbit == 1 ? 2 : 0))" "$what: packets dropped"
			at_most "$(sent "$name" .retransmits)" "$((mbit == 1 ? 2 : 0))" "$what: retransmits"
		done
	done
}

make_peer far 1
capture far
flows "${RATES[0]}" 8 udp tcp
flows "${RATES[1]}" 8 udp tcp
wait_sent
capture_end
judge "${RATES[0]}" 7.8 udp tcp
judge "${RATES[1]}" 7.8 udp tcp

for proto in udp tcp; do
	capture far
	flows "${RATES[2]}" 4.5 "$proto"
	wait_sent
	capture_end
	judge "${RATES[2]}" 4.3 "$proto"
done
done_testing
