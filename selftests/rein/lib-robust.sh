# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of robustness share, sourced after lib.sh: traffic that never
# gives up, and the questions whether every packet is accounted for and whether
# anything is stuck.
#
# Counters are read with awk: under emulation jq takes a third of a second to
# start, and these tests read counters all the time.

# A bound on what happens at once: only a failure ever takes so long.
if [ -n "$DEBUG" ]; then SOON=30; else SOON=10; fi

# --- traffic -------------------------------------------------------------------

# Whether anybody is at a hook of netfilter is a static branch: code that is patched
# when the first comes and the last goes. QEMU 7.2 may run it half patched on the
# other CPU, and the guest dies of "Oops: int3" (6.12 did, in ip_local_deliver()). So
# somebody is always there.
hold_hooks() {
	nft -f - <<-RULES || not_ok "chains that do nothing can be made"
		table inet held {
			chain in { type filter hook input priority 0; }
			chain out { type filter hook postrouting priority 0; }
		}
	RULES
	at_exit nft delete table inet held
}

# patching COMMAND...: one that switches tracepoints on or off, which patches code as well,
# while there is no other CPU to run it half patched: a guest died in __schedule() of the
# one by which traces learn the names of tasks. They do without these.
patching() {
	local cpu
	local -a others=(/sys/devices/system/cpu/cpu[1-9]*/online)

	echo 0 >/sys/kernel/tracing/options/record-cmd
	for cpu in "${others[@]}"; do
		[ ! -e "$cpu" ] || echo 0 >"$cpu"
	done
	"$@"
	for cpu in "${others[@]}"; do
		[ ! -e "$cpu" ] || echo 1 >"$cpu"
	done
}

# start_peer: what make_peer makes, and a sink in there
start_peer() {
	hold_hooks
	make_peer far 1
	start_sink
}

start_sink() {
	# The shell would report that it was killed.
	{ background in_netns far tool-robust-traffic sink 9; } 2>/dev/null
	wait_for "$SOON" sink_listens || not_ok "the sink listens"
}

sink_listens() {
	in_netns far ss -Htln | grep -q ':9 '
}

# load CGROUP: more than any limit here lets pass, TCP and UDP, of both kinds
load() {
	local pace=1000

	[ -z "$DEBUG" ] || pace=150
	{
		background in_cgroup "$1" tool-robust-traffic udp 10.0.1.2 9 1400 $pace
		background in_cgroup "$1" tool-robust-traffic udp fd00:1::2 9 1400 $pace
		background in_cgroup "$1" tool-robust-traffic tcp 10.0.1.2 9
		[ -n "$DEBUG" ] || {
			background in_cgroup "$1" tool-robust-traffic udp 10.0.1.2 9 300 $pace
			background in_cgroup "$1" tool-robust-traffic tcp fd00:1::2 9
		}
	} 2>/dev/null
}

# kill_in CGROUP: the processes in and below it
kill_in() {
	local dir=$CGROOT/$CGTEST/$1

	echo 1 >"$dir/cgroup.kill"
	wait_for "$SOON" _empty "$dir" || not_ok "processes in $1 can be killed"
}

# How many packets have left towards the peer.
sent() {
	cat /sys/class/net/v1/statistics/tx_packets
}

sent_more_than() {
	[ "$(sent)" -gt "$1" ]
}

# flows WHEN: packets get through to the peer
flows() {
	local before

	before=$(sent)
	if wait_for "$SOON" sent_more_than $((before + 20)); then
		ok "$1: traffic flows"
	else
		not_ok "$1: traffic flows" "more than $((before + 20)) packets sent" "$(sent)"
	fi
}

# --- counters ------------------------------------------------------------------

