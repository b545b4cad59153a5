#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make bench` runs in its VMs: guest.sh cost, where a nanosecond is an
# instruction; guest.sh scale, where seconds are seconds. What is found is
# printed in lines that begin with an @ and are for report.awk:
#
#	@kernel RELEASE
#	@version VERSION
#	@packet KEY MIN MEDIAN MAX
#	@take KEY MIN MEDIAN MAX
#	@beat KEY MIN MEDIAN MAX
#	@skip KEY REASON
#	@limits KEY N		of the same KEY as a packet: how many there were
#	@scale N CGROUPS SECONDS-TO-ADD SECONDS-TO-REMOVE BYTES
#
# Packets leave through a dummy device, which drops them.
# shellcheck source=selftests/rein/lib.sh
. /rein/lib.sh >/dev/null
plan 0 >/dev/null
PATH=/bench:$PATH
CGTEST=bench

ADDRESS=10.9.0.2
# Far above the load, and far below.
MUCH=10Gbit/s,burst=100MB MUCH_P=100Mp/s,burst=1Mp LITTLE=1kbit/s,burst=128

fail() {
	echo "bench: $*"
	exit 1
}

try() {
	local said

	said=$("$@" 2>&1) || fail "$*: $said"
}

device() {
	try ip link add d0 type dummy
	at_exit ip link del d0
	try ip addr add 10.9.0.1/24 dev d0
	try ip link set d0 up
	try ip neigh add $ADDRESS lladdr 02:00:00:00:00:02 nud permanent dev d0
}

# measure GROUP KEY EXPECTED CGROUP ARGUMENT...: by tool-bench in CGROUP. What was
# done has to be as EXPECTED, or else something else was measured: ok, or the
# errno that most of it met, or any.
measure() {
	local group=$1 key=$2 expected=$3 json saw

	json=$(in_cgroup "$4" tool-bench "${@:5}") || fail "$key: tool-bench $*: $json"
	read -r saw < <(jq -r 'if .failed > .done then .errno elif .failed == 0 then "ok" else "mixed" end' <<<"$json")
	[ "$saw" = "$expected" ] || fail "$key: expected $expected, saw $saw: $json"
	jq -r '"@'"$group $key"' \(.min) \(.median) \(.max)"' <<<"$json"
}

# packet KEY EXPECTED [CGROUP]
packet() {
	measure packet "$1" "$2" "${3:-sender}" send $ADDRESS 9
}

# rein_packet KEY STAT CGROUP LIMIT CGROUP OPTION...: with a limit, of which nearly
# all packets must have met the end STAT (or -: none)
rein_packet() {
	local key=$1 stat=$2 from=$3 limit=$4 seen count

	try rein limit add "$limit" --cgroup "$(cg "$5")" --on egress "${@:6}"
	packet "$key" ok "$from"
	seen=$(packets "$limit" seen)
	if [ "$stat" = - ]; then
		[ "$seen" = 0 ] || fail "$key: $limit has seen $seen packets"
	else
		count=$(packets "$limit" "$stat")
		[ "$count" -ge 20000 ] || fail "$key: $limit: of $seen packets only $count $stat"
	fi
	try rein flush
}

# chain TIER...: four nested cgroups with a limit in each
chain() {
	local at=nest name tier tiers=()

	for tier in "$@"; do
		tiers+=(--rate "$tier")
	done
	for name in l1 l2 l3 l4; do
		try rein limit add $name --cgroup "$(cg $at)" --on egress "${tiers[@]}"
		at+=/n
	done
}

# --- rein -----------------------------------------------------------------------------

