#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real servers in a limited cgroup, with --over wait: what they send is as much as the limit
# says, their clients see no errors, and a small request doesn't stand in line behind a large
# answer.
#
#	here  nginx, redis  10.0.1.1 ------ 10.0.1.2 eth0  far: wrk, redis-benchmark, iperf3
#
# They are unpacked by selftests/vm/programs. Rates are of what arrives at far's device, the
# first second left out.
# shellcheck source=selftests/rein/lib.sh
. "$(dirname "$0")/lib.sh"

PROGRAMS=/programs
[ -x "$PROGRAMS/usr/sbin/nginx" ] || skip_all "there are no programs: see selftests/vm/programs"
LIBRARIES=$PROGRAMS/usr/lib/$(uname -m)-linux-gnu

KBIT=8000
[ -z "$DEBUG" ] || KBIT=800
RATE=${KBIT}kbit/s
BURST=$((KBIT * 125 / 20))
HERE_IP=10.0.1.1
# What clients in far send from: where answers go to.
PORTS=$(seq -s , 40000 40031)

# client COMMAND...: in far
client() {
	in_netns far env LD_LIBRARY_PATH="$LIBRARIES" PATH="$PROGRAMS/usr/bin:$PATH" "$@"
}

# listens PORT
# shellcheck disable=SC2317 # wait_for calls it
listens() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

# serve NAME PORT COMMAND...: in a cgroup of its own, in the background
serve() {
	make_cgroup "$1"
	# shellcheck disable=SC2016 # for the inner shell
	{
		background bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$CGROOT$(cg "$1")" \
			env LD_LIBRARY_PATH="$LIBRARIES" "${@:3}" >"$TMP/$1.log" 2>&1
	} 2>/dev/null
	wait_for 30 listens "$2" ||
		not_ok "$1 is there" "a server at port $2" "$(tail -n 5 "$TMP/$1.log")"
}

limit_it() {
	rein limit add "$1" --cgroup "$(cg "$1")" --on egress --rate "$RATE,burst=$BURST" --over wait
}

# measure NAME SECONDS COMMAND...: a client, and at what rate it is served
measure() {
	local name=$1 seconds=$2 status

	shift 2
	capture far
	client "$@" >"$TMP/client" 2>&1
	status=$?
	capture_end
	is $status 0 "$name: its client ends well"
	near_rate "$PORTS" "${KBIT}000" 5 "$BURST" 1 "$seconds" "$name: bits per second" "$name"
	identity "$name"
	is "$(packets "$name" refused)" 0 "$name: no packet is refused"
}

# --- what they get ------------------------------------------------------------------

web() {
	mkdir "$TMP/web"
	head -c 1000000 /dev/zero >"$TMP/web/large"
	echo small >"$TMP/web/small"
	cat >"$TMP/nginx.conf" <<-END
		daemon off; master_process off; user root; pid $TMP/nginx.pid; error_log stderr;
		events { worker_connections 64; }
		http {
			access_log off; sendfile on; keepalive_requests 100000;
			client_body_temp_path $TMP/a; proxy_temp_path $TMP/b; fastcgi_temp_path $TMP/c;
			uwsgi_temp_path $TMP/d; scgi_temp_path $TMP/e;
			server { listen 8080; root $TMP/web; }
		}
	END
	serve nginx 8080 "$PROGRAMS/usr/sbin/nginx" -p "$TMP" -e stderr -c "$TMP/nginx.conf"
	limit_it nginx
	measure nginx 5.5 wrk -t 1 -c 4 -d 6s --timeout 60s "http://$HERE_IP:8080/large"
	is "$(grep -E 'Socket errors|Non-2xx' "$TMP/client")" "" "nginx: wrk has seen no errors"
	at_least "$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$TMP/client")" 3 "nginx: files were served"
	rein limit del nginx
}

store() {
	serve redis 6379 "$PROGRAMS/usr/bin/redis-server" --save '' --appendonly no \
		--protected-mode no --bind 0.0.0.0 --dir "$TMP"
	client redis-benchmark -h $HERE_IP -q -t set -d 4000 -n 1 -c 1 >/dev/null 2>&1
	limit_it redis
	measure redis 5.5 redis-benchmark -h $HERE_IP -q -t get -d 4000 -c 4 -n $((KBIT * 6 / 32))
	is "$(grep -iE 'err|wrong' "$TMP/client")" "" "redis: its benchmark has seen no errors"
	matches "$(tr '\r' '\n' <"$TMP/client" | tail -n 2)" "GET: .* requests per second" \
		"redis: answers were given"
}

bulk() {
	serve iperf3 5201 iperf3 -s
	limit_it iperf3
	measure iperf3 5.5 iperf3 -c $HERE_IP -R -t 6 -P 4 -J
	is "$(jq -r .error "$TMP/client")" null "iperf3: it has seen no error"
}

# --- how long a small request takes -------------------------------------------------------

# In us, from what wrk prints.
median() {
	awk '$1 == "50%" {
		n = $2 + 0
		print $2 ~ /us$/ ? n : $2 ~ /ms$/ ? n * 1000 : n * 1000000
	}' "$1"
}

# small: the median of small requests, in us, while there is a large one
small() {
	background client wrk -t 1 -c 2 -d 5s --timeout 60s "http://$HERE_IP:8080/large" >/dev/null
	client wrk -t 1 -c 1 -d 4s --latency "http://$HERE_IP:8080/small" >"$TMP/small"
	wait "$PID"
	median "$TMP/small"
}

latency() {
	local alone free limited

	client wrk -t 1 -c 1 -d 2s --latency "http://$HERE_IP:8080/small" >"$TMP/small"
	alone=$(median "$TMP/small")
	free=$(small)
	limit_it nginx
	limited=$(small)
	note "a small request: alone $alone us; beside large ones $free us, within the limit $limited us"
	at_most "$limited" $((free * 3)) "a small request beside large ones, within the limit, in us"
}

make_peer far 1
in_netns far sysctl -q net.ipv4.ip_local_port_range="40000 40031"
in_netns far sysctl -q net.ipv4.tcp_tw_reuse=1
web
latency
store
bulk
done_testing
