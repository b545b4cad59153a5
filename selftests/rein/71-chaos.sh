#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs of every kind, while the host changes under them: CPUs go and come, the clock
# jumps, devices and namespaces go, programs are stopped and killed; and in the end of each
# round the module goes, and comes again. CHAOS_ROUNDS for more.
# What happens is called by its name.
# shellcheck disable=SC2317
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

ROUNDS=${CHAOS_ROUNDS:-10}

# Failures of a round are told with its number, and good news once, at the end.
ROUND=0
bad() {
	local what=$1

	shift
	not_ok "round $ROUND: $what" "$@"
}

# --- programs -----------------------------------------------------------------------

# forever CGROUP COMMAND...: again and again, until it is killed
forever() {
	# shellcheck disable=SC2016
	in_cgroup "$1" bash -c 'while :; do "$@"; done' forever "${@:2}" >/dev/null 2>&1
}

programs() {
	load a
	load b/each
	{
		background forever a rein take calls --within 30ms
		background forever a rein take calls connections --try
		background forever b rein scope run --timeout 20ms -- sleep 1
		background forever b rein race -n 3 -- sleep 0.02
		background forever b rein watch run w --every 20ms --restart --backoff 1ms \
			-- sleep 0.05
		background forever c rein limit list --sockets -s
		background forever c rein errors list
		background rein -j monitor
		LISTENERS=("$PID")
		background rein -j errors follow
		LISTENERS+=("$PID")
	} >/dev/null 2>&1
}

busy() {
	[ "$(packets bytes seen)" -gt 10 ] && [ "$(packets calls seen)" -gt 0 ]
}

limits() {
	rein -b - <<-LIMITS
		limit add bytes --cgroup $(cg a) --on egress --rate 2Mbit/s --over wait
		limit add arriving --cgroup $(cg a) --on ingress --rate 100p/s
		limit add calls --cgroup $(cg a) --on call --rate 200/s --over wait
		limit add connections --cgroup $(cg a) --on call --rate 50/s
		limit add connects --cgroup $(cg b) --on connect --rate 20/s --over wait
		limit add packets --cgroup $(cg b) --on egress --rate 300p/s
		limit add each --cgroup $(cg b/each) --on egress --rate 1Mbit/s --over wait --per-socket
		limit add each-in --cgroup $(cg b/each) --on ingress --rate 1Mbit/s --over wait --per-socket
	LIMITS
}

# --- what happens to them ---------------------------------------------------------------

cpus() {
	local cpu

	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -e "$cpu" ] || { echo 0 >"$cpu"; sleep 0.05; echo 1 >"$cpu"; }
	done
}

# Nothing of rein's is to go by it: deadlines and rates are the monotonic clock's.
clocks() {
	date -s "+1 hour" >/dev/null
	sleep 0.05
	date -s "-1 hour" >/dev/null
}

# A process of a cgroup, any.
one_of() {
	shuf -n 1 "$CGROOT/$CGTEST/$1/cgroup.procs"
}

# signal_one SIGNAL CGROUP: who was chosen may have ended by himself; sets PID
signal_one() {
	PID=$(one_of "$2") && [ "${PID:-0}" != 0 ] && kill "-$1" "$PID"
} 2>/dev/null

signals() {
	wait_for "$SOON" signal_one STOP a || return
	# What it is stopped for, while the others go on: nothing is waited for.
	sleep 0.05
	kill -CONT "$PID" 2>/dev/null
	wait_for "$SOON" signal_one KILL b
}

changes() {
	rein limit set bytes --cgroup "$(cg a)" --rate "$((RANDOM % 5 + 1))Mbit/s" || return
	rein limit set each --rate "$((RANDOM % 5 + 1))Mbit/s" || return
	rein limit del packets || return
	rein limit add packets --cgroup "$(cg b)" --on egress --rate 300p/s || return
	rein limit replace short --cgroup "$(cg a)" --on egress --rate 1Mbit/s --for 20ms
}

