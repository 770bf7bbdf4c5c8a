# Curfew. `make help` lists the targets.
prefix      ?= /usr/local
sbindir     ?= $(prefix)/sbin
mandir      ?= $(prefix)/share/man
datadir     ?= $(prefix)/share
sysconfdir  ?= /etc
unitdir     ?= $(if $(filter /usr,$(prefix)),/usr,/etc)/$(if $(filter /usr,$(prefix)),lib/,)systemd/system
completions ?= $(datadir)/bash-completion/completions

VERSION  := 1.0
PKGS     := libconfig jansson libmnl libnftnl libseccomp libcap smartcols libsodium sqlite3 libsystemd
CC       ?= cc
# A build per compiler and per instrumentation, side by side.
BUILD    ?= build/$(notdir $(firstword $(CC)))$(if $(SANITIZE),-sanitize)

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g')
# FreeTDS ships no pkg-config file in Debian 12.
PKG_LIBS   := $(shell pkg-config --libs $(PKGS)) -lsybdb

# Warnings are errors in our own build only: `make WERROR=` builds where a
# newer compiler knows more of them.
WERROR   ?= -Werror
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wpointer-arith -Wstrict-prototypes \
            -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef -Wvla $(WERROR)
HARDEN   := -fstack-protector-strong -fPIE -fcf-protection
CFLAGS   ?= -O2 -g
ALL_CFLAGS  = -std=c17 -D_GNU_SOURCE -DCURFEW_VERSION='"$(VERSION)"' -Iinclude -Iagent \
              $(PKG_CFLAGS) $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
ifdef SANITIZE
ALL_CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=address,undefined
else
ALL_CFLAGS  += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

SRCS  := $(filter-out agent/main.c,$(wildcard agent/*/*.c))
OBJS  := $(SRCS:%.c=$(BUILD)/%.o)
LIB   := $(BUILD)/libcurfew.a
BIN   := $(BUILD)/curfew
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test-*.c))

.PHONY: all deps unit help clean
all: $(BIN)

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(LIB): $(OBJS)
	@rm -f $@
	$(AR) qcs $@ $^ # q: files of one name in several folders stay apart

$(BIN): $(BUILD)/agent/main.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $$(pkg-config --libs cmocka)

unit: $(TESTS)
	@set -e; for t in $(TESTS); do echo "== $$t"; $$t; done

clean:
	rm -rf build

-include $(OBJS:.o=.d) $(BUILD)/agent/main.d $(TESTS:=.d)
.SECONDARY:
