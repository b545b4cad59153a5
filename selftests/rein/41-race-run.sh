#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rein race: one wins, its output is the output, and nothing is left of the others.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a
HOME_CGROUP=$CGROOT/$CGTEST/a

# race ARGUMENT...: in the cgroup of this test; OUT and ERR have what it says
race() {
	local rc=0

	in_cgroup a rein race "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || rc=$?
	OUT=$(head -c 1000 "$TMP/out" | tr -d "\\0") ERR=$(cat "$TMP/err")
	return $rc
}

# ends_with STATUS DESCRIPTION ARGUMENT...
ends_with() {
	local want=$1 what=$2 rc=0

	shift 2
	race "$@" || rc=$?
	is "$rc" "$want" "$what"
	[ "$rc" = "$want" ] || note "$ERR"
}

# behind COMMAND...: in the same cgroup, in the background; PID is its own
behind() {
	# shellcheck disable=SC2016 # for the inner shell
	background bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$HOME_CGROUP" "$@"
}

# left: cgroups below that of this test, and processes
left() {
	find "$HOME_CGROUP" -mindepth 1 -type d
	find "$HOME_CGROUP" -name cgroup.procs -exec cat {} +
}

# outcomes: number, outcome and status of each replica, as -j says
outcomes() {
	jq -r '[.replicas[] | "\(.number) \(.outcome) \(.status)"] | join(", ")' <<<"$ERR"
}

# --- who wins ---------------------------------------------------------------------

# shellcheck disable=SC2016 # for the inner shell
SCRIPT='echo "out {} $REIN_REPLICA"; echo err {} >&2; [ {} = 2 ] || sleep 1000'
ends_with 0 "the first that succeeds" -n 3 -- sh -c "$SCRIPT"
is "$OUT/$ERR" "out 2 2/err 2" "its output is the output"
is "$(left)" "" "nothing is left of the others"
ends_with 0 "the same as JSON" -n 3 -j -- sh -c "echo {} >&2; [ {} = 3 ] || sleep 1000"
ERR=$(tail -n 1 <<<"$ERR")
is "$(jq -r '"\(.result) \(.winner)"' <<<"$ERR")" "won 3" "who has won"
is "$(outcomes)" "1 cancelled 137, 2 cancelled 137, 3 won 0" "what became of each"
ends_with 0 "a large output" -n 2 -- sh -c 'head -c 5000000 /dev/zero; [ {} = 1 ] || sleep 1000'
is "$(stat -c %s "$TMP/out")" 5000000 "is there in full"
ends_with 0 "what the winner leaves" -n 2 -- sh -c 'setsid sleep 1000 & echo {}'
is "$(left)" "" "is killed, too"
is "$(in_cgroup a rein race -n 1 -- cat <<<hello)" "hello" "one alone reads what rein would"
ends_with 0 "of several none reads anything" -n 2 -- cat
ends_with 141 "none has SIGPIPE ignored" -n 1 -- sh -c 'kill -PIPE $$'
rein race -n 2 -- sh -c 'head -c 5000000 /dev/zero' | head -c 1 >/dev/null
is "${PIPESTATUS[0]}" 0 "a reader that has seen enough is no error"

# shellcheck disable=SC2016 # for the inner shell
is "$(in_cgroup a bash -c 'trap "" CHLD; exec rein race -n 2 --after 60s -- sh -c "echo {}; exit \$((2 - {}))"')" \
	2 "one that fails doesn't win if whoever runs rein ignores children"
# Into none of rein's own descriptors.
matches "$(in_cgroup a rein race -n 1 -- echo out 2>&1 >&-)" \
	"^error: the output can't be written: Bad file descriptor" "standard output is closed"

# shellcheck disable=SC2317 # wait_for calls it
has_ended() {
	! kill -0 "$1" 2>/dev/null
}
mkfifo "$TMP/fifo"
exec 9<>"$TMP/fifo"
# Once the winner's standard error is there its output follows, of which a pipe has no room.
behind rein race --name full -n 1 -- sh -c 'echo has won >&2; head -c 500000 /dev/zero' \
	>"$TMP/fifo" 2>"$TMP/winner"
