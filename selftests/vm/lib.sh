# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Shared by the scripts of this directory; sourced, never run.

# Or $(...) would not end with a command that failed.
shopt -s inherit_errexit

REIN_CACHE=${REIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rein}
# shellcheck disable=SC2034 # for those who source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Set by every script that sources this, for its messages.
ME=${ME:-$(basename "$0")}

say()  { printf '%s: %s\n' "$ME" "$*" >&2; }
die()  { say "$*"; exit 125; }

# need COMMAND PACKAGE: stop with the package's name instead of "not found".
need() {
	command -v "$1" >/dev/null ||
		PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
		die "$1 is missing: run 'make deps' (Debian package $2)"
}

# Only one process may fill a cache entry; the others wait for it.
lock_cache() {
	local fd

	mkdir -p "$REIN_CACHE"
	exec {fd}>"$REIN_CACHE/.lock-$1"
	flock -n "$fd" || { say "waiting for another run that makes $1"; flock "$fd"; }
}

# quietly LOG MESSAGE COMMAND...: the log's tail is shown only on failure.
quietly() {
	local log=$1 what=$2
	shift 2
	"$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; die "$what failed, see $log"; }
}

# Of standard input, short enough for a file name.
hash_of() { sha256sum | cut -c1-16; }

# deb_fetch DIR PACKAGE[=VERSION] [APT-OPTION...]: download, don't install.
# Unpacked below DIR by the caller. Needs no root as long as apt's lists are
# there.
deb_fetch() {
	local dir=$1 pkg=$2
	shift 2

	mkdir -p "$dir"
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User="$(id -un)" "$@" \
		download "$pkg" >&2)
}

# The Debian mirror that apt uses here.
mirror() {
	local uri

	# shellcheck disable=SC2016 # apt expands it
	uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		sed -n 's/ Debian Debian$//p' | head -n 1)
	printf '%s\n' "${uri:-http://deb.debian.org/debian/}"
}

# Make apt read one more suite, beside what is configured and without touching
# that: sets APT to the options.
use_suite() {
	local suite=$1 dir=$REIN_CACHE/apt-$1

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
		"$(mirror)" "$suite" >"$dir/sources.list"
	APT=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o APT::Sandbox::User="$(id -un)")
	apt-get -qq "${APT[@]}" update >&2 || die "can't read $suite from $(mirror)"
}

# Release string of a bzImage: the boot protocol has its offset at 0x20e.
bzimage_release() {
	local off

	[ "$(dd if="$1" bs=1 skip=514 count=4 status=none 2>/dev/null)" = HdrS ] ||
		die "$1 is not an x86 bzImage"
	off=$(od -An -tu2 -j526 -N2 "$1" | tr -d ' ')
	dd if="$1" bs=1 skip=$((off + 512)) count=256 status=none |
		tr '\0' '\n' | head -n 1 | cut -d' ' -f1
}

# add_file ROOT PATH: copy a program with the shared libraries it needs. A
# script, or a static program, has none.
add_file() {
	local root=$1 path=$2

	mkdir -p "$root$(dirname "$path")"
	cp -L "$path" "$root$path"
	add_libraries "$root" "$path"
}

# add_libraries ROOT PATH: libraries keep their path, which the loader knows.
add_libraries() {
	local root=$1 lib

	{ ldd "$2" 2>/dev/null || true; } |
		sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' |
		while read -r lib; do
			[ -e "$root$lib" ] && continue
			mkdir -p "$root$(dirname "$lib")"
			cp -L "$lib" "$root$lib"
		done
}

# pack DIR: as an uncompressed cpio archive owned by root (unpacking gzip takes
# an emulated CPU longer than reading more bytes).
pack() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc -R 0:0)
}
