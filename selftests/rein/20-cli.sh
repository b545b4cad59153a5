#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The command against the module: wrong input is answered in full and changes
# nothing, what is configured is read back, batches, events, and no module.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a a/b a/c full
A=$(cg a) B=$(cg a/b) C=$(cg a/c)

# --- what is configured is read back ---------------------------------------------

# tier RATE: its first tier as the module has it: unit tokens period burst
tier() {
	rein limit replace unit --cgroup "$A" --on egress --rate "$1" || return
	json limit show unit --cgroup "$A" \
		'.tiers[0] | "\(.unit) \(.rate_tokens) \(.rate_period_ns) \(.burst_tokens)"'
}

while IFS='|' read -r rate want; do
	is "$(tier "$rate")" "$want" "--rate $rate"
done <<TABLE
100Mbit/s|bytes 12500000 1000000000 12500000
100mbit|bytes 12500000 1000000000 12500000
12MB/s,burst=64KB|bytes 12000000 1000000000 64000
1Mibit/s,burst=64KiB|bytes 131072 1000000000 65536
1bit/s|bytes 1 8000000000 65536
5kpps|packets 5000 1000000000 5000
5kp/s,burst=10|packets 5000 1000000000 10
1p/min|packets 1 60000000000 1
1p/day|packets 1 86400000000000 1
1000Gp/s|packets 1000000000000 1000000000 1000000000000
0|bytes 0 1000000000 65536
unlimited|bytes null null 65536
TABLE
rein limit del unit --cgroup "$A"

rein limit add calls --cgroup "$A" --on connect --rate 2/s,burst=10 --rate 100/hour --over wait
is "$(rein limit list --on connect | sed 's/  */ /g')" \
	"limit calls $A connect 2/s burst 10, 100/hour burst 1 over wait patience 144s" \
	"a limit on connect is listed as it was typed"
rein limit set calls --rate 3/s
is "$(json limit show calls '.tiers[0] | "\(.unit) \(.rate_tokens) \(.burst_tokens)"')" "calls 3 3" \
	"limit set reads its rates as those of calls"
rein limit set calls --rate 0
is "$(json limit show calls '.tiers[0] | "\(.unit) \(.rate_tokens)"')" "calls 0" "0, too"
matches "$(rein limit show calls)" "^  seen: +0 calls +0 tokens$" "it counts calls, not bytes"
is "$(json chain --cgroup "$A" '.levels[0].limits[0] | "\(.name) \(.resource)"')" "calls connect" \
	"a chain has it"
rein limit del calls

add="limit add web --cgroup $A --on egress"
# shellcheck disable=SC2086 # words
exits_with 0 "a limit with every option" rein $add --rate 10Mbit/s,burst=12.5kB --rate 1kp/s \
	--over wait --patience 500ms --queue 256KiB --for 1h
is "$(rein limit list --cgroup "$A" | sed 's/  for .*//')" \
	"limit web  $A  egress  10Mbit/s burst 12.5kB, 1kp/s burst 1kp  over wait  patience 500ms" \
	"limit list shows it as it was typed"
shown() {
	json limit show web --cgroup "$A" "$1"
}
is "$(shown '"\(.over) \(.patience_ns) \(.queue_bytes) \(.for_ns > 3.5e12) \(.level) \(.id | type)"')" \
	"wait 500000000 262144 true 2 string" "limit show -j has all of it"

rein limit set web --cgroup "$A" --patience 3s
is "$(shown '"\(.over) \(.patience_ns) \(.queue_bytes) \(.tiers | length)"')" \
	"wait 3000000000 262144 2" "limit set leaves what is not named"
rein limit set web --rate 1MB/s --for infinity
is "$(shown '"\(.tiers | length) \(.tiers[0].rate_tokens) \(.for_ns)"')" "1 1000000 null" \
	"limit set --rate replaces all tiers, --for infinity lets it stay"
id=$(shown .id)
rein limit replace web --cgroup "$A" --on egress --rate 2MB/s &&
	rein limit replace web --cgroup "$A" --on egress --rate 2MB/s
is "$(shown '"\(.id) \(.tiers[0].rate_tokens) \(.over)"')" "$id 2000000 wait" \
	"limit replace of one that exists is limit set, and idempotent"
is "$(rein limit show web --cgroup "$CGROOT$A" | head -n 1)" "limit web (id $id)" \
	"an absolute path below the mount names the cgroup"
is "$(in_cgroup a rein -j limit list --cgroup self | jq length)" 1 "self names the cgroup"

# --- wrong input -----------------------------------------------------------------