wait_for 10 grep -q "has won" "$TMP/winner"
kill -TERM "$PID"
wait_for 10 has_ended "$PID" || kill -KILL "$PID"
{ wait "$PID"; } 2>/dev/null
is $? 143 "output that nobody reads doesn't keep it from a signal"
exec 9>&-
is "$(left)" "" "nothing is left then"

# --- one after the other ----------------------------------------------------------

ends_with 0 "--after: the first has its time" -n 3 --after 60s -j -- sh -c 'echo {}'
is "$(outcomes)" "1 won 0" "no other is started"
# Where it takes that long to start and end the second there would be a third.
after=200ms
[ -z "$DEBUG" ] || after=3s
ends_with 0 "another one if that is over" -n 3 --after $after -j -- \
	sh -c '[ {} = 2 ] || sleep 1000; echo {}'
is "$(outcomes)" "1 cancelled 137, 2 won 0" "it wins"
ends_with 0 "one that fails makes room, at once" -n 3 --after 60s -j -- \
	sh -c '[ {} = 3 ] || exit {}'
is "$(outcomes)" "1 failed 1, 2 failed 2, 3 won 0" "for the next"
ends_with 13 "if all fail it ends as the last" -n 3 --after infinity -v -- sh -c 'echo {}; exit 1{}'
is "$OUT" 3 "whose output is the output"
matches "$ERR" "^replica 2: failed with status 12 after " "-v says what became of each"
ends_with 127 "a command that isn't there" -n 2 -- /none/such
ends_with 0 "of one of them" -n 2 --after 60s -- "$(command -v sh)" -c '[ {} = 2 ]'

# --- what pays --------------------------------------------------------------------

rein limit add hedge --cgroup "$(cg a)" --on call --rate 1/hour,burst=2
ends_with 0 "--budget: each but the first takes a token" -n 5 --budget hedge -j -- \
	sh -c 'sleep 0.{}'
is "$(jq '.replicas | length' <<<"$ERR")" 3 "until there are none"
ends_with 0 "then there is but one" -n 5 --budget hedge --after 50ms -j -- sleep 0.5
is "$(outcomes)" "1 won 0" "and that goes on"
ends_with 9 "if that fails there is no other" -n 5 --budget hedge --after 60s -- sh -c 'exit 9'
ends_with 125 "a budget that isn't there" -n 2 --budget none -- true
is "$(limit hedge .stats.passed.calls)" 2 "the first never pays"

# --- its end ----------------------------------------------------------------------

ends_with 124 "--timeout" -n 3 --timeout 300ms -- sleep 1000
matches "$ERR" "^error: the race was ended: its deadline has passed$" "it is said why"
is "$OUT$(left)" "" "nothing is left"
ends_with 124 "no time at all" -n 3 --timeout 0 -- touch "$TMP/ran"
is "$(find "$TMP" -name ran)" "" "nothing is run"

# replicas NAME N: so many of that race are in their cgroups
# shellcheck disable=SC2317 # wait_for calls it
replicas() {
	[ "$(rein -j scope list "$1" | jq 'map(select(.cgroup)) | length')" = "$2" ]
}
behind rein -q race --name r -n 3 -- sleep 1000
wait_for 10 replicas r 3
is "$(rein -j scope list r | jq -r '[.[] | .number] | join(" ")')" " 1 2 3" \
	"it is listed with its replicas"
rein scope cancel r --reason "enough"
wait "$PID"
is $? 122 "it is cancelled by its name"
behind rein -q race --name r -n 2 --after 60s -- sh -c '[ {} = 2 ] || sleep 1000'
wait_for 10 replicas r 1
rein scope cancel "$(rein -j scope list r | jq -r '.[1].id')"
wait "$PID"
is $? 0 "if a replica is cancelled the next is begun"
behind rein race --name r -n 2 -- sleep 1000
wait_for 10 replicas r 2
kill -TERM "$PID"
wait "$PID"
is $? 143 "SIGTERM ends rein, and all of it"
is "$(left)" "" "nothing is left"
behind rein race --name r -n 2 -- sleep 1000
wait_for 10 replicas r 2
kill -KILL "$PID"
{ wait "$PID"; } 2>/dev/null
if wait_for 10 _empty "$HOME_CGROUP"; then
	ok "rein is killed: the kernel kills all of them"
else
	not_ok "rein is killed: the kernel kills all of them" "nobody" "$(left)"
fi
done_testing
