#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rein watch and rein beat: what there is, waiting for it, what is done if nobody beats, and
# rein watch run, also for those that speak to systemd.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a b user others
HOME_CGROUP=$CGROOT/$CGTEST/a
WATCHES=$(json stat .watches) SCOPES=$(json stat .scopes)
# Longer than any of this takes, also where a CPU stands still; and what is over soon.
LONG=100s SHORT=300ms

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

# other COMMAND...: likewise, in the cgroup of what watches are kept over
other() {
	# shellcheck disable=SC2016 # for the inner shell
	background bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$CGROOT/$CGTEST/others" "$@"
}

# left: cgroups below that of this test, and processes
left() {
	find "$HOME_CGROUP" -mindepth 1 -type d
	find "$HOME_CGROUP" -name cgroup.procs -exec cat {} +
}

# watch NAME EXPRESSION: of that watch
watch() {
	json watch show "$@"
}

# happens EVENT NAME DESCRIPTION: it has, or does so within 30 s; OUT says what
happens() {
	exits_with 0 "$3" rein watch wait "$2" --for "$1" --timeout 30s
}

# is_watched NAME: there is a watch of that name
# shellcheck disable=SC2317 # wait_for calls it
is_watched() {
	rein -j watch list "$1" | grep -q '"id"'
}

# waits PID: it has a watch open, so that it misses nothing from now on
# shellcheck disable=SC2317 # wait_for calls it
waits() {
	grep -qs rein-watch "/proc/$1/fdinfo/"*
}

# has_ended PID
# shellcheck disable=SC2317 # wait_for calls it
has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# ends PID STATUS DESCRIPTION: a process of the background, within 30 s
ends() {
	wait_for 30 has_ended "$1" || kill -KILL "$1"
	{ wait "$1"; } 2>/dev/null
	is $? "$2" "$3"
}

# --- what there is ----------------------------------------------------------------

other sleep 1000
worker=$PID
exits_with 0 "a watch over a process" rein -j watch add worker --pid "$worker" \
	--every $LONG --miss 2 --grace 200s --on-miss signal:USR1,kill:5s
is "$(jq -r '"\(.result) \(.watch) \(.id | type)"' <<<"$OUT")" "added worker string" "it is said"
id=$(jq -r .id <<<"$OUT")
exits_with 0 "one over a cgroup" rein watch add group --cgroup "$(cg others)" --unit-max $LONG \
	--min 0 --max 1000 --every 50s --on-miss kill
is "$OUT" "" "nothing is said without -v or -j"
ip link set lo up
sinks - 5201
# shellcheck disable=SC2016 # for the inner shell
other bash -c 'exec 7<>/dev/tcp/127.0.0.1/5201; echo $? >"$0"; exec sleep 1000' "$TMP/open"
wait_for 10 test -s "$TMP/open"
exits_with 0 "one over a socket" rein -v watch add conn --socket "$PID:7" --every $LONG \
	--on-miss record,reset:1s
matches "$OUT" "^added watch conn \(id [0-9]+\)$" "-v says so"

exits_with 0 "they are listed" rein watch list
is "$(head -n 1 <<<"$OUT" | tr -s ' ')" "ID NAME STATE OVER EVERY LEFT MISSES UNIT" "each in a line"
matches "$OUT" "^$id +worker +running +process $worker +100s +[0-9.]+min +0/2 +-$" "the process"
matches "$OUT" "group +running +cgroup /$CGTEST/others +50s" "the cgroup"
matches "$OUT" "conn +running +socket" "the socket"
is "$(rein watch list worker | wc -l)" 2 "by name"
is "$(rein watch list none)" "" "none of that name"
is "$(json watch list 'map(.name) | join(" ")')" "worker group conn" "by age, as JSON"
is "$(json watch list 'map(keys | length) | unique | length')" 1 "each has all keys"
is "$(watch worker '"\(.id) \(.state) \(.subject) \(.subject_pid) \(.every_ns) \(.grace_ns) \(.miss)"')" \
	"$id running process $worker 100000000000 200000000000 2" "what it is kept over, and its rules"
is "$(watch worker '[.steps[] | "\(.kind) \(.signal) \(.delay_ns) \(.done)"] | join(", ")')" \
	"signal SIGUSR1 0 false, kill null 5000000000 false" "its steps"
