#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Records: what is in one, folding, and that the books always add up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

exits_with 0 "a short ring" sh -c 'rmmod rein && modprobe rein records=64'
make_cgroup web
start_peer

# What a record of a command has.
first=$(rein limit del nobody 2>&1 | record_id)
json=$(rein -j errors show "$first")
for field in '"id":"'"$first"'"' '"time":"20[0-9-]*T[0-9:.]*Z"' '"code":"REIN-E0202"' \
	'"kind":"edge"' '"severity":"warning"' '"message":"[^"]*nobody[^"]*"' '"hint":"[^"]+"' \
	'"errno":2,' '"function":"[a-z_]+"' '"file":"[a-z_-]+\.c"' '"line":[0-9]+' \
	'"stack":\["[a-z_]+' '"pid":[0-9]+' '"comm":"rein"' '"boot_id":"[0-9a-f-]{36}"' \
	'"version":"[0-9.]+"' '"host":"[^"]+"' '"count":1,'; do
	matches "$json" "$field" "a record has $field"
done
books "one error"

# Packets that are refused are one record that counts.
rein limit add l --cgroup "$(cg web)" --on egress --rate 1kbit/s,burst=1500 --over refuse
{ background in_cgroup web tool-robust-traffic udp 10.0.1.2 9 1000 500; } 2>/dev/null
# shellcheck disable=SC2317 # by wait_for
refused_many() {
	[ "$(packets l refused)" -ge 50 ]
}
wait_for "$SOON" refused_many || not_ok "packets are refused" 50 "$(packets l refused)"
kill_in web
is "$(rein -j errors list | grep -c '"code":"REIN-E0301"')" 1 "a flood is one record"
is "$(rein -j errors list | sed -n 's/.*"code":"REIN-E0301".*"count":\([0-9]*\),.*/\1/p')" \
	"$(packets l refused)" "which counts every packet that was refused"
matches "$(rein -j errors list)" '"code":"REIN-E0301".*"limit":"l".*"protocol":"udp".*"wanted_bytes":1028' \
	"it says whose packet, and what it wanted"
books "a flood"
rein limit del l

# Which are listed.
# codes [OPTION]...: the codes of the records that "errors list" shows, in its order
codes() {
	rein -j errors list "$@" | grep -o '"code":"REIN-E[0-9]*"' | cut -d'"' -f4 | tr '\n' ' '
}
is "$(codes)" "REIN-E0202 REIN-E0301 " "all records, oldest first"
is "$(codes --kind edge --code E0301)" "REIN-E0301 " "those of a code"
is "$(codes --kind bug)" "" "those of a kind: there are none"
is "$(codes --severity warning)" "REIN-E0202 " "those at least so severe"
is "$(codes --limit l)" "REIN-E0301 " "those about a limit, which is gone"
is "$(codes --limit m)" "" "those about one that never was"
is "$(codes --cgroup "$(cg web)")" "REIN-E0301 " "those about a cgroup"
is "$(codes --cgroup /)" "REIN-E0301 " "those about any cgroup"
is "$(codes --cgroup "$(cg web)x")" "" "those about one whose name only begins so"
matches "$(in_cgroup web rein -j errors list --cgroup self)" '"code":"REIN-E0301"' \
	"those about one's own"
is "$(codes --last 1)" "REIN-E0301 " "the last one"
is "$(codes --last 1 --severity warning)" "REIN-E0202 " "the last one of some"
is "$(codes --since 1h)" "REIN-E0202 REIN-E0301 " "those of the last hour"
is "$(codes --since 1ns)" "" "those of the last nanosecond"

# Thousands of errors, each unlike the one before.
for i in $(seq 3000); do
	echo "limit del nobody$i"
done >"$TMP/batch"
rein -q -f -b "$TMP/batch" 2>/dev/null
books "thousands of errors"
is "$(rein -j errors list | grep -c '"id"')" 64 "as many are held as was asked for"
newest=$(rein limit del nobody 2>&1 | record_id)
exits_with 0 "the newest can be read" rein errors show "$newest"
exits_with 2 "one that was overwritten can't" rein errors show "$first"
matches "$OUT" "record: [0-9]" "which is an error with a record"
is "$(rein -j errors show "$first" 2>&1 | sed 's/.*"code":"\([^"]*\)".*/\1/')" REIN-E0404 \
	"and the code REIN-E0404"

# The same again and again is one record.
before=$(rein limit del again 2>&1 | record_id)
for i in $(seq 200); do
	echo "limit del again"
done >"$TMP/batch"
rein -q -f -b "$TMP/batch" 2>/dev/null
after=$(rein limit del again 2>&1 | record_id)
at_most "$after" $((before + 2)) "an error in a loop is folded"
books "a loop"

# Nobody but root drives out root's records.
mine=$(rein limit del important 2>&1 | record_id)
for i in $(seq 300); do
	echo "limit show nobody$i"
	echo "limit del nobody$i"
done >"$TMP/batch"
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
before=$(rein -j stat | sed 's/.*"raised":\([0-9]*\).*/\1/')
as_nobody rein -q -f -b - <"$TMP/batch" 2>/dev/null
at_least "$(rein -j stat | sed 's/.*"raised":\([0-9]*\).*/\1/')" $((before + 600)) \
	"errors of an unprivileged user are counted"
exits_with 0 "errors of an unprivileged user don't drive out those of root" \
	rein errors show "$mine"
books "errors of an unprivileged user"
rein flush
rmmod rein && modprobe rein
done_testing
