# SPDX-License-Identifier: GPL-2.0
#
# What guest.sh found: format=table, all of it; json, the same; csv, what things
# cost; many-csv, many limits. Keys stay what they are once they have been
# published; the texts may change.
BEGIN {
	text["nothing"] = "nothing (absolute)"
	text["nft_empty"] = "nft: a chain without rules"
	text["nft_limit"] = "nft: limit rate over, drop"
	text["nft_cgroup"] = "nft: the same for one cgroup (socket cgroupv2)"
	text["nft_set"] = "nft: the same for each address (dynamic set)"
	text["nft_refused"] = "nft: limit, packets refused"
	text["xt_hashlimit"] = "iptables: hashlimit"
	text["tc_clsact"] = "tc: clsact, matchall, pass"
	text["tc_police"] = "tc: clsact, matchall, police"
	text["tc_pfifo"] = "tc: pfifo"
	text["tc_tbf"] = "tc: tbf"
	text["tc_fq"] = "tc: fq"
	text["tc_htb"] = "tc: htb, one class"
	text["rein_loaded"] = "rein: loaded, no limit"
	text["rein_elsewhere"] = "rein: a limit on another cgroup"
	text["rein_refuse"] = "rein: one limit, over refuse"
	text["rein_wait"] = "rein: one limit, over wait"
	text["rein_packets"] = "rein: one limit, in packets"
	text["rein_tiers"] = "rein: one limit, bytes and packets"
	text["rein_above"] = "rein: one limit, three levels above the sender"
	text["rein_chain"] = "rein: four nested cgroups, a limit in each"
	text["rein_chain_tiers"] = "rein: the same, bytes and packets"
	text["rein_refused"] = "rein: one limit, packets refused"
	text["nothing_again"] = "nothing, rein unloaded again"
	text["senders_100"] = "rein: 100 senders in turn, a limit on each"
	text["senders_1000"] = "rein: 1000 senders in turn, a limit on each"
	text["ioctl"] = "an ioctl that does nothing (absolute)"
	text["take_one"] = "take of one limit"
	text["take_four"] = "take of four limits"
	text["take_refused"] = "take refused, --try"
	text["beat_ioctl"] = "beat by an ioctl"
	text["beat_write"] = "beat by write()"
	text["beat_counter"] = "beat by a counter in a page"
	text["beat_time"] = "beat by a time in a page, with clock_gettime()"
	text["sd_notify"] = "sd_notify(WATCHDOG=1), and recv() of who is told"
	text["softdog"] = "write() to /dev/watchdog, softdog"
}

$1 == "@kernel" { kernel = $2 }
$1 == "@version" { version = $NF }
$1 == "@packet" || $1 == "@take" || $1 == "@beat" {
	key[++n] = $2
	group[$2] = substr($1, 2)
	least[$2] = $3
	median[$2] = $4
	most[$2] = $5
	# The first of each group is what the others are held against.
	if (!(group[$2] in base))
		base[group[$2]] = $4
}
$1 == "@skip" {
	key[++n] = $2
	group[$2] = $2 == "softdog" ? "beat" : "packet"
	reason = $0
	sub(/^@skip [^ ]* /, "", reason)
	skipped[$2] = reason
}
$1 == "@limits" { limits[$2] = $3 }
$1 == "@scale" {
	scale[++n_scale] = $2
	cgroups[$2] = $3
	add[$2] = $4
	remove[$2] = $5
	memory[$2] = $6
}

# The loop's share of reading the clock is a fraction of an instruction.
function added(k) { return round(median[k] - base[group[k]]) }
function round(x) { return x < 0 ? -int(0.5 - x) : int(x + 0.5) }
# With so many limits, or - where that was not measured.
function added_many(k) { return ("many_" k) in median ? added("many_" k) : "-" }
function each(k) { return k < 100 ? "-" : round(memory[k] / k) }

function table_rows(g, heading,		i, k) {
	printf "\n%s\n\n", heading
	for (i = 1; i <= n; i++) {
		k = key[i]
		if (group[k] != g || k in limits)
			continue
		if (k in skipped)
			printf "    %-50s skipped: %s\n", text[k], skipped[k]
		else if (k == "nothing" || k == "ioctl" || g == "beat")
			printf "    %-50s %8d\n", text[k], round(median[k])
		else
			printf "    %-50s %+8d\n", text[k], added(k)
	}
}

function table(		i, k) {
	printf "rein %s, Linux %s, x86-64 under QEMU\n", version, kernel
	table_rows("packet", "Instructions for a UDP packet, and how many more with")
	table_rows("take", "Instructions for a system call on /dev/rein, and how many more for a")
	table_rows("beat", "Instructions for a beat of a watch, and of others")
	printf "\nMany limits, none of them the sender's\n\n"
	printf "    %8s %8s %10s %10s %12s %14s\n", "limits", "cgroups", "add", "remove",
		"memory", "instructions"
	printf "    %8s %8s %10s %10s %12s %14s\n", "", "", "s", "s", "B/limit", "/packet"
	for (i = 1; i <= n_scale; i++) {
		k = scale[i]
		printf "    %8d %8d %10.2f %10.2f %12s %14s\n", k, cgroups[k], add[k], remove[k],
			each(k), added_many(k) == "-" ? "-" : sprintf("%+d", added_many(k))
	}
}

function csv(		i, k) {
	print "key,group,min,median,max,added"
	for (i = 1; i <= n; i++) {
		k = key[i]
		if (k in skipped)
			printf "%s,%s,,,,\n", k, group[k]
		else
			printf "%s,%s,%s,%s,%s,%d\n", k, group[k], least[k], median[k], most[k], added(k)
	}
}

function many_csv(		i, k) {
	print "limits,cgroups,add_s,remove_s,memory_bytes,added"
	for (i = 1; i <= n_scale; i++) {
		k = scale[i]
		printf "%s,%s,%s,%s,%s,%s\n", k, cgroups[k], add[k], remove[k], memory[k],
			("many_" k) in median ? added("many_" k) : ""
	}
}

function json(		i, k, comma) {
	printf "{\n  \"version\": \"%s\",\n  \"kernel\": \"%s\",\n  \"costs\": {", version, kernel
	for (i = 1; i <= n; i++) {
		k = key[i]
		printf "%s\n    \"%s\": ", comma, k
		if (k in skipped)
			printf "null"
		else
			printf "{\"group\": \"%s\", \"min\": %s, \"median\": %s, \"max\": %s, \"added\": %d}",
				group[k], least[k], median[k], most[k], added(k)
		comma = ","
	}
	printf "\n  },\n  \"many\": ["
	comma = ""
	for (i = 1; i <= n_scale; i++) {
		k = scale[i]
		printf "%s\n    {\"limits\": %s, \"cgroups\": %s, \"add_s\": %s, \"remove_s\": %s, \"memory_bytes\": %s, \"added\": %s}",
			comma, k, cgroups[k], add[k], remove[k], memory[k],
			("many_" k) in median ? added("many_" k) : "null"
		comma = ","
	}
	print "\n  ]\n}"
}

END {
	if (format == "csv")
		csv()
	else if (format == "many-csv")
		many_csv()
	else if (format == "json")
		json()
	else
		table()
}
