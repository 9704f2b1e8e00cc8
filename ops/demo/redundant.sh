#!/bin/bash
# Puts a platform of two sites on air on one machine (`make demo-redundant`): 2 encoders, 2 publishers, 2 relays, 2 segmenters
# and 2 origins, until Ctrl-C. Any one of them may be killed; what was killed stays dead.
#     ops/demo/redundant.sh [DIRECTORY]  for configuration, stores and logs; default build/demo-redundant
# HINDCAST_BASE_PORT (9100): the ports are this one and the 11 after it.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
dir=${1:-$build/demo-redundant}
base=${HINDCAST_BASE_PORT:-9100}
patience=60 # seconds until both sites must be on air
encoders='main backup'
sites='a b'
declare -A pid

# Ports of site a and b: source, udp, relay, publisher's metrics, segmenter's metrics, origin.
port() { # WHAT SITE
	local what=(source udp relay publisher segmenter origin) i
	for i in "${!what[@]}"; do
		[ "${what[i]}" = "$1" ] && echo $((base + 2 * i + ($2 == 1)))
	done
}

publisher_ini() { # SITE
	cat <<-INI
		[segmenter]
		metrics = 127.0.0.1:$(port publisher "$1")

		[icecast-listener]
		listen = 127.0.0.1:$(port source "$1")
		shoutcast = no

		[publish]
		to = udp://127.0.0.1:$(port udp 0) udp://127.0.0.1:$(port udp 1)
		key_file = $dir/frames.key
	INI
	local input
	for input in $encoders; do
		cat <<-INI

			[input clock/hifi $input]
			type = icecast-source
			mount = /$input
			password_file = $dir/source.pass
		INI
	done
}

relay_ini() { # SITE
	cat <<-INI
		[relay]
		udp = 127.0.0.1:$(port udp "$1")
		http = 127.0.0.1:$(port relay "$1")
		allow = loopback
	INI
}

site_ini() { # SITE NAME
	cat <<-INI
		[store]
		path = $dir/store-$2
		sync = none
		$(peer "$1")

		[segmenter]
		metrics = 127.0.0.1:$(port segmenter "$1")

		[origin]
		listen = 127.0.0.1:$(port origin "$1")
		player = $build/player

		[subscribe]
		from = http://127.0.0.1:$(port relay 0) http://127.0.0.1:$(port relay 1)
		key_file = $dir/frames.key

		[station clock]
		title = Speaking clock
		retention = 2d
		renditions = hifi

		[rendition clock/hifi]
		bitrate = 128k

		[input clock/hifi main]
		type = relay
		priority = 1

		[input clock/hifi backup]
		type = relay
		priority = 2
	INI
}

# The other site's origin, for what is missing here.
peer() { # SITE
	grep -q '"peer"' rewind/settings.c && echo "peer = http://127.0.0.1:$(port origin $((1 - $1)))"
}

start() { # NAME COMMAND...
	local name=$1
	shift
	"$@" >>"$dir/$name.log" 2>&1 &
	pid[$name]=$!
}

finish() {
	local name tenths=0
	trap '' INT TERM HUP
	for name in "${!pid[@]}"; do
		kill -TERM "${pid[$name]}" 2>/dev/null
	done
	for name in "${!pid[@]}"; do
		while kill -0 "${pid[$name]}" 2>/dev/null; do
			[ $((tenths += 1)) -le 150 ] || kill -KILL "${pid[$name]}" 2>/dev/null
			sleep 0.1
		done
	done
	exit "$1"
}

# The status code that an origin answers with, or nothing.
status() { # PORT PATH
	local _ code=
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
	read -r -t 5 _ code _ <&3
	exec 3>&-
	echo "$code"
}

on_air() {
	[ "$(status "$(port origin 0)" /clock/hifi/index.m3u8 2>/dev/null)" = 200 ] &&
		[ "$(status "$(port origin 1)" /clock/hifi/index.m3u8 2>/dev/null)" = 200 ]
}

check_alive() {
	local name
	for name in "${!pid[@]}"; do
		kill -0 "${pid[$name]}" 2>/dev/null && continue
		echo "demo: $name has ended; the last lines of $dir/$name.log:" >&2
		tail -n 20 "$dir/$name.log" >&2
		finish 1
	done
}

umask 077
mkdir -p "$dir/store-a" "$dir/store-b" || exit 1
[ -s "$dir/frames.key" ] || head -c 30 /dev/urandom | base64 -w 0 >"$dir/frames.key"
[ -s "$dir/source.pass" ] || head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/source.pass"
trap 'finish 0' INT TERM HUP
i=0
for site in $sites; do
	publisher_ini $i >"$dir/publisher-$site.ini"
	relay_ini $i >"$dir/relay-$site.ini"
	site_ini $i $site >"$dir/site-$site.ini"
	start "relay-$site" "$build/relay" -c "$dir/relay-$site.ini"
	start "publisher-$site" "$build/segmenter" -c "$dir/publisher-$site.ini"
	start "segmenter-$site" "$build/segmenter" -c "$dir/site-$site.ini"
	start "origin-$site" "$build/origin" -c "$dir/site-$site.ini"
	i=$((i + 1))
done
for encoder in $encoders; do
	start "encoder-$encoder" python3 ops/demo/encoder.py ops/demo/clips/128.aac "$encoder" "$dir/source.pass" \
		"$(port source 0)" "$(port source 1)"
done

while sleep 0.2 && check_alive && ! on_air; do
	[ $SECONDS -lt $patience ] || {
		echo "demo: not on air after $patience s; see $dir/*.log" >&2
		finish 1
	}
done

cat <<READY
On air after $SECONDS s, twice:

    http://localhost:$(port origin 0)/    site a; list: http://localhost:$(port origin 0)/clock/hifi/index.m3u8
    http://localhost:$(port origin 1)/    site b; list: http://localhost:$(port origin 1)/clock/hifi/index.m3u8

Kill one (kill -9 PID), and listen:

READY
for name in $(printf '%s\n' "${!pid[@]}" | sort); do
	printf '    %-18s %s\n' "$name" "${pid[$name]}"
done
cat <<READY

What they say: http://localhost:PORT/metrics with PORT $(port segmenter 0) and $(port segmenter 1) (segmenters), $(port publisher 0) and $(port publisher 1) (publishers),
$(port relay 0) and $(port relay 1) (relays), $(port origin 0) and $(port origin 1) (origins). Compare the segments of both trees:

    diff -r -x '.*' -x '*.m3u8*' $dir/store-a/clock/hifi $dir/store-b/clock/hifi

Configurations, stores and logs are in $dir. Ctrl-C ends it.
READY
wait
finish 0