is "$(watch worker '[.fault, .record, .unit, .idle_ns, .socket, .beats_max] | unique | tostring')" \
	"[null]" "what there isn't is null"
is "$(watch conn '"\(.subject) \(.socket.protocol) \(.socket.destination_port)"')" "socket tcp 5201" \
	"which connection"
exits_with 0 "all of it as text" rein watch show worker
matches "$OUT" "^watch worker \(id $id\)$" "its name and id"
matches "$OUT" "^  over: +process $worker$" "what it is kept over"
matches "$OUT" "^            kill after 5s$" "what comes last"
is "$(rein -j watch show "$id" | jq -r .name)" worker "by id"
is "$(json stat .watches)" $((WATCHES + 3)) "they are counted"

# --- beats, and waiting for them --------------------------------------------------

exits_with 4 "there was no beat yet" rein watch wait worker --for beat --timeout 50ms
matches "$OUT" "^error: the watch has had no beat yet$" "it says so"
background rein -j watch wait "$id" --for beat >"$TMP/wait"
waiter=$PID
wait_for 10 waits "$waiter"
exits_with 0 "a beat" rein beat worker
is "$OUT" "" "says nothing"
ends "$waiter" 0 "who waits for it is told"
is "$(jq -r '"\(.result) \(.watch) \(.state) \(.beats) \(.misses)"' "$TMP/wait")" \
	"beat $id running 1 0" "and how it is"
is "$(watch worker '"\(.beats) \(.idle_ns | type)"')" "1 number" "it is counted"

exits_with 0 "a unit of work begins" rein -j beat group --begin job-17 --deadline 90s
is "$(jq -r '"\(.result) \(.watch) \(.token)"' <<<"$OUT")" "beat group null" "as JSON"
happens begin group "that it has begun isn't missed by who comes late"
matches "$OUT" "^begin: watch [0-9]+, running, in unit job-17$" "it names the unit"
matches "$(rein watch show group)" "^  unit: +job-17, for [0-9]" "so does show"
matches "$(rein watch list group)" " job-17$" "and list"
is "$(watch group '"\(.unit) \(.unit_ns | type) \(.begins) \(.ends)"')" "job-17 number 1 0" "and -j"
exits_with 2 "another unit can't end" rein beat group --end job-18
matches "$OUT" "^option: --end job-18$" "that is said"
exits_with 0 "this one can" rein beat group --end job-17
happens end group "that is seen"
is "$(watch group '"\(.unit) \(.ends)"')" "null 1" "nothing is under way any more"

exits_with 0 "an order of checkpoints" rein watch add path --pid "$worker" --order '1>2,2>1' \
	--miss 1
for at in 1 2 2; do
	rein beat path --checkpoint $at
done
happens miss path "one out of order is a fault"
is "$(watch path '"\(.state) \(.fault) \(.misses)"')" "running order 1" "it puts up with one"
rein beat path --checkpoint 3
happens expired path "but not with two in a row"
matches "$OUT" "^expired: watch [0-9]+, expired, fault order, record [0-9]+$" "that is said"
record=$(watch path .record)
exits_with 0 "it has a record" rein errors show "$record"
matches "$OUT" "^  code: +REIN-E0705" "of its code"
matches "$OUT" "checkpoint was out of order: 3 after 2" "which says what"
matches "$OUT" "watch: +path" "and which watch"
is "$(json errors show "$record" '"\(.code) \(.watch_name) \(.watch_id)"')" \
	"REIN-E0705 path $(watch path .id)" "as JSON, too"
exits_with 0 "a token" rein watch add token --pid "$worker" --every $LONG --token
token=$(rein beat token --token 0)
exits_with 2 "a beat with another one doesn't count" rein beat token --token 0
matches "$OUT" "^hint: " "it is said what to do"
exits_with 0 "with that of the beat before it does" rein beat token --token "$token"

# --- beats by packets ---------------------------------------------------------------

# What is sent is a beat, whatever becomes of it.
exits_with 0 "one that packets beat" rein watch add chatty --cgroup "$(cg others)" --every $LONG \
	--beat egress
