#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What watches are kept over goes, a network namespace with it, and the module itself while
# a thousand are armed.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

WATCHES=1000

# socket_of PID: a descriptor of it that is a socket
socket_of() {
	local link

	for link in "/proc/$1/fd/"*; do
		[[ $(readlink "$link") == socket:* ]] && { basename "$link"; return; }
	done
	return 1
}

# namespaces N: there are so many
# shellcheck disable=SC2317 # wait_for calls it
namespaces() {
	[ "$(json stat .namespaces)" = "$1" ]
}

# A watch must not keep a namespace for longer than it takes to see that its socket is closed.
namespace_goes() {
	local before pid

	before=$(json stat .namespaces)
	background unshare --net nc -l -p 5001
	pid=$PID
	wait_for "$SOON" socket_of "$pid" >/dev/null || not_ok "a socket in another namespace"
	exits_with 0 "a watch over it" rein watch add there --every 1h \
		--socket "$pid:$(socket_of "$pid")"
	kill "$pid"
	exits_with 0 "it is over when the socket is closed" \
		rein watch wait there --for gone --timeout 30s
	if wait_for 30 namespaces "$before"; then
		ok "the namespace goes with it"
	else
		not_ok "the namespace goes with it" "$before" "$(json stat .namespaces)"
	fi
}

# armed: all are there, and looked at: some have missed a beat
# shellcheck disable=SC2317 # wait_for calls it
armed() {
	[ "$(json watch list '[.[] | select(.faults > 0)] | length > 100')" = true ]
}

module_goes() {
	local i

	for ((i = 0; i < WATCHES; i += 2)); do
		echo "watch add pid$i --pid $$ --every 500ms --miss 1000 --on-miss kill"
		echo "watch add cgroup$i --cgroup $(cg a) --every 500ms --miss 1000 --on-miss kill"
	done >"$TMP/batch"
	exits_with 0 "a thousand watches" rein -b "$TMP/batch"
	is "$(json stat .watches)" "$WATCHES" "they are there"
	wait_for 30 armed || not_ok "they are looked at" "faults" "$(rein stat)"
	in_time 10 "the module is unloaded while they are armed" rmmod rein
	exits_with 0 "it is loaded again" modprobe rein
	is "$(json stat .watches)" 0 "it knows none of them"
	exits_with 0 "nobody was killed" kill -0 "$SLEEPER"
}

make_cgroup a
# One that is empty would be over.
background sh -c "echo \$\$ >$CGROOT/$CGTEST/a/cgroup.procs; exec sleep 1000"
SLEEPER=$PID
namespace_goes
module_goes
done_testing
