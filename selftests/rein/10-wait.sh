#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --over wait holds UDP and TCP, IPv4 and IPv6 to the rate, without loss.
#
#	here  v1 10.0.1.1 fd00:1::1 ------ fd00:1::2 10.0.1.2 eth0  far
#
# One cgroup and one limit for each flow. Rates are of layer 3 bytes that
# arrive at far's device, the first second left out. A burst is 1 % of
# what is sent. The debug
# kernel can't send 100 Mbit/s in packets of 1,428 bytes: there it is 1, 3 and
# 10 Mbit/s, with the same bounds.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATES=(1 10 100)
[ -z "$DEBUG" ] || RATES=(1 3 10)
declare -A PORT BURST
PORTS=5000

# flow NAME MBIT SECONDS ARGUMENT...: NAME ends in the IP version
flow() {
	local name=$1 mbit=$2 seconds=$3 burst

	shift 3
	PORTS=$((PORTS + 1))
	PORT[$name]=$PORTS
	sinks far "$PORTS"
	burst=$(calc "$mbit * 125000 * $seconds / 100")
	BURST[$name]=$burst
	make_cgroup "$name"
	rein limit add "$name" --cgroup "$(cg "$name")" --on egress \
		--rate "${mbit}Mbit/s,burst=$burst" --over wait || exit
	start "$name" "$name" -t "$seconds" "$@" "$(peer 1 "${name: -1}")" "$PORTS"
}

# flows MBIT SECONDS FLOW...: udp4, udp6, tcp4 or tcp6
flows() {
	local mbit=$1 seconds=$2 what

	shift 2
	for what in "$@"; do
		case $what in
		udp*)	flow "udp$mbit-${what#udp}" "$mbit" "$seconds" -u ;;
		tcp*)	flow "tcp$mbit-${what#tcp}" "$mbit" "$seconds" ;;
		esac
	done
}

# judge MBIT SECONDS FLOW...
judge() {
	local mbit=$1 seconds=$2 proto version name what lost may

	shift 2
	for what in "$@"; do
		proto=${what%?} version=${what#???}
		name=$proto$mbit-$version
		what="${proto^^} over IPv$version at $mbit Mbit/s"
		near_rate "${PORT[$name]}" "${mbit}000000" 3 "${BURST[$name]}" 1 "$seconds" \
			"$what: bits per second"
		identity "$name"
		[ "$proto" = tcp ] || continue
		lost=$(limit "$name" '.stats | .refused.packets + .overflow.packets + .stale.packets + .nomem.packets')
		may=$((mbit == 1 ? 2 : 0))
		at_most "$lost" "$may" "$what: packets dropped"
		# TCP cannot tell an answer that is late, because a CPU stood
		# still for longer than a timeout, from none.
		may=$((may + $(wire stalls "${PORT[$name]}" 100)))
		at_most "$(sent "$name" .retransmits)" "$may" "$what: retransmits"
	done
}

make_peer far 1
ALL="udp4 udp6 tcp4 tcp6"
capture far
# shellcheck disable=SC2086 # several words
{
	flows "${RATES[0]}" 6 $ALL
	flows "${RATES[1]}" 6 $ALL
	wait_sent
	capture_end
	judge "${RATES[0]}" 5.8 $ALL
	judge "${RATES[1]}" 5.8 $ALL
}
# As many packets of this size as an emulated machine can bear.
for what in udp4 udp6 "tcp4 tcp6"; do
	capture far
	# shellcheck disable=SC2086
	flows "${RATES[2]}" 4 $what
	wait_sent
	capture_end
	# shellcheck disable=SC2086
	judge "${RATES[2]}" 3.8 $what
done
done_testing
