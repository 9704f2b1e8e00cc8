#!/bin/sh
# Installs what is missing on this machine: `ops/deps.sh run` to build and run, `ops/deps.sh check` also to test.
# Silent and quick when all is there.
set -eu

# Recommended packages are not installed, so what gcc only recommends is named too.
run='gcc libc6-dev make pkg-config libmicrohttpd-dev libinih-dev libmagic-dev libuv1-dev libcurl4-openssl-dev
	zlib1g-dev libssl-dev libsrtp2-dev libxxhash-dev libfaad-dev libical-dev nodejs npm ca-certificates tzdata'
check="libcmocka-dev python3 ffmpeg chromium fonts-dejavu-core nginx varnish icecast2 mpv vlc-bin vlc-plugin-base
	gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav tshark
	curl wrk valgrind faketime mandoc clang clang-format libclang-rt-dev"

fail() {
	printf 'deps: %s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# missing PACKAGE...: those that are neither installed nor provided by what is installed
missing() {
	dpkg-query -W -f '${db:Status-Status},${Package},${Provides}\n' | awk -F ', *' -v "wanted=$*" '
		$1 == "installed" { for (i = 2; i <= NF; i++) { sub(/ .*/, "", $i); have[$i] = 1 } }
		END { n = split(wanted, want, /[ \t\n]+/); for (i = 1; i <= n; i++) if (!(want[i] in have)) print want[i] }'
}

# Packaged daemons are only tools of the tests: they must not start with their installation, nor take port 80 or 8000.
# policy-rc.d is Debian's way to say so; one that the machine has already is left as it is.
hold_daemons() {
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
	as_root chmod 755 /usr/sbin/policy-rc.d
}

install_packages() {
	[ $# -gt 0 ] || return 0
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		fail "neither root nor sudo: have this run by root, then try again: apt-get install --no-install-recommends $*"
	echo "deps: installing $*"
	hold_daemons
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update ||
		echo 'deps: apt-get update failed; trying with the package lists that are here' >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends "$@" || fail "apt-get could not install: $*"
}

# install_modules FOLDER: what its package-lock.json names, when that is newer than what is installed
install_modules() {
	done=$1/node_modules/.package-lock.json
	[ -e "$1/package-lock.json" ] || return 0
	[ ! -e "$done" ] || [ "$1/package-lock.json" -nt "$done" ] || return 0
	echo "deps: npm ci in $1"
	(cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
		fail "npm ci failed in $1: is the npm registry reachable?"
	touch "$done"
}

cd "$(dirname "$0")/.."
case ${1-} in
run) packages=$run ;;
check) packages="$run $check" ;;
*) fail 'usage: ops/deps.sh run|check' ;;
esac

if command -v dpkg-query >/dev/null; then
	install_packages $(missing $packages)
else
	echo "deps: this is no Debian; what these packages hold must be there:" $packages >&2
fi
install_modules origin/player
[ "$1" != check ] || install_modules tests/browser
