#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Reservations, by the example of the documentation: twenty in one thread, each
# granted at the time at which a take would have been. What else they do is in
# reserve.c.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a
A=$(cg a)

# call NAME RATE: make it anew, with a full bucket
call() {
	rein limit del "$1" --cgroup "$A" >/dev/null 2>&1
	rein limit add "$1" --cgroup "$A" --on call --rate "$2" --over wait
}

# reserved: what the example says, in ms and in its order: when granted, how late seen
reserved() {
	awk -v n="$1" '/granted after/ { printf "%s%.0f", s, $n * 1000; s = " " }' "$TMP/reserved"
}

# late: by how many ms the latest was seen
late() {
	awk '/granted after/ && $7 > most { most = $7 } END { print int(most * 1000) }' \
		"$TMP/reserved"
}

want="0 50 100 150 200 250 300 350 400 450"
want+=" 600 1200 1800 2400 3000 3600 4200 4800 5400 6000"
# Again if the machine stood still meanwhile, which can be told from how late it was.
for try in 1 2 3 4 5; do
	call sec 20/s,burst=1
	call min 100/min,burst=10
	in_cgroup a example-reserve 20 sec min >"$TMP/reserved" 2>&1
	if [ "$(late)" -le 20 ] || [ -n "$DEBUG" ]; then
		break
	fi
	note "try $try: the last was seen $(late) ms late"
done
is "$(reserved 4)" "$want" "20 a second and 100 a minute, twenty reservations in one thread: all on time"
unless_debug at_most "$(late)" 20 "and seen within 20 ms"
is "$(limit min '"\(.stats.passed.calls) \(.stats.released.calls) \(.stats.held.calls)"')" \
	"1 19 0" "one at once, the others after a wait, and all claimed"
identity min

exits_with 1 "a reservation that is refused" in_cgroup a example-reserve 1 nowhere
matches "$OUT" "no cgroup .* has a call limit of that name" "says why"

# The other example.
exits_with 0 "the example of takes" in_cgroup a example-take sec min
matches "$OUT" "^taken, waited 0\.[0-9]{3} s$" "takes"

done_testing
