#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A limit that removes itself, and what "rein monitor" tells of all of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-robust.sh"

# shellcheck disable=SC2317 # by wait_for
gone() {
	! rein -q limit show "$1" >/dev/null 2>&1
}

make_cgroup web
background rein -j monitor limits errors >"$TMP/monitor"
MONITOR=$PID
heard '"event":"listening"' "the monitor says that it listens"

rein limit add l --cgroup "$(cg web)" --on egress --rate 1MB/s
heard '"event":"added","limit":\{"name":"l",' "a new limit"
rein limit set l --rate 2MB/s
heard '"event":"changed","limit":\{"name":"l",.*"rate_tokens":2000000' "a limit that changes"
rein -q limit add l --cgroup "$(cg web)" --on egress --rate 3MB/s 2>/dev/null
heard '"event":"record",.*"code":"REIN-E0201"' "a new record"
is "$(grep -c '"changed"' "$TMP/monitor")" 1 "what is refused changes nothing"
rein limit del l
heard '"event":"deleted","limit":\{"name":"l",' "a limit that is deleted"

from=$(_ms)
rein limit add short --cgroup "$(cg web)" --on egress --rate 1MB/s --for 700ms
matches "$(rein -j limit show short)" '"for_ns":[0-9]+' "the time that is left is shown"
if wait_for "$SOON" gone short; then
	at_least $(($(_ms) - from)) 690 "--for: a limit removes itself, not too early, in ms"
	at_most $(($(_ms) - from)) $((SOON * 500)) "--for: and not too late, in ms"
else
	not_ok "--for: a limit removes itself" "gone" "$(rein limit show short)"
fi
heard '"event":"expired","limit":\{"name":"short",' "its end is notified"
heard '"event":"record",.*"code":"REIN-E0402".*"limit":"short"' "and recorded"
settled "expired"

rein limit add kept --cgroup "$(cg web)" --on egress --rate 1MB/s --for 2s
rein limit add other --cgroup "$(cg web)" --on egress --rate 1MB/s --for 2500ms
exits_with 0 "--for can be taken back" rein limit set kept --for infinity
matches "$(rein -j limit show kept)" '"for_ns":null' "no time is left, it stays"
wait_for "$SOON" gone other
if gone other && ! gone kept; then
	ok "it stays, and one that was to live longer is gone"
else
	not_ok "it stays, and one that was to live longer is gone" "kept" "$(rein limit list)"
fi
is "$(rein -j stat | sed 's/.*"hooked":\([a-z]*\).*/\1/')" true "hooked while one is left"
rein limit set kept --for 300ms
wait_for "$SOON" gone kept || not_ok "a time can be set anew" "gone" "$(rein limit list)"
settled "none is left"
kill -TERM "$MONITOR"
wait "$MONITOR"
is "$?" 0 "the monitor ends when it is told to"
is "$(grep -c '"event":"lost"' "$TMP/monitor")" 0 "nothing was lost"
matches "$(unshare --net timeout 10 rein -v monitor 2>&1)" REIN-E0911 \
	"where no events come to the monitor doesn't wait for them"
done_testing