# A cgroup goes with what is sent in it, and its limit with it.
cgroups() {
	local child=a/child$RANDOM

	make_cgroup "$child/below"
	rein limit add inner --cgroup "$(cg "$child")" --on egress --rate 1Mbit/s || return
	in_cgroup "$child/below" ping -q -c 1 -W 1 127.0.0.1 >/dev/null || return
	rmdir "$CGROOT/$CGTEST/$child/below" "$CGROOT/$CGTEST/$child"
}

networks() {
	# A refused ping is no failure.
	in_cgroup a unshare --net sh -c \
		'ip link set lo up; ping -q -c 2 -i 0.01 -W 1 127.0.0.1' >/dev/null
	# IPv6 addresses go with the link.
	ip link set v1 down && ip link set v1 up && ip addr replace fd00:1::1/64 dev v1 nodad
}

# --- rounds ----------------------------------------------------------------------------

# balanced: whatever moves, each limit can say what became of what it has seen
balanced() {
	local limit seen

	for limit in bytes arriving calls connections connects packets each each-in; do
		seen=$(_limit "$limit" | _counters)
		[[ $seen == *" balance=0,0" ]] ||
			bad "$limit: all is accounted for" "balance=0,0" "$seen"
	done
}

loses_all() {
	! rein -j stat | grep -q '"scopes":[1-9]\|"watches":[1-9]\|"sockets":[1-9]'
}

end_of_round() {
	rmmod rein 2>"$TMP/err" && bad "a client is there" "rmmod to fail" "it did not"
	grep -q "in use" "$TMP/err" || bad "rmmod says why not" "in use" "$(cat "$TMP/err")"
	kill_in a
	kill_in b
	kill_in c
	# Who is killed can't remove the cgroups that he has made, and to which scopes are bound.
	find "$CGROOT/$CGTEST" -depth -type d -name 'rein*' -exec rmdir {} +
	rein flush --force || bad "all can be flushed"
	wait_for "$SOON" loses_all || bad "nothing is left" "no scope, watch, socket" "$(rein -j stat)"
	wait_for "$SOON" _settled || bad "all packets are accounted for" "nothing left" "$(state)"
	kill "${LISTENERS[@]}"
	wait "${LISTENERS[@]}"
	[ "$(rein -j errors list | grep -c '"code":"REIN-E0001"')" = 0 ] ||
		bad "each error has a meaning" "no E0001" "$(rein errors list)"
	[ ! -e /proc/lockdep ] || [[ $(_lock_pairs) != *\;* ]] ||
		bad "locks are taken in the order that limit.h says" "none in another" "$(_lock_pairs)"
	timeout $((SOON * 2)) rmmod rein || bad "the module can be unloaded" 0 $?
	modprobe rein || bad "and loaded"
} 2>/dev/null

# What happens in this round: in the first one all, in any order; then one after the other.
happening() {
	local all=(cpus clocks signals changes cgroups networks)

	if [ "$ROUND" = 1 ]; then
		shuf -e "${all[@]}"
	else
		echo "${all[ROUND % ${#all[@]}]}"
	fi
}

round() {
	local what before

	limits || bad "limits can be added"
	programs
	wait_for "$SOON" busy || bad "programs are on their way"
	# shellcheck disable=SC2119
	before=$(sent)
	for what in $(happening); do
		$what || bad "$what change"
		balanced
	done
	wait_for "$SOON" sent_more_than $((before + 20)) ||
		bad "traffic flows" "more than $((before + 20)) packets" "fewer"
	end_of_round
}

start_peer
make_cgroup a b/each c
for ((ROUND = 1; ROUND <= ROUNDS; ROUND++)); do
	round
done
[ "$_failed" != 0 ] || ok "$ROUNDS rounds: nothing is lost, left or stuck"
done_testing
