# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the shell tests share. A test begins with
#
#	. "$(dirname "$0")/lib.sh"
#
# says what it checks with ok, not_ok, is, near, at_most, at_least, exits_with
# or skip, and ends with done_testing. The plan is printed at the end. However
# it ends, its processes, cgroups, network namespaces and all limits are gone
# afterwards.
#
#	make_peer far 1
#	make_cgroup web
#	rein limit add bulk --cgroup "$(cg web)" --on egress --rate 10Mbit/s
#	in_cgroup web ping -c 1 "$(peer 1)"
#	is "$(limit bulk .stats.seen.packets)" 1 "a ping is one packet"
#	identity bulk
#	done_testing

TEST=$(basename "$0" .sh)
HERE=$(cd "$(dirname "$0")" && pwd)
PATH=$HERE:$PATH
CGROOT=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
# All cgroups of this test are below this one.
CGTEST=test-$TEST
TMP=$(mktemp -d "${TMPDIR:-/tmp}/$TEST.XXXXXX")

# A kernel with KASAN, lockdep and the like is several times slower.
DEBUG=
[ ! -e /sys/kernel/debug/kmemleak ] && [ ! -e /sys/kernel/debug/kcsan ] || DEBUG=1
AGAIN="make check${DEBUG:+-debug} TESTS=$TEST"

# --- results -------------------------------------------------------------------

_n=0 _failed=0 _planned='' _done='' _netns=() _peers=() _pids=() _senders=() _at_exit=()
declare -A _captures=()

echo "TAP version 13"

# plan N: say beforehand how many results there will be
plan() {
	_planned=1
	echo "1..$1"
}

# ok DESCRIPTION
ok() {
	_n=$((_n + 1))
	echo "ok $_n $*"
}

# not_ok DESCRIPTION [EXPECTED SEEN]
not_ok() {
	_n=$((_n + 1)) _failed=$((_failed + 1))
	echo "not ok $_n $1"
	[ $# -lt 2 ] || note "expected: $2, seen: ${3:-nothing}"
	echo "# run: $AGAIN"
}

# skip REASON DESCRIPTION
skip() {
	_n=$((_n + 1))
	echo "ok $_n $2 # SKIP $1"
}

# unless_debug CHECK ARGUMENT...: one that the debug kernel is too slow for
unless_debug() {
	if [ -n "$DEBUG" ]; then
		skip "not on the debug kernel" "${!#}"
	else
		"$@"
	fi
}

# note TEXT: a line that is no result, for whoever reads the log
note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# true_that EXPRESSION: arithmetic on real numbers, in awk's syntax
true_that() {
	awk "BEGIN { exit !($1) }"
}

# calc EXPRESSION [FORMAT]
calc() {
	awk "BEGIN { printf \"${2:-%.0f}\", $1 }"
}

# is SEEN EXPECTED DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "$2" "$1"
	fi
}

# matches SEEN REGEX DESCRIPTION: an extended regular expression, in any line
matches() {
	if grep -qE -- "$2" <<<"$1"; then
		ok "$3"
	else
		not_ok "$3" "$2" "$1"
	fi
}

# near SEEN WANTED PERCENT DESCRIPTION
near() {
	local off

	off=$(awk -v seen="$1" -v want="$2" -v percent="$3" 'BEGIN {
		off = want ? (seen / want - 1) * 100 : seen ? 999 : 0
		printf "%+.2f", off
		exit seen == "" || off > percent || off < -percent }') ||
		{ not_ok "$4" "$2 within $3 %" "$1"; return; }
	ok "$4 ($1, $off %)"
}

# _at_most A B: numbers; most are integers, and need no other process
_at_most() {
	if [[ $1 =~ ^[0-9]+$ && $2 =~ ^[0-9]+$ ]]; then
		[ "$1" -le "$2" ]
	else
		# What is no number, say null, must not count as 0.
		[[ $1 =~ $_number && $2 =~ $_number ]] && true_that "$1 <= $2"
	fi
}
_number='^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$'

# at_most SEEN BOUND DESCRIPTION
at_most() {
	if _at_most "$1" "$2"; then
		ok "$3 ($1)"
	else
		not_ok "$3" "at most $2" "$1"
	fi
}

# at_least SEEN BOUND DESCRIPTION
at_least() {
	if _at_most "$2" "$1"; then
		ok "$3 ($1)"
	else
		not_ok "$3" "at least $2" "$1"
	fi
}

