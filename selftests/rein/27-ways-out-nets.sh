#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No way around a limit on egress, the third part: devices, tunnels and namespaces; what goes
# through several is paid once. And what AF_PACKET sends, which is a way around: see
# Documentation/security.rst. See lib-bypass.sh and 25-ways-out.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
#	      each tunnel 10.2.K.1 ...... 10.2.K.2
#
#	      user    10.1.1.1 n1 ------ 10.1.1.2 p1  here, which forwards to far
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-bypass.sh"

make_peer far 1
meet "$(peer 1)" "$(peer 1 6)"
make_netns server
count_there far eth0 v1
make_cgroup free
FAR=$(peer 1)
sinks far 5001
sysctl -qw net.ipv4.ip_forward=1
in_netns far ip route add 10.1.0.0/16 via 10.0.1.1

# once NAME DESCRIPTION ARGUMENT...: 50 datagrams of tool-bypass, from a cgroup of that name,
# whose limit counts and is not in the way
once() {
	make_cgroup "$1"
	rein limit add "$1" --cgroup "$(cg "$1")" --on egress --rate 1GB/s || exit
	watched "${WITHIN:-in_cgroup}" "$1" tool-bypass -n 70000 "${@:3}"
	if [ "$CAME" -lt 70000 ]; then
		not_ok "$1: $2 arrives" "70000 bytes" "$CAME, $OUT"
	else
		is "$(packets "$1" passed) $(bytes "$1" passed)" "50 ${ONCE:-71400}" "$1: $2 is paid once"
	fi
	rein limit del "$1"
}

# --- tunnels -----------------------------------------------------------------------------

# ends NAME K: the addresses of both ends of what is called NAME
ends() {
	ip addr add "10.2.$2.1/24" dev "$1"
	ip -n far addr add "10.2.$2.2/24" dev "$1"
	ip link set "$1" up
	ip -n far link set "$1" up
	at_exit ip link del "$1"
}

# tunnel KIND NAME: makes both ends, if this kernel knows the kind
# shellcheck disable=SC2317 # by through
tunnel() {
	ip link add "$2" type "$1" local 10.0.1.1 remote 10.0.1.2 &&
		ip -n far link add "$2" type "$1" local 10.0.1.2 remote 10.0.1.1
}

# shellcheck disable=SC2317 # by through
wireguard() {
	local here there

	ip link add "$2" type wireguard && ip -n far link add "$2" type wireguard || return 1
	here=$(tool-wg key "$2" 5820) && there=$(in_netns far tool-wg key "$2" 5821) || return 1
	tool-wg peer "$2" "$there" 10.0.1.2 5821
	in_netns far tool-wg peer "$2" "$here" 10.0.1.1 5820
}

# IPsec that encrypts nothing, through a device of its own.
# shellcheck disable=SC2317 # by through
vti() {
	local ns end=(10.0.1.1 10.0.1.2) null=(auth digest_null '' enc 'ecb(cipher_null)' '')

	ip link add "$2" type vti local 10.0.1.1 remote 10.0.1.2 key 7 &&
		ip -n far link add "$2" type vti local 10.0.1.2 remote 10.0.1.1 key 7 || return 1
	for ns in "" far; do
		# shellcheck disable=SC2086 # nothing, or two words
		ip ${ns:+-n $ns} xfrm state add src "${end[0]}" dst "${end[1]}" proto esp spi 7 \
			mode tunnel mark 7 "${null[@]}" &&
		ip ${ns:+-n $ns} xfrm policy add dir out mark 7 tmpl src "${end[0]}" dst "${end[1]}" \
			proto esp mode tunnel || return 1
		end=("${end[1]}" "${end[0]}")
	done
	end=(10.0.1.1 10.0.1.2)
	ip -n far xfrm state add src 10.0.1.1 dst 10.0.1.2 proto esp spi 7 mode tunnel mark 7 \
		"${null[@]}"
	ip -n far xfrm policy add dir in mark 7 tmpl src 10.0.1.1 dst 10.0.1.2 proto esp mode tunnel
}

# The same through an interface that chooses states by its id.
# shellcheck disable=SC2317 # by through
xfrmi() {
	local ns end=(10.0.1.1 10.0.1.2) dev=v1 null=(auth digest_null '' enc 'ecb(cipher_null)' '')

	for ns in "" far; do
		# shellcheck disable=SC2086 # nothing, or two words
		ip ${ns:+-n $ns} link add "$2" type xfrm dev $dev if_id 8 &&
		ip ${ns:+-n $ns} xfrm state add src "${end[0]}" dst "${end[1]}" proto esp spi 8 \
			mode tunnel if_id 8 "${null[@]}" &&
		ip ${ns:+-n $ns} xfrm state add src "${end[1]}" dst "${end[0]}" proto esp spi 8 \
			mode tunnel if_id 8 "${null[@]}" &&
		ip ${ns:+-n $ns} xfrm policy add dir out if_id 8 tmpl src "${end[0]}" dst "${end[1]}" \
			proto esp mode tunnel &&
		ip ${ns:+-n $ns} xfrm policy add dir in if_id 8 tmpl src "${end[1]}" dst "${end[0]}" \
			proto esp mode tunnel || return 1
		end=("${end[1]}" "${end[0]}") dev=eth0
	done
}

