# hindcast: `make run` puts a station on air, `make check` runs the tests; both install what is missing first.

BUILD ?= build
VERSION = 0.1.0
PREFIX ?= /usr/local
CC ?= cc
PKGS = libmicrohttpd libuv libcurl zlib libxxhash
# inih, libmagic and libfaad come without a usable pkg-config file on every release
LIBS = $(shell pkg-config --libs $(PKGS)) -linih -lmagic -lfaad -lm -pthread
WARN = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 $(if $(CI),-Werror)
OPT ?= -O2 -g
CFLAGS += -std=c11 -D_GNU_SOURCE -I. $(WARN) $(OPT) -fno-common -fstack-protector-strong -pthread $(SANITIZE) \
	-DHINDCAST_VERSION='"$(VERSION)"' -DHINDCAST_PREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS))
LDFLAGS += $(SANITIZE) -pthread

# One library of everything but the mains; each program is one main.c over it.
MAINS = segmenter/main.c origin/main.c rewind/main.c
SRC := $(filter-out $(MAINS),$(wildcard base/*.c media/*.c rewind/*.c segmenter/*.c segmenter/*/*.c origin/*.c))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
PROGRAMS := $(patsubst %/main.c,$(BUILD)/%,$(wildcard $(MAINS)))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

all: $(PROGRAMS)

$(BUILD)/segmenter $(BUILD)/origin $(BUILD)/rewind: $(BUILD)/%: $(BUILD)/obj/%/main.o $(BUILD)/libhindcast.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libhindcast.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libhindcast.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libhindcast.a -lcmocka $(LIBS)

$(BUILD)/tools/%: tests/tools/%.c $(BUILD)/libhindcast.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libhindcast.a $(LIBS)

unit: $(UNIT)

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(MAINS:%.c=$(BUILD)/obj/%.d) $(UNIT:=.d)

.PHONY: all unit clean
.DELETE_ON_ERROR:
