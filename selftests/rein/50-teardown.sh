#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits, devices and namespaces go, and limits change, while packets wait: none
# is stuck, all are accounted for, and traffic flows again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

# slow NAME CGROUP: a limit with a long queue, which fills
slow() {
	rein limit add "$1" --cgroup "$(cg "$2")" --on egress --rate 1Mbit/s,burst=3000 \
		--over wait --patience 30s || not_ok "limit $1 can be added"
	load "$2"
	must_wait "$1" 20
}

# after WHAT [CGROUP]: the load ends; what is left?
after() {
	kill_in "${2:-web}"
	rein flush --force
	settled "$1"
}

deleted() {
	slow l web
	in_time 5 "a limit is deleted while packets wait" rein limit del l
	flows "limit deleted"
	after "limit deleted"
}

changed() {
	slow l web
	rein limit set l --over refuse
	must_empty l "now refuse"
	identity l "now refuse"
	at_least "$(packets l refused)" 1 "packets are refused"
	flows "now refuse"
	rein limit set l --over wait
	must_wait l 20
	identity l "now wait"
	rein limit set l --over observe
	must_empty l "now observe"
	identity l "now observe"
	flows "now observe"
	rein limit set l --over wait
	must_wait l 20
	rein limit set l --rate 0
	identity l "rate 0"
	rein limit set l --rate unlimited
	must_empty l "rate unlimited"
	identity l "rate unlimited"
	after "limit changed"
}

flushed() {
	slow l web
	in_time 5 "rein flush while packets wait" rein flush
	flows "flush"
	after "flush"
	slow l web
	in_time 5 "rein flush --force while packets wait" rein flush --force
	flows "flush --force"
	after "flush --force"
}

gone_down() {
	slow l web
	in_time 5 "the device goes down while packets wait" ip link set v1 down
	at_least "$(packets l teardown)" 1 "device down: packets were dropped, and counted"
	identity l "device down"
	ip link set v1 up
	ip addr replace fd00:1::1/64 dev v1 nodad
	flows "device up again"
	must_wait l 20
	identity l "device up again"
	after "device down"
}

device_gone() {
	slow l web
	in_time 5 "the device is deleted while packets wait" ip link del v1
	at_least "$(packets l teardown)" 1 "device gone: packets were dropped, and counted"
	identity l "device gone"
	ip link add v1 type veth peer name eth0 netns far
	address_far
	flows "a new device"
	identity l "a new device"
	after "device gone"
}

# What make_peer does after it has made the devices.
address_far() {
	ip addr add 10.0.1.1/24 dev v1
	ip addr add fd00:1::1/64 dev v1 nodad
	ip -n far addr add 10.0.1.2/24 dev eth0
	ip -n far addr add fd00:1::2/64 dev eth0 nodad
	ip link set v1 up
	ip -n far link set eth0 up
}

# shellcheck disable=SC2317 # by wait_for
no_device() {
	[ ! -e /sys/class/net/v1 ]
}

namespace_gone() {
	local pid

	slow l web
	for pid in $(ip netns pids far); do
		kill -9 "$pid"
	done
	in_time 5 "the peer's namespace is deleted while packets wait" ip netns del far
	if wait_for "$SOON" no_device; then
		ok "its device goes with it"
	else
		not_ok "its device goes with it" "no v1" "$(ip link show dev v1)"
	fi
	identity l "namespace gone"
	ip netns add far
	ip -n far link set lo up
	ip link add v1 type veth peer name eth0 netns far
	address_far
	start_sink
	flows "a new namespace"
	identity l "a new namespace"
	after "namespace gone"
}

# above NAME CGROUP RATE: a limit above those that packets wait for
above() {
	in_time 5 "limit $1 is added above others while packets wait" \
		rein limit add "$1" --cgroup "$(cg "$2")" --on egress --rate "$3,burst=3000" \
		--over wait --patience 30s
	flows "$1 added"
	must_wait "$1"
}

# All of one tree, then of two again.
ancestors() {
	local limit

	make_cgroup top/middle/a top/middle/b
	slow a top/middle/a
	slow b top/middle/b
	above m top/middle 1500kbit/s
	above t top 1200kbit/s
	for limit in a b m t; do
		identity "$limit" "four limits"
	done
	in_time 5 "the one in the middle is deleted" rein limit del m
	flows "middle deleted"
	in_time 5 "the one on top is deleted" rein limit del t
	flows "top deleted"
	must_wait a
	must_wait b
	identity a "two limits"
	identity b "two limits"
	# Leaves go before the middle.
	above m top/middle 500kbit/s
	in_time 5 "a leaf is deleted before its parent" rein limit del a
	in_time 5 "and the other one" rein limit del b
	must_wait m
	identity m "leaves deleted"
	rein limit set m --rate 100Mbit/s
	flows "leaves deleted"
	identity m "leaves deleted, faster"
	after "ancestors" top
}

start_peer
make_cgroup web
deleted
changed
flushed
gone_down
device_gone
namespace_gone
ancestors
done_testing
