#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a limit lends its CPUs is neither lost nor there twice: of a bucket that is
# hardly refilled exactly its burst passes, whichever CPUs ask, while others look on.
# The device drops what is sent.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

BURST=10000
[ -z "$DEBUG" ] || BURST=2000
# Of each of two: together a half more than there is.
EACH=$((BURST * 3 / 4))

ip link add d0 type dummy || exit
at_exit ip link del d0
ip addr add 10.9.0.1/24 dev d0
ip link set d0 up
ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 nud permanent dev d0

make_cgroup all/inner half
rein limit add all --cgroup "$(cg all)" --on egress --rate "1p/day,burst=${BURST}p" || exit
rein limit add inner --cgroup "$(cg all/inner)" --on egress --rate 1GB/s,burst=1GB --rate "1Mp/s,burst=1Mp" || exit
rein limit add half --cgroup "$(cg half)" --on egress --rate "1p/day,burst=${BURST}p" || exit
rein limit add calls --cgroup "$(cg half)" --on call --rate "1/day,burst=$BURST" || exit

# send NAME CPU CGROUP: from that CPU
send() {
	background in_cgroup "$3" taskset -c "$2" tool-send -u -n $EACH -s 64 -t 60 10.9.0.2 9
	SENDERS+=("$PID")
}

# tokens LIMIT: how many it has
tokens() {
	rein -j limit show "$1" | jq -r '.tiers[0].tokens'
}

# look: at everything, until the senders have ended
look() {
	local pid

	for pid in "${SENDERS[@]}"; do
		while kill -0 "$pid" 2>/dev/null; do
			rein -j limit list -s >/dev/null
		done
		wait "$pid"
	done
}

SENDERS=()
send one 0 all/inner
send two 1 all/inner
look
is "$(packets all seen)" $((2 * EACH)) "two CPUs: all packets were seen"
is "$(packets all passed)" "$BURST" "two CPUs: what passed is the burst"
is "$(packets all refused)" $((2 * EACH - BURST)) "two CPUs: and no more was refused"
is "$(packets inner passed)" "$BURST" "two CPUs: nothing was charged for what another limit refused"
is "$(tokens all)" 0 "two CPUs: nothing is left"
identity all
identity inner

SENDERS=()
send one 0 half
look
is "$(packets half passed)" $EACH "one CPU: all have passed"
is "$(tokens half)" $((BURST - EACH)) "one CPU: the rest is there"
rein limit set half --rate "1p/day,burst=$((BURST / 2))p"
is "$(tokens half)" $((BURST - EACH)) "and after a change as well"
SENDERS=()
send two 1 half
look
is "$(packets half passed)" "$BURST" "the other CPU: gets what is left"
is "$(packets half refused)" $((2 * EACH - BURST)) "the other CPU: and nothing else"
identity half

in_cgroup half tool-take crowd 8 $((BURST / 40)) 1 calls >"$TMP/crowd" || not_ok "a crowd takes"
GRANTED=$(awk '$1 == 0 { print $3 }' "$TMP/crowd")
at_least "${GRANTED:-0}" $((BURST / 8)) "a crowd: takes went through"
is "$(($(tokens calls) + GRANTED))" "$BURST" "a crowd: what was granted and what is left is the burst"
identity calls
done_testing
