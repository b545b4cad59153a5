#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No way around a limit on egress, the second part: processes, threads, rings and cgroups, and
# protocols that need an answer. See lib-bypass.sh and 25-ways-out.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-bypass.sh"

make_peer far 1
meet "$(peer 1)" "$(peer 1 6)"
count_there far eth0 v1
make_cgroup free
FAR=$(peer 1)
sinks far 5001

# takes KIND PORT: something in far that does, if there is such a protocol
takes() {
	background in_netns far tool-bypass -l "$1" 0.0.0.0 "$2" >"$TMP/$1.takes"
	wait_for 10 grep -qE 'ready|lacks' "$TMP/$1.takes" || not_ok "$1: there is a listener"
}

# --- who sends -------------------------------------------------------------------------

way fork "$MTU" "eight processes" fork "$FAR" 5001
way threads "$MTU" "eight threads" threads "$FAR" 5001
way exec "$MTU" "another program, with a socket it was left" exec "$FAR" 5001
way ring "$MTU" "io_uring" ring "$FAR" 5001
way ring-thread "$MTU" "io_uring, sent by a thread of the kernel's" ring-thread "$FAR" 5001
way ring-socket "$MTU" "io_uring, the socket made by a worker" ring-socket "$FAR" 5001
way ring-zerocopy "$MTU" "io_uring without a copy" ring-zerocopy "$FAR" 5001

# --- protocols that need an answer -----------------------------------------------------

takes mptcp 5002
takes sctp 5003
takes tcp 5004
way mptcp "$MTU" "MPTCP, whose connections the kernel makes" mptcp "$FAR" 5002
way mptcp-tcp "$MTU" "MPTCP to somebody who has none" mptcp "$FAR" 5001
way sctp "$MTU" "SCTP" sctp "$FAR" 5003
# Data without a cookie, and taken without one.
sysctl -qw net.ipv4.tcp_fastopen=5
in_netns far sysctl -qw net.ipv4.tcp_fastopen=1027
way fast-open "$MTU" "TCP Fast Open: data with the SYN" fast-open "$FAR" 5004

# --- when, and from which cgroup -------------------------------------------------------

free_run "a flood" in_cgroup free tool-bypass udp "$FAR" 5001
FREE=$CAME

# shellcheck disable=SC2317 # by staged
limit_before() { limited before; }
make_cgroup before
staged before before limit_before udp "$FAR" 5001
held_to before "$MTU" "$FREE" "before: a socket that was there before the limit"

# shellcheck disable=SC2317 # by staged
limit_before_tcp() { limited before-tcp; }
make_cgroup before-tcp
staged before-tcp before-tcp limit_before_tcp tcp "$FAR" 5001
held_to before-tcp "$MTU" "$FREE" "before-tcp: a connection that was there before the limit"

# move FROM TO: what runs in a cgroup
# shellcheck disable=SC2317 # by staged
move() {
	local pid

	while read -r pid; do
		echo "$pid" >"$CGROOT/$CGTEST/$2/cgroup.procs"
	done <"$CGROOT/$CGTEST/$1/cgroup.procs"
}
# shellcheck disable=SC2317 # by staged
move_down() { move down down/child; }
# shellcheck disable=SC2317 # by staged
move_away() { move moved free; }

limited down
make_cgroup down/child
staged down down move_down udp "$FAR" 5001
held_to down "$MTU" "$FREE" "down: in a cgroup below, with a socket from above"
limited below
make_cgroup below/a/b/c
watched in_cgroup below/a/b/c tool-bypass udp "$FAR" 5001
held_to below "$MTU" "$FREE" "below: four levels below the limit"

limited moved
staged moved moved move_away udp "$FAR" 5001
held_to moved "$MTU" "$FREE" "moved: the process is elsewhere now, its socket pays where it was made"
watched in_cgroup free tool-bypass unconnected "$FAR" 5001
at_least "$CAME" 500000 "elsewhere: what it makes there is not its old cgroup's any more: bytes"
is "$(packets moved passed)" 14 "elsewhere: nor is it counted there"

# shellcheck disable=SC2317 # by staged
remove_its() {
	move parent/gone free
	rmdir "$CGROOT/$CGTEST/parent/gone" || not_ok "gone: the cgroup can be removed"
}
limited parent
make_cgroup parent/gone
staged gone parent/gone remove_its udp "$FAR" 5001
held_to parent "$MTU" "$FREE" "gone: a socket whose cgroup was removed pays to the one above"

# Threads of one process in two cgroups below a threaded domain.
limited domain
make_cgroup domain/threads
echo threaded >"$CGROOT/$CGTEST/domain/threads/cgroup.type"
# shellcheck disable=SC2016 # by that shell
THREADED='echo 0 >"$0/cgroup.procs"; echo 0 >"$0/threads/cgroup.threads"; exec tool-bypass "$@"'
watched bash -c "$THREADED" "$CGROOT/$CGTEST/domain" unconnected "$FAR" 5001
held_to domain "$MTU" "$FREE" "domain: a thread in a threaded cgroup below"
rein limit del domain
limited domain/threads
watched bash -c "$THREADED" "$CGROOT/$CGTEST/domain" unconnected "$FAR" 5001
held_to domain-threads "$MTU" "$FREE" "threaded: the limit of a threaded cgroup"

# A socket stays whose it was, wherever it is passed: out of a limit, and into one.
limited giver
background in_cgroup giver tool-bypass -s given give "$FAR" 5001 >"$TMP/give"
watched in_cgroup free tool-bypass -s given take "$FAR" 5001
held_to giver "$MTU" "$FREE" "given: passed on to a cgroup without a limit"
limited taker
background in_cgroup free tool-bypass -s taken give "$FAR" 5001 >"$TMP/give"
watched in_cgroup taker tool-bypass -s taken take "$FAR" 5001
at_least "$CAME" 500000 "taken: one from outside, passed to a limited process, pays nothing in there"
is "$(packets taker seen)" 0 "taken: nor is it counted there"
done_testing
