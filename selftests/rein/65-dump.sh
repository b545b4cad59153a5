#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Lists are complete, however long they are, and show nobody more than concerns
# them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

names() {
	sed -n 's/^{"name":"\([^"]*\)".*/\1/p'
}

make_cgroup a/b/c many
for i in $(seq 330); do
	[ $((i % 30)) != 1 ] || make_cgroup "many/$((i / 30))"
	echo "limit add m$i --cgroup $(cg "many/$(((i - 1) / 30))") --on egress --rate ${i}kB/s --rate 1p/s"
done >"$TMP/batch"
exits_with 0 "330 limits" rein -b "$TMP/batch"
rein -j limit list | names | sort >"$TMP/seen"
seq 330 | sed 's/^/m/' | sort >"$TMP/want"
if cmp -s "$TMP/seen" "$TMP/want"; then
	ok "all of them are listed, each once"
else
	not_ok "all of them are listed, each once" "330" "$(wc -l <"$TMP/seen") lines"
fi
is "$(rein -j limit list --cgroup "$(cg many/3)" | names | wc -l)" 30 "those of one cgroup are 30"
is "$(rein -j chain --cgroup "$(cg many/3)" | grep -o '"name":"m[0-9]*"' | sort -u | wc -l)" 30 \
	"and so many bind it"
exits_with 0 "all are flushed" rein flush
settled "flushed"

for level in a a/b a/b/c; do
	rein limit add "l${level//\//}" --cgroup "$(cg $level)" --on egress --rate 1MB/s
done
rein limit add other --cgroup "$(cg many)" --on egress --rate 1MB/s
is "$(rein -j chain --cgroup "$(cg a/b/c)" | grep -o '"name":"l[abc]*"' | tr -d '\n')" \
	'"name":"labc""name":"lab""name":"la"' "a chain begins at the leaf"
is "$(rein -j chain --cgroup "$(cg a)" | grep -o '"name":"l[abc]*"' | tr -d '\n')" '"name":"la"' \
	"and has no limit below it"

as_nobody() {
	in_cgroup "$1" setpriv --reuid 65534 --regid 65534 --clear-groups "${@:2}"
}
is "$(as_nobody a/b rein -j limit list | names | tr '\n' ' ')" "la lab labc " \
	"nobody sees the limits above and below"
is "$(as_nobody a/b/c rein -j limit list | names | tr '\n' ' ')" "la lab labc " \
	"also at the leaf"
is "$(as_nobody many rein -j limit list | names | tr '\n' ' ')" "other " "and not those beside"
exits_with 0 "nobody may look at one of them" as_nobody a/b rein limit show la
exits_with 2 "but not at another's" as_nobody a/b rein limit show other
is "$(rein -j limit list | names | wc -l)" 4 "root sees all"
done_testing
