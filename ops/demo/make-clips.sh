#!/bin/sh
# Makes the speaking clock's clips: ops/demo/clips/{128,64}.aac and their index. Run once; the results are committed.
# Needs espeak-ng and ffmpeg.
#
# The bed is a chord whose frequencies are multiples of 48000/1024 Hz, so every frame of 1024 samples holds the same
# bed in the same phase. A clip begins with a frame of bed alone and ends with two. AAC's window spans two frames
# (ISO 14496-3 4.6.11), and the halves that meet at a joint are then halves of the same bed: any clip can follow any
# other without a click. The two frames at the end let the encoder come back from short windows to the long one.
#
# All clips are one recording, encoded once for each bit rate, with more bed between them. The index says where each is:
#     first frame, frames, name, words
set -eu
export LC_ALL=C

out=$(dirname "$0")/clips
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$out"

rate=48000
frame=$((1024 * 4)) # bytes of mono f32le
voice='espeak-ng -v en-us+f5 -s 150 -a 80'
pcm="-ac 1 -ar $rate -f f32le"
loudness=-17 # LUFS of the speech alone; with bed, over an announcement, -16
chord='0.014*sin(2*PI*187.5*t)+0.01*sin(2*PI*281.25*t)+0.005*sin(2*PI*375*t)'
left="$chord+0.011*sin(2*PI*234.375*t)+0.003*sin(2*PI*468.75*t)"
right="$chord+0.011*cos(2*PI*234.375*t)+0.003*cos(2*PI*468.75*t)"

ff() {
	ffmpeg -nostdin -hide_banner -loglevel error -y "$@"
}

# say NAME WORDS [SPELLING]: one spoken clip, with silence cut off at both ends. A comma keeps the voice up.
say() {
	printf '%s\t%s\n' "$1" "$2" >>"$tmp/list"
	$voice -w "$tmp/say.wav" "${3:-$2,}"
	cut='silenceremove=start_periods=1:start_threshold=-50dB:detection=peak,afade=t=in'
	ff -i "$tmp/say.wav" -af "aresample=$rate,$cut:d=0.002,areverse,$cut:d=0.02,areverse" $pcm "$tmp/$1.voice"
}

# play NAME SECONDS EXPRESSION: one clip of tones, which must begin and end with 0
play() {
	printf '%s\t-\n' "$1" >>"$tmp/list"
	ff -f lavfi -i "aevalsrc='$3':s=$rate:d=$2" $pcm "$tmp/$1.tone"
}

number() {
	set -- "$1" one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
		seventeen eighteen nineteen twenty thirty forty fifty
	if [ "$1" -le 20 ]; then
		shift "$1"
		echo "$1"
	elif [ $(($1 % 10)) -eq 0 ]; then
		shift $(($1 / 10 + 18))
		echo "$1"
	else
		echo "$(number $(($1 / 10 * 10)))-$(number $(($1 % 10)))"
	fi
}

hour=1
while [ $hour -le 12 ]; do
	say hour-$hour "It's $(number $hour)"
	hour=$((hour + 1))
done
minute=1
while [ $minute -le 59 ]; do
	oh=
	[ $minute -ge 10 ] || oh='oh '
	say minute-$minute "$oh$(number $minute)"
	minute=$((minute + 1))
done
say am a.m. 'A M,'
say pm p.m. 'P M,'
say midnight midnight
say noon noon
say second-0 precisely precisely.
for second in 10 20 30 40 50; do
	say second-$second "and $(number $second) seconds" "and $(number $second) seconds."
done

# One gain for all speech, so that it keeps its natural stress; a limiter takes the peaks.
cat "$tmp"/*.voice >"$tmp/all"
measured=$(ffmpeg -nostdin -hide_banner $pcm -i "$tmp/all" -af ebur128 -f null - 2>&1 |
	awk '/Summary/ { summary = 1 } summary && /I:/ { print $2; exit }')
gain=$(awk "BEGIN { print $loudness - ($measured) }")
for f in "$tmp"/*.voice; do
	ff $pcm -i "$f" -af "volume=${gain}dB,alimiter=limit=0.55:attack=2:release=30:level=0:latency=1" \
		$pcm "${f%.voice}.tone"
done

# Between announcements single notes of the chord swell and fade; the full hour is struck on two.
for note in 1:375 2:468.75 3:562.5; do
	play swell-${note%:*} 1.3 "0.016*pow(sin(PI*t/1.3),2)*sin(2*PI*${note#*:}*t)"
done
strike='(1-exp(-200*t))*exp(-2.2*t)'
later='gte(t,0.7)*(1-exp(-200*(t-0.7)))*exp(-2.2*(t-0.7))*min(1,(3-t)/0.5)'
play chime 3 "min(1,(3-t)/0.5)*$strike*(0.06*sin(2*PI*703.125*t)+0.02*sin(2*PI*1406.25*t))\
+$later*(0.06*sin(2*PI*562.5*(t-0.7))+0.02*sin(2*PI*1125*(t-0.7)))"

# The first frame of the encoded file is the encoder's priming: frame n decodes to the recording's frame n - 1.
zeros() {
	head -c $(($1 * frame)) /dev/zero
}
zeros 8 >"$tmp/recording"
printf '5\t1\tbed\t-\n' >"$tmp/index"
at=9
while IFS='	' read -r name words; do
	bytes=$(wc -c <"$tmp/$name.tone")
	length=$(((bytes + frame - 1) / frame))
	{
		zeros 1
		cat "$tmp/$name.tone"
		head -c $((length * frame - bytes)) /dev/zero
		zeros 6
	} >>"$tmp/recording"
	printf '%d\t%d\t%s\t%s\n' $at $((length + 3)) "$name" "$words" >>"$tmp/index"
	at=$((at + length + 7))
done <"$tmp/list"

# The simple quantiser: it keeps more of a voice over a bed than the others.
encode() {
	kbit=$1
	shift
	ff $pcm -i "$tmp/recording" -f lavfi -i "aevalsrc='$left|$right':s=$rate" \
		-filter_complex '[0]pan=stereo|c0=c0|c1=c0[voice];[voice][1]amix=normalize=0:duration=first' \
		-c:a aac -b:a "${kbit}k" -aac_coder fast -aac_pns 0 -aac_tns 0 -aac_is 0 "$@" -f adts "$out/$kbit.aac"
}
encode 128
encode 64 -cutoff 12000
mv "$tmp/index" "$out/index"
