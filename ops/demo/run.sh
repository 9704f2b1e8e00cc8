#!/bin/bash
# Puts the demo on air (`make run`): a segmenter and an origin over three stations, until Ctrl-C or until one of them ends.
#     ops/demo/run.sh [DIRECTORY]        for configuration, store and logs; default build/demo. The store is kept.
# HINDCAST_HTTP_PORT (8080), HINDCAST_SOURCE_PORT (8001; Shoutcast on the next), HINDCAST_METRICS_PORT (8004, segmenter),
# HINDCAST_STUDIO_PASSWORD (hindcast) and TZ are taken from the environment.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
dir=${1:-$build/demo}
http=${HINDCAST_HTTP_PORT:-8080}
source=${HINDCAST_SOURCE_PORT:-8001}
metrics=${HINDCAST_METRICS_PORT:-8004}
export HINDCAST_STUDIO_PASSWORD=${HINDCAST_STUDIO_PASSWORD:-hindcast}
patience=60 # seconds until the stations must be on air
segmenter='' origin=''

# The machine's time zone by name: what the clock says and what the stations' lists are asked for in.
zone() {
	local name=${TZ-}
	[ -n "$name" ] || name=$(cat /etc/timezone 2>/dev/null)
	[ -n "$name" ] || name=$(readlink /etc/localtime 2>/dev/null | sed 's|.*/zoneinfo/||')
	name=${name#:}
	[ -e "/usr/share/zoneinfo/$name" ] && [ -n "$name" ] || name=UTC
	echo "$name"
}

clock_station() { # NAME TITLE FORMAT
	cat <<-INI

		[station $1]
		title = $2
		timezone = $TZ
		retention = 2d
		renditions = hifi lofi
		programmes = $dir/programmes.ics
	INI
	local rendition kbit
	while read -r rendition kbit; do
		cat <<-INI

			[rendition $1/$rendition]
			format = $3
			bitrate = ${kbit}k

			[input $1/$rendition clock]
			type = command
			command = exec $build/demo-clock --bitrate $kbit --clips ops/demo/clips
			start = -2h
		INI
	done <<-RENDITIONS
		hifi 128
		lofi 64
	RENDITIONS
}

# A day of programmes for the clocks, an hour each, every day, in the station's time.
programmes() {
	local hour
	printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//hindcast//demo//EN
	for hour in {0..23}; do
		printf '%s\r\n' BEGIN:VEVENT "UID:hour-$hour@demo" "DTSTART:20260101T$(printf %02d "$hour")0000" DURATION:PT1H \
			RRULE:FREQ=DAILY "SUMMARY:The $hour o'clock hour" "DESCRIPTION:Six announcements a minute." END:VEVENT
	done
	printf '%s\r\n' END:VCALENDAR
}

configuration() {
	cat <<-INI
		; Written by ops/demo/run.sh at every start.
		[store]
		path = $dir/store
		sync = none

		[segmenter]
		metrics = 127.0.0.1:$metrics

		[origin]
		listen = 0.0.0.0:$http
		player = $build/player

		; 0.0.0.0 lets encoders on other machines in: choose a password of your own then
		[icecast-listener]
		listen = 127.0.0.1:$source
	INI
	clock_station clock 'Speaking clock' ts
	clock_station clock-packed 'Speaking clock, packed audio' packed
	cat <<-INI

		[station studio]
		title = Studio
		timezone = $TZ
		retention = 2d
		renditions = main

		[rendition studio/main]
		format = ts
		bitrate = 128k

		[input studio/main encoder]
		type = icecast-source
		mount = /studio
		user = source
		password_env = HINDCAST_STUDIO_PASSWORD
	INI
}

# The status code that origin answers a path with, or nothing.
status() {
	local _ code=
	exec 3<>"/dev/tcp/127.0.0.1/$http" || return
	printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
	read -r -t 5 _ code _ <&3
	exec 3>&-
	echo "$code"
}

on_air() {
	local list
	for list in clock/hifi clock/lofi clock-packed/hifi clock-packed/lofi; do
		[ "$(status "/$list/index.m3u8" 2>/dev/null)" = 200 ] || return 1
	done
}

alive() {
	[ -n "$1" ] && kill -0 "$1" 2>/dev/null
}

# Ask both to end, wait, and go.
finish() {
	local pid tenths=0
	trap '' INT TERM HUP
	for pid in $segmenter $origin; do
		kill -TERM "$pid" 2>/dev/null
	done
	while alive "$segmenter" || alive "$origin"; do
		if [ $((tenths += 1)) -gt 150 ]; then
			echo "demo: killing what has not ended after 15 s" >&2
			for pid in $segmenter $origin; do
				kill -KILL "$pid" 2>/dev/null
			done
			exit 1
		fi
		sleep 0.1
	done
	exit "$1"
}

died() { # NAME
	echo "demo: $1 has ended; the last lines of $dir/$1.log:" >&2
	tail -n 20 "$dir/$1.log" >&2
	finish 1
}

check_alive() {
	alive "$segmenter" || died segmenter
	alive "$origin" || died origin
}

TZ=$(zone)
export TZ
mkdir -p "$dir/store" && programmes >"$dir/programmes.ics" && configuration >"$dir/hindcast.ini" || exit 1
trap 'finish 0' INT TERM HUP
"$build/segmenter" -c "$dir/hindcast.ini" >>"$dir/segmenter.log" 2>&1 &
segmenter=$!
"$build/origin" -c "$dir/hindcast.ini" >>"$dir/origin.log" 2>&1 &
origin=$!

# Look at our own two first: another origin may have the port, and answer.
while sleep 0.2 && check_alive && ! on_air; do
	[ $SECONDS -lt $patience ] || {
		echo "demo: no station on air after $patience s; see $dir/segmenter.log and $dir/origin.log" >&2
		finish 1
	}
done

cat <<READY
On air after $SECONDS s. Open:

    http://localhost:$http/                                player page
    http://localhost:$http/clock/index.m3u8                speaking clock ($TZ), MPEG-TS, for any HLS player
    http://localhost:$http/clock/index.m3u8?from=-30m      from half an hour ago on, and through live
    http://localhost:$http/clock/index.m3u8?programme=now  this hour from its start
    http://localhost:$http/clock-packed/index.m3u8         the same as packed audio
    http://localhost:$http/clock/hifi/index.m3u8           one rendition of it
    http://localhost:$http/stations.json                   what there is
    http://localhost:$http/metrics                         origin's figures; segmenter's: http://localhost:$metrics/metrics

The third station waits for your encoder on port $source; for example:

    ffmpeg -re -stream_loop -1 -i ops/demo/clips/128.aac -c copy -f adts -content_type audio/aac \\
        icecast://source:$HINDCAST_STUDIO_PASSWORD@localhost:$source/studio

    http://localhost:$http/studio/index.m3u8

Configuration, store and logs are in $dir. Ctrl-C ends it.
READY

wait -n "$segmenter" "$origin"
check_alive
