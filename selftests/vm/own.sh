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
		say "$line: the kernel's .config says: $(grep -E "^(# )?${sym}[= ]" "$config" || echo nothing)"
		bad=1
	done <"$fragment"
	[ "$bad" = 0 ] || die "the fragment asks for what this kernel source can't give; change it there"
}

# Keep what modules need; objects are most of the size.
prune_build() {
	find "$1" -type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) \
		! -path "$1/scripts/*" ! -path "$1/tools/*" -exec rm -f {} +
}

# build_own NAME TARBALL DIR
build_own() {
	local name=$1 tarball=$2 dir=$3 src=$3/src out=$3/build start=$SECONDS
	local log=$dir/log args=()

	# So that reports are about rein only.
	[ "$name" != kcsan ] || args=(KCSAN_SANITIZE=n)
	rm -rf "$dir"
	mkdir -p "$src" "$out"
	say "building the $name kernel once, 8 to 20 minutes on 2 cores (log: $log)"
	cat "$HERE/guest.config" "$HERE/$name.config" >"$dir/config"
	tar -xf "$tarball" -C "$src" --strip-components=1 \
		--exclude='*/Documentation/devicetree/*' --exclude='*/boot/dts/*' \
		--exclude='*/drivers/gpu/drm/amd/include/*'
	quietly "$log" "configuring" make -C "$src" O="$out" \
		KCONFIG_ALLCONFIG="$dir/config" allnoconfig
	verify_config "$dir/config" "$out/.config"
	quietly "$log" "building the $name kernel" \
		nice make -C "$src" O="$out" -j"$(nproc)" "${args[@]}" bzImage modules
	quietly "$log" "modules_install" \
		make -C "$src" O="$out" INSTALL_MOD_PATH="$dir" modules_install
	make -s -C "$src" O="$out" kernelrelease | tail -n 1 >"$dir/release"
	cp "$out/arch/x86/boot/bzImage" "$dir/bzImage.new"
	prune_build "$out"
	ln -sfn build "$dir/kdir"
	mv "$dir/bzImage.new" "$dir/bzImage"
	say "$name kernel built in $((SECONDS - start)) s"
}

# own NAME: built once per source version, fragments and compiler.
own() {
	local name=$1 tarball=/usr/src/linux-source-6.1.tar.xz version key dir tool

	for tool in gcc:build-essential flex:flex bison:bison bc:bc; do
		need "${tool%:*}" "${tool#*:}"
	done
	[ -e "$tarball" ] || die "$tarball is missing: run 'make deps-debug' (package linux-source-6.1)"
	version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
	key=$({ echo "$version"; gcc --version | head -n 1
		cat "$HERE/guest.config" "$HERE/$name.config"; } | hash_of)
	dir=$REIN_CACHE/$name-$key
	if [ ! -e "$dir/bzImage" ]; then
		lock_cache "$name-$key"
	fi
	# Not "||": set -e would not hold in what comes after that.
	if [ ! -e "$dir/bzImage" ]; then
		build_own "$name" "$tarball" "$dir"
	fi
	printf '%s\n' "$dir"
}
