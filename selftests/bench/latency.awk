# SPDX-License-Identifier: GPL-2.0
#
# Lines of the function graph tracer: how often a function took longer than its threshold,
# and how long at most, in us.
match($0, /[0-9.]+ us/) {
	us = substr($0, RSTART, RLENGTH - 3) + 0
	match($0, /rein_[a-z_]+|[a-z]+_[a-z_]+(\(| \[)/)
	name = substr($0, RSTART, RLENGTH)
	gsub(/[^a-z_]/, "", name)
	n[name]++
	if (us > most[name])
		most[name] = us
}
END {
	printf "%-24s%12s%16s\n", "", "longest, us", "over 20 us"
	for (name in n)
		printf "%-24s%12.1f%16d\n", name, most[name], n[name] | "sort -k 2 -n -r"
}