# exits_with STATUS DESCRIPTION COMMAND...: its output is then in $OUT
exits_with() {
	local want=$1 what=$2 rc=0

	shift 2
	OUT=$("$@" 2>&1) || rc=$?
	if [ "$rc" = "$want" ]; then
		ok "$what"
	else
		not_ok "$what" "exit status $want" "$rc, and: $OUT"
	fi
}

# Every test calls this last: one that didn't has died on the way.
done_testing() {
	_done=1
	exit $((_failed > 0))
}

_finish() {
	local rc=$?

	trap - EXIT INT TERM
	if [ -z "$_done" ]; then
		not_ok "the test ran to its end" "done_testing" "exit status $rc"
		rc=1
	fi
	_clean || { not_ok "the test can be cleaned up" "nothing left" "see above"; rc=1; }
	[ -n "$_planned" ] || echo "1..$_n"
	exit "$rc"
}
trap _finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# skip_all REASON: nothing here can be tested on this machine
skip_all() {
	_planned=1 _done=1
	echo "1..0 # SKIP $*"
	exit 4
}

# --- waiting -------------------------------------------------------------------

# wait_for SECONDS COMMAND...: until it succeeds; false if it doesn't in time
wait_for() {
	local end

	end=$(($(_ms) + $(calc "$1 * 1000")))
	shift
	until "$@"; do
		[ "$(_ms)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# Milliseconds since boot.
_ms() {
	local up

	read -r up _ </proc/uptime
	echo "$((10#${up/./} * 10))"
}

# background COMMAND...: ended, at the latest, with the test; its pid is in $PID
background() {
	"$@" &
	PID=$!
	_pids+=("$PID")
}

# at_exit COMMAND...: at the end of the test, before all else is removed
at_exit() {
	_at_exit+=("$*")
}

# --- cgroups -------------------------------------------------------------------

# cg NAME: its path below the cgroup2 mount, as rein takes it
cg() {
	echo "/$CGTEST/$1"
}

# make_cgroup NAME...: below this test's own, with its parents
make_cgroup() {
	local name

	for name in "$@"; do
		mkdir -p "$CGROOT/$CGTEST/$name" || exit
	done
}

# in_cgroup NAME COMMAND...
in_cgroup() {
	(
		echo "$BASHPID" >"$CGROOT/$CGTEST/$1/cgroup.procs" || exit
		shift
		exec "$@"
	)
}

_empty() {
	! grep -q 'populated 1' "$1/cgroup.events"
}

# shellcheck disable=SC2120 # tests name one
# remove_cgroup [NAME]: with what runs in it and is below it
remove_cgroup() {
	local top=$CGROOT/$CGTEST${1:+/$1} dir

	[ -d "$top" ] || return 0
	echo 1 >"$top/cgroup.kill"
	wait_for 10 _empty "$top" || { echo "# processes in $top don't die"; return 1; }
	# The deepest first: paths are longer than what find -delete can handle.
	find "$top" -depth -type d | while read -r dir; do
		rmdir "$dir" || return 1
	done
}

# --- network namespaces ----------------------------------------------------------

# make_netns NAME...
make_netns() {
	local name

	for name in "$@"; do
		ip netns add "$name" || exit
		_netns+=("$name")
		ip -n "$name" link set lo up || exit
	done
}

# What arrives is dealt with by one CPU: veth leaves it to the one that sent it,
# and when a CPU of an emulated machine stands still, packets sent by the other
# overtake.
_one_by_one() {
	local rps=/sys/class/net/$1/queues/rx-0/rps_cpus

	[ ! -e "$rps" ] || echo 1 >"$rps"
}

# make_peer NAME K: a namespace behind a veth pair, with an address of each kind
#
#	here  vK 10.0.K.1 fd00:K::1 ------ fd00:K::2 10.0.K.2 eth0  NAME
make_peer() {
	make_netns "$1"
	ip link add "v$2" type veth peer name eth0 netns "$1" || exit
	_peers+=("v$2")
	ip addr add "10.0.$2.1/24" dev "v$2"
	ip addr add "fd00:$2::1/64" dev "v$2" nodad
	ip -n "$1" addr add "10.0.$2.2/24" dev eth0
	ip -n "$1" addr add "fd00:$2::2/64" dev eth0 nodad
	_one_by_one "v$2"
	in_netns "$1" bash -c "$(declare -f _one_by_one); _one_by_one eth0"
	# A packet of 64 KB takes seconds at the rates of the debug kernel.
	[ -z "$DEBUG" ] || ip link set "v$2" gso_max_segs 3
	ip link set "v$2" up
	ip -n "$1" link set eth0 up
	ip link set lo up
}

# meet ADDRESS...: know these neighbours; what waits for them to answer would go out at once
# later, or be lost, for a second if the question is
meet() {
	local address

	for address in "$@"; do
		wait_for 20 ping -c 1 -W 1 -q "$address" >/dev/null || not_ok "$address answers"
	done
}

# peer K [6]: the address of the peer that make_peer made
peer() {
	if [ "${2:-4}" = 6 ]; then
		echo "fd00:$1::2"
	else
		echo "10.0.$1.2"
	fi
}

# in_netns NAME COMMAND...
in_netns() {
	local name=$1

	shift
	ip netns exec "$name" "$@"
}

# --- traffic ---------------------------------------------------------------------

# sinks NETNS PORT...: take and drop what arrives there; see tool-sink.c. NETNS
# - is this one.
sinks() {
	local in=() pid

	[ "$1" = - ] || in=(in_netns "$1")
	pid=$("${in[@]}" tool-sink "${@:2}") || exit
	_pids+=("$pid")
}

# capture NETNS [DEVICE [NAME]]: note all packets that arrive there until
# capture_end. NETNS - is this one.
capture() {
	local in=() name=${3:-wire}

	[ "$1" = - ] || in=(in_netns "$1")
	rm -f "$TMP/$name"
	_captures[$name]=$("${in[@]}" tool-wire capture "${2:-eth0}" "$TMP/$name") || exit
	_pids+=("${_captures[$name]}")
}

capture_end() {
	local name

	kill "${_captures[@]}"
	for name in "${!_captures[@]}"; do
		wait_for 30 [ -e "$TMP/$name" ] || not_ok "the capture $name ends"
	done
	_captures=()
}

# wire QUESTION PORTS [ARGUMENT]...: about what was captured as $WIRE; see
# tool-wire.c
wire() {
	tool-wire "$1" "$TMP/${WIRE:-wire}" "${@:2}"
}

# record_id: the id that an error on standard input names
record_id() {
	sed -n 's/^record: \([0-9]*\) .*/\1/p'
}

# counters NAME...: of TCP here, see netstat -s
counters() {
	awk -v want="$*" '
		BEGIN { n = split(want, wanted, " ") }
		$1 == last { for (i in name) value[name[i]] = $i }
		{ split($0, name); last = $1 }
		END { for (i = 1; i <= n; i++) print value[wanted[i]] + 0 }' /proc/net/netstat
}

# near_rate PORTS RATE PERCENT BURST FROM TO DESCRIPTION [LIMIT]: what was
# captured from FROM to TO s is near RATE bits per second. BURST is that of the
# limit, in bytes: when a CPU of this machine stood still for longer than that
# lasts, what was missed is not expected. LIMIT, if named, is one that makes
# packets wait: if a second burst passed it at once then its bucket was full
# because the sender was slow, and how much gets through is not up to the limit.
near_rate() {
	local ports=$1 rate=$2 percent=$3 burst=$4 from=$5 to=$6 seen lost off

	seen=$(wire rate "$ports" "$from" "$to")
	lost=$(wire lost "$ports" $((burst * 8000 / rate)) "$from" "$to")
	off=$(awk -v seen="$seen" -v rate="$rate" -v p="$percent" -v share="$lost $from $to" 'BEGIN {
		split(share, t, " ")
		want = rate * (1 - t[1] / (t[3] - t[2]))
		printf "%+.2f %%", (seen / rate - 1) * 100
		exit seen > rate * (1 + p / 100) ? 1 : seen < want * (1 - p / 100) ? 2 : 0 }')
	case $? in
	0)
		[ "$lost" = 0.000 ] || off+=", CPUs stood still for $lost s too long"
		ok "$7 ($seen, $off)"
		return
		;;
	2)
		if [ -n "${8:-}" ] && [ "$(bytes "$8" passed)" -gt $((burst * 2)) ]; then
			skip "this machine cannot send $rate bits per second: $seen, and no packet had to wait" "$7"
			return
		fi
		;;
	esac
	not_ok "$7" "$rate within $percent % (CPUs stood still for $lost s too long)" "$seen"
}

