# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of connections share, sourced after lib.sh: attempts, what
# became of them, and how long it took. RESOURCE is what limited() limits.

# How late what has waited may be, on a machine that others use, too; and how long
# what is refused at once takes, mostly: TCP would try for a second and more. ms.
# shellcheck disable=SC2034 # for tests
LATE=2500 AT_ONCE=100
# shellcheck disable=SC2034 # for tests
[ -z "$DEBUG" ] || LATE=4000 AT_ONCE=500

# limited NAME RATE [ARGUMENT]...: a cgroup and a limit of that name
limited() {
	make_cgroup "$1"
	rein limit add "$1" --cgroup "$(cg "$1")" --on "${RESOURCE:-connect}" --rate "$2" "${@:3}" || exit
}

# listens CGROUP ARGUMENT...: tool-sink there; its pid is in $PID
listens() {
	PID=$(in_cgroup "$1" tool-sink "${@:2}") || exit
	_pids+=("$PID")
}

# connects CGROUP ARGUMENT...: what tool-connect says is in $SAID
connects() {
	SAID=$(in_cgroup "$1" tool-connect "${@:2}")
}

# said WORD [NAME]: in how many lines of $SAID, or of what start() made
said() {
	_said "${2:-}" | grep -c "^$1 "
}

_said() {
	if [ -n "$1" ]; then
		cat "$TMP/$1"
	else
		echo "$SAID"
	fi
}

# start NAME ARGUMENT...: tool-connect in the background, in the cgroup NAME
start() {
	background in_cgroup "$1" tool-connect "${@:2}" >"$TMP/$1"
}

# took WORD [NAME]: the longest of them, in ms
took() {
	_took "$@" | tail -n 1
}

# mostly WORD [NAME]: the median of them
mostly() {
	_took "$@" | awk '{ ms[NR] = $1 } END { print ms[int((NR + 1) / 2)] }'
}

_took() {
	_said "${2:-}" | awk -v word="$1" '$1 == word { printf "%d\n", $2 }' | sort -n
}

# shellcheck disable=SC2317 # by wait_for
counts() {
	[ "$(packets "$1" "$2")" = "$3" ]
}

# shellcheck disable=SC2317 # by wait_for
ended() {
	[ "$(wc -l <"$TMP/$1")" -ge "${2:-1}" ]
}

# waits NAME: start() a connection that has to wait
waits() {
	start "$1" -w 60000 "${2:-$FAR}" "${3:-5001}"
	wait_for 10 counts "$1" queued 1 || not_ok "$1: a connection waits" 1 "$(packets "$1" queued)"
}

# ends NAME WORD MS DESCRIPTION: it does, with WORD, within so many ms from now
ends() {
	local from

	from=$(_ms)
	wait_for 20 ended "$1"
	is "$(said "$2" "$1")" 1 "$4"
	at_most $(($(_ms) - from)) "$3" "$4: ms"
}

# shellcheck disable=SC2317 # by wait_for
_unhooked() {
	[ "$(json stat '"\(.limits) \(.cgroups) \(.hooked)"')" = "0 0 false" ]
}

# nothing_left: when all limits are removed, so is what they needed
nothing_left() {
	rein flush
	if wait_for 10 _unhooked; then
		ok "nothing is left"
	else
		not_ok "nothing is left" "no limit, no hook" "$(rein -j stat)"
	fi
}
