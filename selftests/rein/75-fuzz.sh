#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages and takes that nobody would send: see tool-fuzz.c. Whatever they are, the
# module goes on, gives each error a meaning, and its counters add up. The kernel's own
# reports are seen by the runner. FUZZ_MESSAGES and FUZZ_SEED for more.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

COUNT=${FUZZ_MESSAGES:-20000} SEED=${FUZZ_SEED:-$RANDOM}

echo "75-fuzz: begins" >/dev/kmsg
OUT=$(tool-fuzz -n "$COUNT" -s "$SEED")
is $? 0 "the module answers to the end"
note "tool-fuzz -n $COUNT -s $SEED: $OUT"
is "$(jq .messages <<<"$OUT")" "$COUNT" "all messages are sent"
at_least "$(jq .answered <<<"$OUT")" $((COUNT / 20)) "many are valid"
at_least "$(jq .refused <<<"$OUT")" $((COUNT / 20)) "many are not"
at_least "$(jq '.takes | add' <<<"$OUT")" $((COUNT / 5)) "many are takes"
# ENOENT 2, EFAULT 14, EINVAL 22; EINTR 4, E2BIG 7, EAGAIN 11, ETIME 62 need more luck
for errno in 0 2 14 22; do
	at_least "$(jq ".takes[\"$errno\"] // 0" <<<"$OUT")" 1 "takes that come to $errno"
done
at_least "$(jq '[.takes["4", "7", "11", "62"] // 0] | add' <<<"$OUT")" 5 \
	"takes that come to what only those do that were understood"
at_least "$(jq '.calls | add' <<<"$OUT")" $((COUNT / 20)) "many are calls on scopes, races and watches"
# EPERM 1, ENOENT 2, EAGAIN 11, ECANCELED 125 and the like need more luck
for errno in 0 14 22; do
	at_least "$(jq ".calls[\"$errno\"] // 0" <<<"$OUT")" 1 "calls that come to $errno"
done
at_least "$(jq '[.calls["1", "2", "11", "114", "125"] // 0] | add' <<<"$OUT")" 5 \
	"calls that come to what only those do that were understood"
# Not by the records: those were cleared now and then.
is "$(dmesg | awk '/75-fuzz: begins/ { n = 0 } /rein: .*a bug of rein/ { n++ } END { print n + 0 }')" 0 \
	"no error is without a meaning"
is "$(rein -j stat | jq '.limits')" 0 "no limit is left"
is "$(rein -j stat | jq '.records | .raised == .stored + .folded + .overwritten + .suppressed')" true \
	"records: raised = stored + folded + overwritten + suppressed"
is "$(rein -j stat | jq '.total | .queued.packets == 0 and
	.seen.packets == .passed.packets + .released.packets + .refused.packets + .overflow.packets +
	.stale.packets + .teardown.packets + .nomem.packets + .cancelled.packets')" true \
	"packets: seen is the sum of what became of them"
done_testing
