#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Records of bugs: whatever way an errno without a meaning wants out, it becomes one;
# bugs come first, outlive all others, and are in the kernel's log, once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

RAW=/sys/kernel/debug/rein/raw_errors
[ -e $RAW ] || skip_all "only kernels with fault injection let a test provoke a bug"

# raw COMMAND...: it fails with a raw error; the id of the record is in $ID
raw() {
	echo 1 >$RAW
	OUT=$("$@" 2>&1)
	ID=$(rein -j errors list --kind bug | jq -r 'max_by(.id | tonumber).id')
}

# bug FIELD: of the record $ID
bug() {
	rein -j errors show "$ID" | jq -r "$1"
}

# fill N PREFIX: that many other records
fill() {
	seq "$1" | sed "s/^/limit del $2/" >"$TMP/batch"
	rein -q -f -b "$TMP/batch" 2>/dev/null
}

exits_with 0 "a short ring" sh -c 'rmmod rein && modprobe rein records=64'
make_cgroup web

raw rein limit show web
FIRST=$ID
matches "$OUT" "^error: an error without a meaning: a bug of rein" "the caller is told that it is a bug"
is "$(bug '"\(.code) \(.kind) \(.errno) \(.while[0].name)"')" "REIN-E0001 bug 5 limit-get" \
	"of a netlink request: the record has the errno, and what was being done"
at_least "$(bug '.stack | length')" 5 "and the stack"
is "$(dmesg | grep -c "rein: error 5 .*rein errors show $FIRST\$")" 1 "and is in the kernel's log, once"

rein limit add sec --cgroup "$(cg web)" --on call --rate 1/day,burst=1
raw in_cgroup web rein take sec
is "$(bug '"\(.code) \(.errno) \(.while[0].what)"')" "REIN-E0001 5 answering a call on /dev/rein" \
	"of a take, too"
is "$(rein -j limit show sec | jq .stats.passed.calls)" 0 "which has charged nothing"

before=$(dmesg | wc -l)
fill 200 x
is "$(rein -j errors list | jq -r '[.[0,1].code] | join(" ")')" "REIN-E0001 REIN-E0001" \
	"bugs are held when all others of their time are gone, and come first"
exits_with 0 "one can be read by its id" rein errors show "$FIRST"
is "$(rein -j errors list --kind edge | jq length)" 64 "they take no room from others"
books "bugs that have moved"
is "$(dmesg | tail -n +$((before + 1)) | grep -c 'rein: ')" 0 "edges are not in the kernel's log"
is "$(rein -j errors follow --kind bug --last 5 | head -n 2 | jq -r .record.id | head -n 1)" "$FIRST" \
	"follow begins with them"

# More bugs than are kept apart: the oldest go.
for i in $(seq 20); do
	raw rein limit show "web$i"
	rein limit del "other$i" 2>/dev/null
done
fill 100 y
is "$(rein -j errors list --kind bug | jq length)" 16 "as many bugs are kept as there is room for"
exits_with 2 "the oldest is gone" rein errors show "$FIRST"
exits_with 0 "the newest is there" rein errors show "$ID"
books "more bugs than are kept"
rein errors clear
is "$(rein -j errors list | jq length)" 0 "clearing forgets bugs, too"
books "cleared"
rmmod rein && modprobe rein
done_testing
