#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tokens taken by name: what a take sees, when it is granted, and that it is
# all or nothing. What the kernel says of the time of a grant is exact; when
# the taker wakes up depends on the machine.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a/b
A=$(cg a) B=$(cg a/b)

# call NAME RATE [OVER [CGROUP]]: make it anew, with full buckets
call() {
	local rates=() rate

	for rate in $2; do
		rates+=(--rate "$rate")
	done
	rein limit del "$1" --cgroup "${4:-$A}" >/dev/null 2>&1
	rein limit add "$1" --cgroup "${4:-$A}" --on call "${rates[@]}" --over "${3:-wait}"
}

# takes ACTION...: what tool-take says, in $TMP/takes
takes() {
	in_cgroup a/b tool-take "$@" >"$TMP/takes"
}

# column N [TAKE]: of what takes saw, in one line
column() {
	awk -v n="$1" -v nth="${2:-}" 'nth == "" || $1 == nth { printf "%s%s", s, $n; s = " " }' \
		"$TMP/takes"
}

# tokens NAME [TIER]: what is there
tokens() {
	limit "$1" ".tiers[${2:-0}].tokens"
}

# late: by how many ms the last taker woke up after its grant
late() {
	awk '$4 != "-" && $5 - $4 > most { most = $5 - $4 } END { print int(most / 1000) }' \
		"$TMP/takes"
}

# on_time SETUP ACTION...: SETUP, then takes; again, twice, if the machine stood still
# meanwhile, which can be told from how late takers woke up
on_time() {
	local setup=$1 i

	shift
	for i in 1 2 3; do
		$setup
		takes "$@"
		[ "$(late)" -gt 20 ] || break
		note "try $i: the last woke up $(late) ms late"
	done
}

repeat() {
	local i

	for ((i = 0; i < $1; i++)); do
		echo "$2"
	done
}

# --- one take -----------------------------------------------------------------------

call one 1/day,burst=5 refuse
takes 0:limit:one 0:try:one=2 0:limit:one=3 0:try:one=2
is "$(column 2)" "0 0 11 0" "as many as there are, in any mode"
is "$(tokens one)" 0 "and no more"
takes 0:limit:one 0:try:one 0:1000:one 0:@500:one 0:limit:one=6
is "$(column 3)" "501 501 502 502 504" "each refusal has its code"
is "$(column 2)" "11 11 62 62 7" "and its errno: EAGAIN, ETIME, E2BIG"
at_most "$(column 5 4)" 400000 "refused at once, deadline or not"
at_least "$(column 6 0)" 80000000000 "and is told when: in a day"
at_most "$(column 6 0)" 86400000000 "but not later than that"
is "$(column 6 4)" never "or never"
is "$(record one REIN-E0504 '.values | "\(.wanted_tokens) \(.burst_tokens)"')" \
	"6 5" "the record of it says what was wanted"
is "$(record one REIN-E0501 '"\(.comm) \(.kind) \(.stack | length > 0)"')" "tool-take edge true" \
	"and whose it was, and how it got there"

takes 0:limit:nowhere 0:limit:one,nowhere
is "$(column 2) $(column 3)" "2 2 505 505" "a name that nobody above has"
call outside 1/day refuse "$B"
is "$(in_cgroup a tool-take 0:limit:outside | awk '{ print $3 }')" 505 "nor one below"

# --- the chain ------------------------------------------------------------------------

call both 1/day,burst=3 refuse
call both 1/day,burst=2 refuse "$B"
takes 0:limit:both 0:limit:both 0:limit:both
is "$(column 3)" "0 0 501" "a child's limit of that name tightens"
is "$(tokens both@a) $(tokens both@a/b)" "1 0" "every ancestor's is charged"

call x 1/day,burst=10 refuse
call y 1/day,burst=2 refuse
takes 0:limit:x=2,y=2 0:limit:x=2,y=2 0:limit:x=2,y=2
is "$(column 3)" "0 501 501" "a take of two limits needs both"
is "$(tokens x) $(tokens y)" "8 0" "what was refused has charged none"

# --- waiting ------------------------------------------------------------------------

