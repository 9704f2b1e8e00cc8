# hindcast: `make run` puts a station on air, `make check` runs the tests; both install what is missing first.
#
#	make            build/segmenter, build/origin, build/rewind, build/relay and the player page
#	make run        the demo: open http://localhost:8080/
#	make demo-redundant  a platform of two sites on one machine, to kill parts of
#	make check      all tests, short versions of the long ones; the last line is "N passed, N failed"
#	make check-asan unit tests and crash tests under AddressSanitizer and UBSan
#	make fuzz       every fuzz target for FUZZ_SECONDS (600)
#	make bench      comparisons with ffmpeg and nginx, in ratios
#	make soak       the long versions: kills, simulated months
#	make install    DESTDIR and PREFIX are respected; programs are named hindcast-*
#	make format     white space by clang-format

BUILD ?= build
VERSION = 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
FUZZ_SECONDS ?= 600

PKGS = libmicrohttpd libuv libcurl libical zlib libxxhash libsrtp2 libcrypto
# inih, libmagic and libfaad have no pkg-config file on every release
LIBS = $(shell pkg-config --libs $(PKGS)) -linih -lmagic -lfaad -lm -pthread
WARN = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 $(if $(CI),-Werror)
OPT ?= -O2 -g
CFLAGS += -std=c11 -D_GNU_SOURCE -I. $(WARN) $(OPT) -fno-common -fstack-protector-strong -pthread $(SANITIZE) \
	-DHINDCAST_VERSION='"$(VERSION)"' -DHINDCAST_PREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS))
LDFLAGS += $(SANITIZE) -pthread

# One library of everything but the mains; each program is one main.c over it.
MAINS = segmenter/main.c origin/main.c rewind/main.c relay/main.c
SRC := $(filter-out $(MAINS),$(wildcard base/*.c media/*.c relay/*.c rewind/*.c segmenter/*.c segmenter/*/*.c origin/*.c))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
LIB = $(BUILD)/libhindcast.a
PROGRAMS := $(MAINS:%/main.c=$(BUILD)/%)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c)) \
	$(patsubst tests/crash/%.c,$(BUILD)/tools/%,$(wildcard tests/crash/*.c)) \
	$(patsubst tests/sim/%.c,$(BUILD)/tools/%,$(wildcard tests/sim/*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(PROGRAMS) player

$(PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%/main.o $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# The page's folder is compiled in: another PREFIX means another object.
$(BUILD)/obj/origin/settings.o: $(BUILD)/prefix
$(BUILD)/prefix: always
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@

$(BUILD)/demo-clock: ops/demo/clock.c $(LIB)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

# ---- the player page

PLAYER = origin/player
HLS_JS = $(PLAYER)/node_modules/hls.js
PAGE := $(wildcard $(PLAYER)/*.html $(PLAYER)/*.js $(PLAYER)/*.css $(PLAYER)/*.svg)

player: $(BUILD)/player/station.html

# The same page one level deeper: /{station}/ refers to ../_player/.
$(BUILD)/player/station.html: $(PAGE) $(HLS_JS)/package.json
	@mkdir -p $(@D)
	cp $(PAGE) $(@D)/
	cp $(HLS_JS)/dist/hls.light.min.mjs $(@D)/hls.light.min.js
	cp $(HLS_JS)/LICENSE $(@D)/hls.js.LICENSE
	sed 's|"_player/|"../_player/|' $(PLAYER)/index.html >$@

$(HLS_JS)/package.json: $(PLAYER)/package-lock.json
	cd $(PLAYER) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# ---- what a fresh machine needs

deps:
	@ops/deps.sh run

deps-check:
	@ops/deps.sh check

# `make run` and `make check` begin before pkg-config is there, so they build in a second make.
run: deps
	@$(MAKE) -j$$(nproc) --no-print-directory all $(BUILD)/demo-clock
	@exec env BUILD=$(BUILD) ops/demo/run.sh

demo-redundant: deps
	@$(MAKE) -j$$(nproc) --no-print-directory all
	@BUILD=$(BUILD) ops/demo/redundant.sh

check: deps-check
	@$(MAKE) -j$$(nproc) --no-print-directory all tests
	@BUILD=$(BUILD) python3 tests/run.py check

check-asan: deps-check
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		OPT='-O1 -g' all tests
	@BUILD=$(BUILD)/asan python3 tests/run.py unit

bench: deps-check
	@$(MAKE) -j$$(nproc) --no-print-directory all tests
	@BUILD=$(BUILD) tests/bench/run.sh

soak: deps-check
	@$(MAKE) -j$$(nproc) --no-print-directory all tests
	@BUILD=$(BUILD) python3 tests/run.py soak

fuzz: deps-check
	@$(MAKE) --no-print-directory fuzzers
	@BUILD=$(BUILD) python3 tests/run.py fuzz $(FUZZ_SECONDS)

# ---- tests

tests: $(UNIT) $(TOOLS) $(BUILD)/demo-clock fuzzers

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) -lcmocka $(LIBS)

$(BUILD)/tools/%: tests/tools/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/tools/%: tests/crash/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/tools/%: tests/sim/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

# Fuzz targets are clang's: the library is built once more for them.
fuzzers:
ifndef SANITIZE
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang OPT='-O1 -g' \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzz-targets
endif

fuzz-targets: $(FUZZERS:%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

# ---- install

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/hindcast/player \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	for p in segmenter origin rewind relay; do \
		install -m 755 $(BUILD)/$$p $(DESTDIR)$(PREFIX)/bin/hindcast-$$p && \
		install -m 644 doc/$$p.1 $(DESTDIR)$(PREFIX)/share/man/man1/hindcast-$$p.1 || exit 1; \
	done
	install -m 644 doc/hindcast.ini.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 $(BUILD)/player/* $(DESTDIR)$(PREFIX)/share/hindcast/player/

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(MAINS:%.c=$(BUILD)/obj/%.d) $(UNIT:=.d) $(TOOLS:=.d) $(FUZZERS:%=$(BUILD)/fuzz/%.d)

.PHONY: always all player deps deps-check run demo-redundant check check-asan bench soak fuzz tests fuzzers fuzz-targets install format clean
.DELETE_ON_ERROR:
