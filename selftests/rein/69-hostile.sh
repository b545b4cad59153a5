#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Names that somebody else gives: a task that calls itself, and a cgroup that is called, what
# a terminal would obey, what ends a string, and what is no text. Nothing of that reaches a
# terminal as it is, and all JSON stays JSON.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

# A task has at most 15 bytes; no name of a directory has a newline.
COMM=$'\e[31m"x\n\\\t\x7f\xff'
CGROUP=$'\e]0;x\a"\\\x7f\xff\xc2\x9b\t\xc3'

# raw TEXT: the first line that has anything but printable ASCII, which is all we ever say
raw() {
	local LC_ALL=C line

	while IFS= read -r line; do
		[[ $line != *[^\ -~]* ]] || { printf '%q\n' "$line"; return; }
	done <<<"$1"
}
is "$(raw "x"$'\n'"$CGROUP" | wc -l)" 1 "this test sees what must not be seen"

# shown DESCRIPTION COMMAND...: says something, and nothing raw
shown() {
	local what=$1

	shift
	OUT=$("$@" 2>&1)
	if [ -z "$OUT" ]; then
		not_ok "$what: as text" "something"
	else
		is "$(raw "$OUT")" "" "$what: as text"
	fi
}

# parses DESCRIPTION EXPRESSION WANT COMMAND...: its output is JSON; what jq finds in there
parses() {
	local said

	said=$("${@:4}" 2>&1)
	is "$(raw "$said")" "" "$1: as JSON, nothing raw"
	is "$(jq -cn "$2" <<<"$said" 2>&1)" "$3" "$1: as JSON"
}

make_cgroup "$CGROUP"
EVIL=$(cg "$CGROUP")
# What isn't UTF-8 is \xNN in JSON, as text.
CGROUP_JSON=$(cg '\u001b]0;x\u0007\"\\\u007f\\xff'$'\xc2\x9b''\t\\xc3')
COMM_JSON='\u001b[31m\"x\n\\\t\u007f\\xff'
cp "$(command -v tool-take)" "$TMP/$COMM"

# shellcheck disable=SC2317 # by wait_for
listening() {
	[ -s "$TMP/$1" ]
}

# background_says NAME COMMAND...: what it says goes into a file of that name
background_says() {
	background "${@:2}" >"$TMP/$1" 2>&1
	wait_for "$SOON" listening "$1" || not_ok "$1: listens"
}
background_says follow rein errors follow
background_says follow.json rein -j errors follow
background_says monitor rein monitor
background_says monitor.json rein -j monitor

rein limit add l --cgroup "$EVIL" --on call --rate 1/day,burst=1
in_cgroup "$CGROUP" "$TMP/$COMM" 0:try:l 0:try:l >/dev/null
# A name that is asked for is in a message, too.
rein limit del "$COMM" 2>/dev/null
ID=$(record l REIN-E0501 .id)

shown "limit list" rein limit list
shown "limit show" rein limit show l
shown "chain" rein chain --cgroup "$EVIL"
shown "errors list" rein errors list
shown "errors list of that cgroup" rein errors list --cgroup "$EVIL"
shown "errors show" rein errors show "$ID"
shown "an error that names the cgroup" rein limit add l --cgroup "$EVIL" --on call --rate 1/s
shown "an error that names no cgroup" rein limit list --cgroup "$EVIL/none"
shown "an error that names a limit" rein limit del "$COMM"
shown "a take of what isn't" in_cgroup "$CGROUP" rein take "$COMM"

parses "limit list" 'input | .[0].cgroup' "\"$CGROUP_JSON\"" rein -j limit list
parses "chain" 'input | .levels[0].cgroup' "\"$CGROUP_JSON\"" rein -j chain --cgroup "$EVIL"
parses "errors list" 'input | map(select(.id == "'"$ID"'"))[0] | [.comm, .cgroup]' \
	"[\"$COMM_JSON\",\"$CGROUP_JSON\"]" rein -j errors list
parses "errors show" 'input | [.comm, .cgroup]' "[\"$COMM_JSON\",\"$CGROUP_JSON\"]" \
	rein -j errors show "$ID"
parses "errors show, pretty" 'input | .comm' "\"$COMM_JSON\"" rein -p errors show "$ID"
parses "an error" 'input | .option' "\"--cgroup $CGROUP_JSON/none\"" \
	rein -j limit list --cgroup "$EVIL/none"
parses "a record's own name for what was done" \
	'input | map(select(.code == "REIN-E0211"))[-1].while[0].name' "\"$COMM_JSON\"" \
	rein -j errors list

rein limit del l
# shellcheck disable=SC2317 # by wait_for
deleted() {
	grep -q '"event":"deleted"' "$TMP/monitor.json" && grep -q ^deleted "$TMP/monitor" &&
		grep -q REIN-E0201 "$TMP/follow" && grep -q REIN-E0201 "$TMP/follow.json"
}
wait_for "$SOON" deleted || not_ok "all that happened is told" "deleted" "$(cat "$TMP/monitor")"
for name in follow monitor; do
	is "$(raw "$(cat "$TMP/$name")")" "" "$name: as text"
	parses "$name" '[inputs] | length > 3' true cat "$TMP/$name.json"
done
is "$(jq -c 'select(.event == "record" and .record.code == "REIN-E0501") | .record.comm' \
	"$TMP/follow.json")" "\"$COMM_JSON\"" "follow: the name is whole"
done_testing