# wrong STATUS CODE ERRNO OPTION ARGUMENT...: it is refused, in full, and nothing
# changes. The command's own errors have no ERRNO and no record.
wrong() {
	local status=$1 code=$2 errno=$3 option=$4 said shown='' after rc=0

	shift 4
	said=$(rein -v "$@" 2>&1 >/dev/null) || rc=$?
	[[ ! $said =~ record:\ ([0-9]+)\  ]] || shown=$(rein errors show "${BASH_REMATCH[1]}" 2>&1)
	after=$(rein limit list)
	if [ "$rc" != "$status" ]; then
		not_ok "rein $*" "exit status $status" "$rc: $said"
	elif [[ $said != error:\ ?*$'\n'code:\ $code$'\n'option:\ $option$'\n'hint:\ ?* ]]; then
		not_ok "rein $*" "a message, $code, $option, a hint" "$said"
	elif [ "$after" != "$BEFORE" ]; then
		not_ok "rein $*" "nothing has changed" "$after"
	elif [ -n "$errno" ] && ! [[ $shown =~ code:\ +$code\ .*hint:.*errno:\ +$errno, ]]; then
		not_ok "rein $*" "a record with $code, errno $errno" "$shown"
	else
		ok "$code: rein $*"
	fi
	BEFORE=$after
}

rein limit add twin --cgroup "$B" --on egress --rate 1p/s
rein limit add twin --cgroup "$C" --on egress --rate 1p/s
rein limit add conn --cgroup "$A" --on connect --rate 1/s
new="limit add new --cgroup $A --on egress --rate"
BEFORE=$(rein limit list)
long=$(printf 'n%.0s' {1..64})
# shellcheck disable=SC2086 # words
{
	wrong 2 REIN-E0201 17 web $add --rate 1Mbit/s
	wrong 2 REIN-E0202 2 none limit set none --rate 1Mbit/s
	wrong 2 REIN-E0202 2 web limit del web --cgroup "$B"
	wrong 1 REIN-E0203 76 twin limit del twin
	wrong 1 REIN-E0203 76 twin limit show twin
	wrong 2 REIN-E0204 7 "--rate 9Mbit/s" limit add new --cgroup "$A" --on egress \
		--rate 1Mbit/s --rate 2Mbit/s --rate 3Mbit/s --rate 4Mbit/s --rate 5Mbit/s \
		--rate 6Mbit/s --rate 7Mbit/s --rate 8Mbit/s --rate 9Mbit/s
	wrong 2 REIN-E0206 22 "--rate 1Mbit/s,burst=0" $new 1Mbit/s,burst=0
	wrong 2 REIN-E0206 22 "--rate 1kp/s,burst=0" $new 1Mbit/s --rate 1kp/s,burst=0
	wrong 2 REIN-E0207 34 "--rate 1bit/day" $new 1bit/day
	wrong 2 REIN-E0207 34 "--rate 1001GB/s" $new 1001GB/s
	wrong 2 REIN-E0209 95 "--on call" limit add new --socket self:9 --on call --rate 1/s \
		9<>/dev/udp/127.0.0.1/9
	wrong 2 REIN-E0106 88 "--socket self:0" limit add new --socket self:0 --on egress \
		--rate 1Mbit/s </dev/null
	wrong 2 REIN-E0210 22 "--rate 1Mbit/s" limit add new --cgroup "$A" --on call --rate 1Mbit/s
	wrong 2 REIN-E0213 34 "--queue 0" limit add new --cgroup "$A" --on call --rate 2/s --queue 0
	wrong 2 REIN-E0213 34 "--queue 20000" limit add new --cgroup "$A" --on call --rate 2/s \
		--queue 20000
	wrong 2 REIN-E0217 22 "--over mark" limit add new --cgroup "$A" --on call --rate 2/s --over mark
	wrong 2 REIN-E0210 22 "--rate 1Mbit/s" limit add new --cgroup "$A" --on connect --rate 2/s --rate 1Mbit/s
	wrong 2 REIN-E0210 22 "--rate 5p/s" limit add new --cgroup "$A" --on accept --rate 5p/s
	wrong 2 REIN-E0210 22 "--rate 1MB/s" limit set conn --rate 1MB/s
	wrong 2 REIN-E0217 22 "--over mark" limit add new --cgroup "$A" --on connect --rate 2/s --over mark
	wrong 2 REIN-E0217 22 "--over wait" limit add new --cgroup "$A" --on accept --rate 2/s --over wait
	wrong 2 REIN-E0217 22 "--over mark" limit set conn --over mark
	wrong 2 REIN-E0215 22 "--on egress" limit set conn --on egress
	wrong 2 REIN-E0201 17 conn limit add conn --cgroup "$A" --on egress --rate 1p/s
	wrong 2 REIN-E0201 17 web limit add web --cgroup "$A" --on accept --rate 2/s
	wrong 2 REIN-E0211 22 "a b" limit add "a b" --cgroup "$A" --on egress --rate 1p/s
	wrong 2 REIN-E0211 22 "-x" limit add --cgroup "$A" --on egress --rate 1p/s -- -x
	wrong 2 REIN-E0212 34 "--patience 2day" $new 1p/s --patience 2day
	wrong 2 REIN-E0212 34 "--patience infinity" limit set web --patience infinity
	wrong 2 REIN-E0212 34 "--patience 0" limit set web --patience 0
	wrong 2 REIN-E0213 34 "--queue 1" limit set web --queue 1
	wrong 2 REIN-E0213 34 "--queue 2GiB" limit set web --queue 2GiB
	wrong 2 REIN-E0104 9 "--cgroup $TMP" limit add new --cgroup "$TMP" --on egress --rate 1p/s
	# A dump's refusal can't name its record on every kernel.
	wrong 2 REIN-E0104 "" "--cgroup ../../../tmp" limit list --cgroup ../../../tmp
	wrong 2 REIN-E0404 2 999999 errors show 999999
	# What the command itself rejects has a code and no record.
	wrong 1 REIN-E0903 "" "--cgroup /none" limit add new --cgroup /none --on egress --rate 1p/s
	wrong 1 REIN-E0910 "" "--pid 999999" chain --pid 999999
	wrong 1 REIN-E0909 "" "--rate -1p/s" $new -1p/s
	wrong 1 REIN-E0909 "" "--rate 10mbps" $new 10mbps
	wrong 1 REIN-E0909 "" "--rate 2/s" $new 2/s
	wrong 1 REIN-E0909 "" "--rate 2/s" limit set web --rate 2/s
	wrong 1 REIN-E0905 "" "--rate 99999999999999999999p/s" $new 99999999999999999999p/s
	wrong 1 REIN-E0902 "" "--cgroup" limit add new --on egress --rate 1p/s
}
matches "$(rein limit add "$long" --cgroup "$A" --on egress --rate 1p/s 2>&1)" \
	"^error: the name is too long" "a name of 64 characters"
