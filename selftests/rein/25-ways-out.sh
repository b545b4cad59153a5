#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No way around a limit on egress: whatever call a program sends with, whatever it says about
# its socket, and whoever has that. See lib-bypass.sh for how it is measured, and
# Documentation/security.rst for what is no socket's.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  far
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-bypass.sh"

make_peer far 1
meet "$(peer 1)" "$(peer 1 6)"
count_there far eth0 v1
make_cgroup free
FAR=$(peer 1) FAR6=$(peer 1 6)
sinks far 5001
# Otherwise each raw packet is answered.
in_netns far sysctl -qw net.ipv4.icmp_ratelimit=100000
sysctl -qw net.ipv4.ping_group_range="0 2147483647"

# --- datagrams -------------------------------------------------------------------------

way udp "$MTU" "a connected socket" udp "$FAR" 5001
way udp6 "$MTU" "IPv6" udp "$FAR6" 5001
way unconnected "$MTU" "an address each time" unconnected "$FAR" 5001
way udplite "$MTU" "UDP-Lite" udplite "$FAR" 5001
way sendmmsg "$MTU" "eight in one call" sendmmsg "$FAR" 5001
way gso 65536 "forty in one packet, UDP_SEGMENT" -n 1200000 gso "$FAR" 5001
way gso6 65536 "the same, IPv6" -n 1200000 gso "$FAR6" 5001
way gso-small 65536 "most headers for the least data" -n 1200000 gso-small "$FAR" 5001
way fragments 8100 "IPv4 cuts them into fragments" fragments "$FAR" 5001
way fragments6 8100 "IPv6 does" fragments "$FAR6" 5001
way msg-more "$MTU" "put together by MSG_MORE" msg-more "$FAR" 5001
way cork "$MTU" "put together by UDP_CORK" cork "$FAR" 5001
way udp-zerocopy "$MTU" "MSG_ZEROCOPY" udp-zerocopy "$FAR" 5001
way multicast "$MTU" "multicast, with a copy for us" multicast 239.1.2.3 5001
way broadcast "$MTU" "broadcast" broadcast 10.0.1.255 5001
way mark "$MTU" "SO_MARK" mark "$FAR" 5001
way priority "$MTU" "SO_PRIORITY" priority "$FAR" 5001
way device "$MTU" "SO_BINDTODEVICE and SO_DONTROUTE" device "$FAR" 5001
way txtime "$MTU" "SO_TXTIME" txtime "$FAR" 5001
way transparent "$MTU" "IP_TRANSPARENT, from somebody else's address" transparent "$FAR" 5001
way ping "$MTU" "ping sockets" ping "$FAR" 0
way ping6 "$MTU" "ping sockets, IPv6" ping "$FAR6" 0
way raw "$MTU" "raw sockets" raw "$FAR" 0
way raw6 "$MTU" "raw sockets, IPv6" raw "$FAR6" 0
way header "$MTU" "IP_HDRINCL" header "$FAR" 5001
way header6 "$MTU" "with a header of one's own, IPv6" header "$FAR6" 5001
way l2tp "$MTU" "L2TP over IP" l2tp "$FAR" 1

# --- streams ---------------------------------------------------------------------------

way tcp "$MTU" "TCP" tcp "$FAR" 5001
way tcp6 "$MTU" "TCP over IPv6" tcp "$FAR6" 5001
way sendfile "$MTU" "sendfile()" sendfile "$FAR" 5001
way splice "$MTU" "splice()" splice "$FAR" 5001
way tcp-zerocopy "$MTU" "MSG_ZEROCOPY" tcp-zerocopy "$FAR" 5001
way tls "$MTU" "TLS in the kernel" tls "$FAR" 5001
way tls-sendfile "$MTU" "TLS in the kernel, by sendfile()" tls-sendfile "$FAR" 5001
way smc "$MTU" "AF_SMC, which falls back to TCP" smc "$FAR" 5001
way repair "$MTU" "TCP_REPAIR" repair "$FAR" 5001

# The answer to a connection that has gone meanwhile is answered by the kernel, for nobody.
limited syn
watched in_cgroup syn tool-bypass -t "$TRY" -n 300000 syn "$FAR" 5001
at_most "$CAME" $((ALLOWED + $(packets syn passed) * 40)) \
	"syn: nothing but SYNs, and a reset for each that was paid"
at_least "$(packets syn refused)" 20 "syn: others were refused"
done_testing
