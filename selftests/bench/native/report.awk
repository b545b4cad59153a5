# SPDX-License-Identifier: GPL-2.0
#
# What the program found and run knows: format=table, all of it; json, the same; csv,
# the times. Keys stay what they are once they have been published; the texts may change.
BEGIN {
	n_columns = split("one shared apart chain chains refused", column)
	split("one|two, one|two, own|one,|two, 3 of|one,", head, "|")
	split("thread|limit|limits|4 limits|4 shared|refused", head2, "|")
	text["clock"] = "clock_gettime(CLOCK_MONOTONIC)"
	text["rein"] = "rein, a take"
	text["rein_small"] = "rein, a take, no slices"
	text["rein_packet"] = "rein, a packet"
	text["spin"] = "bucket behind a spinlock"
	text["spin_fair"] = "the same, with the lock rein has"
	text["gcra"] = "GCRA, one cmpxchg"
	text["tsc"] = "rdtsc"
	text["dpdk"] = "DPDK rte_meter (srTCM)"
	text["beat"] = "rein_beat(), a store to a slot"
	text["beat_shared"] = "rein_beat_shared(), an addition"
	text["beat_at"] = "rein_beat_at() and its clock"
	text["notify"] = "as sd_notify(WATCHDOG=1), and recv()"
	text["go_clock"] = "Go time.Now()"
	text["go"] = "Go x/time/rate, Allow()"
}

# The rest of the line.
function after_two() {
	sub(/^[^ ]* [^ ]* /, "")
	return $0
}

$1 == "@fact" { name = $2; facts[++n_facts] = name; fact[name] = after_two() }
$1 == "@skip" { name = $2; add(name); skipped[name] = after_two() }
$1 == "@take" {
	add($2)
	least[$2, $3] = $4
	median[$2, $3] = $5
	most[$2, $3] = $6
	to_clock[$2, $3] = $7
	of_rein[$2, $3] = $8
}

function add(key) {
	if (!(key in known))
		subject[++n] = key
	known[key] = 1
}

# One of the tables: what values() says of each subject that can be in more than
# one situation, or of all.
function rows(what, heading,		i, j, k, v) {
	printf "\n%s\n\n    %-34s", heading, ""
	for (j = 1; j <= n_columns; j++)
		printf " %9s", head[j]
	printf "\n    %-34s", ""
	for (j = 1; j <= n_columns; j++)
		printf " %9s", head2[j]
	printf "\n"
	for (i = 1; i <= n; i++) {
		k = subject[i]
		# A beat is no take.
		if (what == "rein" && k ~ /^(beat|notify)/)
			continue
		if (k in skipped) {
			printf "    %-34s not measured: %s\n", text[k], skipped[k]
			continue
		}
		printf "    %-34s", text[k]
		for (j = 1; j <= n_columns; j++) {
			v = value(what, k, column[j])
			printf " %9s", v
		}
		printf "\n"
	}
}

function value(what, k, c) {
	if (!((k, c) in median))
		return "-"
	if (what == "ns")
		return sprintf("%.1f", median[k, c])
	if (what == "clock")
		return sprintf("%.2f", to_clock[k, c])
	return of_rein[k, c] == "-" ? "-" : sprintf("%.2f", of_rein[k, c])
}

function table() {
	printf "rein %s on this machine: %s, %s CPUs%s, governor %s, clock %s\n", fact["version"],
		fact["cpu"], fact["cpus"], fact["hypervisor"] == "yes" ? " of a virtual machine" : "",
		fact["governor"], fact["clocksource"]
	printf "Medians of %s rounds; load when they began: %s\n", fact["rounds"], fact["load"]
	rows("ns", "ns for a take, or a beat, of each thread, with the clock that it reads, if it does")
	rows("clock", "The same as a multiple of one reading of the clock")
	rows("rein", "What rein's take is a multiple of: rein / the other")
}

function csv(		i, j, k, c) {
	print "key,situation,p10_ns,median_ns,p90_ns,to_clock,rein_to_it"
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n_columns; j++) {
			k = subject[i]
			c = column[j]
			if ((k, c) in median)
				printf "%s,%s,%s,%s,%s,%s,%s\n", k, c, least[k, c], median[k, c],
					most[k, c], to_clock[k, c], of_rein[k, c] == "-" ? "" : of_rein[k, c]
		}
}

function quoted(s) {
	gsub(/[\\"]/, "\\\\&", s)
	return "\"" s "\""
}

function json(		i, j, k, c, comma) {
	printf "{\n  \"facts\": {"
	for (i = 1; i <= n_facts; i++)
		printf "%s\n    %s: %s", (i > 1 ? "," : ""), quoted(facts[i]), quoted(fact[facts[i]])
	printf "\n  },\n  \"times\": {"
	for (i = 1; i <= n; i++) {
		k = subject[i]
		printf "%s\n    %s: ", (i > 1 ? "," : ""), quoted(k)
		if (k in skipped) {
			printf "null"
			continue
		}
		printf "{"
		comma = ""
		for (j = 1; j <= n_columns; j++) {
			c = column[j]
			if (!((k, c) in median))
				continue
			printf "%s\n      %s: {\"p10_ns\": %s, \"median_ns\": %s, \"p90_ns\": %s, \"to_clock\": %s, \"rein_to_it\": %s}",
				comma, quoted(c), least[k, c], median[k, c], most[k, c], to_clock[k, c],
				of_rein[k, c] == "-" ? "null" : of_rein[k, c]
			comma = ","
		}
		printf "\n    }"
	}
	print "\n  }\n}"
}

END {
	if (format == "csv")
		csv()
	else if (format == "json")
		json()
	else
		table()
}
