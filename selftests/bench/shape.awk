# SPDX-License-Identifier: GPL-2.0
#
# What shape.sh found: format=table, csv, or svg.
BEGIN {
	text["nothing"] = "nothing"
	text["rein_wait"] = "rein: over wait"
	text["rein_refuse"] = "rein: over refuse"
	text["tc_tbf"] = "tc: tbf, latency 100ms"
	text["tc_htb"] = "tc: htb"
	text["tc_htb_fq_codel"] = "tc: htb, fq_codel"
	text["tc_fq"] = "tc: fq maxrate (each flow)"
	text["tc_police"] = "tc: police"
	text["nft_limit"] = "nft: limit, drop"
}

$1 == "@shape" {
	n++
	way[n] = $2; kbit[n] = $3; key[n] = $4; rate[n] = $5; again[n] = $6; lost[n] = $7
	median[n] = $8 / 1000; p95[n] = $9 / 1000
}

function off(i) { return (rate[i] / kbit[i] / 1000 - 1) * 100 }

function table(		i, heading) {
	for (i = 1; i <= n; i++) {
		if (heading != way[i] kbit[i]) {
			heading = way[i] kbit[i]
			printf "\n%s, %g Mbit/s\n\n", way[i] == "out" ? "On the way out" : "On the way in", kbit[i] / 1000
			printf "    %-30s %10s %8s %12s %9s %10s %10s\n", "", "Mbit/s", "off", "retransmits",
				"echoes", "median", "95 %"
			printf "    %-30s %10s %8s %12s %9s %10s %10s\n", "", "", "%", "", "lost", "ms", "ms"
		}
		printf "    %-30s %10.3f %8s %12d %9d %10.1f %10.1f\n", text[key[i]], rate[i] / 1e6,
			key[i] == "nothing" ? "" : sprintf("%+.1f", off(i)), again[i], lost[i], median[i], p95[i]
	}
}

function csv(		i) {
	print "direction,kbit,key,bits_per_second,retransmits,echoes_lost,median_ms,p95_ms"
	for (i = 1; i <= n; i++)
		printf "%s,%d,%s,%d,%d,%d,%.3f,%.3f\n", way[i], kbit[i], key[i], rate[i], again[i], lost[i],
			median[i], p95[i]
}

# How long 95 % of the echoes took at most: 100 pixels for 10 ms, and for each ten times as long.
function svg(		i, y, width) {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", n * 16 + 50
	print "<text x=\"10\" y=\"18\" font-size=\"14\">95 % of small requests beside a bulk transfer came back within (ms, logarithmic)</text>"
	for (i = 1; i <= n; i++) {
		y = 30 + i * 16
		width = p95[i] > 1 ? log(p95[i]) / log(10) * 100 : 1
		printf "<text x=\"10\" y=\"%d\">%s %g Mbit/s %s</text>\n", y, way[i], kbit[i] / 1000, text[key[i]]
		printf "<rect x=\"290\" y=\"%d\" width=\"%d\" height=\"11\" fill=\"%s\"/>\n", y - 10,
			width, key[i] ~ /^rein/ ? "#2a6" : "#999"
		printf "<text x=\"%d\" y=\"%d\">%.1f%s</text>\n", 296 + width, y, p95[i],
			lost[i] ? sprintf(", %d lost", lost[i]) : ""
	}
	print "</svg>"
}

END {
	if (format == "csv")
		csv()
	else if (format == "svg")
		svg()
	else
		table()
}
