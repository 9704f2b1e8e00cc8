#!/bin/sh
# All comparisons, one after the other, since they disturb each other. Nothing here fails by the clock.
set -eu
here=$(dirname "$0")
build=${BUILD:-build}
python3 "$here/overhead.py" "$build/tools/cutfile"
python3 "$here/segmenting.py" "$build/segmenter" "$build/tools/copyfloor"
python3 "$here/live.py" "$build/segmenter"
python3 "$here/origin_vs_nginx.py" "$build/origin"
python3 "$here/rewind.py" "$build/origin"
python3 "$here/relay.py"
