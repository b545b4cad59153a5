#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Wrong commands: each ends with a message that names the option, what to do
# next and, where the kernel refused it, a record that "rein errors show"
# explains; and nothing changes.
. "$(dirname "$0")/lib.sh"

make_cgroup web a
mkdir "$TMP/elsewhere"

# What is configured; counters are not in a list.
look() {
	rein -j limit list
}

# bad STATUS OPTION CODE DESCRIPTION COMMAND...: OPTION is a regular expression.
# All limits are as $BEFORE.
bad() {
	local want=$1 option=$2 code=$3 what=$4 rc=0 id why=''

	shift 4
	OUT=$("$@" 2>&1) || rc=$?
	[ "$rc" = "$want" ] || why="exit status $want, not $rc; "
	[[ $OUT =~ ^error:\ [^$NL]+${NL}option:\ $option ]] || why+="a message and the option $option; "
	[[ $OUT =~ ${NL}hint:\ . ]] || why+="a hint; "
	if [ "$want" = 2 ]; then
		id=
		! [[ $OUT =~ ${NL}record:\ ([0-9]+) ]] || id=${BASH_REMATCH[1]}
		[ -n "$id" ] && [[ $(rein errors show "$id" 2>&1) =~ $code ]] ||
			why+="a record of $code; "
	fi
	[ "$(look)" = "$BEFORE" ] || why+="nothing changed; "
	if [ -z "$why" ]; then
		ok "$what"
	else
		not_ok "$what" "$why" "$OUT"
	fi
	CODES+=" $code"
}

# shellcheck disable=SC2317 # by name
add() {
	rein limit add "$@"
}

# With a limit that must stay as it is.
all() {
	local i rates=()

	bad 1 "--cgroup /no/such" REIN-E0903 "a cgroup that isn't" \
		add new --cgroup /no/such --on egress --rate 1MB/s
	bad 2 "--cgroup $TMP/elsewhere" REIN-E0104 "a directory elsewhere" \
		add new --cgroup "$TMP/elsewhere" --on egress --rate 1MB/s
	bad 1 "--cgroup" REIN-E0903 "a file of a cgroup" \
		add new --cgroup "$(cg web/cgroup.procs)" --on egress --rate 1MB/s
	bad 1 "--rate -5MB/s" REIN-E0909 "a negative rate" \
		add new --cgroup "$(cg a)" --on egress --rate -5MB/s
	bad 1 "--rate 10mbps" REIN-E0909 "mbps" \
		add new --cgroup "$(cg a)" --on egress --rate 10mbps
	matches "$OUT" "hint: .*(bit|B)" "mbps: the hint says what to write"
	bad 2 "--rate 1MB/s,burst=0" REIN-E0206 "burst 0" \
		add new --cgroup "$(cg a)" --on egress --rate 1MB/s,burst=0
	bad 2 "--rate 2000GB/s" REIN-E0207 "a rate above 10^12" \
		add new --cgroup "$(cg a)" --on egress --rate 2000GB/s
	bad 1 "--rate 99999999999999999999B/s" REIN-E0905 "a rate above 2^64" \
		add new --cgroup "$(cg a)" --on egress --rate 99999999999999999999B/s
	bad 2 "--rate 0.5p/day" REIN-E0207 "half a packet a day" \
		add new --cgroup "$(cg a)" --on egress --rate 0.5p/day
	bad 1 "--rate 5/s" REIN-E0909 "calls, where packets are metered" \
		add new --cgroup "$(cg a)" --on egress --rate 5/s
	for ((i = 0; i < 9; i++)); do
		rates+=(--rate "$((i + 1))MB/s")
	done
	bad 2 "--rate 9MB/s" REIN-E0204 "9 tiers" \
		add new --cgroup "$(cg a)" --on egress "${rates[@]}"
	bad 2 "a b" REIN-E0211 "a name with a blank" \
		add "a b" --cgroup "$(cg a)" --on egress --rate 1MB/s
	bad 2 "x{64}" REIN-E0102 "a name of 64 characters" \
		add "$(printf 'x%.0s' {1..64})" --cgroup "$(cg a)" --on egress --rate 1MB/s
	bad 2 "--on call" REIN-E0209 "calls of a socket" \
		add new --socket self:9 --on call --rate 1/s 9<>/dev/udp/127.0.0.1/9
	bad 2 "--socket self:0" REIN-E0106 "a socket that is none" \
		add new --socket self:0 --on egress --rate 1MB/s </dev/null
	bad 1 "--over" REIN-E0909 "over what?" \
		add new --cgroup "$(cg a)" --on egress --rate 1MB/s --over drop
	bad 2 "--patience 2000000" REIN-E0212 "too much patience" \
		add new --cgroup "$(cg a)" --on egress --rate 1MB/s --patience 2000000
	bad 2 "--queue 1KiB" REIN-E0213 "too short a queue" \
		add new --cgroup "$(cg a)" --on egress --rate 1MB/s --queue 1KiB
	bad 1 "--cgroup" REIN-E0902 "no target" add new --on egress --rate 1MB/s
	bad 2 "nobody" REIN-E0202 "a limit that isn't" rein limit del nobody
	bad 2 "999999" REIN-E0404 "a record that isn't" rein errors show 999999
}

