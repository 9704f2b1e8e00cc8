#!/bin/sh
# Holds the layers of doc/design.md section 12: who may include whom; every header compiles alone; each third-party
# header appears only where its job is.
cd "$(dirname "$0")/.." || exit 1
n=0 bad=0

result() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi
}

# only FOLDER ALLOWED...: sources of FOLDER include project headers of the ALLOWED folders alone
only() {
	folder=$1
	shift
	allowed=$(printf '%s|' "$@")
	found=$(grep -rnE '^#include "[a-z]+/' --include='*.[ch]' "$folder" | grep -vE "#include \"(${allowed%|})/")
	[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/# /'
	[ -z "$found" ]
	result $? "$folder includes only $*"
}

# where HEADER FILE...: a third-party header is included in these files and nowhere else
where() {
	header=$1
	shift
	found=$(grep -rlE "^#include <$header>" --include='*.[ch]' base media rewind segmenter origin | sort)
	wanted=$(printf '%s\n' "$@" | sort)
	[ "$found" = "$wanted" ] || printf '# %s is in:\n%s\n' "$header" "$found" | sed 's/^/# /'
	[ "$found" = "$wanted" ]
	result $? "$header is where its job is"
}

only base base
only media media base
only rewind rewind media base
only origin origin rewind media base
only segmenter segmenter rewind media base
only segmenter/merge segmenter rewind media base

! grep -rnE '#include "segmenter/(cut|write|merge|pipeline|station|rendition)' --include='*.[ch]' segmenter/input
result $? "inputs know nothing of merge, cut and write"
! grep -rnE '#include "segmenter/(cut|write|input)' --include='*.[ch]' segmenter/merge
result $? "merge knows nothing of inputs, cut and write"
! grep -rnE '\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|strtok|alloca|gets) *\(' --include='*.[ch]' base media rewind segmenter origin
result $? "no unbounded text functions"
! grep -rnE '\b(clock_gettime|gettimeofday|time)\(' --include='*.[ch]' media rewind segmenter origin
result $? "only base/clock.c asks for the time"

where ini.h base/config_ini.c
where curl/curl.h rewind/peer.c segmenter/input/icecast_pull.c
where neaacdec.h segmenter/input/aac_profile.c
where libical/ical.h rewind/programmes_ical.c

alone=0
for h in $(git ls-files '*.h' | grep -v ^tests/); do
	${CC:-cc} -std=c11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -x c "$h" || alone=1
done
result $alone "every header compiles alone"

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning doc/*.1 doc/*.5
	result $? "manual pages are clean"
else
	result 1 "mandoc is installed"
fi
echo "1..$n"
exit $bad
