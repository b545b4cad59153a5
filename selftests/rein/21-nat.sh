#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Connections that are tracked and masqueraded survive a wait: a packet goes on
# to the hooks after ours, conntrack's confirmation among them, or the answer to
# it finds no connection.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far, knows no route to 10.9.9.1
#	      lo 10.9.9.1, the source of what goes to far
#
# UDP as fast as it goes in the same cgroup makes sure that all of TCP's packets
# wait, the first included.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

RATE=4000000
[ -z "$DEBUG" ] || RATE=400000

# shellcheck disable=SC2317 # by at_exit
undo() {
	nft delete table ip rein_test 2>/dev/null
	ip addr del 10.9.9.1/32 dev lo 2>/dev/null
}

make_peer far 1
FAR=$(peer 1)
sinks far 5001 5002
make_cgroup web
ip addr add 10.9.9.1/32 dev lo || exit
at_exit undo
ip route add "$FAR" dev v1 src 10.9.9.1 || exit
nft -f - <<'NFT' || exit
table ip rein_test {
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "v1" masquerade
	}
	chain input {
		type filter hook input priority filter
		iifname "v1" tcp sport 5001 ct state established counter
		iifname "v1" ct state invalid counter
	}
}
NFT
# counted EXPRESSION: packets of that rule
counted() {
	nft -j list chain ip rein_test input |
		jq "[.nftables[].rule? | select(. != null) | .expr[] | .counter? | select(. != null)][$1].packets"
}

rein limit add web --cgroup "$(cg web)" --on egress \
	--rate "${RATE}bit/s,burst=$((RATE / 80))" --over wait || exit
NEEDLESS=$(counters TCPDSACKRecv)
capture far
start udp web -t 6 -u "$FAR" 5002
# shellcheck disable=SC2317 # by wait_for
busy() { [ "$(packets web released)" -gt 10 ]; }
wait_for 5 busy || not_ok "the flood waits"
RELEASED=$(packets web released)
start tcp web -t 4 "$FAR" 5001
wait_sent
capture_end

is "$(sent tcp '.errors | length')" 0 "a masqueraded TCP connection is established"
note "tcp: $(cat "$TMP/tcp.json")"
# A third, as the flood is there all the time.
at_least "$(wire bytes 5001)" $((RATE * 4 / 8 / 3)) "and transfers its share: bytes"
at_most "$(sent tcp .retransmits)" $(($(counters TCPDSACKRecv) - NEEDLESS)) "nothing is sent twice, unless its answer was late"
at_least "$(packets web released)" $((RELEASED + 1)) "packets have waited"
at_least "$(counted 0)" 10 "its answers belong to an established connection"
is "$(counted 1)" 0 "none is invalid"
identity web
done_testing
