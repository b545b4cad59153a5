#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the VM: see latency.
TRACING=/sys/kernel/tracing

# What holds a lock, or runs as a soft interrupt, from its beginning to its end, or nearly.
FUNCTIONS="rein_queue_timer line_timer rein_queue_hold rein_queue_flush rein_queue_cancel
	rein_line_join rein_line_leave rein_line_again rein_line_cancel rein_line_unplan
	rein_line_move rein_line_resume rein_tree_move rein_tree_kick rein_tree_close
	rein_admit rein_slice_take rein_meter_packet rein_record_packet rein_record_scope
	rein_hook_drop"

begin() {
	local name

	cd "$TRACING" || exit 1
	for name in $FUNCTIONS; do
		echo "$name" >>set_ftrace_filter 2>/dev/null || echo "latency: $name can't be traced" >&2
	done
	echo 20 >tracing_thresh
	echo 20000 >buffer_size_kb
	echo function_graph >current_tracer
	echo nosleep-time >trace_options
}

begin
cd /kselftest/rein || exit 1
for test; do
	echo "latency: $test" >&2
	timeout 600 "./$test" >"/tmp/${test##*/}.log" 2>&1 || echo "latency: $test failed" >&2
done
echo 0 >"$TRACING/tracing_on"
grep -a '\[rein\]' "$TRACING/trace" | awk -f /bench/latency.awk
grep -a 'entries-in-buffer' "$TRACING/trace" >&2