# start NAME CGROUP ARGUMENT...: tool-send in the background
start() {
	background in_cgroup "$2" tool-send "${@:3}" >"$TMP/$1.json"
	_senders+=("$PID")
}

# wait_sent: until all that were started have ended
wait_sent() {
	wait "${_senders[@]}"
	_senders=()
}

# stop CGROUP...: end those who send from there
stop() {
	local name

	for name in "$@"; do
		# shellcheck disable=SC2046 # several
		kill $(cat "$CGROOT/$CGTEST/$name/cgroup.procs")
	done
	wait_sent
}

# sent NAME EXPRESSION: what tool-send said
sent() {
	if [[ $2 =~ ^\.[a-z0-9_]+$ ]]; then
		sed -n "s/.*\"${2#.}\": \([0-9.]*\).*/\1/p" "$TMP/$1.json"
	else
		jq -r "$2" "$TMP/$1.json"
	fi
}

# --- limits ----------------------------------------------------------------------

# record LIMIT CODE EXPRESSION: of the first record with that code
record() {
	json errors list "[.[] | select(.limit_id == \"$(limit "$1" .id)\" and .code == \"$2\")][0] | $3"
}

# json COMMAND... EXPRESSION: what rein says, through jq
json() {
	rein -j "${@:1:$#-1}" | jq -r "${!#}"
}

