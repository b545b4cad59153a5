#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A change of rate or burst under load takes effect within 100 ms and mints no
# tokens.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#
# Both wait and refuse, at the same time. The burst is half a second of the
# rate, and empty, as both flows want more than there is: were it filled by a
# change, as police does, half a second's worth would arrive at once. An empty
# bucket gathers what comes in while the CPU is elsewhere: 50 ms are allowed
# for that, and the longest stall of a CPU that was seen.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

KBIT=10000
[ -z "$DEBUG" ] || KBIT=400
declare -A PORT=([wait]=5001 [refuse]=5002) AT

make_peer far 1
FAR=$(peer 1)
sinks far 5001 5002
make_cgroup wait refuse
for over in wait refuse; do
	rein limit add $over --cgroup "$(cg $over)" --on egress \
		--rate "${KBIT}kbit/s,burst=$((KBIT * 63))" --over $over || exit
done
# What waits is little, so that it doesn't wait longer than its patience when
# the rate falls.
capture far
start wait wait -t 100 -u "$FAR" 5001
start refuse refuse -t 100 -u -r $((KBIT * 3000 / 8 / 1428)) "$FAR" 5002
sleep 2

# change STEP RATE BURST: of both, and note when that was done
change() {
	printf 'limit set %s --rate %s,burst=%s\n' wait "$2" "$3" refuse "$2" "$3" >"$TMP/batch"
	AT[$1]=$EPOCHREALTIME
	rein -b "$TMP/batch" || exit
	AT[$1-done]=$EPOCHREALTIME
	sleep 1.8
}

change slower $((KBIT / 2))kbit/s $((KBIT * 63))
change faster $((KBIT * 2))kbit/s $((KBIT * 63))
change deeper $((KBIT * 2))kbit/s $((KBIT * 125))
change flatter ${KBIT}kbit/s $((KBIT * 7))
stop wait refuse
capture_end

# judge OVER STEP RATE
judge() {
	local from to stall port=${PORT[$1]} rate=$3 what="$1, $2"

	from=$(calc "${AT[$2-done]} + 0.1" %.6f)
	to=$(calc "${AT[$2-done]} + 1.7" %.6f)
	near_rate "$port" "$rate" 5 $((KBIT * 7)) "$from" "$to" "$what: after 100 ms the new rate holds: bits per second"
	stall=$(wire stall "$port" "${AT[$2]}" "$to")
	at_most "$(wire excess "$port" "$rate" "${AT[$2-done]}" "$to")" \
		$((rate * (50 + stall) / 8000 + 2 * 1428)) \
		"$what: no tokens are minted: bytes over the new rate in any interval"
}

for over in wait refuse; do
	judge $over slower $((KBIT * 500))
	judge $over faster $((KBIT * 2000))
	judge $over deeper $((KBIT * 2000))
	judge $over flatter $((KBIT * 1000))
	identity $over
done
done_testing