# through KIND K COMMAND...: what goes into a tunnel
through() {
	if ! "${@:3}" >"$TMP/tunnel" 2>&1; then
		note "$(cat "$TMP/tunnel")"
		skip "the kernel lacks $1" "$1: what goes into it is paid once"
		return
	fi
	ends "to$2" "$2"
	free_run "$1 is there" tool-bypass -n 1400 udp "10.2.$2.2" 5001 || return
	once "$1" "what goes into it" udp "10.2.$2.2" 5001
	way "$1-held" "$MTU" "through $1" udp "10.2.$2.2" 5001
}

# shellcheck disable=SC2034 # for held_to
PERCENT=8
through ipip 1 tunnel ipip to1
through gre 2 tunnel gre to2
through wireguard 3 wireguard wireguard to3
through vti 4 vti vti to4
through xfrm 5 xfrmi xfrm to5
# shellcheck disable=SC2034 # for held_to
PERCENT=2

# --- devices that stand for others ---------------------------------------------------------

# bridged: v1 is a port of a bridge
make_peer beside 5
if ip link add br0 type bridge 2>/dev/null; then
	ip addr flush dev v5
	ip link set v5 master br0
	ip addr add 10.0.5.1/24 dev br0
	ip link set br0 up
	count_there beside eth0 br0
	sinks beside 5001
	modprobe -q br_netfilter
	once bridge "what a bridge sends on, and netfilter sees twice," udp 10.0.5.2 5001
	ip link del br0
fi

make_peer inside 6
if ip link add red type vrf table 66 2>"$TMP/vrf"; then
	ip link set v6 master red
	ip link set red up
	count_there inside eth0 v6
	sinks inside 5001
	free_run "vrf is there" tool-bypass -d red -n 1400 bound 10.0.6.2 5001
	once vrf "what a VRF sends" -d red bound 10.0.6.2 5001
	way vrf-held "$MTU" "through a VRF" -d red bound 10.0.6.2 5001
	tc qdisc add dev red root pfifo
	once vrf-queue "what a VRF with a queue sends" -d red bound 10.0.6.2 5001
	tc qdisc del dev red root
	ip addr add 10.7.7.7/32 dev red
	count_there - red red
	once vrf-local "what stays in a VRF" -d red bound 10.7.7.7 5001
	count_there inside eth0 v6
	ip addr add fd00:6::1/64 dev v6 nodad 2>/dev/null
	ONCE=72400 once vrf6 "what a VRF sends over IPv6" -d red bound fd00:6::2 5001
	ip link del red
else
	note "$(cat "$TMP/vrf")"
	skip "the kernel lacks vrf" "vrf: what a VRF sends is paid once"
fi
count_there far eth0 v1

# --- namespaces ------------------------------------------------------------------------------

# inside CGROUP K COMMAND...: a process there with a user and a network namespace of its own,
# which is forwarded
inside() {
	background in_cgroup "$1" unshare -Urn sleep 1000
	wait_for 10 found "$1" || not_ok "$1: there is a namespace"
	ip link add "n$2" netns "$INSIDE" type veth peer name "p$2"
	ip addr add "10.1.$2.2/24" dev "p$2"
	ip link set "p$2" up
	nsenter -t "$INSIDE" -U -n --preserve-credentials sh -c "ip addr add 10.1.$2.1/24 dev n$2
		ip link set n$2 up; ip link set lo up; ip route add default via 10.1.$2.2"
}

# shellcheck disable=SC2317 # by wait_for
found() {
	local pid

	while read -r pid; do
		[ "$(cat "/proc/$pid/comm")" != sleep ] || { INSIDE=$pid; return 0; }
	done <"$CGROOT/$CGTEST/$1/cgroup.procs"
	return 1
}

# there CGROUP COMMAND...: in the namespace that was made last, by its root
# shellcheck disable=SC2317 # by watched
there() {
	in_cgroup "$1" nsenter -t "$INSIDE" -U -n --preserve-credentials "${@:2}"
}

make_cgroup user
inside user 1
watched there free tool-bypass udp "$FAR" 5001
FREE=$CAME
limited user
watched there user tool-bypass udp "$FAR" 5001
held_to user "$MTU" "$FREE" "user: a user namespace with a network of its own, whose packets are forwarded"
WITHIN=there once forwarded "what is forwarded" udp "$FAR" 5001

# --- what lends its device to a namespace ----------------------------------------------------------

# in_lent CGROUP COMMAND...
# shellcheck disable=SC2317 # by watched
in_lent() {
	in_cgroup "$1" ip netns exec lent "${@:2}"
}