rein limit add nothing --cgroup "$(cg others)" --on egress --rate 0
in_cgroup others tool-send -u -n 3 127.0.0.1 5001 >/dev/null
# What has come since the last look is seen now.
rein watch arm chatty
is "$(watch chatty '"\(.beats) \(.beat_by | join(" "))"')" "3 call egress" "three packets, three beats"
matches "$(rein watch show chatty)" "^  beaten by: +packets that it sends$" "it says what beats it"
rein limit del nothing
exits_with 0 "of both ways" rein watch add both --cgroup "$(cg others)" --every $LONG --beat any
is "$(watch both '.beat_by | join(" ")')" "call egress ingress" "either is a beat"
exits_with 1 "of a process" rein watch add no --pid "$worker" --every $LONG --beat any
matches "$OUT" "^hint: name one: --cgroup PATH, --socket PID:FD$" "it is said of what"
rein watch del chatty
rein watch del both

# --- armed, tested, deleted -------------------------------------------------------

exits_with 0 "a test does nothing" rein -j watch test worker
is "$(jq -r '"\(.result) \(.watch) \(.steps | map(.kind) | join(" "))"' <<<"$OUT")" \
	"tested worker signal kill" "but says what would be done"
is "$(watch worker '"\(.state) \(.expiries)"')" "running 0" "it goes on"
exits_with 0 "not armed" rein watch arm worker --off
is "$(watch worker '"\(.state) \(.left_ns)"')" "off null" "nothing is expected"
exits_with 2 "what is not armed can't be tested" rein watch test worker
matches "$OUT" "^hint: .*rein watch arm" "it is said what to do"
exits_with 0 "armed again" rein -j watch arm worker --every 50s --grace 60s
is "$(jq -r '"\(.result) \(.watch)"' <<<"$OUT")" "armed worker" "it is said"
is "$(watch worker '"\(.state) \(.every_ns) \(.misses) \(.left_ns > 50000000000)"')" \
	"running 50000000000 0 true" "with other times"
rein watch add real --pid "$worker" --every $LONG --on-miss record
exits_with 0 "a real test" rein watch test real --real
matches "$OUT" "^expired watch real" "it expires, that says"
happens step real "its steps are done"
is "$(watch real '"\(.state) \(.fault) \(.steps[0].done)"')" "expired test true" "as if it had missed"
rein beat real
happens resumed real "a beat after that is told of"
exits_with 0 "deleted" rein -j watch del real
is "$(jq -r '"\(.result) \(.watch)"' <<<"$OUT")" "deleted real" "it is said"
exits_with 2 "it isn't there any more" rein watch show real
background rein watch wait token --for gone >"$TMP/wait"
waiter=$PID
background rein watch wait token --for miss >"$TMP/other" 2>&1
other=$PID
wait_for 10 waits "$waiter"
wait_for 10 waits "$other"
rein watch del token
ends "$waiter" 0 "who waits for its end is told of that"
ends "$other" 2 "who waits for something else, too"
matches "$(cat "$TMP/other")" "^error: the watch is over, without any miss$" "that it won't come"

# --- names ------------------------------------------------------------------------

rein watch add twin --pid "$worker" --every $LONG
rein watch add twin --cgroup "$(cg others)" --every $LONG
first=$(json watch list twin '.[0].id')
for command in "watch show" "watch del" beat "watch wait --for beat"; do
	# shellcheck disable=SC2086 # several words
	exits_with 1 "$command: two have that name" rein $command twin
	matches "$OUT" "$first" "it says which"
	# shellcheck disable=SC2086
	exits_with 2 "$command: no watch has that name" rein $command nobody
	matches "$OUT" "^hint: see what there is: rein watch list$" "it says where to look"
done
exits_with 0 "one of them by its id" rein watch del "$first"
is "$(json watch list twin length)" 1 "the other one stays"
rein watch del twin

# as_user COMMAND...: who has nothing but the cgroup
as_user() {
	in_cgroup user setpriv --reuid 1001 --regid 1001 --clear-groups "$@"
}
mode=$(stat -c %a /dev/rein)
chmod 666 /dev/rein
is "$(as_user rein watch list)" "" "watches of others aren't seen"
exits_with 2 "nor shown" as_user rein watch show "$id"
exits_with 2 "nor deleted" as_user rein watch del "$id"
exits_with 2 "nor do they take a beat" as_user rein beat "$id"
matches "$OUT" "^hint: " "it is said who may"
exits_with 2 "nor can one be kept over a process of others" as_user rein watch add w \
	--pid "$worker" --every 1s
