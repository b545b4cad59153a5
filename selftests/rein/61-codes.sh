#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every code in the book is provoked by what somebody does, and its record compared, field
# by field, with that of 61-codes.json; what differs from run to run is "*" there. To write
# that table anew, once all that has changed is meant to (the debug kernel can do all of it):
#
#	selftests/vm/run --kernel debug --add build/kselftest -- \
#		/kselftest/rein/61-codes.sh golden >selftests/rein/61-codes.json
[ "${1:-}" != golden ] || exec 3>&1 >/dev/null 2>&1
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

GOLDEN=$HERE/61-codes.json

# LAST: id of the newest record so far. WITHOUT: cases that can't be provoked here.
LAST=$(json stat '.records.newest // 0') WITHOUT='|'

# newer CODE [LIMIT]: there is a record of it that is newer than all so far
# shellcheck disable=SC2317 # by wait_for
newer() {
	ID=$(rein -j errors list --code "$1" ${2:+--limit "$2"} --last 1 |
		sed -n 's/.*"id":"\([0-9]*\)".*/\1/p')
	[ "${ID:-0}" -gt "$LAST" ]
}

# code [-l LIMIT] CODE CASE COMMAND...: COMMAND provokes it. Its record is the one that COMMAND
# names, or else a new one of that code, and about LIMIT.
code() {
	local limit='' id='' name

	[ "$1" != -l ] || { limit=$2; shift 2; }
	name="REIN-$1 $2"
	OUT=$("${@:3}" 2>&1)
	if [[ $OUT =~ record:\ ([0-9]+)\ \(rein ]]; then
		id=${BASH_REMATCH[1]}
	elif wait_for "$SOON" newer "REIN-$1" "$limit"; then
		id=$ID
	else
		not_ok "$name: is provoked" "a record" "none: $OUT"
		return
	fi
	[ "$id" -le "$LAST" ] || LAST=$id
	printf '{"case":"%s","record":%s}\n' "$name" "$(rein -j errors show "$id")" >>"$TMP/seen"
}

# without REASON CODE CASE: it can't be provoked here
without() {
	skip "$1" "REIN-$2 $3"
	WITHOUT+="REIN-$2 $3|"
}

# meter NAME RESOURCE RATE [ARGUMENT]...: a cgroup, and a limit on it, of that name
meter() {
	make_cgroup "$1"
	rein limit add "$1" --cgroup "$(cg "$1")" --on "$2" --rate "$3" "${@:4}" ||
		not_ok "limit $1 can be added"
}

# add ARGUMENT...: another limit where there is one
# shellcheck disable=SC2317 # by name
add() {
	rein limit add new --cgroup "$(cg web)" "$@"
}

# sends CGROUP N [ADDRESS [PORT]...]: as many datagrams, from one socket
sends() {
	in_cgroup "$1" tool-connect -u -n "$2" "${3:-127.0.0.1}" "${@:4}" 5001
}

# calls CGROUP N PORT: as many connections
# shellcheck disable=SC2317 # by name
calls() {
	in_cgroup "$1" tool-connect -n "$2" -w 5000 127.0.0.1 "$3"
}

# listens CGROUP PORT
listens() {
	PID=$(in_cgroup "$1" tool-sink "$2") || exit
	_pids+=("$PID")
}

# takes NAME ARGUMENT...
takes() {
	in_cgroup "$1" rein take "$@"
}

# wrong WHAT NAME: what no client of ours asks
# shellcheck disable=SC2317 # by name
wrong() {
	in_cgroup "$2" tool-wrong "$1" "$CGROOT$(cg "$2")" "$2"
}

# free_memory: MiB
free_memory() {
	awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo
}

# queued NAME [N]: wait until somebody waits for it
queued() {
	wait_for "$SOON" waits "$1" "${2:-1}" || not_ok "$1: somebody waits" "${2:-1}" "$(rein limit show "$1")"
}

# shellcheck disable=SC2317 # by name
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# --- 01xx: requests that can't be read -------------------------------------------------

ip link set lo up
sinks - 5001 5002 5003
meter web egress 1MB/s
make_cgroup removed
code E0101 "not root" as_nobody rein limit del web
code E0101 "a record of others" as_nobody rein errors show 999999
code E0102 "an attribute that nobody knows" wrong unknown web
code E0102 "a name that is too long" \
	rein limit del "$(printf 'x%.0s' {1..64})"
code E0103 "no name" wrong nameless web
code E0103 "no target" wrong targetless web
code E0103 "no rate" wrong rateless web
code E0104 "a directory elsewhere" rein limit add new --cgroup "$TMP" --on egress --rate 1MB/s
code E0104 "a directory elsewhere, limits of" rein limit list --cgroup "$TMP"
code E0105 "a cgroup that was just removed" tool-wrong removed "$CGROOT$(cg removed)" new

exec 9<>/dev/udp/127.0.0.1/9
code E0106 "not a socket" rein limit add new --socket self:0 --on egress --rate 1MB/s </dev/null

# --- 02xx: limits that can't be --------------------------------------------------------

make_cgroup twins/a twins/b
rein limit add twin --cgroup "$(cg twins/a)" --on egress --rate 1MB/s
rein limit add twin --cgroup "$(cg twins/b)" --on egress --rate 1MB/s
tiers=()
for i in 1 2 3 4 5 6 7 8 9; do
	tiers+=(--rate "${i}MB/s")
done
make_cgroup long
for i in $(seq 32); do
	echo "limit add long$i --cgroup $(cg long) --on egress --rate 1GB/s"
done >"$TMP/long"
rein -b "$TMP/long"
code E0201 "a name that is taken" rein limit add web --cgroup "$(cg web)" --on egress --rate 1MB/s
code E0202 "no limit of that name" rein limit del nobody
code E0202 "none on that cgroup" rein limit del nobody --cgroup "$(cg web)"
code E0203 "two of that name" rein limit del twin
code E0204 "nine tiers" add --on egress "${tiers[@]}"
code E0205 "no tier" tool-wrong tierless "$CGROOT$(cg web)" new
code E0206 "a burst of 0" add --on egress --rate 1MB/s --rate 1kp/s,burst=0
code E0207 "too fast" add --on egress --rate 1001GB/s
code E0207 "too slow" add --on egress --rate 1bit/day
code E0208 "one more" rein limit add new --cgroup "$(cg long)" --on egress --rate 1MB/s
code E0209 "calls of a socket" rein limit add new --socket self:9 --on call --rate 1/s
code E0210 "bytes of calls" add --on call --rate 1MB/s
code E0210 "packets of connections" add --on accept --rate 1p/s
code E0211 "a blank" rein limit add "a b" --cgroup "$(cg web)" --on egress --rate 1MB/s
code E0211 "an escape" rein limit add $'\e[31m"' --cgroup "$(cg web)" --on egress --rate 1MB/s
code E0212 "for ever" add --on egress --rate 1MB/s --over wait --patience infinity
code E0213 "a short queue" add --on egress --rate 1MB/s --queue 1KiB
code E0213 "no queue of takes" add --on call --rate 1/s --queue 0
code E0215 "another resource" rein limit set web --on connect
code E0216 "for 200 years" add --on egress --rate 1MB/s --for 73000day
code E0217 "to mark connections" add --on connect --rate 1/s --over mark
code E0217 "to let callers wait" add --on accept --rate 1/s --over wait
echo 0 >/sys/module/rein/parameters/limits_per_user
code E0219 "one more than none" as_nobody rein limit add own --socket self:9 --on egress --rate 1MB/s
echo 256 >/sys/module/rein/parameters/limits_per_user
code E0218 "of connections" add --on connect --rate 1/s --credit 0.5
code E0220 "of connections" add --on connect --rate 1/s --per-socket
code E0220 "of a socket" rein limit add own --socket self:9 --on egress --rate 1MB/s --per-socket
code E0220 "of one that is not" rein limit set web --per-socket
echo 0 >/sys/module/rein/parameters/copies
meter each egress 1MB/s --per-socket
code -l each E0221 "more than none" sends each 1
echo 16384 >/sys/module/rein/parameters/copies

# --- 03xx: packets and connections -----------------------------------------------------

meter refuse egress 1p/day,burst=1
meter impatient egress 1p/day,burst=1 --over wait --patience 5s
meter stale egress 0 --over wait --patience 100ms
meter observe egress 1p/day,burst=1 --over observe
code -l refuse E0301 "a packet" sends refuse 2
code -l impatient E0302 "a packet" sends impatient 3
code -l stale E0303 "a packet" sends stale 1
code -l observe E0307 "a packet" sends observe 2

meter overflow egress 1kbit/s,burst=2000 --over wait --patience 1h --queue 64KiB
for _ in 1 2 3; do
	{ background in_cgroup overflow tool-robust-traffic udp 127.0.0.1 5001 1400 200; } 2>/dev/null
done
code -l overflow E0304 "a packet" true
kill_in overflow

ip link add gone type dummy
at_exit ip link del gone
ip addr add 10.9.0.1/24 dev gone
ip link set gone up
meter down egress 0 --over wait --patience 1h
sends down 1 10.9.0.2 >/dev/null
queued down
code -l down E0306 "a packet, its device goes down" ip link set gone down

meter connect-refuse connect 1/day,burst=1
meter connect-impatient connect 1/day,burst=1 --over wait --patience 5s
meter connect-stale connect 0 --over wait --patience 100ms
meter connect-observe connect 1/day,burst=1 --over observe
code -l connect-refuse E0308 "a connection" calls connect-refuse 2 5001
code -l connect-impatient E0302 "a flow" sends connect-impatient 1 127.0.0.1 5002 5003
code -l connect-stale E0303 "a connection" calls connect-stale 1 5001
code -l connect-observe E0307 "a connection" calls connect-observe 2 5001

meter accept-refuse accept 1/day,burst=1
meter accept-observe accept 1/day,burst=1 --over observe
listens accept-refuse 5010
listens accept-observe 5011
make_cgroup caller
code -l accept-refuse E0309 "a caller" calls caller 2 5010
code -l accept-observe E0307 "a caller" calls caller 2 5011

# --- 04xx: what becomes of limits; of those who waited when all were flushed -----------

meter orphan egress 1MB/s
code -l orphan E0401 "its cgroup is removed" remove_cgroup orphan
meter short egress 1MB/s --for 100ms
code -l short E0402 "its time is over" true
code E0404 "a record that isn't" rein errors show 999999

meter flushed egress 0 --over wait --patience 1h
meter connect-flushed connect 0 --over wait
meter call-flushed call 1/day,burst=1 --over wait
sends flushed 1 >/dev/null
{ background calls connect-flushed 1 5001; } >/dev/null
takes call-flushed
{ background takes call-flushed; } >/dev/null 2>&1
queued flushed
queued connect-flushed
queued call-flushed
code E0403 "all of them" rein flush --force
code -l flushed E0306 "a packet, limits are flushed" true
code -l connect-flushed E0306 "a connection, limits are flushed" true
code -l call-flushed E0512 "limits are flushed" true

# --- 05xx: takes -----------------------------------------------------------------------

meter over call 1/day,burst=1
meter late call 1/day,burst=1 --over wait
meter patience call 1/day,burst=1 --over wait --patience 1s
meter full call 1/day,burst=1 --over wait --queue 1
meter call-observe call 1/day,burst=1 --over observe
for name in over late patience full call-observe; do
	takes $name || not_ok "$name: one can be taken"
done
code E0501 "a try" takes over --try
code E0502 "a short timeout" takes late --timeout 1s
code E0504 "more than the burst" in_cgroup over rein take over=2
code E0505 "no limit of that name" in_cgroup over rein take nobody
{ background takes full; } >/dev/null 2>&1
queued full
code E0506 "a second one that waits" takes full
code E0510 "no patience" takes patience
code -l call-observe E0307 "a take" takes call-observe
code E0507 "flags that exclude each other" wrong flags over
code E0508 "a name twice" wrong twice over
code E0513 "names elsewhere" wrong names over
code E0513 "arguments elsewhere" wrong arguments over
code E0514 "arguments that nobody knows" wrong newer over

code E0518 "a limit that has none" in_cgroup over rein race -n 1 --budget over --credit 0.5 -- true

meter reserve call 1/day,burst=10 --over wait
code E0515 "claimed too late" wrong late reserve
code E0516 "claimed twice" wrong again reserve
code E0517 "more than there may be" wrong many reserve
code E0517 "more than files may be open" wrong files reserve

# A limit changes all the time, and so many wait for so much that it takes a while to find a
# place for all of them anew: until then nobody can tell a newcomer that he will be too late.
make_cgroup crowd
NAMES=() WAITERS=() TRIES=("0:run:rein -b $TMP/changes &")
for i in $(seq 30); do
	NAMES+=("c$i")
	echo "limit add c$i --cgroup $(cg crowd) --on call --rate 1/day --over wait"
done >"$TMP/crowd"
rein -b "$TMP/crowd"
in_cgroup crowd rein take "${NAMES[@]}"
for i in $(seq 150); do
	WAITERS+=("0:limit:$(IFS=,; echo "${NAMES[*]}")")
done
for i in $(seq 200); do
	TRIES+=("$((i * 5)):0:c2")
	echo "limit set c1 --rate $i/day"
done >"$TMP/changes"
{ background in_cgroup crowd tool-take "${WAITERS[@]}"; } >/dev/null
queued c2 150
code -l c2 E0503 "a deadline that passes" in_cgroup crowd tool-take "${TRIES[@]}"
kill_in crowd

# --- 06xx: scopes and races ------------------------------------------------------------

# scope WHAT [NAME]: likewise, of what isn't a limit, and in a cgroup that is only for this
# shellcheck disable=SC2317 # by name
scope() {
	make_cgroup "scope-$1"
	tool-wrong "$1" "$CGROOT$(cg "scope-$1")" "${2:-$1}"
}

code E0601 "its deadline" scope scope-timeout
code E0602 "somebody" scope scope-user
code E0603 "one that is bound above" scope scope-parent
code E0604 "another replica has won" scope scope-duplicate
code E0605 "its owner" scope scope-owner
code E0606 "a race that is done" scope scope-done
code E0610 "a flag" scope scope-flags
code E0610 "a name" scope scope-name
code E0610 "a cause" scope scope-cause
code E0611 "a parent" scope scope-none
code E0611 "of a take" wrong take-scope over
code E0612 "cancels" scope observer
code E0612 "has a child" scope observer-parent
code E0613 "the 33rd" scope deep
# On the debug kernel it takes four minutes.
if [ "$(free_memory)" -lt 400 ]; then
	without "too little memory" E0614 "one more than 65,536"
elif [ -n "$DEBUG" ] && [ "${1:-}" != golden ]; then
	without "this kernel is slow" E0614 "one more than 65,536"
else
	code E0614 "one more than 65,536" scope wide
fi
code E0615 "more than a user may have" scope scopes
code E0616 "more than files may be open" scope scope-files
code E0617 "no such id" scope scope-unknown
code E0617 "none is bound" scope scope-unbound
code E0618 "two of that name" scope ambiguous
code E0619 "that of another" scope denied
code E0104 "to bind to a directory elsewhere" scope bind-elsewhere
code E0105 "to bind to one that was just removed" scope bind-removed
code E0620 "nobody binds" scope bind-denied
code E0621 "a second time" scope bind-twice
code E0622 "another file" scope bind-kill
code E0623 "a threaded cgroup" scope kill-failed
code E0630 "to join what is no race" scope no-race
code E0631 "the second who claims" scope race-late
code E0632 "one who may not" scope race-denied
code E0633 "4,097 bytes" scope race-result

meter scope-out egress 0 --over wait --patience 1h
meter scope-connect connect 0 --over wait
sends scope-out 1 >/dev/null
{ background calls scope-connect 1 5001; } >/dev/null
queued scope-out
queued scope-connect
code -l scope-out E0310 "a packet" wrong bind-end scope-out
code -l scope-connect E0310 "a connection" wrong bind-end scope-connect

# --- 07xx: watches -----------------------------------------------------------------------

# watch WHAT: likewise
# shellcheck disable=SC2317 # by name
watch() {
	make_cgroup "watch-$1"
	tool-wrong-watch "$1" "$CGROOT$(cg "watch-$1")" "$1"
}

code E0701 "no beat" watch silent
code E0702 "three beats" watch many
code E0703 "a unit that does not end" watch late
code E0704 "a unit of no time" watch early
code E0705 "a checkpoint" watch order
code E0706 "one miss too many" watch expired
code E0707 "before it expires" watch warned
code E0708 "a beat afterwards" watch resumed
code E0709 "its process exits" watch exited
code E0710 "a step" watch step
code E0711 "a threaded cgroup" watch step-failed
code E0712 "a dry test" watch tested
code E0720 "a flag" watch flags
code E0720 "a name" watch name
code E0720 "a cycle of no beats" watch rules
code E0720 "a step" watch steps
code E0720 "a checkpoint" watch beat
code E0721 "no such id" watch unknown
code E0722 "two of that name" watch ambiguous
code E0723 "that of another" watch denied
code E0724 "an observer beats" watch observer
code E0724 "who may only beat arms" watch beater
code E0725 "more than a user may have" watch watches
code E0726 "more looks than a user may have" watch looks
code E0727 "a process that has gone" watch process
code E0728 "another file" watch kill
code E0729 "another user's process" watch forbidden
code E0729 "a cgroup" watch forbidden-cgroup
code E0730 "no token" watch token
code E0731 "a beat of what is over" watch over
code E0732 "one that was not begun" watch unit
code E0733 "a file" watch no-socket
code E0734 "a test" watch not-armed
code E0735 "a file" watch scope
code E0736 "one that was just removed" watch removed
code E0737 "that of the same user, with less" watch privileges
code E0738 "traffic, without a right to any" watch traffic
code E0104 "to watch a directory elsewhere" watch elsewhere

# --- where faults can be injected: no memory, and errors that nobody has thought of --------

NO_FAULTS="this kernel can't inject faults"
RAW_ERRORS=/sys/kernel/debug/rein/raw_errors
meter memory call 1/day,burst=1000
meter room egress 0,burst=1000 --over wait --patience 1h
if [ -e /sys/kernel/debug/failslab ] && [ -e "/proc/$$/fail-nth" ]; then
	sends room 1 >/dev/null
	queued room
	code E0214 "a take" wrong memory memory
	code -l room E0305 "a packet" wrong room room
	code E0214 "a scope" scope scope-memory
	code E0214 "a watch" watch memory
else
	without "$NO_FAULTS" E0214 "a take"
	without "$NO_FAULTS" E0305 "a packet"
	without "$NO_FAULTS" E0214 "a scope"
	without "$NO_FAULTS" E0214 "a watch"
fi
if [ -e $RAW_ERRORS ]; then
	echo 1 >$RAW_ERRORS
	code E0001 "a request" rein limit show web
else
	without "$NO_FAULTS" E0001 "a request"
fi

# --- the table -----------------------------------------------------------------------------

# What is the same from run to run of a record. Numbers of ns depend on when it was, ids of
# scopes and watches on what was made before, and descriptors on what is open.
# shellcheck disable=SC2016 # for jq
NORMAL='
def some: if . == null then null else "*" end;
def step: .what + if (.name // "") == "" then "" else " " + .name end;
def normal: {
	code, kind, severity, errno, hint, limit, cgroup, comm,
	message: (.message | gsub("scope [0-9]+"; "scope *") | gsub("watch [0-9]+"; "watch *") |
		gsub("descriptor [0-9]+"; "descriptor *") | gsub("process [0-9]+"; "process *") |
		gsub("[0-9]+ ms"; "* ms") | gsub("expire: [0-9]+"; "expire: *") |
		gsub("; its stack: .*"; "")),
	pid: (.pid | some),
	socket: (.socket | if . == null then null else
		{ family, protocol, source, source_port: (.source_port | some), destination,
		  destination_port } end),
	values: (.values | with_entries(if .key | endswith("_ns") then .value = "*" else . end)),
	while: [.while[] | step],
	cause: (.cause | some),
	site: "\(.function), \(.file)"
} + if .scope_id == null then {} else { scope: (.scope_name // "") } end +
	if .watch_id == null then {} else { watch: (.watch_name // "") } end;
def table: [inputs | { (.case): (.record | normal) }] | add;'
jq -n "$NORMAL table" "$TMP/seen" >"$TMP/table"
if [ "${1:-}" = golden ]; then
	if [ "$_failed" = 0 ] && [ "$WITHOUT" = '|' ]; then
		cat "$TMP/table" >&3
	else
		echo "not all cases can be provoked here; run it as a test to see which" >&3
	fi
	done_testing
fi

# A line for each case: its name; is it as it should be?
# shellcheck disable=SC2016 # for jq
jq -rn --slurpfile golden "$GOLDEN" --slurpfile seen "$TMP/table" '
	$golden[0] as $want | $seen[0] as $seen | ($want + $seen | keys[]) |
	"\(.)|\(if $want[.] == null then "new" elif $seen[.] == null then "unseen"
		elif $want[.] == $seen[.] then "same" else "differs" end)"' >"$TMP/cases"
while IFS='|' read -r name how; do
	case $how in
	same)	ok "$name: its record" ;;
	unseen)	[[ $WITHOUT == *"|$name|"* ]] ||
			not_ok "$name: is in 61-codes.json" "a case here" ;;
	*)	not_ok "$name: its record" "that of 61-codes.json" "another one:"
		for table in "$GOLDEN" "$TMP/table"; do
			jq --arg name "$name" '.[$name]' "$table" >"$TMP/$(basename "$table").one"
		done
		diff -U 99 --label expected --label seen "$TMP/61-codes.json.one" "$TMP/table.one" |
			sed 's/^/# /' ;;
	esac
done <"$TMP/cases"

# Each code in the book that is not the command's own is in the table, and no other is.
is "$(jq -r '[keys[] | split(" ")[0]] | unique | join(" ")' "$GOLDEN")" \
	"$(json errors explain '[.[].code | select(startswith("REIN-E09") | not)] | sort | join(" ")')" \
	"the codes of 61-codes.json are those of the book"
done_testing
