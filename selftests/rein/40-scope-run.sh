#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rein scope run, and what can be seen and done of it from outside: a command ends with all
# that it has started, whatever it does, and nothing is left of it.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a user
HOME_CGROUP=$CGROOT/$CGTEST/a

# here COMMAND...: in the cgroup of this test
# shellcheck disable=SC2317 # exits_with calls it
here() {
	in_cgroup a "$@"
}

# behind COMMAND...: the same in the background; PID is its own
behind() {
	# shellcheck disable=SC2016 # for the inner shell
	background bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$HOME_CGROUP" "$@"
}

# left: cgroups below that of this test, and processes
left() {
	find "$HOME_CGROUP" -mindepth 1 -type d
	find "$HOME_CGROUP" -name cgroup.procs -exec cat {} +
}

# is_listed NAME: there is a scope of that name, and it is not done
# shellcheck disable=SC2317 # wait_for calls it
is_listed() {
	rein -j scope list "$1" | grep -q '"cause":null'
}

# --- statuses ---------------------------------------------------------------------

exits_with 0 "a command that succeeds" here rein scope run -- true
exits_with 7 "its status is that of rein" here rein scope run --timeout 60s -- sh -c 'exit 7'
# shellcheck disable=SC2016 # for the inner shell
exits_with 143 "that of one that a signal ends, too" here rein scope run -- sh -c 'kill -TERM $$'
exits_with 124 "one that takes too long" here rein scope run --timeout 200ms -- sleep 100
matches "$OUT" "^error: the command was ended: its deadline has passed$" "it is said why"
matches "$(rein errors show "$(record_id <<<"$OUT")")" "code: +REIN-E0601" "there is a record"
exits_with 124 "one that has no time at all" here rein scope run --timeout 0 -- touch "$TMP/ran"
is "$(ls "$TMP")" "" "it isn't run"
exits_with 127 "one that isn't there" here rein scope run -- /none/such
exits_with 126 "one that can't be executed" here rein scope run -- /etc/passwd
exits_with 7 "its status, if whoever runs rein ignores those of children" here \
	bash -c 'trap "" CHLD; exec rein scope run -- sh -c "exit 7"'
# shellcheck disable=SC2016 # for the inner shell
is "$(here bash -c 'trap "" CHLD; exec rein scope run -- grep SigIgn /proc/self/status')" \
	"$(bash -c 'trap "" CHLD; exec grep SigIgn /proc/self/status')" "who is run ignores them, too"
# shellcheck disable=SC2016 # for the inner shell
is "$(here bash -c 'exec rein scope run -- sh -c "readlink /proc/\$\$/fd/0 /proc/\$\$/fd/2; echo end" <&- 2>&-')" \
	"end" "what is closed is closed for it, too"
is "$(here rein scope run --name -x -- true 2>&1 | head -n 1)" \
	"error: a scope can't be called '-x'" "a name that looks like an option"
is "$(left)" "" "nothing is left of any of them"

# --- what runs in there -----------------------------------------------------------

is "$(here rein scope run --name build -- cat /proc/self/cgroup)" "0::/$CGTEST/a/rein-build" \
	"it runs in a cgroup of its own, from the beginning"
is "$(echo hello | here rein scope run -- cat)" "hello" "it reads what rein would"
# shellcheck disable=SC2016
is "$(here rein scope run -- sh -c 'cut -d" " -f5 /proc/$$/stat')" "$(cut -d' ' -f5 /proc/$$/stat)" \
	"it is in the process group of rein, so that it may read the terminal"
here rein scope run -- sh -c 'ls -l /proc/self/fd' >"$TMP/fds"
is "$(grep -c -e rein -e cgroup "$TMP/fds")" 0 "it inherits no descriptors of rein's"
exits_with 124 "many processes that go on forking" here rein scope run --timeout 500ms -- \
	bash -c 'f() { while :; do f & done; }; f'
is "$(left)" "" "all of them are dead"
exits_with 0 "a command that leaves others behind" here rein scope run -- \
	sh -c 'setsid sleep 1000 & setsid sleep 1000 & mkdir /proc/self/x 2>/dev/null; true'
