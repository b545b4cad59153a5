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
# kernel manages a few hundred packets per second: there it is 100, 200 and
# 1,000 kbit/s, with the same bounds, and a burst of one large packet at least.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

# In kbit/s.
RATES=(1000 10000 100000)
[ -z "$DEBUG" ] || RATES=(100 200 1000)
declare -A PORT BURST
NEEDLESS_BEFORE=$(counters TCPDSACKRecv)
PROBES_BEFORE=$(counters TCPLossProbes)
PORTS=5000

# flow NAME KBIT SECONDS ARGUMENT...: NAME ends in the IP version
flow() {
	local name=$1 kbit=$2 seconds=$3 burst

	shift 3
	PORTS=$((PORTS + 1))
	PORT[$name]=$PORTS
	burst=$(calc "$kbit * 125 * $seconds / 100")
	[ -z "$DEBUG" ] || [ "$burst" -gt 3000 ] || burst=3000
	BURST[$name]=$burst
	make_cgroup "$name"
	rein limit add "$name" --cgroup "$(cg "$name")" --on egress \
		--rate "${kbit}kbit/s,burst=$burst" --over wait || exit
	start "$name" "$name" -t "$seconds" "$@" "$(peer 1 "${name: -1}")" "$PORTS"
}

# flows KBIT SECONDS FLOW...: udp4, udp6, tcp4 or tcp6
flows() {
	local kbit=$1 seconds=$2 what

	shift 2
	for what in "$@"; do
		case $what in
		udp*)	flow "udp$kbit-${what#udp}" "$kbit" "$seconds" -u ;;
		tcp*)	flow "tcp$kbit-${what#tcp}" "$kbit" "$seconds" ;;
		esac
	done
}

# Ends what flows has begun.
flown() {
	wait_sent
	capture_end
	NEEDLESS=$(($(counters TCPDSACKRecv) - NEEDLESS_BEFORE))
	NEEDLESS_BEFORE=$(counters TCPDSACKRecv)
	PROBES=$(($(counters TCPLossProbes) - PROBES_BEFORE))
	PROBES_BEFORE=$(counters TCPLossProbes)
}

# probes PORT: how many loss probes TCP may have sent because a CPU stood still: it does
# after two round trips without an answer, which is no long time
probes() {
	local stalls

	stalls=$(wire stalls "$1" 25)
	echo $((PROBES < stalls ? PROBES : stalls))
}

# judge KBIT SECONDS FLOW...
judge() {
	local kbit=$1 seconds=$2 proto version name what lost may

	shift 2
	for what in "$@"; do
		proto=${what%?} version=${what#???}
		name=$proto$kbit-$version
		what="${proto^^} over IPv$version at $kbit kbit/s"
		near_rate "${PORT[$name]}" "${kbit}000" 3 "${BURST[$name]}" 1 "$seconds" \
			"$what: bits per second" "$name"
		identity "$name"
		[ "$proto" = tcp ] || continue
		lost=$(($(packets "$name" seen) - $(packets "$name" passed) - $(packets "$name" released)))
		may=$((kbit <= 1000 ? 2 : 0))
		at_most "$lost" "$may" "$what: packets dropped"
		# TCP cannot tell an answer that is late, because a CPU stood
		# still, from none. If it is told that it sent something for
		# the second time (DSACK) then nothing was lost.
		may=$((may + NEEDLESS + $(wire stalls "${PORT[$name]}" 100)))
		may=$((may + $(probes "${PORT[$name]}")))
		at_most "$(sent "$name" .retransmits)" "$may" "$what: retransmits"
	done
}

make_peer far 1
# shellcheck disable=SC2046 # several words
sinks far $(seq 5001 5012)
ALL="udp4 udp6 tcp4 tcp6"
COUNTERS="TCPTimeouts TCPLossProbes TCPFastRetrans TCPSlowStartRetrans TCPDSACKRecv TCPSpuriousRTOs TCPSACKReorder TCPTSReorder"
# shellcheck disable=SC2086
counted() { counters $COUNTERS | tr '\n' ' '; }
capture far
# shellcheck disable=SC2086 # several words
{
	flows "${RATES[0]}" 6 $ALL
	flows "${RATES[1]}" 6 $ALL
	flown
	judge "${RATES[0]}" 5.8 $ALL
	judge "${RATES[1]}" 5.8 $ALL
	note "$COUNTERS: $(counted)"
}
# As many packets of this size as an emulated machine can bear.
for what in udp4 udp6 "tcp4 tcp6"; do
	capture far
	# shellcheck disable=SC2086
	flows "${RATES[2]}" 4 $what
	flown
	# shellcheck disable=SC2086
	judge "${RATES[2]}" 3.8 $what
done
note "$COUNTERS: $(counted)"
done_testing
