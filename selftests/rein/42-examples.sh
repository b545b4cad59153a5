#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The examples of the documentation that are about scopes, races and watches. How fast they are on
# this machine is said, and not judged.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

SCOPES=$(json stat .scopes)

# A deadline that is passed on to another process.
OUT=$(example-deadline 300 100000 2>&1)
is $? 1 "deadline: the time does not suffice"
matches "$OUT" "^child: [0-9]+ of 100000 pieces, nobody wants more$" "deadline: the child notices"
matches "$OUT" "^parent: the scope is done: timeout$" "deadline: so does the parent, in its loop"
OUT=$(example-deadline 60000 3 2>&1)
is $? 0 "deadline: it does suffice"
is "$OUT" "child: 3 of 3 pieces, all of them" "deadline: nobody is told of an end"

# The tail at scale, with a budget that successes refill: at most so many more requests.
make_cgroup clients
rein limit add hedges --cgroup "$(cg clients)" --on call --rate 1/day,burst=5 --credit 0.05
if [ -n "$DEBUG" ]; then REQUESTS=100 AFTER=300; else REQUESTS=500 AFTER=50; fi
OUT=$(in_cgroup clients example-hedge $REQUESTS $AFTER hedges 2>&1)
is $? 0 "hedge: each request has an answer"
note "$OUT"
matches "$OUT" "^alone: .* 0\.0 % more requests$" "hedge: nobody is asked twice without"
more=$(sed -n 's/^hedged:.*, \([0-9]*\)\.\([0-9]\) % more requests$/\1\2/p' <<<"$OUT")
at_most "${more:-1000}" $((50 + 5000 / REQUESTS)) "hedge: no more than the budget pays for (per mille)"
left=$(json limit show hedges '.tiers[0].tokens')
spent=$(json limit show hedges .stats.passed.calls)
at_most "${more:-1000}" $((spent * 1000 / REQUESTS)) "hedge: and no more than the limit has let pass"
at_most "$left" 5 "hedge: credit fills it to its burst, and no further"
identity hedges

# A deadlock that becomes a livelock, which mends itself.
mkdir "$TMP/locks"
# For who has no hindrance it has to suffice.
if [ -n "$DEBUG" ]; then seconds=10; else seconds=1; fi
OUT=$(deadlock.sh "$TMP/locks" $seconds 2>&1)
matches "$OUT" "^one: ended with 0 after [0-9]+ tries$" "deadlock: the first job is done"
matches "$OUT" "^two: ended with 0 after [0-9]+ tries$" "deadlock: and the second"
# Who is timed out as it ends does it again.
is "$(grep "^one has b$\|^two has a$" "$TMP/locks/log" | sort -u | wc -l)" 2 "deadlock: each has had both locks"

# A worker with a watch over itself, that says what it works on.
if [ -n "$DEBUG" ]; then ms=500; else ms=100; fi
OUT=$(example-beat $ms 5 2>&1)
is $? 0 "beat: it beats, and ends"
is "$(grep -c "^unit-[1-5]: done$" <<<"$OUT")" 5 "beat: all is done"
background example-beat $ms 5 3 >"$TMP/beat" 2>&1
wait_for 30 grep -q "^unit-2: done$" "$TMP/beat"
wait_for 10 eval "[ \"\$(json watch show example .unit)\" = unit-3 ]"
is $? 0 "beat: it is seen in which unit it is"
{ wait "$PID"; } 2>/dev/null
is $? 137 "beat: when it hangs it is killed"
matches "$(rein errors list)" "E0706.*a watch has expired: too few beats" "beat: there is a record"

wait_for 10 eval "[ \$(json stat .scopes) = $SCOPES ]" || not_ok "no scope is left"
done_testing