# Statistics in JSON on standard input; printed: NAME=PACKETS,BYTES (or calls and tokens) of
# each, and balance=PACKETS,BYTES, which is what was seen less what became of it.
_counters() {
	awk '{
		while (match($0, /"[a-z]+":[{]"(packets|calls)":[0-9]+,"(bytes|tokens)":[0-9]+[}]/)) {
			split(substr($0, RSTART, RLENGTH), part, /[^a-z0-9]+/)
			printf "%s=%d,%d ", part[2], part[4], part[6]
			sign = part[2] == "seen" ? 1 : part[2] ~ /^(passed|released|refused|overflow|stale|teardown|nomem|cancelled|expired|queued|held)$/ ? -1 : 0
			packets += sign * part[4]
			bytes += sign * part[6]
			$0 = substr($0, RSTART + RLENGTH)
		}
	} END { printf "balance=%d,%d\n", packets, bytes }'
}

# _limit LIMIT[@CGROUP]: its statistics as JSON
_limit() {
	case $1 in
	*@*)	rein -j limit show "${1%%@*}" --cgroup "$(cg "${1#*@}")" ;;
	*)	rein -j limit show "$1" ;;
	esac
}

# packets LIMIT[@CGROUP] STAT
packets() {
	_limit "$1" | _counters | sed -n "s/.*\<$2=\([0-9]*\),.*/\1/p"
}

# identity LIMIT[@CGROUP] [WHEN]: no packet is unaccounted for, at any moment
identity() {
	local seen

	seen=$(_limit "$1" | _counters)
	case $seen in
	"seen="*" balance=0,0") ok "$1${2:+, $2}: all packets are accounted for" ;;
	*)	not_ok "$1${2:+, $2}: all packets are accounted for" "balance=0,0" "$seen" ;;
	esac
}

# waits LIMIT[@CGROUP] [N]: at least N packets wait for it
waits() {
	[ "$(packets "$1" queued)" -ge "${2:-1}" ]
}

none_wait() {
	[ "$(packets "$1" queued)" = 0 ]
}

# must_wait LIMIT[@CGROUP] [N]: packets come to wait for it
must_wait() {
	if wait_for "$SOON" waits "$1" "${2:-1}"; then
		ok "$1: packets wait"
	else
		not_ok "$1: packets wait" "${2:-1} or more" "$(packets "$1" queued)"
	fi
}

# must_empty LIMIT[@CGROUP] WHEN: soon no packet waits for it
must_empty() {
	if wait_for "$SOON" none_wait "$1"; then
		ok "$1, $2: no packet waits"
	else
		not_ok "$1, $2: no packet waits" 0 "$(packets "$1" queued)"
	fi
}

# --- is anything left? ------------------------------------------------------------

# What the module knows of, and the balance of all packets.
state() {
	rein -j stat | tee "$TMP/stat" |
		sed -n 's/.*"limits":\([0-9]*\),"cgroups":\([0-9]*\),.*"hooked":\([a-z]*\).*/limits=\1 cgroups=\2 hooked=\3 /p' |
		tr -d '\n'
	_counters <"$TMP/stat" | sed 's/.*\(queued=[^ ]*\).*\(balance=.*\)/\1 \2/'
}

_settled() {
	[ "$(state)" = "limits=0 cgroups=0 hooked=false queued=0,0 balance=0,0" ]
}

# settled WHEN: no limit, no cgroup and no hook is left, no packet waits, and
# those that ever met a limit are accounted for. Traffic must have ended: totals
# are those of one moment only when nothing moves.
settled() {
	if wait_for "$SOON" _settled; then
		ok "$1: nothing is left, and all packets are accounted for"
	else
		not_ok "$1: nothing is left, and all packets are accounted for" \
			"limits=0 cgroups=0 hooked=false queued=0,0 balance=0,0" "$(state)"
	fi
	_slab_settled "$1"
}

# The slab that held packets come from, where it is not merged with others'.
_slab_settled() {
	local slab=/sys/kernel/slab/rein_held

	grep -q '^rein_held ' /proc/slabinfo && [ -w $slab/shrink ] || return 0
	[ "$(cat $slab/aliases)" -le 1 ] || return 0
	if wait_for "$SOON" _slab_empty; then
		ok "$1: no packet is left in memory"
	else
		not_ok "$1: no packet is left in memory" 0 "$(grep '^rein_held ' /proc/slabinfo)"
	fi
}