# shellcheck disable=SC2317 # by on_time
twice() {
	call sec 20/s,burst=1
	call min 100/min,burst=10
}
mapfile -t twenty < <(repeat 20 0:limit:sec,min)
want="0 50000 100000 150000 200000 250000 300000 350000 400000 450000"
want+=" 600000 1200000 1800000 2400000 3000000 3600000 4200000 4800000 5400000 6000000"
on_time twice "${twenty[@]}" 500:limit:sec
is "$(column 4 | cut -d' ' -f1-20)" "$want" "20 a second and 100 a minute, twenty at once: all on time"
at_least "$(column 4 20)" 500000 "one that delays nobody goes first"
unless_debug at_most "$(column 4 20)" 520000 "as soon as it can"
unless_debug at_most "$(late)" 20 "all wake up within 20 ms"
identity sec@a
identity min@a

on_time twice "${twenty[@]}" 100:kill:10
is "$(column 2 10)" 4 "a signal ends the wait of the eleventh"
is "$(column 4 | cut -d' ' -f1-10,12-20)" "${want% *}" "and those behind it move up"
is "$(limit min '"\(.stats.cancelled.calls) \(.stats.short.calls)"')" "1 10" \
	"it is counted as cancelled, and those that had to wait as short, once"
identity min@a

# shellcheck disable=SC2317 # by on_time
narrow() {
	call sec 20/s,burst=1
	call min 100/min,burst=1
}
stream=()
for at in $(seq 10 30 1500); do
	stream+=("$at:limit:sec")
done
on_time narrow 0:limit:sec,min 0:limit:sec,min 0:limit:sec,min "${stream[@]}"
is "$(column 4 | cut -d' ' -f1-3)" "0 600000 1200000" "a stream of small takes starves nobody"
at_least "$(awk '$1 > 2 && $4 != "-" && $4 < 1200000 { n++ } END { print n + 0 }' "$TMP/takes")" 20 \
	"and goes in between"

call slow 1/s,burst=1
takes 0:limit:slow 0:500:slow 0:1500:slow 0:1500:slow 0:@2500:slow
is "$(column 3)" "0 502 0 502 0" "a deadline that can't be met is refused at once"
is "$(column 4 2) $(column 4 4)" "1000000 2000000" "and takes nobody's place"

# 110,000 days are more ns than there are in a timer.
call far 1/day,burst=200000
call fast 10/s,burst=1
takes 0:limit:far=200000 0:18446744073709:far=110000 0:limit:fast 0:limit:fast 300:kill:1
is "$(column 2)" "0 4 0 0" "who waits for ever is in nobody's way"

# --- changes while they wait --------------------------------------------------------------

call slow 1/day,burst=1
takes 0:limit:slow 0:limit:slow 0:limit:slow "100:run:rein limit set slow --rate 1000/s,burst=1"
is "$(column 2)" "0 0 0" "a new rate re-times those who wait"
at_most "$(column 5 2)" 1000000 "at once"

call slow 1/day,burst=1
takes 0:limit:slow 0:limit:slow "100:run:rein limit del slow"
is "$(column 2)" "0 0" "a limit that goes lets them go"

call slow 1/day,burst=1
takes 0:limit:slow 0:limit:slow "100:run:rein limit set slow --patience 1s"
is "$(column 3)" "0 510" "a patience that is not enough ends the wait"

call slow 1/day,burst=1
takes 0:limit:slow 0:limit:slow "100:run:rein flush --force"
is "$(column 2) $(column 3)" "0 125 0 512" "a forced flush cancels"

call fast 1000/s,burst=1
takes 0:limit:fast "100:run:rein limit add slower --cgroup $A --on call --rate 1/s" 200:limit:fast
is "$(column 2)" "0 0" "limits of other names don't matter"

# --- all or nothing -------------------------------------------------------------------------

call full 1/day,burst=100
call empty 1/day,burst=1
takes 0:limit:empty
in_cgroup a/b tool-take crowd 8 "$([ -z "$DEBUG" ] && echo 1250 || echo 100)" 1 full,empty \
	>"$TMP/crowd"
is "$(awk '$1 == 0 { print $2 }' "$TMP/crowd")" "" "a crowd is refused"
is "$(tokens full@a)" 100 "and the other bucket is as if nobody had asked"

done_testing
