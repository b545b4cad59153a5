#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages that nobody would send: see tool-fuzz.c. Whatever they are, the module
# goes on, gives each error a meaning, and its counters add up. The kernel's
# own reports are seen by the runner. FUZZ_MESSAGES and FUZZ_SEED for more.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

COUNT=${FUZZ_MESSAGES:-1000} SEED=${FUZZ_SEED:-$RANDOM}
[ -z "$DEBUG" ] || COUNT=${FUZZ_MESSAGES:-20000}

OUT=$(tool-fuzz -n "$COUNT" -s "$SEED")
is $? 0 "the module answers to the end"
note "tool-fuzz -n $COUNT -s $SEED: $OUT"
is "$(jq .messages <<<"$OUT")" "$COUNT" "all messages are sent"
at_least "$(jq .answered <<<"$OUT")" $((COUNT / 20)) "many are valid"
at_least "$(jq .refused <<<"$OUT")" $((COUNT / 20)) "many are not"
is "$(rein errors list | grep -c REIN-E0001)" 0 "no error is without a meaning"
is "$(rein -j stat | jq '.limits')" 0 "no limit is left"
is "$(rein -j stat | jq '.records | .raised == .stored + .folded + .overwritten + .suppressed')" true \
	"records: raised = stored + folded + overwritten + suppressed"
is "$(rein -j stat | jq '.total | .queued.packets == 0 and
	.seen.packets == .passed.packets + .released.packets + .refused.packets + .overflow.packets +
	.stale.packets + .teardown.packets + .nomem.packets')" true \
	"packets: seen is the sum of what became of them"
done_testing