rein_rows() {
	local deep=nest/n/n/n

	packet rein_loaded ok
	rein_packet rein_elsewhere - sender elsewhere other --rate $MUCH
	rein_packet rein_refuse passed sender one sender --rate $MUCH --over refuse
	rein_packet rein_wait passed sender one sender --rate $MUCH --over wait
	rein_packet rein_packets passed sender one sender --rate $MUCH_P
	rein_packet rein_tiers passed sender one sender --rate $MUCH --rate $MUCH_P
	rein_packet rein_above passed $deep one nest --rate $MUCH
	chain $MUCH
	packet rein_chain ok $deep
	try rein flush
	chain $MUCH $MUCH_P
	packet rein_chain_tiers ok $deep
	try rein flush
	rein_packet rein_refused refused sender one sender --rate $LITTLE
}

# --- what the kernel has ------------------------------------------------------------------

# nft_packet KEY EXPECTED [RULE]
nft_packet() {
	if ! nft -f - 2>"$TMP/nft" <<-NFT
		table ip bench {
			set by_address { type ipv4_addr; flags dynamic; timeout 60s; }
			chain output {
				type filter hook output priority filter
				${3:-}
			}
		}
		NFT
	then
		echo "@skip $1 nft: $(head -n 1 "$TMP/nft")"
		return
	fi
	packet "$1" "$2"
	try nft delete table ip bench
}

nft_rows() {
	local much='limit rate over 1000 mbytes/second burst 100 mbytes drop'

	nft_packet nft_empty ok
	nft_packet nft_limit ok "$much"
	nft_packet nft_cgroup ok "socket cgroupv2 level 2 \"$CGTEST/sender\" $much"
	nft_packet nft_set ok "update @by_address { ip saddr ${much% drop} } drop"
	nft_packet nft_refused EPERM 'limit rate over 1 kbytes/second burst 128 bytes drop'
}

iptables_row() {
	if ! command -v iptables >/dev/null || ! modprobe -q xt_hashlimit; then
		echo "@skip xt_hashlimit the VM has no iptables"
		return
	fi
	try iptables -A OUTPUT -m hashlimit --hashlimit-name bench --hashlimit-mode srcip \
		--hashlimit-above 1000mb/s --hashlimit-burst 100mb -j DROP
	packet xt_hashlimit ok
	try iptables -F OUTPUT
}

# qdisc KEY ARGUMENT...: as the device's root
qdisc() {
	try tc qdisc add dev d0 root handle 1: "${@:2}"
	[ "$2" != htb ] || try tc class add dev d0 parent 1: classid 1:1 htb rate 10gbit quantum 60000
	packet "$1" ok
	try tc qdisc del dev d0 root
}

tc_rows() {
	try tc qdisc add dev d0 clsact
	try tc filter add dev d0 egress matchall action pass
	packet tc_clsact ok
	try tc filter del dev d0 egress
	try tc filter add dev d0 egress matchall action police rate 10gbit burst 10m conform-exceed drop
	packet tc_police ok
	try tc qdisc del dev d0 clsact
	qdisc tc_pfifo pfifo
	qdisc tc_tbf tbf rate 10gbit burst 10mb latency 100ms
	qdisc tc_fq fq
	qdisc tc_htb htb default 1
}

# --- takes ------------------------------------------------------------------------------------

take_rows() {
	local name

	measure take ioctl ok sender ioctl
	for name in one two three four; do
		try rein limit add $name --cgroup "$(cg sender)" --on call --rate 1G/s,burst=1G
	done
	measure take take_one ok sender take one
	measure take take_four ok sender take one two three four
	try rein flush
	try rein limit add one --cgroup "$(cg sender)" --on call --rate 1/day,burst=1
	measure take take_refused EAGAIN sender -t take one
	try rein flush
}

# --- beats ------------------------------------------------------------------------------------

# Beside what systemd has, and a watchdog device of the kernel.
beat_rows() {
	local way

	for way in ioctl write counter time; do
		measure beat "beat_$way" ok sender beat $way
	done
	measure beat sd_notify ok sender beat sd_notify
	# Without a user of its own that stays away: it would reboot the machine.
	if modprobe softdog soft_margin=60000 nowayout=0 2>/dev/null && [ -c /dev/watchdog ]; then
		measure beat softdog ok sender write /dev/watchdog
		rmmod softdog
	else
		echo "@skip softdog this kernel has no softdog"
	fi
}

