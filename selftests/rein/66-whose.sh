#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who may read which records: an administrator all, everybody else those about his own
# cgroup and those below, and of his own requests.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

# as_nobody CGROUP COMMAND...
as_nobody() {
	local cgroup=$1

	shift
	in_cgroup "$cgroup" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}

# take_from CGROUP: one take too many of the limit there
take_from() {
	in_cgroup "$1" rein -j take "$2" --try 2>&1 | jq -r '.record // empty'
}

# sees CGROUP: the limits of the records that nobody in there is told of
sees() {
	as_nobody "$1" rein -j errors list | jq -r 'map(.limit // "-") | sort | join(" ")'
}

rein errors clear
for name in a b a/child b/child; do
	make_cgroup "$name"
done
for name in a b; do
	rein limit add of-$name --cgroup "$(cg $name)" --on call --rate 1/day,burst=1
	rein limit add of-$name-child --cgroup "$(cg $name/child)" --on call --rate 1/day,burst=1
done
for name in a b; do
	for limit in of-$name of-$name-child; do
		in_cgroup "$name/child" rein take "$limit"
		records[${#records[@]}]=$(take_from "$name/child" "$limit")
	done
done
rein limit del nope 2>/dev/null
chmod 777 "$CGROOT/$CGTEST"/{a,b,a/child,b/child}

is "$(rein -j errors list | jq length)" 5 "root sees all"
is "$(sees a)" "of-a of-a-child" "who is in a cgroup sees those about it and below"
is "$(sees a/child)" "of-a-child" "who is below sees those about there only"
is "$(sees b)" "of-b of-b-child" "and who is beside sees others"
is "$(as_nobody a rein -j errors list --code E0501 | jq length)" 2 "filters work, too"
is "$(as_nobody a rein -j errors list | jq -c '[.[] | .stack] | add')" "[]" \
	"the kernel's stack is not theirs"
exits_with 0 "one's own can be read by id" as_nobody a rein errors show "${records[0]}"
exits_with 2 "another's can't" as_nobody b rein -j errors show "${records[0]}"
matches "$OUT" REIN-E0101 "for want of the permission"
before=$(rein -j stat | jq -r .records.newest)
exits_with 2 "one that isn't there can't be told from one that may not be read" \
	as_nobody b rein -j errors show 999999
matches "$OUT" REIN-E0101 "by its code"

# One's own requests, from one's own cgroup.
mine=$(as_nobody b rein limit del of-a 2>&1 | record_id)
exits_with 0 "a request of one's own" as_nobody b rein errors show "$mine"
matches "$OUT" "^  while: *answering request limit-del" "what was being done is told"
exits_with 2 "not from elsewhere" as_nobody a rein errors show "$mine"
at_least "$mine" "$before" "which is a new record"

# Whoever was first: the takes of all are counted into one record of the limit.
rein limit add shared --cgroup "$(cg a)" --on call --rate 1/day,burst=1
chmod 666 "$CGROOT/$CGTEST/a/child/cgroup.procs"
as_nobody a/child rein take shared
id=$(as_nobody a/child rein -j take shared --try 2>&1 | jq -r .record)
at_least "$id" 1 "a take that was refused names its record"
exits_with 2 "which can't be read from below the limit" as_nobody a/child rein errors show "$id"
exits_with 0 "but from where it is" as_nobody a rein errors show "$id"
rein limit del shared

# A cgroup of the same name is not the same.
for limit in of-a-child of-a; do
	rein limit del $limit
done
rmdir "$CGROOT/$CGTEST/a/child" "$CGROOT/$CGTEST/a"
mkdir "$CGROOT/$CGTEST/a"
is "$(sees a)" "" "who comes into a new cgroup of an old name sees nothing of the old"
is "$(rein -j errors list --cgroup "$(cg a)" | jq length)" 3 "root finds them by the path"

# Paths are told as the reader knows them.
is "$(in_cgroup b unshare --cgroup rein -j errors list --limit of-b-child | jq -r '.[].cgroup')" \
	/child "in a cgroup namespace paths begin at its root"
is "$(rein -j errors list --limit of-b-child | jq -r '.[].cgroup')" "$(cg b/child)" \
	"outside they are whole"

# shellcheck disable=SC2016 # by the other shell
in_there='umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec rein -j errors list --cgroup'
is "$(in_cgroup b unshare --cgroup --mount sh -c "$in_there child" | jq -r '.[].limit')" of-b-child \
	"and so does what --cgroup means"
is "$(in_cgroup b unshare --cgroup --mount sh -c "$in_there self" | jq length)" 2 "self, too"
exits_with 1 "where the mount shows more than the namespace, nobody guesses" \
	in_cgroup b unshare --cgroup rein errors list --cgroup child
matches "$OUT" "^hint: mount cgroup2 in here" "and the hint says what to do"

# As long as those of container runtimes.
long=b/$(printf 'x%.0s' {1..200})
make_cgroup "$long"
make_cgroup "$long/$(printf 'y%.0s' {1..200})"
deep=$long/$(printf 'y%.0s' {1..200})
rein limit add deep --cgroup "$(cg "$deep")" --on call --rate 1/day,burst=1
in_cgroup "$deep" rein take deep
take_from "$deep" deep >/dev/null
is "$(rein -j errors list --limit deep | jq -r '.[].cgroup')" "$(cg "$deep")" \
	"a path of 400 bytes is whole"
is "$(as_nobody "$deep" rein -j errors list | jq length)" 1 "and its own cgroup sees it"

# Who may not be told asks, and is told of his own only.
{ background as_nobody b rein -j errors follow >"$TMP/follow"; } 2>/dev/null
wait_for "$SOON" grep -q '"event":"listening"' "$TMP/follow" || not_ok "nobody may follow"
rein limit add of-a2 --cgroup "$(cg a)" --on call --rate 1/day,burst=1
rein limit add of-b2 --cgroup "$(cg b)" --on call --rate 1/day,burst=1
for name in a b; do
	in_cgroup $name rein take of-${name}2
	take_from $name of-${name}2 >/dev/null
done
wait_for "$SOON" grep -q '"limit":"of-b2"' "$TMP/follow" ||
	not_ok "who asks is told" of-b2 "$(cat "$TMP/follow")"
is "$(grep -c '"event":"record"' "$TMP/follow")" 1 "of his own, and of nothing else"
kill_in b
done_testing