# lent MODE K: v1, by ipvlan. Of mode l2 packets leave as they are; of l3 and l3s they are
# routed by this namespace, past its hooks.
lent() {
	if ! ip link add iv0 link v1 netns lent type ipvlan mode "$1" 2>"$TMP/ipvlan"; then
		skip "the kernel lacks ipvlan: $(cat "$TMP/ipvlan")" "ipvlan-$1: what a lent device sends"
		return
	fi
	ip -n lent addr add "10.0.1.$2/24" dev iv0
	ip -n lent link set iv0 up
	free_run "ipvlan-$1 is there" in_lent free tool-bypass -n 1400 udp "$FAR" 5001 || return
	WITHIN=in_lent once "ipvlan-$1" "what a lent device sends" udp "$FAR" 5001
	watched in_lent free tool-bypass udp "$FAR" 5001
	FREE=$CAME
	limited "ipvlan-$1-held"
	watched in_lent "ipvlan-$1-held" tool-bypass udp "$FAR" 5001
	held_to "ipvlan-$1-held" "$MTU" "$FREE" "ipvlan-$1-held: through a lent device"
	ip -n lent link del iv0
}

make_netns lent
lent l2 21
lent l3 22
lent l3s 23

# --- loopback ----------------------------------------------------------------------------------

count_there - lo lo
sinks - 5002
way loopback "$MTU" "loopback" unconnected 127.0.0.1 5002
once loop "what goes over loopback" udp 127.0.0.1 5002
count_there far eth0 v1

# --- IPVS --------------------------------------------------------------------------------------

ip route add 10.9.9.9 dev v1
# Whose packets wait is not said by IPVS.
waits_for_ipvs() {
	make_cgroup ipvs-wait
	rein limit add ipvs-wait --cgroup "$(cg ipvs-wait)" --on egress --rate 200kB/s,burst=5kB --over wait
	rein limit add ipvs-flow --cgroup "$(cg ipvs-wait)" --on connect --rate 2/s,burst=1 --over wait
	for _ in 1 2 3; do
		in_cgroup ipvs-wait tool-bypass -n 28000 udp 10.9.9.9 5001 >"$TMP/out"
	done
	wait_for 20 drained ipvs-wait
	is "$(packets ipvs-wait seen) $(packets ipvs-wait queued) $(packets ipvs-flow released)" "60 0 2" \
		"ipvs-wait: packets to a virtual service wait, and flows do"
	at_least "$(packets ipvs-wait released)" 1 "ipvs-wait: and go on"
	identity ipvs-wait
	identity ipvs-flow
}

# shellcheck disable=SC2317 # by wait_for
drained() {
	[ "$(packets "$1" seen)" = 60 ] && [ "$(packets "$1" queued)" = 0 ]
}

modprobe -q ip_vs
if tool-ipvs 10.9.9.9 5001 "$FAR" 5001 2>"$TMP/ipvs"; then
	way ipvs "$MTU" "to a virtual service of this host's" udp 10.9.9.9 5001
	once ipvs-once "what goes to a virtual service" udp 10.9.9.9 5001
	waits_for_ipvs
else
	skip "the kernel lacks ip_vs: $(cat "$TMP/ipvs")" "ipvs: to a virtual service of this host's"
fi

# --- what is a way around ------------------------------------------------------------------------

# What AF_PACKET sends passes no hook of IP's. Who counts it is netfilter at the device. Should
# this fail one day because less arrives, security.rst has to be written anew.
# at_device: netfilter counts what leaves by v1, anew
at_device() {
	nft delete table netdev seen 2>/dev/null
	nft -f - <<-'NFT'
	table netdev seen {
		chain egress {
			type filter hook egress device "v1" priority 0
			ip protocol udp counter
		}
	}
	NFT
}

for name in packet frames frames-direct; do
	limited "$name"
	at_device
	watched in_cgroup "$name" tool-bypass -n 140000 "$name" "$FAR" 5001
	at_least "$CAME" 140000 "$name: AF_PACKET is a way around, for who has CAP_NET_RAW: bytes"
	is "$(packets "$name" seen)" 0 "$name: no limit sees it"
	is "$(nft list table netdev seen | sed -n 's/.*counter packets \([0-9]*\).*/\1/p')" 100 \
		"$name: netfilter at the device does, each packet"
	is "$(in_cgroup "$name" setpriv --bounding-set -net_raw --inh-caps -net_raw tool-bypass "$name" "$FAR" 5001 2>&1)" \
		"lacks AF_PACKET (Operation not permitted)" "$name: without CAP_NET_RAW nobody can"
done
nft delete table netdev seen

# Who is root in a namespace that is forwarded has that, too.
MAC=$(cat /sys/class/net/p1/address)
watched there user tool-bypass -d n1 -a 10.1.1.1 -m "$MAC" -n 140000 packet "$FAR" 5001
at_least "$CAME" 140000 "user: root in a namespace that is forwarded has AF_PACKET: bytes"
done_testing