is "$(left)" "" "they are dead, too"
# shellcheck disable=SC2016
exits_with 124 "a command that makes cgroups in its own" here rein scope run --timeout 300ms -- \
	sh -c 'D='"$CGROOT"'$(cut -d: -f3 /proc/self/cgroup); mkdir -p $D/x/y/z $D/w
		echo $$ >$D/x/y/z/cgroup.procs; sleep 1000'
is "$(left)" "" "they are removed"

# One that leaves, and removes the cgroup behind it, is waited for, and not in a loop.
# shellcheck disable=SC2016 # for the inner shell
behind rein scope run --name away -- bash -c \
	'echo $$ >"$0/cgroup.procs"; rmdir "$0/a/rein-away"; echo $$ >"$1"; exec sleep 1000' \
	"$CGROOT/$CGTEST" "$TMP/away"
# ticks PID: of CPU time
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}
wait_for 30 test -s "$TMP/away"
# For two seconds: nothing is to happen in that time, so there is no event to wait for.
before=$(ticks "$PID")
sleep 2
at_most $(($(ticks "$PID") - before)) 50 "a command that has left its cgroup costs no CPU time"
kill "$(cat "$TMP/away")"
wait "$PID"
is $? 143 "its end is noticed"

# --- signals ----------------------------------------------------------------------

trap_term='trap "echo heard; exit 3" TERM; sleep 1000 & wait'
exits_with 124 "-s: the command is told" here rein scope run --timeout 2s -s TERM -- \
	bash -c "$trap_term"
matches "$OUT" "^heard$" "it hears it"
exits_with 124 "-s alone never kills" here rein scope run --timeout 1s -s TERM -- \
	sh -c 'trap "" TERM; sleep 3; echo still here'
matches "$OUT" "^still here$" "it goes on"
exits_with 124 "-s and -k: then it is killed" here rein scope run --timeout 1s -s USR1 -k 100ms \
	-- sh -c 'trap "" USR1; sleep 1000'
exits_with 124 "-k alone: TERM, then it is killed" here rein scope run --timeout 2s -k 60s -- \
	bash -c "$trap_term"
matches "$OUT" "^heard$" "it hears TERM"
exits_with 124 "all processes are told, not only the first" here rein scope run --timeout 2s \
	-s TERM -- bash -c "($trap_term) & ($trap_term) & trap '' TERM; wait"
is "$(grep -c heard <<<"$OUT")" 2 "both of its children have heard it"

for sig in INT TERM HUP; do
	# Without job control what a shell has in the background ignores INT.
	set -m
	behind rein scope run --name sig -- sleep 1000
	set +m
	wait_for 10 is_listed sig
	kill "-$sig" "$PID"
	wait "$PID"
	is $? $((128 + $(kill -l "$sig"))) "SIG$sig ends rein, and its command"
	matches "$(rein errors list)" "E0602.*rein scope run: SIG$sig" "the record says so"
done
behind rein scope run --name gone -- sh -c 'sleep 1000 & sleep 1000'
wait_for 10 is_listed gone
kill -KILL "$PID"
{ wait "$PID"; } 2>/dev/null
if wait_for 10 _empty "$HOME_CGROUP/rein-gone"; then
	ok "rein is killed: the kernel kills all that ran"
else
	not_ok "rein is killed: the kernel kills all that ran" "nobody" \
		"$(cat "$HOME_CGROUP/rein-gone/cgroup.procs")"
fi
is "$(rein -j scope show gone | jq -r .cause)" owner-exit "its owner has ended, it says"
rmdir "$HOME_CGROUP/rein-gone"

# --- from outside -----------------------------------------------------------------

exits_with 0 "no scope: that is not done" here rein scope check
behind rein -q scope run --name job --timeout 60s -s USR1 -k 60s -- bash -c \
	'trap "" USR1; echo runs; while rein -q scope check; do sleep 0.05; done
	 rein scope check; echo $?; sleep 1000' >"$TMP/job" 2>&1
job=$PID
wait_for 10 grep -q runs "$TMP/job"
is "$(rein -j scope list job | jq -r '.[] | "\(.name) \(.cause) \(.cgroup) \(.kills)"')" \
	"job null /$CGTEST/a/rein-job true" "it is listed"
