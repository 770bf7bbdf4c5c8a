# Curfew. `make help` lists the targets; `make V=1` shows the commands.
prefix      ?= /usr/local
sbindir     ?= $(prefix)/sbin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/curfew
sysconfdir  ?= /etc
bashdir     ?= $(datadir)/bash-completion/completions
# zsh looks in one folder for what Debian ships and in another for what was installed by hand.
zshdir      ?= $(datadir)/zsh/$(if $(filter /usr,$(prefix)),vendor-completions,site-functions)
fishdir     ?= $(datadir)/fish/vendor_completions.d
# systemd looks below /usr/lib, /usr/local/lib and /etc, and nowhere else.
systemdlib  ?= $(if $(filter /usr /usr/local,$(prefix)),$(prefix)/lib,/etc)
unitdir     ?= $(systemdlib)/systemd/system

VERSION  := 1.0
PKGS     := libconfig jansson libmnl libnftnl libseccomp libcap smartcols libsodium sqlite3 libsystemd libcurl gnutls
CC       ?= cc
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))
# A build per compiler and per instrumentation, side by side.
BUILD    ?= build/$(notdir $(firstword $(CC)))$(if $(SANITIZE),-sanitize)

# Asked when a recipe first needs it and not when make starts: `make deps all` begins without pkg-config.
PKG_CFLAGS  = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
# FreeTDS ships no pkg-config file in Debian 12.
PKG_LIBS    = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)) -lsybdb)$(PKG_LIBS)
TEST_LIBS   = $(eval TEST_LIBS := $$(shell pkg-config --libs cmocka))$(TEST_LIBS)
# An option for the compiler when it knows it: not every one does on every machine.
cc-option   = $(shell $(CC) -Werror $(1) -c -x c -o /dev/null /dev/null 2>/dev/null && echo $(1))

# Warnings are errors in our own build only: `make WERROR=` builds where a newer compiler knows more of them.
WERROR   ?= -Werror
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wpointer-arith -Wstrict-prototypes \
            -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-missing-field-initializers $(WERROR)
HARDEN    = $(eval HARDEN := -fPIE -fstack-protector-strong $$(call cc-option,-fstack-clash-protection) \
            $$(call cc-option,-fcf-protection) $$(FORTIFY))$(HARDEN)
