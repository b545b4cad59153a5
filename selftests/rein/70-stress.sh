#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at the same time: limits, cgroups and namespaces come and go while
# packets wait and everything is read. In the end, nothing is left of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

SECONDS_=6
[ -z "$DEBUG" ] || SECONDS_=30
SEED=${SEED:-$$}

start_peer
make_cgroup all
dir=$CGROOT/$CGTEST/all
note "SEED=$SEED"
exits_with 0 "no answer is a surprise" \
	timeout -k 5 $((SECONDS_ * 4)) tool-robust-stress "$SECONDS_" "$SEED" "$dir" 10.0.1.2
echo "$OUT"
# Removing its cgroups removes a limit; those on others are removed here.
remove_cgroup all
rein flush
settled "in the end"
is "$(rein -j errors list | grep -c '"code":"REIN-E0001"')" 0 "no error without a meaning"
# shellcheck disable=SC2317 # by wait_for
namespaces_gone() {
	[ "$(rein -j stat | sed 's/.*"namespaces":\([0-9]*\),.*/\1/')" = 2 ]
}
if wait_for "$SOON" namespaces_gone; then
	ok "all network namespaces are gone"
else
	not_ok "all network namespaces are gone" 2 "$(rein stat | grep namespaces)"
fi
locks_in_order 5
in_time 20 "the module can be unloaded" rmmod rein
exits_with 0 "and loaded" modprobe rein
done_testing
