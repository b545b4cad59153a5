#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Operations that use several resources, each with its own limits: grants are
# at the times that an oracle gives which knows nothing but the definition.
# With SLOW=1 also the run at full length: 2 a second and 10 a minute.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a
A=$(cg a)

# The oracle thinks in ticks of 0.1 ms.
#
# compare DESCRIPTION ACTION...: what is granted, against the oracle with $LIMITS;
# it is told when the takes came really
compare() {
	local what=$1 arrived=() action nth=0 worst

	shift
	in_cgroup a tool-take "$@" >"$TMP/takes"
	is "$(awk '$2 == 0' "$TMP/takes" | wc -l)" $# "$what: all are granted"
	for action in "$@"; do
		arrived+=("$(awk -v nth="$nth" '$1 == nth { print int($7 / 100) }' \
			"$TMP/takes"):${action#*:}")
		nth=$((nth + 1))
	done
	# shellcheck disable=SC2086 # several words
	tool-oracle $LIMITS -- "${arrived[@]}" | awk '{ print $1 / 10 }' >"$TMP/oracle"
	awk '{ print $4 / 1000 }' "$TMP/takes" >"$TMP/granted"
	note "$what: $(tr '\n' ' ' <"$TMP/granted")ms; the oracle: $(tr '\n' ' ' <"$TMP/oracle")"
	worst=$(paste "$TMP/granted" "$TMP/oracle" | awk '
		{ d = $1 > $2 ? $1 - $2 : $2 - $1; if (d > most) most = d }
		END { print int(most * 1000) }')
	at_most "$worst" 1000 "$what: at most us from when the oracle says"
}

# make_limit NAME RATE...
make_limit() {
	local name=$1 rate rates=()

	shift
	for rate in "$@"; do
		rates+=(--rate "$rate")
	done
	rein limit del "$name" --cgroup "$A" >/dev/null 2>&1
	rein limit add "$name" --cgroup "$A" --on call --over wait "${rates[@]}"
}

resources() {
	make_limit api 20/s,burst=2 100/min,burst=10
	make_limit disk 10/s,burst=1
	make_limit network 30/s,burst=3
}
LIMITS="api:20/10000:2+100/600000:10 disk:10/10000:1 network:30/10000:3"
READ=0:limit:api,disk RESOLVE=0:limit:api,network

resources
compare "read a file" $READ $READ $READ $READ $READ $READ
resources
compare "resolve an address" $RESOLVE $RESOLVE $RESOLVE $RESOLVE $RESOLVE $RESOLVE
resources
compare "both in turn" $READ $RESOLVE $READ $RESOLVE $READ $RESOLVE $READ $RESOLVE \
	$READ $RESOLVE $READ $RESOLVE
resources
compare "reads, then lookups that go before them" $READ $READ $READ $READ $READ \
	$RESOLVE $RESOLVE $RESOLVE 200:limit:network 250:limit:disk 300:limit:api=2 \
	350:limit:network=3,disk

if [ -z "${SLOW:-}" ]; then
	skip "takes a minute: SLOW=1" "2 a second and 10 a minute, at full length"
else
	make_limit sec 2/s,burst=1
	make_limit min 10/min,burst=10
	LIMITS="sec:2/10000:1 min:10/600000:10"
	mapfile -t twenty < <(for ((i = 0; i < 20; i++)); do echo 0:limit:sec,min; done)
	compare "2 a second and 10 a minute, at full length" "${twenty[@]}"
fi

done_testing