is "$(rein -j limit del twin 2>&1 | jq -c .targets)" "[\"$B\",\"$C\"]" \
	"a name that two cgroups have: both are listed"

exits_with 2 "an error is printed in four lines" rein limit add web --cgroup "$A" --on egress --rate 1p/s
record=$(sed -n 's/^record: \([0-9]*\) .*/\1/p' <<<"$OUT")
is "${OUT#error: ?*$'\n'}" "option: web
hint: change it with: rein limit set, or use: rein limit replace
record: $record (rein errors show $record)" "what happened, the option, what to do, the record"
matches "$(rein errors show "$record")" '^  see: +rein errors explain REIN-E0201$' \
	"errors show says what explains it"
matches "$(rein errors list)" "^$record .* REIN-E0201 " "errors list has it"

for i in $(seq 16); do
	echo "limit add a$i --cgroup $(cg full) --on egress --rate 1p/s"
	echo "limit add p$i --cgroup /$CGTEST --on egress --rate 1p/s"
done >"$TMP/chain"
exits_with 0 "32 limits in a chain" rein -b "$TMP/chain"
BEFORE=$(rein limit list)
wrong 2 REIN-E0208 28 "--cgroup $(cg full)" limit add over --cgroup "$(cg full)" --on egress --rate 1p/s
wrong 2 REIN-E0208 28 "--cgroup /" limit add over --cgroup / --on egress --rate 1p/s
is "$(json chain --cgroup "$(cg full)" '[.levels[] | .limits | length] | tostring')" "[16,16]" \
	"chain shows both levels"
sed 's/ --on.*//; s/ add / del /' "$TMP/chain" >"$TMP/unchain"
exits_with 0 "a batch removes them" rein -b "$TMP/unchain"

# shellcheck disable=SC2317 # called by name
unprivileged() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}
exits_with 2 "without CAP_NET_ADMIN nothing is changed" unprivileged rein limit del web
matches "$OUT" "^hint: run rein as root" "and the hint says so"
exits_with 2 "nor are records cleared" unprivileged rein errors clear

# --- chains ----------------------------------------------------------------------

is "$(json chain --cgroup "$B" '"\([.levels[].level]) \(.tightest[0].limit) \(.tightest[1].limit)"')" \
	"[3,2] web twin" "a chain goes from the leaf up, with the tightest of each unit"
is "$(in_cgroup a/b bash -c 'rein -j chain --pid $$' | jq -c '[.levels[].cgroup]')" "[\"$B\",\"$A\"]" \
	"chain --pid takes the process's cgroup"

# --- batches ---------------------------------------------------------------------

