#!/bin/sh
# Writes the tables of keys in doc/hindcast.ini.5, or in the page that is named, anew: each stands between two comments and
# is what BUILD/tools/optiontable says of it.
set -eu
page=${1:-$(dirname "$0")/hindcast.ini.5}
tool=${BUILD:-build}/tools/optiontable
new=$(mktemp)
trap 'rm -f "$new"' EXIT

awk -v tool="$tool" '
	/^\.\\" keys of \[/ {
		if (inside)
			exit 1
		kind = $0
		gsub(/^[^[]*\[|\].*$/, "", kind)
		command = tool " " kind
		while ((command | getline line) > 0)
			print line
		if (close(command) != 0)
			exit 1
		inside = 1
	}
	!inside
	/^\.\\" end of \[/ { inside = 0 }
	END { if (inside) exit 1 }
' "$page" >"$new"
cmp -s "$new" "$page" || cat "$new" >"$page"