_slab_empty() {
	echo 1 >/sys/kernel/slab/rein_held/shrink
	grep -q '^rein_held *0 ' /proc/slabinfo
}

# --- locks ----------------------------------------------------------------------------

# The module's locks as lockdep names them, outermost first: the order that limit.h states.
LOCKS='bind_lock
&family->lock
&scope->lock
scopes.xa_lock
rein_mutex
quota.lock
limits.xa_lock
&tree->lock
&tree->lock/1
rein_config_seq
rein_chain
&limit->lock
&per_cpu_ptr(&slice_cpus, i)->lock
ring.lock
&slots[i].lock'

# Of the pairs of these that were held at once since the module was loaded: how many, and those
# in another order. It is asked while the module is there, as lockdep forgets what has gone.
_lock_pairs() {
	awk -v locks="$LOCKS" '
		BEGIN { n = split(locks, lock, "\n"); for (i = 1; i <= n; i++) rank[lock[i]] = i }
		/^[0-9a-f]+ .*FD: / { sub(/^[0-9a-f]+ .*BD: *[0-9]+ [^ ]+: /, ""); outer = $0 }
		/^ -> / {
			sub(/^ -> \[[0-9a-f]+\] /, "")
			if (!(outer in rank) || !($0 in rank)) next
			pairs++
			if (rank[outer] >= rank[$0]) wrong = wrong "; " outer " before " $0
		}
		END { print pairs + 0 wrong }' /proc/lockdep
}

# locks_in_order AT_LEAST: so many pairs were seen, none in another order
locks_in_order() {
	local seen

	[ -e /proc/lockdep ] || return 0
	seen=$(_lock_pairs)
	if [ "${seen%%;*}" -ge "$1" ] && [[ $seen != *\;* ]]; then
		ok "${seen%%;*} pairs of locks are taken in the order that limit.h says"
	else
		not_ok "locks are taken in the order that limit.h says" "$1 or more pairs" "$seen"
	fi
}

# in_time SECONDS DESCRIPTION COMMAND...: succeeds, and within that time (or ten
# times that on a checked kernel): nothing holds it up
in_time() {
	local bound=$1 what=$2 from rc=0

	shift 2
	[ -z "$DEBUG" ] || bound=$((bound * 10))
	from=$(_ms)
	OUT=$(timeout -k 1 "$bound" "$@" 2>&1) || rc=$?
	if [ "$rc" = 0 ]; then
		ok "$what ($(($(_ms) - from)) ms)"
	else
		not_ok "$what" "exit status 0 within $bound s" "$rc: $OUT"
	fi
}

# shellcheck disable=SC2317 # by wait_for
said() {
	grep -qE "$1" "$TMP/monitor"
}

# heard REGEX DESCRIPTION: "rein -j monitor", whose output is $TMP/monitor, says so
heard() {
	if wait_for "$SOON" said "$1"; then
		ok "$2"
	else
		not_ok "$2" "$1" "$(cat "$TMP/monitor")"
	fi
}

# --- records -------------------------------------------------------------------

# books WHEN: those of the records add up
books() {
	local raised accounted

	read -r raised accounted < <(rein -j stat | awk '{
		split(substr($0, index($0, "\"records\"")), part, /[^a-z0-9]+/)
		for (i = 3; i < 13; i += 2) n[part[i]] = part[i + 1]
		print n["raised"], n["stored"] + n["folded"] + n["overwritten"] + n["suppressed"]
	}')
	if [ "$raised" -gt 0 ] && [ "$raised" = "$accounted" ]; then
		ok "$1: raised = stored + folded + overwritten + suppressed ($raised)"
	else
		not_ok "$1: raised = stored + folded + overwritten + suppressed" "equal" \
			"$(rein -j stat)"
	fi
}