matches "$OUT" "^hint: " "it is said what that takes"
exits_with 2 "nor over their cgroups" as_user rein watch add w --cgroup "$(cg others)" --every 1s
rein watch add his --cgroup "$(cg user)" --every $LONG
exits_with 0 "who is in there may beat" as_user rein beat his
exits_with 2 "but not end it" as_user rein watch del his
rein watch del his
# shellcheck disable=SC2016 # for the inner shell
exits_with 0 "over himself he may keep one" as_user sh -c \
	'rein watch add mine --pid $$ --every 100s && rein beat mine && rein watch del mine'
chmod "$mode" /dev/rein

# --- what is done -----------------------------------------------------------------

# shellcheck disable=SC2016 # for the inner shell
other bash -c 'trap "echo heard" USR1; echo runs; while :; do sleep 1000 & wait; done' >"$TMP/job"
job=$PID
wait_for 10 grep -q runs "$TMP/job"
rein watch add ladder --pid "$job" --every $SHORT --on-miss signal:USR1,kill:2s
background rein watch wait ladder --for gone >"$TMP/wait"
waiter=$PID
happens expired ladder "nobody beats"
happens step ladder "it is told"
ends "$job" 137 "and then killed"
ends "$waiter" 0 "that is the end of the watch"
matches "$(cat "$TMP/job")" "^heard$" "it had heard the signal before"
is "$(json errors list 'map(select(.watch_name == "ladder")) | map(.code) | unique | join(" ")')" \
	"REIN-E0701 REIN-E0706 REIN-E0709 REIN-E0710" "all of that is in records"

other bash -c 'trap "echo heard" USR1; echo runs; while :; do sleep 1000 & wait; done' >"$TMP/job2"
job=$PID
wait_for 10 grep -q runs "$TMP/job2"
rein watch add ladder --pid "$job" --every $SHORT --on-miss signal:USR1,kill:1000s
happens step ladder "nobody beats, it is told"
rein beat ladder
happens resumed ladder "it beats again"
is "$(watch ladder '"\(.state) \(.at_step) \(.steps[1].done)"')" "expired 1 false" \
	"it isn't killed, but stays expired"
exits_with 0 "until it is armed" rein watch arm ladder --every $LONG
is "$(watch ladder '"\(.state) \(.misses)"')" "running 0" "then all begins anew"
rein watch del ladder
kill -KILL "$job"

behind rein scope run --name job -- sleep 1000
job=$PID
wait_for 10 test -e "$HOME_CGROUP/rein-job/cgroup.kill"
# shellcheck disable=SC2317 # wait_for calls it
add_cancel() {
	rein -q watch add stuck --cgroup "$(cg a/rein-job)" --every "$SHORT" \
		--on-miss cancel 2>/dev/null
}
wait_for 10 add_cancel || not_ok "a watch that cancels"
ends "$job" 122 "a scope is cancelled"
wait_for 10 eval "! is_watched stuck"
is "$(json errors list 'map(select(.watch_name == "stuck")) | map(.code) | unique | join(" ")')" \
	"REIN-E0701 REIN-E0706 REIN-E0709 REIN-E0710" "the watch has ended with its cgroup"
exits_with 1 "where there is no scope" rein watch add stuck --cgroup "$(cg a)" --every 1s \
	--on-miss cancel
matches "$OUT" "^hint: run it in a scope" "it is said how to have one"

# shellcheck disable=SC2016 # for the inner shell
other bash -c 'exec 7<>/dev/tcp/127.0.0.1/5201; echo runs; read -r -u 7; echo $?' >"$TMP/read" 2>&1
job=$PID
wait_for 10 grep -q runs "$TMP/read"
rein watch add tcp --socket "$job:7" --every $SHORT --on-miss reset
ends "$job" 0 "a connection is reset"
matches "$(cat "$TMP/read")" "imed out" "who reads from it gets ETIMEDOUT"
wait_for 30 eval "! is_watched tcp" || not_ok "the watch ends with the connection"

# shellcheck disable=SC2016 # for the inner shell
background rein monitor watches --exec \
	'env | grep ^REIN_WATCH | sort >'"$TMP/heal.new"' && mv '"$TMP/heal.new $TMP"'/heal.$REIN_WATCH_RECORD' \
	>"$TMP/monitor" 2>&1
