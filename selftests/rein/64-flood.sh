#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A flood of refusals on all CPUs while listeners read, one of them stopped: each is
# counted, none waits for a listener, and making records allocates nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

COUNT=200000 CPUS=$(nproc)
[ -z "$DEBUG" ] || COUNT=20000
# Each limit has senders on two CPUs.
LIMITS=4 SENDERS=8

# record_sum CODE: how many events records of that code stand for
record_sum() {
	rein -j errors list --code "$1" | jq '[.[].count] | add // 0'
}

# refused_sum: how many packets all limits have refused
refused_sum() {
	rein -j limit list -s | jq '[.[].stats.refused.packets] | add'
}

# counts_of EVENT: how many of them there were in the trace
counts_of() {
	grep -c " $1:" "$TRACING/trace"
}

start_peer
for i in $(seq $LIMITS); do
	make_cgroup "c$i"
	rein limit add "l$i" --cgroup "$(cg "c$i")" --on egress --rate 1p/hour,burst=1 --over refuse
done

# What the module allocates while it refuses: nothing.
TRACING=/sys/kernel/tracing
[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING 2>/dev/null
read -r _ size _ _ _ from _ < <(grep '^rein ' /proc/modules)
to=$(printf '%#x' $((from + size)))
# alloc_trace 1|0: of those made by the module for a tool-*, or not any more
# shellcheck disable=SC2317 # by patching
alloc_trace() {
	local event

	for event in kmalloc kmem_cache_alloc; do
		echo "call_site >= $from && call_site < $to && comm ~ \"tool-*\"" \
			>"$TRACING/events/kmem/$event/filter"
		echo "$1" >"$TRACING/events/kmem/$event/enable"
	done
}

background rein -j errors follow >"$TMP/one"
background rein -j errors follow >"$TMP/two"
background rein -j monitor errors >"$TMP/three"
STOPPED=$PID
for file in one two three; do
	wait_for "$SOON" grep -q '"event":"listening"' "$TMP/$file" ||
		not_ok "listener $file listens" listening "$(cat "$TMP/$file")"
done
kill -STOP "$STOPPED"

if [ -d $TRACING/events/kmem ]; then
	echo >"$TRACING/trace"
	patching alloc_trace 1
	at_exit patching alloc_trace 0
fi
senders=()
from_ms=$(_ms)
each=$((COUNT / SENDERS))
for i in $(seq 0 $((SENDERS - 1))); do
	background in_cgroup "c$((i % LIMITS + 1))" taskset -c $(((i + i / LIMITS) % CPUS)) \
		tool-send -u -t 500 -n $each "$(peer 1)" 9 >"$TMP/sent$i"
	senders+=("$PID")
done
wait "${senders[@]}"
note "$COUNT datagrams on $CPUS CPUs in $(($(_ms) - from_ms)) ms, one listener is stopped"
if [ -d $TRACING/events/kmem ]; then
	patching alloc_trace 0
	is "$(counts_of kmalloc)+$(counts_of kmem_cache_alloc)" "0+0" \
		"refusing and recording allocate nothing"
	note "$(grep -v '^#' "$TRACING/trace" | head -n 5)"
else
	skip "no kmem events on this kernel" "refusing and recording allocate nothing"
fi
at_least "$(refused_sum)" $((COUNT - LIMITS)) "all but the first of each limit are refused"
is "$(record_sum E0301)" "$(refused_sum)" "records count each refusal"
is "$(rein -j errors list --code E0301 | jq length)" $LIMITS "one record a limit"
books "a flood"
kill -CONT "$STOPPED"
for file in one two three; do
	wait_for "$SOON" eval "[ \$(grep -c E0301 $TMP/$file) = $LIMITS ]" ||
		not_ok "listener $file was told of each record" $LIMITS "$(grep -c E0301 "$TMP/$file")"
done

# That the trace would have seen it: waiting does allocate.
if [ -d $TRACING/events/kmem ]; then
	rein limit set l1 --over wait --patience 1s
	echo >"$TRACING/trace"
	patching alloc_trace 1
	in_cgroup c1 tool-send -u -n 10 "$(peer 1)" 9 >/dev/null
	patching alloc_trace 0
	at_least "$(counts_of kmem_cache_alloc)" 1 "the trace sees the allocations of those that wait"
fi

# Again, while the ring goes round: no event is counted twice, or into another record.
for i in $(seq $LIMITS); do
	rein limit set "l$i" --rate 1p/hour,burst=1 --over refuse
done
before=$(rein -j stat | jq .records.raised) refused=$(refused_sum)
senders=()
for i in $(seq 0 $((SENDERS - 1))); do
	background in_cgroup "c$((i % LIMITS + 1))" taskset -c $(((i + i / LIMITS) % CPUS)) \
		tool-send -u -t 500 -n 5000 "$(peer 1)" 9 >"$TMP/sent$i"
	senders+=("$PID")
done
seq 5000 | sed 's/^/limit del x/' >"$TMP/batch"
rein -q -f -b "$TMP/batch" 2>/dev/null
wait "${senders[@]}"
is $(($(rein -j stat | jq .records.raised) - before)) $(($(refused_sum) - refused + 5000)) \
	"each refusal is one event, while the ring goes round"
books "a flood, while the ring goes round"
done_testing