# --- many limits ---------------------------------------------------------------------------------

# many N CGROUPS: the batch that adds N limits to CGROUPS cgroups
many() {
	awk -v n="$1" -v cgroups="$2" -v top="$(cg many)" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "limit add l%d --cgroup %s/%d --on egress --rate 1Gbit/s\n",
				i, top, i % cgroups }'
}

# many_cgroups FROM TO
many_cgroups() {
	[ "$1" -ge "$2" ] || seq "$1" $(($2 - 1)) | sed "s|^|$CGROOT/$CGTEST/many/|" | xargs mkdir
}

_memory() {
	awk '$1 == "Slab:" || $1 == "Percpu:" || $1 == "VmallocUsed:" { sum += $2 }
		END { printf "%d\n", sum * 1024 }' /proc/meminfo
}

# What the kernel says it has allocated, in bytes: when what can be freed was, and
# what is freed later, too. Nothing tells when RCU has freed the last of it: two looks
# with time between them have to be the same.
kernel_memory() {
	local last='' now='' shrink

	for _ in 1 2 3 4 5 6 7 8; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		for shrink in /sys/kernel/slab/*/shrink; do
			echo 1 >"$shrink"
		done
		now=$(_memory)
		[ "$now" != "$last" ] || break
		last=$now
		sleep 0.5
	done
	echo "$now"
}

# senders N: those that have the limits send, too
senders() {
	measure packet "senders_$1" ok many -c "$CGROOT/$CGTEST/many" send $ADDRESS 9
	[ "$(packets "l$(($1 - 1))" passed)" -ge $((20000 / $1)) ] || fail "senders_$1: not all have sent"
}

many_costs() {
	local n cgroups made=0

	for n in "$@"; do
		cgroups=$((n > 10000 ? n / 10 : n))
		many_cgroups $made $cgroups
		made=$cgroups
		many "$n" $cgroups >"$TMP/batch"
		try rein -b "$TMP/batch"
		packet "many_$n" ok
		echo "@limits many_$n $n"
		case $n in
		100 | 1000) senders "$n" ;;
		esac
		try rein flush
	done
}

many_seconds() {
	local n cgroups made=0 before after start added removing

	# What is made once, however many limits there are.
	try rein limit add first --cgroup "$(cg sender)" --on egress --rate 1Gbit/s
	try rein flush

	for n in "$@"; do
		cgroups=$((n > 10000 ? n / 10 : n))
		many_cgroups $made $cgroups
		made=$cgroups
		many "$n" $cgroups >"$TMP/batch"
		before=$(kernel_memory)
		start=$(_ms)
		try rein -b "$TMP/batch"
		added=$(_ms)
		after=$(kernel_memory)
		removing=$(_ms)
		try rein flush
		echo "@scale $n $cgroups $(calc "($added - $start) / 1000" %.2f)" \
			"$(calc "($(_ms) - $removing) / 1000" %.2f) $((after - before))"
	done
}

# --- all of it --------------------------------------------------------------------------------------

# Thousands, which the library would remove one by one.
# shellcheck disable=SC2317 # by at_exit
remove_many() {
	find "$CGROOT/$CGTEST/many" -mindepth 1 -type d -print0 | xargs -0 -r rmdir
}

at_exit remove_many
make_cgroup sender other nest/n/n/n many
echo "@kernel $(uname -r)"
case $1 in
cost)
	device
	packet nothing ok
	nft_rows
	iptables_row
	tc_rows
	try modprobe rein
	echo "@version $(rein version | head -n 1)"
	rein_rows
	take_rows
	beat_rows
	# The last takes minutes.
	many_costs 1 100 1000 10000 ${SLOW:+100000}
	try rmmod rein
	packet nothing_again ok
	;;
scale)
	many_seconds 1 100 1000 10000 100000
	;;
esac
done_testing
