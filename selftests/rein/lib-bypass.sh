# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of ways around a limit share, sourced after lib.sh.
#
# What got out is counted by the device at the other end, without rein: its rx_bytes, less
# 14 a packet, are bytes of layer 3. For that there is no GSO on our end of it (as
# count_there sees to), so that each segment is counted with headers of its own. rein is
# asked afterwards whether it has seen the same. A limit refuses, with so small a burst and
# rate that what goes around it is many times too much; and each way is tried without a
# limit first, to see that it is one.

RATE=1000 BURST=20000
# shellcheck disable=SC2034 # for tests
MTU=1500
# What the kernel says by itself there: neighbours, groups, resets.
NOISE=1000
# How long TCP tries to get something through a limit that refuses, and to get all
# through where there is none, in ms; and how many bytes that is.
TRY=1500 PATIENCE=8000 AMOUNT=1200000
[ -z "$DEBUG" ] || TRY=3000 PATIENCE=40000 AMOUNT=250000

# count_there NETNS DEVICE HERE: from now on; HERE is this end of it. NETNS - is this one.
count_there() {
	THERE=${1#-}
	THERE_DEVICE=$2
	ip link set "$3" gso_max_segs 1
}

# arrived: bytes of layer 3 so far
arrived() {
	local bytes packets

	{ read -r bytes; read -r packets; } < <(${THERE:+ip netns exec "$THERE"} cat \
		"/sys/class/net/$THERE_DEVICE/statistics/rx_bytes" \
		"/sys/class/net/$THERE_DEVICE/statistics/rx_packets")
	echo $((bytes - 14 * packets))
}

# limited CGROUP [OVER]: as described above, a limit of that name
limited() {
	make_cgroup "$1"
	rein limit add "${1//\//-}" --cgroup "$(cg "$1")" --on egress \
		--rate "${RATE}B/s,burst=$BURST" --over "${2:-refuse}" || exit
}

# watched COMMAND...: sets OUT to what it says, CAME to what arrived, ALLOWED to what a
# limit lets through meanwhile, but for the last packet
watched() {
	local before began rc=0

	before=$(arrived)
	began=$(_ms)
	# No substitution: some wait for children of this shell.
	"$@" >"$TMP/out" 2>&1 || rc=$?
	OUT=$(cat "$TMP/out")
	CAME=$(($(arrived) - before))
	ALLOWED=$((BURST + RATE * ($(_ms) - began + 50) / 1000 + NOISE))
	return $rc
}

# free_run DESCRIPTION COMMAND...: without a limit; false if that was said already
free_run() {
	local what=$1 rc=0

	shift
	watched "$@" || rc=$?
	case $rc in
	0)	return 0 ;;
	4)	skip "the kernel lacks ${OUT#*lacks }" "$what" ;;
	*)	not_ok "$what: without a limit" "exit status 0" "$rc, and: $OUT" ;;
	esac
	return 1
}

# agrees LIMIT ARRIVED: does rein say that so much passed? What is cut into fragments is
# counted as it was before, and what goes into a tunnel without the tunnel's headers: PERCENT.
PERCENT=2
agrees() {
	PASSED=$(bytes "$1" passed)
	[ $((PASSED + PASSED * PERCENT / 100 + NOISE)) -ge "$2" ] && [ $(($2 + NOISE)) -ge "$PASSED" ]
}

# held_to LIMIT LARGEST FREE DESCRIPTION: what was watched was within the limit, where FREE
# bytes are what it is without
held_to() {
	local most=$((ALLOWED + $2))

	if [ "$3" -lt $((most * 5)) ]; then
		not_ok "$4: enough gets out without a limit" "at least $((most * 5)) bytes" "$3"
	elif [ "$CAME" -gt "$most" ]; then
		not_ok "$4" "at most $most bytes of $3" "$CAME; rein let $(bytes "$1" passed) pass"
	elif ! agrees "$1" "$CAME"; then
		not_ok "$4: rein counts what arrives" "$CAME" "$PASSED"
	elif [ "$(packets "$1" refused)" = 0 ]; then
		not_ok "$4: something was refused" "1 packet" 0
	else
		ok "$4 ($CAME of $3 bytes, at most $most)"
	fi
}

# way NAME LARGEST DESCRIPTION ARGUMENT...: one way of tool-bypass. LARGEST is what a single
# packet costs at most; a limit may go as much over.
way() {
	local name=$1 largest=$2 what=$1:\ $3 free

	shift 3
	free_run "$what" in_cgroup free tool-bypass -t "$PATIENCE" -n "$AMOUNT" "$@" || return 0
	free=$CAME
	limited "$name"
	watched in_cgroup "$name" tool-bypass -t "$TRY" -n "$AMOUNT" "$@" ||
		note "$name: $OUT"
	held_to "$name" "$largest" "$free" "$what"
	rein limit del "$name"
}

# staged NAME CGROUP BETWEEN ARGUMENT...: a process in CGROUP makes a socket, then the
# function BETWEEN is called, then it sends, and is watched
staged() {
	mkfifo "$TMP/$1.go"
	background in_cgroup "$2" tool-bypass -t $TRY -w "$TMP/$1.go" "${@:4}" >"$TMP/$1.out"
	SENDER=$PID
	wait_for 20 grep -q ready "$TMP/$1.out" || not_ok "$1: it has a socket"
	"$3"
	watched _go "$1"
}

# shellcheck disable=SC2317 # by watched
_go() {
	: >"$TMP/$1.go"
	wait "$SENDER"
}