# limit NAME[@CGROUP] EXPRESSION: of that limit; CGROUP as make_cgroup takes it
limit() {
	local target=()

	case $1 in
	*@*)	target=(--cgroup "$(cg "${1#*@}")") ;;
	esac
	json limit show "${1%%@*}" "${target[@]}" "$2"
}

# _counts LIMIT: a line "STAT PACKETS BYTES" for each counter
_counts() {
	rein -j limit show "${1%%@*}" "${@:2}" | tr -d ' \n' | sed 's/[{}]/\n/g' | awk -F'[":,]+' '
		/^"(packets|calls)":/ { print stat, $3, $5 }
		NF > 1 { stat = $(NF - 1) }'
}

# _count LIMIT STAT FIELD
_count() {
	local target=()

	case $1 in
	*@*)	target=(--cgroup "$(cg "${1#*@}")") ;;
	esac
	_counts "$1" "${target[@]}" | awk -v stat="$2" -v field="$3" '$1 == stat { print $field }'
}

# packets LIMIT STAT, bytes LIMIT STAT: one of its counters; LIMIT as above
packets() {
	_count "$1" "$2" 2
}

bytes() {
	_count "$1" "$2" 3
}

# identity LIMIT [WHEN]: no packet is unaccounted for
identity() {
	local sums target=()

	case $1 in
	*@*)	target=(--cgroup "$(cg "${1#*@}")") ;;
	esac
	sums=$(_counts "$1" "${target[@]}" | awk '
		$1 == "seen" { n++; packets += $2; bytes += $3 }
		$1 ~ /^(passed|released|refused|overflow|stale|teardown|nomem|cancelled|expired|queued|held)$/ {
			n++; packets -= $2; bytes -= $3 }
		END { print n, packets, bytes }')
	is "$sums" "12 0 0" "$1${2:+, $2}: seen is the sum of what became of them"
}

# --- afterwards --------------------------------------------------------------------

_clean() {
	local name pid rc=0

	for name in "${_at_exit[@]}"; do
		eval "$name"
	done
	for pid in "${_pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	# shellcheck disable=SC2119
	remove_cgroup || rc=1
	for name in "${_netns[@]}"; do
		for pid in $(ip netns pids "$name" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
	done
	wait "${_pids[@]}" 2>/dev/null
	# They are nobody's children, and would keep the runner's pipe open.
	for name in /proc/[0-9]*/comm; do
		[ "$(cat "$name" 2>/dev/null)" != tool-sink ] || kill -KILL "${name//[!0-9]/}"
	done
	if [ -d /sys/module/rein ]; then
		rein -q flush --force >/dev/null || rc=1
	fi
	# Namespaces go some time after they are deleted, and the next test may want that name.
	for name in "${_peers[@]}"; do
		[ ! -e "/sys/class/net/$name" ] || ip link del "$name" 2>/dev/null
	done
	for name in "${_netns[@]}"; do
		[ ! -e "/run/netns/$name" ] || ip netns del "$name" || rc=1
	done
	rm -rf "$TMP"
	return "$rc"
}
