#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A great many wait for mixed sets of limits while these come, change and go, and while
# signals, stops and freezers end their waits: see tool-line.c. The line is planned in
# bounded pieces, so nobody else is held up; each take comes to an end that is foreseen,
# and in the end nobody is left. The kernel's own reports are seen by the runner.
# WAITERS, LASTS (in seconds) and SEED for more.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a/b/c z
WAITERS=${WAITERS:-$([ -z "$DEBUG" ] && echo 1200 || echo 200)}
LASTS=${LASTS:-$([ -z "${SLOW:-}" ] && echo 3 || echo 30)}
SEED=${SEED:-$RANDOM}

OUT=$(timeout -k 5 $((LASTS + 60)) tool-line "$WAITERS" "$LASTS" "$SEED" "$CGROOT/$CGTEST")
is $? 0 "all requests are answered"
note "SEED=$SEED, $WAITERS: $OUT"
at_least "$(jq .most <<<"$OUT")" $((WAITERS / 3)) "many wait"
# EINTR 4, E2BIG 7, EAGAIN 11, ETIME 62, ENOBUFS 105, ETIMEDOUT 110, ECANCELED 125
is "$(jq -c '.ends | keys - ["0", "2", "4", "7", "11", "62", "105", "110", "125"]' <<<"$OUT")" "[]" \
	"all takes come to an end that is foreseen"
is "$(jq .absurd <<<"$OUT")" 0 "all answers make sense"
is "$(jq .left <<<"$OUT")" 0 "nobody is left, and the limits balance"
# These are before all others on their CPU: what they wait for is the kernel, and the host.
at_most "$(jq .try.mean <<<"$OUT")" 10000 "nobody else is held up, us"
at_most "$(jq .try.most <<<"$OUT")" 500000 "never for long"
at_most "$(jq '[.set.most, .del.most] | max' <<<"$OUT")" 500000 "nor is who changes limits"

done_testing
