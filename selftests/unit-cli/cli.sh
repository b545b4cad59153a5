#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: cli.sh REIN [NAME...] - what the command does without a module
#
# Each row of the table: exit status | arguments | what it prints, a regular
# expression over both outputs.

rein=${1:?usage: cli.sh REIN [NAME...]}
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tests=(usage no_module help explain batch json closed_output)
[ $# -gt 0 ] || set -- '*'

selected() {
	local pattern

	for pattern; do
		# shellcheck disable=SC2053 # a pattern
		[[ $test == $pattern ]] && return
	done
	return 1
}

fail() {
	[ -n "$failed" ] && return
	failed=1
	printf '# %s\n' "$@"
}

# expect STATUS PATTERN ARGUMENT...
expect() {
	local want=$1 pattern=$2 status=0 seen

	shift 2
	seen=$("$rein" "$@" 2>&1 </dev/null) || status=$?
	if [ "$status" != "$want" ]; then
		fail "command: rein $*" "expected: exit status $want" "seen: $status: $seen"
	elif ! [[ $seen =~ $pattern ]]; then
		fail "command: rein $*" "expected: $pattern" "seen: $seen"
	fi
}

run_usage() {
	local all='there are: limit take scope race watch beat chain errors monitor stat flush version help'
	local add='limit add web --cgroup / --on egress --rate'
	local want pattern arguments

	while IFS='|' read -r want arguments pattern; do
		[ -n "$want" ] || continue
		# shellcheck disable=SC2086 # words
		expect "$want" "$pattern" $arguments
	done <<-TABLE
	1||usage: rein
	1|tak web|did you mean take[?] $all
	1|take|the NAME of a limit is missing
	1|take web=0|'0' is not a number of tokens
	125|take web=0 -- true|'0' is not a number of tokens
	125|take web --|the COMMAND is missing
	1|lim list|no command 'lim'.*$all
	1|lmit|did you mean limit[?]
	1|scop list|did you mean scope[?]
	1|scope|rein scope needs a command
	1|scope ran|no command 'ran'.*did you mean run[?] there are: run list show wait check cancel
	125|scope run|the COMMAND is missing.*write: rein scope run
	125|scope run --|the COMMAND is missing
	125|scope run true|'true' is one argument too many
	125|scope run --timeout -- true|the value of --timeout is missing
	125|scope run --timeout soon -- true|option: --timeout soon
	125|scope run --timeout 5m -- true|'m' is not a unit of time
	125|scope run -s NOPE -- true|there is no signal 'NOPE'
	125|scope run -s 99 -- true|there is no signal '99'
	125|scope run -k x -- true|option: --kill-after x
	125|scope run --name a/b -- true|a scope can't be called 'a/b'
	125|scope run --name 12 -- true|would be taken for an ID
	125|scope run --name= -- true|a scope can't be called ''
	125|scope run --tmieout 1s -- true|did you mean --timeout[?]
	1|scope list a b|'b' is one argument too many
	1|scope show|the ID or NAME of the scope is missing
	1|scope show 0|'0' is not a scope ID
	1|scope show 99999999999999999999|is not a scope ID
	1|scope wait|the ID or NAME of the scope is missing
	1|scope wait 1 --timeout x|option: --timeout x
	1|scope check 1|'1' is one argument too many
	1|scope cancel|the ID or NAME of the scope is missing
	1|scope cancel 1 2|'2' is one argument too many
	1|scope cancel 1 --reason|the value of --reason is missing
	125|race|the COMMAND is missing.*write: rein race -n N
	125|race -- true|how many replicas there may be is missing
	125|race -n 0 -- true|'0' is not a number of replicas
	125|race -n 1001 -- true|a number from 1 to 1000
	125|race -n 2|the COMMAND is missing
	125|race -n 2 --after x -- true|option: --after x
	125|race -n 2 --timeout x -- true|option: --timeout x
	125|race -n 2 --name 1 -- true|would be taken for an ID
	125|race -n 2 --budget= -- true|the name of a limit has 1 to 63 characters
	125|race -n 2 -n 3 -- true|--replicas is given twice
	125|-z race -n 2 -- true|no option -z
	125|-z scope run -- true|no option -z
	125|-z watch run web -- true|no option -z
	1|-z scope list|no option -z
	1|limit|rein limit needs a command
	1|limit ad|no command 'ad'.*did you mean add[?] there are: add replace set del show list
	1|errors chase|no command 'chase'.*there are: list follow clear show explain
	1|errors follow --kind x|there is no kind of error called 'x'
	1|errors follow x|one argument too many
	1|errors clear x|one argument too many
	1|-x limit list|no option -x
	1|limit list -z|no option -z
	1|limit list --stat|did you mean --stats[?]
	1|limit list --stats=1|--stats takes no value
	1|limit list web|'web' is one argument too many
	1|limit add|the NAME of the limit is missing
	1|limit add web|a limit needs a target
	1|limit add web --cgroup /|a limit needs a resource
	1|limit add web --cgroup / --on egress|a limit needs a rate
	1|limit add web --on egress --rate 1Mbit/s|option: --cgroup
	1|limit replace web --rate 1Mbit/s --on egress|a limit needs a target
	1|limit set web|nothing to set
	1|limit set web --cgroup /|nothing to set
	1|limit add web --cgroup / --cgroup /a|--cgroup is given twice
	1|limit set web --over wait --over wait|--over is given twice
	1|limit add web --cgroup|the value of --cgroup is missing.*write: --cgroup PATH
	1|limit add web --socket 1:3|a limit needs a resource
	1|limit add web --socket 1:3 --cgroup / --on egress --rate 1Mbit/s|a target is a cgroup or a socket
	1|limit del web --socket 1:3 --cgroup /|name one: --cgroup PATH or --socket PID:FD
	1|$add 10mbps|option: --rate 10mbps.*write mbit/s for bits or mB/s
	1|$add 2/s|the unit is missing
	1|$add -5Mbit/s|a rate can't be negative
	1|$add 1Mbit/s --patience -1s|option: --patience -1s
	1|$add 1Mbit/s --patience 5m|'m' is not a unit of time
	1|$add 1Mbit/s --queue 5p|a size in bytes
	1|$add 1Mbit/s --queue 99999999999999999999|option: --queue 9999
	1|$add 1Mbit/s --over drop|option: --over drop.*one of: refuse wait mark observe
	1|$add 1Mbit/s --per-socket=1|--per-socket takes no value
	1|$add 1Mbit/s --per-socket --per-socket|--per-socket is given twice
	1|limit list --per-socket|no option --per-socket
	1|$add 1Mbit/s --for 0|can't remove itself at once
	1|limit add web --cgroup / --on disk --rate 1Mbit/s|one of: egress ingress connect accept call
	1|chain|name one: --cgroup PATH, --pid PID or --socket PID:FD
	1|chain --cgroup / --pid 1|name one: --cgroup PATH, --pid PID or --socket PID:FD
	1|errors list --kind x|there is no kind of error called 'x'
	1|errors list --severity x|there is no severity called 'x'
	1|errors list --code E9999|no error code
	1|errors list --since x|a time begins with a digit
	1|errors list --last 0|'0' is not a number of records
	1|errors list --last|--last
	1|errors list x|one argument too many
	1|errors show|the ID of the record is missing
	1|errors show -1|no option -1
	1|errors show x|'x' is not a record ID
	1|errors show 0|'0' is not a record ID
	1|errors explain E9999|no error code
	1|monitor packets|no events called 'packets'
	1|monitor errors --exec true|only what becomes of watches can be healed
	1|flush now|'now' is one argument too many
	1|-f limit list|-f is about batches
	1|-b|the value of -b is missing
	1|-b a -b b|--batch is given twice
	1|-b a limit list|no command besides those of the file
	1|-b $dir/none|can't open .*No such file
	1|limit list -b x|stands alone
	TABLE
	expect 1 "begins with a digit, not with '.x1b.31m'" limit add web --cgroup / --on egress --rate $'\e[31m'
	expect 1 "no command '.x1b.2J'" $'\e[2J'
	expect 1 'the rate is empty' limit add web --cgroup / --on egress --rate ''
}

run_no_module() {
	if [ -d /sys/module/rein ] || modinfo rein >/dev/null 2>&1; then
		skip='there is a module here'
		return
	fi
	expect 6 'module is not loaded.*hint: load it: modprobe rein' limit list
	expect 6 'module is not loaded' stat
	expect 6 'module is not loaded' limit add web --cgroup / --on egress --rate 1Mbit/s
	expect 6 'module is not loaded' chain --pid 1
	expect 6 'module is not loaded.*hint: load it: modprobe rein' take web
	expect 125 'module is not loaded' take web -- true
	expect 6 'module is not loaded' scope list
	expect 6 'module is not loaded' scope wait 1
	expect 6 'module is not loaded' scope check
	expect 6 'module is not loaded' scope cancel 1
	expect 125 'module is not loaded' scope run -- true
	expect 125 'module is not loaded' race -n 2 -- true
	expect 6 'module is not loaded' watch list
	expect 6 'module is not loaded' watch wait 1 --for beat
	expect 6 'module is not loaded' watch add web --pid 1 --every 1s
	expect 6 'module is not loaded' beat web
	expect 125 'module is not loaded' watch run web --every 1s -- true
	expect 6 'rein: .*0\.1\.0.*module is not loaded' version
	expect 6 'rein: .*module: *-' --version
	expect 6 '"tool":"[0-9.]+","module":null' -j version
	expect 6 '"code":"REIN-E0901"' -j errors list
	expect 6 '^error: the rein module is not loaded$' -q flush
	expect 6 'code: REIN-E0901.*meaning: ' -v flush
}

run_help() {
	expect 0 '^usage: rein ' help
	expect 0 '^usage: rein ' --help
	expect 0 '^usage: rein ' -h
	expect 0 '^usage: rein limit add NAME' help limit add
	expect 0 '^usage: rein limit add NAME' limit add --help
	expect 0 '^usage: rein limit add NAME' limit add web -h
	expect 0 '^usage: rein limit COMMAND' limit --help
	expect 0 '^usage: rein errors ' errors --help
	expect 0 '^usage: rein chain ' chain -h
	expect 0 '^usage: rein take ' take web -h
	expect 0 '^usage: rein take ' help take
	expect 0 '^usage: rein scope COMMAND' help scope
	expect 0 '^usage: rein scope run ' scope run --help
	expect 0 '^usage: rein scope cancel ' help scope cancel
	expect 0 '^usage: rein race -n N' race -h
	expect 0 '^."help":"usage: rein stat' -j help stat
	expect 1 "no command 'x'" help x
	expect 1 'one argument too many' help stat x
}

run_explain() {
	local code

	for code in REIN-E0301 E0301 0301 301 rein-e301; do
		expect 0 '^REIN-E0301 REFUSED .edge, notice.' errors explain "$code"
	done
	expect 0 'REIN-E0001 .*REIN-E0901|REIN-E0901.*REIN-E0001' errors explain
	expect 0 '^."code":"REIN-E0901","name":"NO_MODULE"' -j errors explain 901
}

run_batch() {
	printf '# nothing\n\nhelp stat\nerrors explain 301 # why\n' >"$dir/good"
	expect 0 '^usage: rein stat.*REIN-E0301' -b "$dir/good"
	printf 'errors explain 301\n\nerrors explain \\\n  302\nnope\nerrors explain 303\n' >"$dir/bad"
	expect 1 "REIN-E0301.*REIN-E0302.*$dir/bad:5: error: there is no command 'nope'" -b "$dir/bad"
	expect 1 'bad:5: error.*REIN-E0303' -f -b "$dir/bad"
	expect 1 '"file":"[^"]*/bad","line":5' -j -b "$dir/bad"
	printf 'a "b\n' >"$dir/quote"
	expect 1 'quote:1: error: a " is not closed' -b "$dir/quote"
	printf 'stat\0x\n' >"$dir/nul"
	expect 1 'nul:1: error: the line has a NUL byte' -b "$dir/nul"
	printf 'monitor\n' >"$dir/monitor"
	expect 1 'monitor never ends' -b "$dir/monitor"
	printf 'scope run -- true\n' >"$dir/run"
	expect 125 'run:1: error: a command has no place in a batch' -b "$dir/run"
	printf 'race -n 2 -- true\n' >"$dir/race"
	expect 125 'race:1: error: a command has no place in a batch' -b "$dir/race"
	printf 'errors explain 1 -j\n' >"$dir/json"
	expect 1 'the form of the output is the same' -b "$dir/json"
	expect 1 'reading failed' -b /
	: >"$dir/empty"
	expect 0 '^$' -b "$dir/empty"
	expect 0 '^..$' -j -b "$dir/empty"
}

# valid ARGUMENT...: both outputs, each one JSON document or nothing
valid() {
	local stream

	"$rein" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	for stream in out err; do
		[ -s "$dir/$stream" ] || continue
		python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$dir/$stream" 2>/dev/null ||
			fail "command: rein $*" "expected: JSON in std$stream" "seen: $(cat "$dir/$stream")"
	done
}

run_json() {
	if ! command -v python3 >/dev/null; then
		skip='python3 is not installed'
		return
	fi
	printf 'errors explain\nerrors explain 1\nhelp\n' >"$dir/several"
	valid -j errors explain
	valid -p errors explain
	valid errors explain 301 -j
	valid -j -b "$dir/several"
	valid -jp -b "$dir/several"
	valid -j version
	valid -j help limit add
	valid -j nope
	valid -j take web
	valid -jv take web=0 -- true
	valid -jv scope run --name a/b -- true
	valid -j scope check
	valid -j race -n 0 -- true
	valid -j limit add $'\xff\e"\\'
	valid -jv limit add w --cgroup / --on egress --rate $'\xc2\x9b'
}

run_closed_output() {
	local status

	"$rein" errors explain | head -n 1 >/dev/null
	status=${PIPESTATUS[0]}
	[ "$status" = 0 ] || fail "expected: exit status 0 after a closed pipe" "seen: $status"
	"$rein" errors explain >/dev/full 2>"$dir/err"
	status=$?
	if [ "$status" != 1 ] || ! grep -q "can't be written: No space left" "$dir/err"; then
		fail "expected: exit status 1 on a full disk" "seen: $status, $(cat "$dir/err")"
	fi
	"$rein" errors explain >&- 2>"$dir/err"
	status=$?
	[ "$status" = 1 ] || fail "expected: exit status 1 without an output" "seen: $status"
}

chosen=()
for test in "${tests[@]}"; do
	if selected "$@"; then
		chosen+=("$test")
	fi
done

echo "TAP version 13"
echo "1..${#chosen[@]}"
number=0 failures=0
for test in "${chosen[@]}"; do
	number=$((number + 1)) failed='' skip=''
	"run_$test"
	if [ -n "$skip" ]; then
		echo "ok $number $test # SKIP $skip"
	elif [ -n "$failed" ]; then
		failures=$((failures + 1))
		echo "# run: make -C selftests/unit-cli check TESTS=$test"
		echo "not ok $number $test"
	else
		echo "ok $number $test"
	fi
done
[ $failures = 0 ]