CFLAGS   ?= -O2 -g
# The libraries check sizes only in optimized code, and not together with a sanitizer.
FORTIFY   = $(if $(SANITIZE),,$(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
SANITIZER = $(if $(SANITIZE),-fsanitize=address -fsanitize=undefined)
# Flags that say what the code means; checkers need them too.
CPPFLAGS_OURS = -std=c17 -D_GNU_SOURCE -DCURFEW_VERSION='"$(VERSION)"' -Iinclude -Iagent $(PKG_CFLAGS)
ALL_CFLAGS  = $(CPPFLAGS_OURS) $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -MMD -MP \
              $(if $(SANITIZE),$(SANITIZER) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(SANITIZER) $(LDFLAGS)

SRCS  := $(filter-out agent/main.c,$(wildcard agent/*/*.c))
OBJS  := $(SRCS:%.c=$(BUILD)/%.o)
LIB   := $(BUILD)/libcurfew.a
BIN   := $(BUILD)/curfew
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c))
BENCH := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
# The fuzzers' own build: clang's libFuzzer and sanitizers go through every object, once for all fuzzers.
FUZZ  := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJS  := $(SRCS:%.c=build/fuzz/%.o)
FUZZ_FLAGS  = $(CPPFLAGS_OURS) $(WARN) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP

PARTS := runner lint unit property practice sanitize valgrind fuzz system attacks tsql clients words install-test monitoring
.PHONY: all deps check check-server machines package browser demo bench tests fuzzers install uninstall help clean flags $(PARTS)

all: $(BIN)                     ## the program (default)

help:                           ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

# When `deps` is asked for together with others, it comes first.
$(if $(filter deps,$(MAKECMDGOALS)),$(OBJS) $(BUILD)/agent/main.o $(PARTS) check demo bench: | deps)

PACKAGES = $(shell sed 's/\#.*//' packages.txt)
deps:                           ## install what packages.txt names and this Debian lacks
	@missing=; \
	for p in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; \
	done; \
	if [ -z "$$missing" ]; then echo "deps: nothing is missing"; exit 0; fi; \
	echo "deps: installing$$missing"; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root="sudo"; \
	$$as_root apt-get update -q && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Made anew each time: an archive keeps members whose source went away. q: files of one name in several folders stay
# apart.
$(LIB): $(OBJS) $(BUILD)/sources
	$(call say,AR,$@)
	@rm -f $@.new
	$(Q)$(AR) qcs $@.new $(OBJS) && mv $@.new $@

# Changes when the list of sources does.
$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SRCS)' | cmp -s - $@ || echo '$(SRCS)' >$@
FORCE:

$(BIN): $(BUILD)/agent/main.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/tests/corpus.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) $(TEST_LIBS)

# What several tests of one folder share stands beside them, in files that are not called test_*.c.
FOLDERS := $(sort $(dir $(wildcard tests/*/test_*.c)))
shared   = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(1)test_%,$(wildcard $(1)*.c)))
SHARED  := $(foreach f,$(FOLDERS),$(call shared,$(f)))
$(foreach f,$(FOLDERS),$(eval $(patsubst %.c,$(BUILD)/%,$(wildcard $(f)test_*.c)): $(call shared,$(f))))

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ-CC,$<)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/libcurfew.a: $(FUZZ_OBJS) $(BUILD)/sources
	$(call say,AR,$@)
	@rm -f $@.new
	$(Q)$(AR) qcs $@.new $(FUZZ_OBJS) && mv $@.new $@

build/fuzz/tests/%: build/fuzz/tests/%.o build/fuzz/libcurfew.a
	$(call say,FUZZER,$@)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

tests: $(BIN) $(TESTS)          ## the unit tests' programs, without running them
fuzzers: $(FUZZ)                ## the fuzzers, without running them
flags:
	@echo $(CPPFLAGS_OURS)

# ---- tests: tests/run runs the parts, keeps their logs under build/logs and counts ----
RUN = +$(Q)env CC='$(CC)' $(if $(SANITIZE),SANITIZE=1) $(if $(V),V=1) tests/run

check:                          ## everything: all parts below, fast ones first, one summary
	$(RUN)
runner:                         ## what tests/run itself reads out of logs
	$(RUN) runner
lint:                           ## layers and sizes, cppcheck, clang-tidy, formatting, manuals, scripts
	$(RUN) lint
unit:                           ## unit tests (SANITIZE=1, CC=clang: with these)
	$(RUN) unit
property:                       ## property tests with many more cases
	$(RUN) property
practice:                       ## the practice server's own tests
	$(RUN) practice
sanitize:                       ## unit tests built by clang, with its address and undefined behavior sanitizers
	$(RUN) sanitize
valgrind:                       ## unit tests of the pure parts under valgrind
	$(RUN) valgrind
fuzz:                           ## each fuzzer for FUZZ_SECONDS (5)
	$(RUN) fuzz
system:                         ## the whole life of a client, real packets
	$(RUN) system
attacks:                        ## what a user with full access can do, done, and what comes of it
	$(RUN) attacks
tsql:                           ## every statement that tests saw, before SQL Server's own parser, where dotnet is
	$(RUN) tsql
clients:                        ## Microsoft's, Node's and Python's client libraries, where dotnet and npm are
	$(RUN) clients
machines:                       ## whole machines: booted systemd, kernel 6.1, the package, a fresh Debian 13 and its package: minutes each, as root
	$(RUN) booted kernel61 clock61 package debian13 package13
browser:                        ## the HTML reports in a real browser
	$(RUN) browser
words:                          ## what the program says to wrong command lines; the shells' completion
	$(RUN) words
monitoring:                     ## alerts and dashboard, by promtool and against what is exported
	$(RUN) monitoring
install-test:                   ## install and uninstall into a scratch folder
	$(RUN) install-test

check-server: $(BIN)            ## try all that Curfew asks of a server: SERVER=NAME, CONFIG=FILE, LIFE=DATABASE
	$(Q)$(BIN) check-server $(if $(CONFIG),--config $(CONFIG)) $(if $(LIFE),--life $(LIFE)) $(SERVER)

demo: $(BIN)                    ## the life of a grant to look at, under a minute
	$(Q)CURFEW=$(BIN) demo/demo

bench: $(BIN) $(BENCH)          ## measurements
	$(Q)set -e; for b in $(BENCH) $(wildcard tests/bench/bench_*.py tests/bench/bench_*.sh); do \
		echo "== $$b"; CURFEW=$(BIN) $$b; done

# ---- installation ----
# In a copy of the tree, since dpkg-buildpackage writes beside and into what it builds.
package:                        ## a Debian package in build/package
	$(Q)rm -rf build/package && mkdir -p build/package/source
	$(Q)(git ls-files -co --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print) | \
		grep -vxF "$$(git ls-files -d 2>/dev/null)" | tar -cf - --files-from=- | tar -C build/package/source -xf -
	$(Q)cd build/package/source && DEB_BUILD_OPTIONS="parallel=$$(nproc) $$DEB_BUILD_OPTIONS" dpkg-buildpackage -us -uc

MAN8  := $(wildcard man/*.8)
MAN5  := $(wildcard man/*.5)
UNITS := $(wildcard systemd/*.service systemd/*.socket systemd/*.timer systemd/*.path)
root  := $(DESTDIR)
etc    = $(root)$(sysconfdir)/curfew
# The units name the program by where it is.
put_unit = sed 's|/usr/local/sbin/curfew|$(sbindir)/curfew|g; s|/usr/sbin/curfew|$(sbindir)/curfew|g' $(1) >$(2) && chmod 0644 $(2)

install: $(BIN)                 ## into $(DESTDIR)$(prefix); configuration that is there stays as it is
	$(Q)install -D -m 0755 $(BIN) $(root)$(sbindir)/curfew
	$(Q)$(foreach m,$(MAN8),install -D -m 0644 $(m) $(root)$(mandir)/man8/$(notdir $(m)) &&) true
	$(Q)$(foreach m,$(MAN5),install -D -m 0644 $(m) $(root)$(mandir)/man5/$(notdir $(m)) &&) true
	$(Q)install -D -m 0644 completions/curfew $(root)$(bashdir)/curfew
	$(Q)install -D -m 0644 completions/_curfew $(root)$(zshdir)/_curfew
	$(Q)install -D -m 0644 completions/curfew.fish $(root)$(fishdir)/curfew.fish
	$(Q)install -D -m 0644 README.md $(root)$(docdir)/README.md
	$(Q)install -D -m 0644 LICENSE $(root)$(docdir)/LICENSE
	$(Q)install -D -m 0644 etc/curfew.conf $(root)$(docdir)/examples/curfew.conf
	$(Q)install -D -m 0644 etc/clients.d/acme.conf $(root)$(docdir)/examples/clients.d/acme.conf
	$(Q)for f in monitoring/*; do install -D -m 0644 $$f $(root)$(docdir)/examples/$$f || exit 1; done
	$(Q)for f in docs/*; do install -D -m 0644 $$f $(root)$(docdir)/$$(basename $$f) || exit 1; done
	$(Q)install -d -m 0750 $(etc) $(etc)/clients.d
	$(Q)install -d -m 0700 $(etc)/credentials
	$(Q)install -d -m 0755 $(etc)/tls
	$(Q)install -m 0644 etc/credentials/README $(etc)/credentials/README
	$(Q)test -e $(etc)/curfew.conf || install -m 0640 etc/curfew.conf $(etc)/curfew.conf
	$(Q)$(if $(UNITS),install -d $(root)$(unitdir))
	$(Q)$(foreach u,$(UNITS),$(call put_unit,$(u),$(root)$(unitdir)/$(notdir $(u))) &&) true
	$(Q)$(foreach f,$(wildcard systemd/*sysusers*),install -D -m 0644 $(f) $(root)$(systemdlib)/sysusers.d/curfew.conf &&) true
	$(Q)$(foreach f,$(wildcard systemd/*tmpfiles*),install -D -m 0644 $(f) $(root)$(systemdlib)/tmpfiles.d/curfew.conf &&) true
ifeq ($(DESTDIR),)
	$(Q)if [ -d /run/systemd/system ]; then systemd-sysusers && systemd-tmpfiles --create curfew.conf && systemctl daemon-reload; fi
endif

uninstall:                      ## all but configuration and journal
	$(Q)rm -f $(root)$(sbindir)/curfew $(root)$(bashdir)/curfew $(root)$(zshdir)/_curfew $(root)$(fishdir)/curfew.fish
	$(Q)rm -f $(foreach m,$(MAN8),$(root)$(mandir)/man8/$(notdir $(m))) $(foreach m,$(MAN5),$(root)$(mandir)/man5/$(notdir $(m)))
	$(Q)rm -f $(foreach u,$(UNITS),$(root)$(unitdir)/$(notdir $(u)))
	$(Q)rm -f $(root)$(systemdlib)/sysusers.d/curfew.conf $(root)$(systemdlib)/tmpfiles.d/curfew.conf
	$(Q)rm -rf $(root)$(docdir)
	@echo "Left in place: $(etc) and /var/lib/curfew (configuration, credentials, journal)."

clean:                          ## what was built
	rm -rf build

-include $(OBJS:.o=.d) $(BUILD)/agent/main.d $(TESTS:=.d) $(BUILD)/tests/corpus.d $(BENCH:=.d) $(SHARED:.o=.d) $(FUZZ_OBJS:.o=.d) $(FUZZ:=.d)
.SECONDARY:
.DELETE_ON_ERROR:
