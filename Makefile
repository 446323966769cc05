# A thin front to Meson and Ninja. `make help` lists the targets.
BUILD ?= build
PREFIX ?= /usr
DESTDIR ?=
CC ?= gcc

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) $(if $(V),-v,--quiet)

help:
	@echo "make            build into $(BUILD)/bin (programs) and $(BUILD)/schema"
	@echo "make check      install what is missing, build, run every test"
	@echo "make demo       a working overlay network in a few minutes (KEEP=1 leaves it running)"
	@echo "make bench      the budgets, measured beside the installed peer"
	@echo "make check-peer tests against Debian's OVN, unpacked into .peer/"
	@echo "make check-deb  builds the Debian packages; installs, uses and purges them on a copy of this machine"
	@echo "make check-long chaos on a cluster, random tests, fuzzers: SECONDS=120 each, SEED= to have a run again"
	@echo "make fuzz       every fuzzer for SECONDS=60 each"
	@echo "make install    PREFIX=$(PREFIX) DESTDIR="
	@echo "make format     clang-format over src/"

deps:
	@tools/install-deps

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) --prefix=$(PREFIX) >/dev/null || { cat $(BUILD)/meson-logs/meson-log.txt; exit 1; }

unit: all
	@meson test -C $(BUILD) --print-errorlogs

check: deps
	@tools/check

demo: all
	@lab/demo

bench: all
	@bench/run

check-peer: all
	@tools/check-peer

check-deb:
	@tools/check-deb

check-long:
	@tools/check-long

fuzz:
	@tests/fuzz/run

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX) && DESTDIR=$(DESTDIR) meson install -C $(BUILD)

format:
	@find src -name '*.[ch]' | xargs clang-format -i

clean:
	rm -rf $(BUILD) build-*

.PHONY: all help deps unit check demo bench check-peer check-deb check-long fuzz install format clean
