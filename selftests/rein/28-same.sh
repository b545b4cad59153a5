#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Conntrack, NAT, nftables and tc on a packet's way do the same with rein and without: the same
# traffic through the same rules, in new namespaces each time, once while nothing is hooked,
# once with a limit that isn't reached, and once with one that makes packets wait.
#
#	client 10.0.1.2 ------ c 10.0.1.1  router  10.0.2.1 f ------ 10.0.2.2 far
#
# The router masquerades, and programs on it send, too, from a limited cgroup.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

# link DEVICE K NETNS: between the router and NETNS
link() {
	ip -n router link add "$1" type veth peer name eth0 netns "$3"
	ip -n router addr add "10.0.$2.1/24" dev "$1"
	ip -n "$3" addr add "10.0.$2.2/24" dev eth0
	ip -n router link set "$1" up
	ip -n "$3" link set eth0 up
}

network() {
	make_netns router client far
	link c 1 client
	link f 2 far
	ip -n client route add default via 10.0.1.1
	sinks far 5001 5002
	sinks router 5003
	in_netns router sysctl -qw net.ipv4.ip_forward=1
	ping_each
	rules
	in_netns router sysctl -qw net.netfilter.nf_conntrack_acct=1
	in_netns far nft -f - <<-'NFT'
	table inet came {
		chain in {
			type filter hook prerouting priority -400
			ip protocol udp counter comment "UDP came"
			ip protocol icmp counter comment "ICMP came"
		}
	}
	NFT
}

# So that all neighbours are known, and no packet waits for one.
ping_each() {
	in_netns client ping -q -c 1 10.0.1.1 >/dev/null
	in_netns far ping -q -c 1 10.0.2.1 >/dev/null
}

rules() {
	in_netns router nft -f - <<-'NFT'
	table inet rules {
		chain output {
			type route hook output priority 0
			udp dport 5001 counter meta mark set 7 comment "marked"
			udp dport 5009 counter reject comment "rejected"
		}
		chain forward {
			type filter hook forward priority 0
			ct state new counter comment "new"
			udp dport 5002 counter drop comment "dropped"
		}
		chain post {
			type filter hook postrouting priority 50
			meta l4proto udp ct state new counter comment "first of a flow"
			meta l4proto udp ct state established counter comment "others"
			tcp flags syn counter comment "SYNs"
			meta mark 7 counter comment "with a mark"
		}
		chain masqueraded {
			type nat hook postrouting priority srcnat
			oifname "f" counter masquerade comment "masqueraded"
		}
		chain elsewhere {
			type nat hook output priority -100
			ip daddr 10.0.2.9 counter dnat ip to 10.0.2.2 comment "elsewhere"
		}
	}
	table netdev at_device {
		chain out {
			type filter hook egress device "f" priority 0
			ip protocol udp counter comment "at the device"
		}
	}
	NFT
	in_netns router tc qdisc add dev f root handle 1: prio bands 3
	in_netns router tc filter add dev f parent 1: protocol ip prio 1 u32 match ip protocol 17 0xff \
		match ip dport 5001 0xffff flowid 1:1 action police rate 1gbit burst 1m conform-exceed drop/ok
}

# of COUNT PORT ARGUMENT...: datagrams from a program on the router
of() {
	in_cgroup web ip netns exec router tool-send -t 60 -u -r 500 -n "$1" "${@:3}" "$2"
}

# client_of COUNT ADDRESS PORT
client_of() {
	in_netns client tool-send -t 60 -u -r 500 -n "$1" "$2" "$3"
}

traffic() {
	of 50 5001 10.0.2.2
	of 20 5001 10.0.2.9
	of 5 5001 -s 4000 10.0.2.2
	of 1 5009 10.0.2.2
	in_cgroup web ip netns exec router ping -q -c 3 -i 0.2 10.0.2.2 | grep transmitted
	in_cgroup web ip netns exec router tool-connect -n 4 10.0.2.2 5001 | cut -d' ' -f1
	client_of 30 10.0.2.2 5001
	client_of 4 10.0.2.2 5002
	client_of 10 10.0.1.1 5003
	in_netns client tool-connect -n 2 10.0.2.2 5001 | cut -d' ' -f1
}

# What there is of connections, but for times, ports that nobody chose, and which end was the
# first to close.
entries() {
	in_netns router cat /proc/net/nf_conntrack | awk '{
		gsub(/[sd]port=([0-46-9][0-9]*|5[1-9]?[0-9]?[0-9]?[0-9]?|50[1-9][0-9]*|500[0-9][0-9]) /, "")
		gsub(/ (id|use|zone)=[0-9]+/, "")
		if ($3 == "tcp") gsub(/(packets|bytes)=[0-9]+ /, "")
		if ($3 == "tcp") sub(/CLOSE|TIME_WAIT/, "CLOSED")
		$5 = ""
		print }' | sort
}

counted() {
	in_netns "$1" nft list ruleset |
		sed -n 's/.*\(counter packets [0-9]* bytes [0-9]*\).*comment \(".*"\)/\2 \1/p'
}

# shellcheck disable=SC2317 # by wait_for
settled() {
	in_netns far nft list ruleset >"$TMP/now"
	cmp -s "$TMP/now" "$TMP/last" && return
	mv "$TMP/now" "$TMP/last"
	return 1
}

# shellcheck disable=SC2317 # by wait_for
drained() {
	[ "$(packets web queued)" = 0 ]
}

# observe NAME: what becomes of all that
observe() {
	network
	traffic >"$TMP/$1" 2>&1
	[ "$1" != waiting ] || wait_for 30 drained
	wait_for 20 settled
	{
		sed 's/, time .*//; s/"pause_ms": [0-9]*, //' "$TMP/$1"
		counted router
		counted far
		in_netns router tc -s filter show dev f | grep -o 'Sent .*'
		entries
	} >"$TMP/$1.observed"
	for name in router client far; do
		for pid in $(ip netns pids "$name"); do
			kill -9 "$pid"
		done
		ip netns del "$name"
	done
	_netns=()
}

# same NAME DESCRIPTION [BUT]: BUT are lines that don't count
same() {
	if diff <(grep -vE "${3:-^$}" "$TMP/without.observed") \
		<(grep -vE "${3:-^$}" "$TMP/$1.observed") >"$TMP/diff"; then
		ok "$2 ($(wc -l <"$TMP/$1.observed") lines)"
	else
		not_ok "$2" "no difference" "$(cat "$TMP/diff")"
	fi
}

make_cgroup web
is "$(json stat .hooked)" false "nothing is hooked"
observe without
note "$(cat "$TMP/without.observed")"
matches "$(cat "$TMP/without.observed")" '"with a mark" counter packets 7' "there is something to compare"
rein limit add web --cgroup "$(cg web)" --on egress --rate 1GB/s --over wait
rein limit add calls --cgroup "$(cg web)" --on connect --rate 1000/s
observe within
same within "a limit that isn't reached changes nothing that others do"
at_least "$(packets web passed)" 80 "though it has seen what was sent: packets"
rein limit set web --rate 100kB/s,burst=4kB
observe waiting
# A flow is confirmed when its first packet goes on: those that wait behind it meet the rules of
# NAT as it did, and find at the end that it is of their flow.
same waiting "nor does one that makes packets wait" '^"(masqueraded|elsewhere)"'
at_least "$(packets web released)" 20 "though some have waited: packets"
identity web
done_testing
