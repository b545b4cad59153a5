#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tracepoints: what they say of packets and takes that pass, wait and are refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

TRACING=/sys/kernel/tracing
[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING 2>/dev/null
[ -d $TRACING/events/rein ] || skip_all "this kernel has no tracepoints"

# trace COMMAND...: what the tracepoints say of it is in $TRACE
trace() {
	echo >"$TRACING/trace"
	"$@" >/dev/null 2>&1
	TRACE=$(sed -n 's/^.*[0-9]: \([a-z]*: .*\)/\1/p' "$TRACING/trace")
}

is "$(cd $TRACING/events/rein && echo */ | tr -d /)" \
	"admit observe record refuse release wait" "all tracepoints are there"
is "$(cat $TRACING/events/rein/*/format | grep -c REIN_)" 0 \
	"who reads traces needs to know none of our enums"
start_peer
make_cgroup web
rein limit add out --cgroup "$(cg web)" --on egress --rate 1p/hour,burst=1 --over refuse
rein limit add sec --cgroup "$(cg web)" --on call --rate 1/s,burst=1 --over wait
ID=$(rein -j limit show out | jq -r .id) CGROUP=$(rein -j limit show out | jq -r .cgroup_id)
CALL=$(rein -j limit show sec | jq -r .id)
# trace_rein 1|0
# shellcheck disable=SC2317 # by patching
trace_rein() {
	echo "$1" >"$TRACING/events/rein/enable"
}

patching trace_rein 1
at_exit patching trace_rein 0

trace in_cgroup web tool-send -u -n 2 -s 100 "$(peer 1)" 9
matches "$TRACE" "^admit: limit=$ID cgroup=$CGROUP limits=1 resource=egress bytes=128 packets=1 tokens=0 decision=go$" \
	"admit: a packet goes"
matches "$TRACE" "^admit: limit=$ID .* decision=refuse$" "admit: one is refused"
matches "$TRACE" "^refuse: code=REIN-E0301 name=out limit=$ID cgroup=$CGROUP resource=egress wanted=1packets available=0packets retry_after=[0-9]{10,}ns$" \
	"refuse: by which limit"
matches "$TRACE" "^record: id=[0-9]+ code=REIN-E0301 limit=$ID cgroup=$CGROUP message=\"packets were refused: " \
	"record: a new one"
trace in_cgroup web tool-send -u -n 1 -s 100 "$(peer 1)" 9
matches "$TRACE" "^refuse: " "refuse: each time"
is "$(grep -c '^record:' <<<"$TRACE")" 0 "record: only what is new"

rein limit set out --over observe
trace in_cgroup web tool-send -u -n 1 -s 100 "$(peer 1)" 9
matches "$TRACE" "^observe: code=REIN-E0307 name=out " "observe: it would have been refused"

rein limit set out --over wait --rate 10p/s,burst=1
trace in_cgroup web tool-send -u -n 3 -s 100 "$(peer 1)" 9
wait_for "$SOON" eval "[ \$(packets out released) -ge 2 ]" || not_ok "they are let go"
TRACE=$(cat $TRACING/trace)
matches "$TRACE" "wait: cgroup=$CGROUP bytes=128 when=0$" "wait: a packet"
matches "$TRACE" "release: cgroup=$CGROUP bytes=128 waited=[0-9]{7,9}$" "release: a packet"

trace in_cgroup web rein take sec
matches "$TRACE" "^admit: limit=$CALL .* resource=call bytes=0 packets=0 tokens=1 decision=go$" \
	"admit: a take goes"
trace in_cgroup web rein take sec
matches "$TRACE" "^wait: cgroup=$CGROUP bytes=0 when=[0-9]+$" "wait: a take, and until when"
matches "$TRACE" "^release: cgroup=$CGROUP bytes=0 waited=[0-9]{6,10}$" "release: a take"
done_testing
