#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "errors follow": who was too slow ends with all records, but for those that it names
# as gone; who may not be told asks; clear forgets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

RECORDS=256
# More than the 8 MiB that a listener's socket takes.
COUNT=4500

# follow FILE [COMMAND...]: a follower that is ready; its pid is in $PID
follow() {
	local file=$TMP/$1

	shift
	background "$@" rein -j errors follow >"$file"
	wait_for "$SOON" grep -q '"event":"listening"' "$file" ||
		not_ok "a follower listens" listening "$(cat "$file")"
}

# shellcheck disable=SC2317 # by wait_for
# has FILE ID: the follower has come to that record, or to its end
has() {
	grep -qE "\"record\":\{\"id\":\"$2\"|\"event\":\"gone\".*\"to\":\"$2\"" "$TMP/$1"
}

# accounts FILE FIRST LAST: each record once, either read or gone
accounts() {
	jq -rn --argjson first "$2" --argjson last "$3" '
		[inputs | if .event == "record" then .record.id | tonumber
			elif .event == "gone" then range(.from | tonumber; (.to | tonumber) + 1)
			else empty end] | sort |
		if . == [range($first; $last + 1)] then "all"
		else "\(length) of \($last - $first + 1), from \(.[0]) to \(.[-1])" end' "$TMP/$1"
}

# raise N PREFIX: that many records of refused requests
raise() {
	seq "$1" | sed "s/^/limit del $2/" >"$TMP/batch"
	rein -q -f -b "$TMP/batch" 2>/dev/null
}

exits_with 0 "a short ring" sh -c "rmmod rein && modprobe rein records=$RECORDS"
raise 5 before
follow attentive
ATTENTIVE=$PID
follow stopped
STOPPED=$PID
kill -STOP "$STOPPED"
wait_for "$SOON" grep -q '^State:.*stopped' "/proc/$STOPPED/status" ||
	not_ok "a follower can be stopped"
from=$(_ms)
raise "$COUNT" x
first=$(rein -j stat | jq -r '.records.newest | tonumber - '$((COUNT - 1)))
last=$((first + COUNT - 1))
note "$COUNT records in $(($(_ms) - from)) ms while one listener is stopped"
is "$first" 6 "ids have no gaps"
kill -CONT "$STOPPED"
for who in attentive stopped; do
	wait_for $((SOON * 3)) has $who $last ||
		not_ok "$who: comes to the newest" $last "$(tail -n 1 "$TMP/$who")"
	is "$(accounts $who "$first" $last)" all "$who: has each record once, read or gone"
done
# Once more, and then some while it still reads what came before: of these the kernel says
# nothing more.
kill -STOP "$STOPPED"
raise "$COUNT" again
kill -CONT "$STOPPED"
wait_for $((SOON * 3)) sh -c "[ \$(grep -c '\"event\":\"gone\"' $TMP/stopped) -ge 2 ]"
kill -STOP "$STOPPED"
raise 5 last
kill -CONT "$STOPPED"
last=$(rein -j stat | jq -r '.records.newest | tonumber')
wait_for $((SOON * 3)) has stopped "$last" ||
	not_ok "stopped: comes to those made meanwhile" "$last" "$(tail -n 1 "$TMP/stopped")"
is "$(accounts stopped "$first" "$last")" all "stopped: has each of all records once"
at_least "$(grep -c '"event":"missed"' "$TMP/stopped")" 1 "who was stopped has missed some"
at_least "$(grep -c '"event":"gone"' "$TMP/stopped")" 1 "of which some are gone"
at_least "$(grep -c '"event":"record"' "$TMP/stopped")" "$RECORDS" "and all others are read"
is "$(jq -rs '[.[] | select(.event == "record").record | select(.message | test("nobody|named x'$COUNT'$"))] |
	length' "$TMP/stopped")" 1 "the newest of all is the right one"

# Text says the same.
background rein errors follow --last 2 >"$TMP/text" 2>"$TMP/said"
wait_for "$SOON" grep -q listening "$TMP/said" || not_ok "a follower listens" listening
raise 1 y
# shellcheck disable=SC2317 # by wait_for
is_there() {
	grep -q "$1" "$TMP/text"
}
wait_for "$SOON" is_there 'no limit named y1' || not_ok "text follows" y1 "$(cat "$TMP/text")"
matches "$(sed -n 1p "$TMP/text")" "^$((last - 1)) 20.* REIN-E0202 there is no limit named last4" \
	"--last: those before come first"
is "$(wc -l <"$TMP/text")" 3 "one record a line"

# Where no notifications come, it asks.
follow elsewhere unshare --net
ELSEWHERE=$PID
raise 3 z
newest=$(rein -j stat | jq -r .records.newest)
wait_for "$SOON" has elsewhere "$newest" ||
	not_ok "elsewhere: comes to the newest" "$newest" "$(tail -n 1 "$TMP/elsewhere")"
is "$(accounts elsewhere $((newest - 2)) "$newest")" all "elsewhere: has each record"
raise 2000 wrap
from=$((newest - 2)) newest=$(rein -j stat | jq -r .records.newest)
wait_for "$SOON" has elsewhere "$newest" ||
	not_ok "elsewhere: comes to the newest again" "$newest" "$(tail -n 1 "$TMP/elsewhere")"
is "$(accounts elsewhere $from "$newest")" all "elsewhere: has each, read or gone, when the ring wraps"

follow filtered sh -c 'exec "$@" --code E0201' sh
make_cgroup web
rein limit add l --cgroup "$(cg web)" --on call --rate 1/s
raise 1 z
rein -q limit add l --cgroup "$(cg web)" --on call --rate 1/s 2>/dev/null
newest=$(rein -j stat | jq -r .records.newest)
wait_for "$SOON" has filtered "$newest" || not_ok "a filter lets pass what it should"
is "$(grep -c '"event":"record"' "$TMP/filtered")" 1 "and nothing else"

# Clearing.
exits_with 0 "records can be cleared" rein errors clear
is "$(rein -j errors list | jq length)" 0 "none is held"
is "$(rein -j stat | jq -c '.records | [.stored, .raised == .stored + .folded + .overwritten + .suppressed]')" \
	"[0,true]" "and the books say so"
raise 1 after
is "$(rein -j errors list | jq -r '.[].id')" $((newest + 1)) "ids go on"

kill -TERM "$STOPPED"
wait "$STOPPED"
is $? 0 "a follower ends when it is told to"
exits_with 0 "the module goes with followers about" rmmod rein
# shellcheck disable=SC2317 # by wait_for
ended() {
	! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" 2>/dev/null
}
for pid in "$ATTENTIVE" "$ELSEWHERE"; do
	if wait_for "$SOON" ended "$pid"; then
		wait "$pid"
		is $? 6 "a follower ends with the module, and says so"
	else
		not_ok "a follower ends with the module" ended "$(head -n 3 "/proc/$pid/status"; tail -n 1 "$TMP/attentive" "$TMP/elsewhere"; lsmod)"
	fi
done
modprobe rein
done_testing
