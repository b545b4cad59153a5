#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand waiters with random deadlines and random signals: each ends in one
# way, no token is lost or made, and nobody is left.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a/b
A=$(cg a) B=$(cg a/b)
N=1000
[ -z "$DEBUG" ] || N=200
SEED=${SEED:-$RANDOM}
note "SEED=$SEED"

rein limit add x --cgroup "$A" --on call --rate 100/s,burst=20 --rate 2000/min,burst=200 --over wait
rein limit add x --cgroup "$B" --on call --rate 150/s,burst=5 --over wait
rein limit add y --cgroup "$A" --on call --rate 120/s,burst=3
rein limit add z --cgroup "$A" --on call --rate 1/s --over observe

# ends ERRNO...: how many takes ended like that; tokens ERRNO: of x they wanted
ends() {
	awk -v errnos=" $* " 'index(errnos, " " $1 " ") { n += $2 } END { print n + 0 }' "$TMP/crowd"
}
tokens() {
	awk -v errno="$1" '$1 == errno { print $3 }' "$TMP/crowd"
}

start=$(_ms)
in_cgroup a/b tool-take crowd "$N" 1 "$SEED" x,y,z >"$TMP/crowd"
took=$(($(_ms) - start))
note "$(tr '\n' ';' <"$TMP/crowd") in $took ms"

# EINTR 4, E2BIG 7, EAGAIN 11, ETIME 62, ENOBUFS 105, ETIMEDOUT 110
is "$(ends 0 4 7 11 62 105 110)" "$N" "all come to an end that is foreseen"
at_least "$(ends 0)" $((N / 10)) "many are granted"
at_least "$(ends 4)" 1 "some are interrupted"
at_least "$(ends 11 62)" 1 "some are refused"
for limit in x@a x@a/b y@a z@a; do
	is "$(limit "$limit" '"\(.stats.passed.calls + .stats.released.calls) \(.stats.cancelled.calls)"')" \
		"$(ends 0) $(ends 4)" "$limit counts those granted, and those interrupted"
	is "$(limit "$limit" .stats.queued.calls)" 0 "$limit: nobody is left"
	identity "$limit"
done
is "$(limit x@a '.stats.passed.tokens + .stats.released.tokens')" "$(tokens 0)" \
	"each token of x is accounted for"
at_most "$(tokens 0)" $((20 + (took + 50) * 100 / 1000)) "not more than burst + rate * time"

done_testing