at_most "$(rein -j scope show job | jq .left_ns)" 60000000000 "its time runs"
exits_with 4 "it isn't done" rein scope wait job --timeout 50ms
exits_with 2 "there is no other one" rein scope wait jobs --timeout 50ms
id=$(rein -j scope show job | jq -r .id)
background rein scope wait "$id" >"$TMP/wait"
waiter=$PID
exits_with 0 "it is cancelled" rein -j scope cancel job --reason "enough of it"
is "$(jq -r '"\(.result) \(.cause) \(.reason)"' <<<"$OUT")" "cancelled user enough of it" \
	"that is said"
wait "$waiter"
is $? 0 "who waits for it is told"
matches "$(cat "$TMP/wait")" "^user: it was cancelled: enough of it, by pid" "and why"
wait_for 10 grep -q 5 "$TMP/job"
is "$(sed 's/, by.*//' "$TMP/job" | paste -sd' ')" "runs user: it was cancelled: enough of it 5" \
	"what runs in there can see it"
exits_with 0 "it is cancelled again" rein scope cancel "$id"
matches "$OUT" "^done before: user: it was cancelled: enough of it" "that was done before"
kill -TERM "$job"
wait "$job"
is $? 143 "a signal doesn't wait for it any longer"
is "$(left)" "" "it has ended"

# --- takes ------------------------------------------------------------------------

rein limit add jobs --cgroup "$(cg a)" --on call --rate 1/hour,burst=1 --over wait
here rein take jobs
exits_with 4 "a take has no more time than the scope" here rein scope run --timeout 60s -- \
	rein take jobs --timeout infinity
behind rein scope run --name taker -s USR1 -k 60s -- bash -c \
	'trap : USR1; rein -j take jobs 2>&1' >"$TMP/take" 2>&1
# shellcheck disable=SC2317 # wait_for calls it
has_waiter() {
	[ "$(rein -j scope show taker 2>/dev/null | jq .waiters)" = 1 ]
}
wait_for 10 has_waiter
is "$(rein -j scope show taker | jq .waiters)" 1 "a take that waits is one of its waiters"
rein scope cancel taker
wait "$PID"
is $? 122 "it is cancelled"

# --- one in another ---------------------------------------------------------------

exits_with 124 "one in another, that ends" here rein scope run --timeout 2s -k 60s -- \
	bash -c 'trap "" TERM; rein -j scope run --name inner -- sleep 1000; echo $?'
matches "$OUT" '"cause":"parent"' "the inner one says that it was the outer one"
matches "$OUT" "^122$" "that is: cancelled"
is "$(left)" "" "nothing is left of either"

# --- without privileges -----------------------------------------------------------

# as_user COMMAND...: who has nothing but the cgroup
as_user() {
	# shellcheck disable=SC2016
	in_cgroup user setpriv --reuid 1001 --regid 1001 --clear-groups "$@"
}
mode=$(stat -c %a /dev/rein)
chmod 666 /dev/rein
exits_with 125 "in a cgroup that isn't his" as_user rein scope run -- true
matches "$OUT" "hint: .*systemd-run --user --scope -p Delegate=yes" "it is said what to do"
chown 1001 "$CGROOT/$CGTEST/user"
exits_with 125 "nor if only the directory is" as_user rein scope run -- true
chown 1001 "$CGROOT/$CGTEST/user/cgroup.procs"
exits_with 124 "in one that is" as_user rein scope run --timeout 200ms -- sleep 1000
behind rein scope run --name other -- sleep 1000
wait_for 10 is_listed other
is "$(as_user rein scope list)" "" "he doesn't see those of others"
exits_with 2 "nor can he end them" as_user rein scope cancel \
	"$(rein -j scope show other | jq -r .id)"
rein scope cancel other
wait "$PID"
is $? 122 "who may can"
chmod "$mode" /dev/rein
is "$(rein -j stat | jq .scopes)" 0 "no scopes are left"
is "$(rein errors list --severity error)" "" "nor was there anything that failed"
done_testing
