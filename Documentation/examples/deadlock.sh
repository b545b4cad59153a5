#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Two jobs that lock the same two files, each in its own order, and so wait for each other
# for ever. With a timeout, and a random pause before the next try, they wait for each
# other now and then: a livelock that mends itself.
#
#	deadlock.sh DIRECTORY [SECONDS]
set -eu
seconds=${2:-1}
cd "${1:?a directory for the locks}"

# job NAME FIRST SECOND: until it is done; the pauses differ, or they would meet again
job() {
	tries=1
	while
		status=0
		rein -q scope run --name "$1" --timeout "$seconds" -- flock "$2" sh -c \
			"echo $1 has $2; sleep 0.3; exec flock $3 echo $1 has $3" >>log 2>&1 || status=$?
		[ $status = 124 ]
	do
		tries=$((tries + 1))
		sleep "0.$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
	done
	echo "$1: ended with $status after $tries tries"
}

: >log
job one a b &
job two b a &
wait