NL=$'\n' CODES=
BEFORE=$(look)
# Without any limit first: no hook may be registered by a refusal.
bad 2 "--rate 1MB/s,burst=0" REIN-E0206 "burst 0 of a first limit" \
	add new --cgroup "$(cg a)" --on egress --rate 1MB/s,burst=0
is "$(rein -j stat | sed 's/.*"hooked":\([a-z]*\).*/\1/')" false \
	"what is refused registers no hook"
rein limit add l --cgroup "$(cg web)" --on egress --rate 1MB/s --rate 100p/s
BEFORE=$(look)
all
bad 2 l REIN-E0201 "a name that is taken" \
	add l --cgroup "$(cg web)" --on egress --rate 5MB/s

# shellcheck disable=SC2317 # by name
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# denied WHO COMMAND...: not for them
denied() {
	local who=$1 rc=0

	shift
	OUT=$("$who" "$@" 2>&1) || rc=$?
	if [ "$rc" = 2 ] && [[ $OUT =~ CAP_NET_ADMIN ]] && [ "$(look)" = "$BEFORE" ]; then
		ok "$who: $*"
	else
		not_ok "$who: $*" "exit status 2, CAP_NET_ADMIN, nothing changed" "$rc: $OUT"
	fi
}

# As root of a user namespace, and of a network namespace that belongs to it.
# shellcheck disable=SC2317 # by name
in_user_namespace() {
	unshare --user --map-root-user --net "$@"
}

# A record of this user, who is root of the user namespace, too, and may read it.
own=$(rein limit del nobody 2>&1 | record_id)
denied as_nobody rein errors show "$own"
exits_with 0 "one may read what became of one's own request" \
	in_user_namespace rein errors show "$own"
for who in as_nobody in_user_namespace; do
	denied "$who" rein limit add new --cgroup "$(cg a)" --on egress --rate 1MB/s
	denied "$who" rein limit set l --rate 5MB/s
	denied "$who" rein limit del l
	denied "$who" rein flush
	denied "$who" rein errors clear
	denied "$who" rein errors show 999999999
done
exits_with 2 "nobody may listen" as_nobody timeout 5 rein monitor
matches "$(as_nobody timeout 5 rein -v monitor 2>&1)" REIN-E0101 "and is told what it takes"

# 33 limits in one chain, spread over levels.
deep=web
rein limit del l
{
	for level in 1 2 3 4; do
		deep+=/d$level
		make_cgroup "$deep"
		for i in 1 2 3 4 5 6 7 8; do
			echo "limit add l$level-$i --cgroup $(cg "$deep") --on egress --rate 1GB/s"
		done
	done
} >"$TMP/batch"
make_cgroup web/d1/d2/d3/d4/bare
exits_with 0 "32 limits in one chain" rein -b "$TMP/batch"
BEFORE=$(look)
bad 2 "--cgroup" REIN-E0208 "the 33rd on the leaf" \
	add new --cgroup "$(cg "$deep")" --on egress --rate 1MB/s
bad 2 "--cgroup" REIN-E0208 "the 33rd below the leaf" \
	add new --cgroup "$(cg "$deep/bare")" --on egress --rate 1MB/s
bad 2 "--cgroup" REIN-E0208 "the 33rd in the middle" \
	add new --cgroup "$(cg web/d1/d2)" --on egress --rate 1MB/s
bad 2 "--cgroup" REIN-E0208 "the 33rd above, on a cgroup without any" \
	add new --cgroup "$(cg web)" --on egress --rate 1MB/s
make_cgroup web/d1/other
exits_with 0 "beside the long branch there is room" \
	add new --cgroup "$(cg web/d1/other)" --on egress --rate 1MB/s
is "$(rein -j stat | sed 's/.*"limits":\([0-9]*\).*/\1/')" 33 "33 limits in all"

for code in $(tr ' ' '\n' <<<"$CODES" | sort -u); do
	exits_with 0 "$code can be explained" rein errors explain "$code"
done
done_testing
