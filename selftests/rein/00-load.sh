#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module loads, unloads, and does so again and again.

loaded() { [ -d /sys/module/rein ]; }

N=0
result() {
	N=$((N + 1))
	if [ "$1" = 0 ]; then
		echo "ok $N $2"
	else
		echo "not ok $N $2"
	fi
}

echo "TAP version 13"
echo "1..4"
loaded || modprobe rein
loaded; result $? "rein is loaded"
rmmod rein && ! loaded; result $? "it unloads when nothing uses it"
modprobe rein && loaded; result $? "it loads again"
status=0
for _ in $(seq 20); do
	if ! { rmmod rein && modprobe rein; }; then
		status=1
		break
	fi
done
result $status "twenty times over"
loaded
