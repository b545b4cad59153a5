#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limit iperf3 to 10 Mbit/s, by rein and by what the kernel has, and print what
# arrived. Runs in the VM that `make demo` boots.
#
#	here  v1 10.0.1.1 ------ 10.0.1.2 eth0  rein
#	      v2 10.0.2.1 ------ 10.0.2.2 eth0  tbf1	tc tbf on v2: TCP
#	      v3 10.0.3.1 ------ 10.0.3.2 eth0  tbf2	tc tbf on v3: UDP
#	      v4 10.0.4.1 ------ 10.0.4.2 eth0  nft	nft limit on what goes to v4
#
# rein's four flows run at the same time, then the other four. Measured are the
# layer 3 bytes that arrive at the peer's device, the first second left out.
# shellcheck source=selftests/rein/lib.sh
. /rein/lib.sh >/dev/null
plan 0 >/dev/null
PATH=/rein:$PATH
CGTEST=demo

MBIT=10 BURST=125000 SECONDS_SENT=7
PORT=5200
declare -A PORTS

say() {
	printf '\n%s\n\n' "$*"
}

shown() {
	printf '    # %s\n' "$*"
	"$@"
}

# shellcheck disable=SC2317 # by wait_for
listens() {
	in_netns "$1" ss -Hltn "sport = $2" | grep -q .
}

# flow NAME NETNS K CGROUP: TCP if NAME ends in tcp, else UDP at twice the limit
flow() {
	local args

	args=(-c "$(peer "$3")" -t "$SECONDS_SENT")
	PORT=$((PORT + 1))
	PORTS[$1]=$PORT
	case $1 in
	*udp)	args+=(-u -b "$((MBIT * 2))M" -l 1400) ;;
	esac
	background in_netns "$2" iperf3 -s -1 -p "$PORT" >/dev/null
	wait_for 10 listens "$2" "$PORT" || exit
	background in_cgroup "$4" iperf3 "${args[@]}" -p "$PORT" >"$TMP/$1.log" 2>&1
	_senders+=("$PID")
}

# row NAME CAPTURE WHAT WAITED REFUSED
row() {
	local rate proto=TCP what=t

	case $1 in
	*udp)	proto=UDP what=u ;;
	esac
	rate=$(WIRE=$2 wire rate "$what${PORTS[$1]}" 1.5 $((SECONDS_SENT - 1)).5)
	printf '    %-12s %-8s %10s %9s %8s %8s %8s\n' "$3" $proto "$MBIT.00" \
		"$(calc "$rate / 1e6" %.2f)" "$(calc "($rate / ${MBIT}e6 - 1) * 100" %+.1f)" \
		"$4" "$5"
}

# dropped DEVICE: by its root qdisc
dropped() {
	tc -s -j qdisc show dev "$1" root | jq '.[0].drops'
}

# nft_dropped N: by the Nth rule
nft_dropped() {
	nft -j list chain ip demo output |
		jq "[.nftables[].rule? | select(. != null).expr[].counter? | select(. != null)][$1].packets"
}

say "Four cgroups, each with a limit on what it sends. What is over waits, or is refused:"
make_cgroup wait-tcp wait-udp refuse-tcp refuse-udp none
for over in wait refuse; do
	for proto in tcp udp; do
		shown rein limit add $over-$proto --cgroup "$(cg $over-$proto)" --on egress \
			--rate ${MBIT}Mbit/s,burst=$BURST --over $over || exit
	done
done

say "For comparison the same with what the kernel has:"
make_peer rein 1
make_peer tbf1 2
make_peer tbf2 3
make_peer nft 4
for dev in v2 v3; do
	shown tc qdisc add dev $dev root tbf rate ${MBIT}mbit burst $BURST latency 400ms || exit
done
cat >"$TMP/nft" <<NFT
table ip demo {
	chain output {
		type filter hook output priority filter
		oifname "v4" meta l4proto tcp limit rate over $((MBIT * 125000)) bytes/second burst $BURST bytes counter drop
		oifname "v4" meta l4proto udp limit rate over $((MBIT * 125000)) bytes/second burst $BURST bytes counter drop
	}
}
NFT
at_exit nft delete table ip demo
sed -n 's/^\t\toifname/    # nft: oifname/p' "$TMP/nft"
nft -f "$TMP/nft" || exit

say "iperf3 over each of them, $SECONDS_SENT s each ..."
for name in rein tbf1 tbf2 nft; do
	capture $name eth0 $name
done
for over in wait refuse; do
	for proto in tcp udp; do
		flow $over-$proto rein 1 $over-$proto
	done
done
wait_sent
flow tbf-tcp tbf1 2 none
flow tbf-udp tbf2 3 none
flow nft-tcp nft 4 none
PORTS[nft-udp]=5300
sinks nft 5300
start nft-udp none -t $SECONDS_SENT -u -r $((MBIT * 2000000 / 8 / 1400)) "$(peer 4)" 5300
wait_sent
capture_end

printf '    %-12s %-8s %10s %9s %8s %8s %8s\n' mode protocol "configured" "measured" "error" "waited" "refused"
printf '    %-12s %-8s %10s %9s %8s %8s %8s\n' "" "" "Mbit/s" "Mbit/s" "%" "packets" "packets"
for over in wait refuse; do
	for proto in tcp udp; do
		name=$over-$proto
		row $name rein "rein $over" "$(packets $name released)" "$(packets $name refused)"
	done
done
row tbf-tcp tbf1 "tc tbf" - "$(dropped v2)"
row tbf-udp tbf2 "tc tbf" - "$(dropped v3)"
row nft-tcp nft "nft limit" - "$(nft_dropped 0)"
row nft-udp nft "nft limit" - "$(nft_dropped 1)"
cat <<'TEXT'

    Measured: layer 3 bytes that arrived, without the first second. rein and nft
    count those, tbf those of layer 2 (14 more a packet). A UDP packet that nft
    refuses makes send() fail with EPERM, and iperf3 give up: there it was a sender
    that goes on. rein's refusals it doesn't notice, as a packet lost on the way.
TEXT
for name in "${!PORTS[@]}"; do
	[ ! -e "$TMP/$name.log" ] || grep -H 'iperf3: error' "$TMP/$name.log" | sed "s|.*/\\(.*\\).log:|    $name: |"
done

ID=$(json errors list '[.[] | select(.limit == "refuse-udp")][0].id')
say "A refusal, in full:"
printf '    # rein errors show %s\n' "$ID"
rein errors show "$ID" | sed 's/^/    /'
done_testing
