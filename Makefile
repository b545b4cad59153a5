# SPDX-License-Identifier: GPL-2.0
#
# What `make help` prints is made of the comments after two hashes.

# Which kernel to build for and boot: 6.1, 6.12, 7.3, debug, kcsan, or the path of a
# bzImage; only to build for: host.
KERNEL	?= 6.1
# Which kernel-side tests to run: names or shell patterns; empty: all.
TESTS	?=
DESTDIR	?=
PREFIX	?= /usr
JOBS	:= -j$(shell nproc)

VM	:= selftests/vm/run --kernel $(KERNEL)

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		while IFS='	' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

all: kmod userspace ## build the module (KERNEL=6.1) and the command

kmod: ## build rein.ko in build/kmod-RELEASE; KERNEL=host for the running kernel
	@selftests/kmod-build $(KERNEL) $(JOBS)

userspace: ## build librein and rein
	@$(MAKE) --no-print-directory -C userspace

deps: ## install the Debian packages that building, testing and linting need
	@selftests/deps check debug lint fuzz

deps-%:
	@selftests/deps $*

check: deps-check all ## unit tests, then every kselftest in a VM; TESTS=name for one
	@selftests/check --kernel $(KERNEL) --unit $(TESTS)

check-debug: deps-debug userspace ## the kselftests on the debug kernel (built once, cached)
	@selftests/kmod-build debug $(JOBS) W=1 KCFLAGS=-Werror
	@selftests/check --kernel debug $(TESTS)

check-all: deps-debug all ## every test on every kernel, and a table: about an hour and a half
	@selftests/check-all

unit: ## the host unit tests alone
	@$(MAKE) --no-print-directory -C selftests/unit check
	@$(MAKE) --no-print-directory -C selftests/unit-cli check

fuzz: deps-fuzz ## fuzz the command and librein for SECONDS=60 each (make unit takes seconds)
	@$(MAKE) --no-print-directory -C selftests/fuzz fuzz

demo: deps-check all selftests-install ## limit real traffic in a VM and show what was measured
	@$(VM) --add build/kselftest/rein --add selftests/demo -- bash /demo/demo.sh

bench: deps-check all ## what limits cost, beside tc, nft and others; a few minutes
	@selftests/bench/run --kernel $(KERNEL)
	@$(MAKE) --no-print-directory bench-shape
	@selftests/bench/native/run

bench-shape: deps-check all selftests-install ## its middle alone: rates, retransmits and delays, beside tc and nft
	@selftests/bench/shape --kernel $(KERNEL)

bench-cancel: deps-check all ## how long it takes until what a scope ends has ended, beside kill
	@selftests/bench/cancel --kernel $(KERNEL)

bench-latency: deps-check all selftests-install ## for how long bottom halves are off at most, in instructions
	@selftests/bench/latency

bench-native: deps-build ## its last part alone: ns that a take takes, beside other limiters
	@selftests/bench/native/run

vm: deps-check all ## a shell in a VM with rein loaded; KERNEL=debug for the debug kernel
	@$(VM) $(VM_ARGS)

selftests-install:
	@$(MAKE) --no-print-directory -C selftests install

lint: deps-lint ## W=1, sparse, checkpatch, shellcheck, generated files
	@selftests/lint/run

builds: deps-fuzz deps-lint ## compile the module for every kernel, with gcc and with clang
	@selftests/lint/run w1 w1-6.12 w1-7.3 clang clang-6.12

generate: deps-lint ## write anew what is generated: netlink code, uapi header, errors.rst
	@selftests/lint/ynl --write
	@$(MAKE) --no-print-directory -C userspace errors-doc

format: deps-lint ## clang-format what git tracks, except generated files
	@git ls-files -z 'kmod/*.[ch]' 'userspace/*.[ch]' 'selftests/*.[ch]' \
		':!*-gen.[ch]' ':!kmod/include/uapi' | xargs -0 -r clang-format -i

# Debian's headers have no key to sign with and no System.map, without which
# kbuild does not run depmod.
install: kmod userspace ## install rein, its manual, librein and the module below $(DESTDIR)
	@$(MAKE) --no-print-directory -C userspace install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	@selftests/kmod-build $(KERNEL) INSTALL_MOD_PATH=$(DESTDIR) CONFIG_MODULE_SIG_ALL= modules_install
	@[ -n "$(DESTDIR)" ] || depmod "$$(selftests/kmod-build --release $(KERNEL))"

clean: ## remove everything that was built (not the cache of kernels)
	rm -rf build
	@$(MAKE) --no-print-directory -C userspace clean
	@$(MAKE) --no-print-directory -C selftests/unit clean
	@$(MAKE) --no-print-directory -C selftests/unit-cli clean
	@$(MAKE) --no-print-directory -C selftests/fuzz clean

# The steps of one target need each other's results; -j is for those below.
.NOTPARALLEL:

.PHONY: help all kmod userspace deps check check-debug check-all unit fuzz demo bench bench-shape bench-cancel bench-latency bench-native vm \
	selftests-install lint builds generate format install clean