monitor=$PID
wait_for 10 grep -q listening "$TMP/monitor"
rein watch add sick --pid "$worker" --every $SHORT --on-miss exec
happens step sick "who listens is to heal it"
sick=$(watch sick .id)
wait_for 10 eval "ls $TMP/heal.[0-9]* >$TMP/healed 2>/dev/null"
is "$(sed 's/^REIN_WATCH_RECORD=[0-9]*$/REIN_WATCH_RECORD=N/' "$TMP"/heal.* | paste -sd' ')" \
	"REIN_WATCH_CGROUP= REIN_WATCH_FAULT=silent REIN_WATCH_ID=$sick REIN_WATCH_NAME=sick REIN_WATCH_PID=$worker REIN_WATCH_RECORD=N REIN_WATCH_SUBJECT=process" \
	"it knows which, and why"
matches "$(rein errors show "$(cat "$TMP"/heal.* | sed -n 's/^REIN_WATCH_RECORD=//p')")" \
	"watch: +sick" "and the record of that"
rein watch test sick >/dev/null 2>&1
rein watch del sick
wait_for 10 grep -q "^gone .* sick" "$TMP/monitor"
is "$(wc -l <"$TMP/healed")" 1 "it runs once"
is "$(grep sick "$TMP/monitor" | cut -d' ' -f1 | grep -v missed | paste -sd' ')" \
	"made armed expired step gone" "that is what is heard of it"
kill "$monitor"

in_cgroup b sleep 1000 &
_pids+=($!)
frozen=$CGROOT/$CGTEST/b
wait_for 10 grep -q 'populated 1' "$frozen/cgroup.events"
echo 1 >"$frozen/cgroup.freeze"
wait_for 10 grep -q 'frozen 1' "$frozen/cgroup.events"
rein watch add frozen --cgroup "$(cg b)" --every 500ms
# Nothing is to happen, so there is no event to wait for.
sleep 2
is "$(watch frozen '"\(.state) \(.frozen) \(.faults)"')" "running true 0" \
	"a frozen cgroup doesn't miss anything"
matches "$(rein watch show frozen)" "frozen: time doesn't count" "that is said"
matches "$(rein watch list frozen)" "running, frozen" "in the list, too"
echo 0 >"$frozen/cgroup.freeze"
happens expired frozen "it does, when it isn't frozen any more"
is "$(watch frozen .frozen)" false "that is said, too"
rein watch del frozen

# --- a command --------------------------------------------------------------------

exits_with 0 "a command that succeeds" here rein watch run w --every $LONG -- true
exits_with 7 "its status is that of rein" here rein watch run w --every $LONG -- sh -c 'exit 7'
# shellcheck disable=SC2016 # for the inner shell
exits_with 143 "that of one that a signal ends, too" here rein watch run w --every $LONG -- \
	sh -c 'kill -TERM $$'
exits_with 127 "one that isn't there" here rein watch run w --every 1s -- /none/such
exits_with 126 "one that can't be executed" here rein watch run w --every 1s -- /etc/passwd
exits_with 124 "one that doesn't beat" here rein watch run w --every $SHORT -- sleep 1000
matches "$OUT" "^error: the command was ended: its watch has expired: too few beats in a cycle$" \
	"it is said why"
matches "$(rein errors show "$(record_id <<<"$OUT")")" "code: +REIN-E0701" "there is a record"
is "$(left)" "" "nothing is left of any of them"
exits_with 124 "one that goes on forking" here rein watch run w --every 500ms -- \
	bash -c 'f() { while :; do f & done; }; f'
is "$(left)" "" "all of that is dead"
exits_with 3 "one that ends itself when it is told" here rein watch run w --every 2s \
	--on-miss record -- bash -c 'rein watch wait w --for step --timeout 60s; exit 3'
exits_with 124 "a signal that ends it" here rein watch run w --every 2s \
	--on-miss signal:TERM,kill:100s -- bash -c 'trap "echo heard; exit 3" TERM; sleep 1000 & wait'
