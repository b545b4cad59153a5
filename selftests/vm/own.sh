# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernels that are built here; sourced by ./kernel.

# Every line of the fragment has to be in the .config: kconfig drops what it
# can't satisfy without a word, and a checker that is off finds nothing.
verify_config() {
	local fragment=$1 config=$2 line sym bad=0

	while read -r line; do
		case $line in
		CONFIG_*=n)
			sym=${line%=n}
			! grep -q "^$sym=" "$config" && continue
			;;
		CONFIG_*)
			sym=${line%%=*}
			grep -qxF -- "$line" "$config" && continue
			;;
		*)	continue ;;
		esac
		say "debug.config: $line: the kernel's .config says: $(grep -E "^(# )?${sym}[= ]" "$config" || echo nothing)"
		bad=1
	done <"$fragment"
	[ "$bad" = 0 ] || die "debug.config asks for what this kernel source can't give; change it there"
}

# Keep what modules need; objects are most of the size.
prune_build() {
	find "$1" -type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) \
		! -path "$1/scripts/*" ! -path "$1/tools/*" -exec rm -f {} +
}

build_debug() {
	local tarball=$1 dir=$2 src=$2/src out=$2/build start=$SECONDS
	local log=$dir/log

	rm -rf "$dir"
	mkdir -p "$src" "$out"
	say "building the debug kernel once, 8 to 20 minutes on 2 cores (log: $log)"
	tar -xf "$tarball" -C "$src" --strip-components=1 \
		--exclude='*/Documentation/devicetree/*' --exclude='*/boot/dts/*' \
		--exclude='*/drivers/gpu/drm/amd/include/*'
	quietly "$log" "configuring" make -C "$src" O="$out" \
		KCONFIG_ALLCONFIG="$HERE/debug.config" allnoconfig
	verify_config "$HERE/debug.config" "$out/.config"
	quietly "$log" "building the debug kernel" \
		nice make -C "$src" O="$out" -j"$(nproc)" bzImage modules
	quietly "$log" "modules_install" \
		make -C "$src" O="$out" INSTALL_MOD_PATH="$dir" modules_install
	make -s -C "$src" O="$out" kernelrelease | tail -n 1 >"$dir/release"
	cp "$out/arch/x86/boot/bzImage" "$dir/bzImage.new"
	prune_build "$out"
	ln -sfn build "$dir/kdir"
	mv "$dir/bzImage.new" "$dir/bzImage"
	say "debug kernel built in $((SECONDS - start)) s"
}

# Built once per source version, fragment and compiler.
debug() {
	local tarball=/usr/src/linux-source-6.1.tar.xz version key dir tool

	for tool in gcc:build-essential flex:flex bison:bison bc:bc; do
		need "${tool%:*}" "${tool#*:}"
	done
	[ -e "$tarball" ] || die "$tarball is missing: run 'make deps-debug' (package linux-source-6.1)"
	version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
	key=$({ echo "$version"; gcc --version | head -n 1; cat "$HERE/debug.config"; } | hash_of)
	dir=$REIN_CACHE/debug-$key
	if [ ! -e "$dir/bzImage" ]; then
		lock_cache "debug-$key"
		[ -e "$dir/bzImage" ] || build_debug "$tarball" "$dir"
	fi
	printf '%s\n' "$dir"
}