rein flush
printf '# two good ones\nlimit add "one" --cgroup %s --on egress --rate 1p/s\n\nlimit add one \\\n --cgroup %s --on egress --rate 1p/s\nlimit add two --cgroup %s --on egress --rate 1p/s\n' \
	"$A" "$A" "$A" >"$TMP/batch"
exits_with 2 "a batch stops at its first error" rein -b "$TMP/batch"
matches "$OUT" "^$TMP/batch:4: error: " "and names file and line"
is "$(json limit list '[.[].name] | join(" ")')" "one" "what came before is done"
exits_with 2 "with -f it goes on" rein -f -b - <"$TMP/batch"
is "$(json limit list '[.[].name] | join(" ")')" "one two" "to its end"
is "$(rein -j -b - <<<"limit list
stat
errors list" | jq -c 'map(type)')" '["array","object","array"]' "-j makes one document of a batch"

for i in $(seq 50); do
	make_cgroup "many/$i"
	for j in $(seq 20); do
		echo "limit add l$j --cgroup $(cg "many/$i") --on egress --rate ${j}Mbit/s"
	done
done >"$TMP/many"
begin=$(_ms)
exits_with 0 "a batch of 1000 limits" rein -b "$TMP/many"
note "took $(($(_ms) - begin)) ms"
is "$(json limit list length)" 1002 "limit list has them all"
is "$(rein limit list | wc -l)" 1002 "also as text"
rein flush
is "$(rein -j limit list)" "[]" "flush removes all limits; an empty list is []"

# --- what others are called --------------------------------------------------------

evil=$'x\e[31m\\'
make_cgroup "$evil"
rein limit add one --cgroup "$(cg "$evil")" --on egress --rate 1p/s
is "$(rein limit list | grep -c $'\e')" 0 "a cgroup's name can't reach the terminal raw"
is "$(json limit list '.[0].cgroup')" "$(cg "$evil")" "and is whole in JSON"
rein flush

# --- events ----------------------------------------------------------------------

# shellcheck disable=SC2317 # called by name
listening() {
	grep -q listening "$TMP/events"
}
background rein -j monitor >"$TMP/events"
monitor=$PID
wait_for 10 listening || not_ok "monitor listens"
rein limit add ev --cgroup "$A" --on egress --rate 1p/s
rein limit set ev --rate 2p/s
rein limit add ev --cgroup "$A" --on egress --rate 1p/s 2>/dev/null
rein limit del ev
rein limit add ev --cgroup "$A" --on egress --rate 1p/s --for 200ms
rein limit add orphan --cgroup "$(cg full)" --on egress --rate 1p/s
remove_cgroup full
# shellcheck disable=SC2317 # called by name
gone() {
	grep -q '"orphaned"' "$TMP/events" && grep -q '"expired"' "$TMP/events" &&
		grep -q REIN-E0401 "$TMP/events" && grep -q REIN-E0402 "$TMP/events" &&
		grep -q REIN-E0201 "$TMP/events"
}
wait_for 20 gone
is "$(jq -r 'select(.limit.name == "ev") | .event' "$TMP/events" | tr '\n' ' ')" \
	"added changed deleted added expired " "monitor tells what becomes of a limit"
is "$(jq -r 'select(.limit.name == "orphan") | .event' "$TMP/events" | tr '\n' ' ')" \
	"added orphaned " "and that its cgroup went"
is "$(jq -r 'select(.event == "record") | .record.code' "$TMP/events" | sort | tr '\n' ' ')" \
	"REIN-E0201 REIN-E0401 REIN-E0402 " "and each record"
kill -INT "$monitor"
wait "$monitor"
is $? 0 "SIGINT ends it cleanly"
(rein monitor 2>/dev/null; echo $? >"$TMP/status") | true
wait_for 10 [ -s "$TMP/status" ]
is "$(cat "$TMP/status")" 0 "it ends when its reader does"

# --- no module -------------------------------------------------------------------

loader=$(cat /proc/sys/kernel/modprobe)
echo /bin/true >/proc/sys/kernel/modprobe
if rmmod rein; then
	for command in "limit list" "limit add x --cgroup / --on egress --rate 1p/s" stat monitor version; do
		# shellcheck disable=SC2086 # words
		exits_with 6 "rein $command without the module" rein $command
		matches "$OUT" "hint: load it: modprobe rein" "says what to do"
	done
	matches "$OUT" "^rein: +[0-9]" "version says the command's"
	exits_with 0 "errors explain needs no module" rein errors explain 901
	modprobe rein
else
	not_ok "the module unloads" "rmmod" "$(cat /sys/module/rein/refcnt) users"
fi
echo "$loader" >/proc/sys/kernel/modprobe
exits_with 0 "stat, when it is back" rein stat

done_testing