matches "$OUT" "^heard$" "it hears it"
exits_with 124 "cancelled" here rein watch run w --every $SHORT --on-miss cancel -- sleep 1000
# shellcheck disable=SC2016 # for the inner shell
exits_with 0 "it beats by its name, and knows no other" here rein watch run w --every $LONG -- sh -c \
	'rein beat w --begin one && rein beat w --end one && rein watch show w'
matches "$OUT" "^  begins: +1$" "that is counted"
is "$(here rein watch run w --every $LONG -- cat /proc/self/cgroup)" "0::/$CGTEST/a/rein-w" \
	"it runs in a cgroup of its own"
is "$(here rein -j watch run w --every $LONG -- sh -c 'exit 5' 2>&1 | jq -r '"\(.result) \(.watch) \(.status)"')" \
	"ended w 5" "-j says how it ended"

# --- one that speaks to systemd ---------------------------------------------------

is "$(here rein watch run d --every 2s --miss 1 -- tool-notify usec)" 4000000 \
	"it is told how often it has to beat"
exits_with 0 "it beats for longer than its cycle" here rein watch run d --every 2s -- \
	tool-notify READY=1 beat:100:35 barrier
exits_with 124 "it hangs after that" here rein watch run d --every 1s --grace $LONG -- \
	tool-notify READY=1 beat:100:5 hang
exits_with 124 "it hangs before it is ready" here rein watch run d --every $LONG --grace 1s -- \
	tool-notify barrier hang
exits_with 0 "it has its time until then" here rein watch run d --every 1s --grace $LONG -- \
	sh -c 'sleep 2.5; exec tool-notify READY=1 barrier'
exits_with 0 "it extends that" here rein watch run d --every 2s -- \
	tool-notify "EXTEND_TIMEOUT_USEC=100000000" barrier "make:$TMP/extended"
behind rein watch run d --every 1s --grace $LONG -- tool-notify READY=1 \
	EXTEND_TIMEOUT_USEC=100000000 barrier "make:$TMP/longer" hang
job=$PID
wait_for 10 test -e "$TMP/longer"
at_least "$(watch d .left_ns)" 10000000000 "then it has more time than a cycle"
is "$(watch d '"\(.every_ns) \(.faults)"')" "1000000000 0" "which stays as it is"
kill "$job"
ends "$job" 143 "SIGTERM ends it"
behind rein watch run d --every 1s -- tool-notify WATCHDOG_USEC=50000000 barrier \
	"make:$TMP/slower" hang
job=$PID
wait_for 10 test -e "$TMP/slower"
is "$(watch d .every_ns)" 50000000000 "it asks for another cycle"
kill "$job"
ends "$job" 143 "and ends"
exits_with 124 "it asks to be ended" here rein watch run d --every $LONG -- \
	tool-notify READY=1 WATCHDOG=trigger hang
matches "$OUT" "its watch has expired" "that is said"
exits_with 0 "it is about to end, and takes its time" here rein watch run d --every 1s -- \
	sh -c 'tool-notify STOPPING=1 barrier; sleep 2'
exits_with 0 "what it says of itself" here rein -v watch run d --every $LONG -- \
	tool-notify "STATUS=half of it" barrier
matches "$OUT" "half of it" "is printed with -v"
behind rein watch run d --every 1s --grace $LONG -- \
	tool-notify READY=1 "beat:$TMP/enough:100" "make:$TMP/seen" hang 2>"$TMP/hung"
job=$PID
# Longer than its cycle; nothing is to happen.
sleep 3
is "$(watch d '"\(.state) \(.faults)"')" "running 0" "while it beats nothing is missed"
at_least "$(watch d .beats)" 5 "each is counted"
touch "$TMP/enough"
wait_for 10 test -e "$TMP/seen"
ends "$job" 124 "when it hangs it is killed"
matches "$(cat "$TMP/hung")" "too few beats in a cycle$" "that is said"
# Sent from elsewhere: those in the cgroup alone are heard.
# shellcheck disable=SC2016 # for the inner shell
behind rein watch run d --every 1s --grace $LONG -- \
	sh -c 'echo "$NOTIFY_SOCKET" >'"$TMP/socket"'; exec sleep 1000'
job=$PID
wait_for 10 test -s "$TMP/socket"
NOTIFY_SOCKET=$(cat "$TMP/socket") tool-notify READY=1 WATCHDOG=1 WATCHDOG=trigger barrier
is "$(watch d '"\(.state) \(.beats)"')" "running 0" "others aren't listened to"
kill "$job"
ends "$job" 143 "SIGTERM ends it, too"
is "$(left)" "" "nothing is left"
is "$(ls -d "${TMPDIR:-/tmp}"/rein-?????? 2>/dev/null)" "" "nor sockets"

# --- again, and not ---------------------------------------------------------------

# Hangs the first time, fails the second, and succeeds then.
# shellcheck disable=SC2016 # for the inner shell
exits_with 0 "one that hangs is started again" here rein watch run r --every 1s --grace 2s \
	--restart --backoff 100ms,1s -- sh -c \
	'echo run >>"$0"; case $(wc -l <"$0") in 1) sleep 1000 ;; 2) exit 9 ;; *) exit 0 ;; esac' "$TMP/runs"
is "$(wc -l <"$TMP/runs")" 3 "and so is one that fails"
matches "$OUT" "r is started again in 100ms" "it says so"
matches "$OUT" "r is started again in 200ms" "after a longer time"
behind rein watch run r --every $LONG --restart --backoff 1000s -- false 2>"$TMP/again"
job=$PID
wait_for 10 grep -q "^note: r is started again in" "$TMP/again"
is "$(left)$(rein watch list r)" "$job" "until then there is neither cgroup nor watch"
kill "$job"
ends "$job" 143 "a signal ends it while it waits"

for sig in INT TERM HUP; do
	# Without job control what a shell has in the background ignores INT.
	set -m
	behind rein watch run sig --every $LONG --restart -- sleep 1000
	set +m
	wait_for 10 is_watched sig
	kill "-$sig" "$PID"
	ends "$PID" $((128 + $(kill -l "$sig"))) "SIG$sig ends rein, and its command"
done
behind rein watch run told --every $LONG -s USR1 -- bash -c \
	'trap "echo heard; exit" USR1; echo runs; sleep 1000 & wait' >"$TMP/told"
job=$PID
wait_for 10 grep -q runs "$TMP/told"
kill "$job"
ends "$job" 143 "-s: SIGTERM is passed on as another"
matches "$(cat "$TMP/told")" "^heard$" "it hears that"
is "$(left)" "" "nothing is left"
behind rein watch run gone --every $LONG -- sh -c 'sleep 1000 & sleep 1000'
wait_for 10 is_watched gone
kill -KILL "$PID"
{ wait "$PID"; } 2>/dev/null
if wait_for 10 _empty "$HOME_CGROUP/rein-gone"; then
	ok "rein is killed: the kernel kills all that ran"
else
	not_ok "rein is killed: the kernel kills all that ran" "nobody" \
		"$(cat "$HOME_CGROUP/rein-gone/cgroup.procs")"
fi
wait_for 10 eval "! is_watched gone" || not_ok "its watch ends, too"
rmdir "$HOME_CGROUP/rein-gone"
rm -rf "${TMPDIR:-/tmp}"/rein-??????

# --- mistakes ---------------------------------------------------------------------

# mistake ARGUMENT...: of rein, which is no request to the kernel
mistake() {
	exits_with "$STATUS" "mistake: $*" rein "$@"
	matches "$OUT" "^hint: " "there is a hint"
}
# There are more in the unit tests of the command.
STATUS=1
mistake watch ad
mistake watch add w --every 1s
mistake watch add w --pid 1
mistake watch add w --pid 1 --cgroup / --every 1s
mistake watch add w --pid 1 --every 5x
mistake watch add w --pid 1 --every 1s --on-miss bark
mistake watch add w --pid 1 --every 1s --pretimeout 2s
mistake watch add w --cgroup none/such --every 1s
mistake watch wait w
mistake watch wait w --for ever
mistake beat w --begin a --end b
mistake monitor limits --exec true
STATUS=125
mistake watch run w --every 1s
mistake watch run w -- true
mistake watch run w --every 1s --backoff 1s -- true

rein watch del worker
rein watch del group
rein watch del path
rein watch del conn
is "$(rein watch list)" "" "no watch is left"
is "$(json stat .watches)" "$WATCHES" "nor any that is counted"
wait_for 10 eval "[ \$(json stat .scopes) = $SCOPES ]" || not_ok "no scope is left"
is "$(left)" "" "nor any process"
done_testing
