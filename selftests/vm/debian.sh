# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's cloud kernels, which differ in where their headers come from; sourced
# by ./kernel. Nothing of them is installed here.
#
#	6.1	bookworm, with the headers that are installed
#	6.12	bookworm-backports: image and headers are unpacked in the cache
#	7.3	trixie-backports: needs a newer compiler, so its headers are in a
#		chroot of trixie, in the cache

# The release whose headers the metapackage of this series pulls in.
header_release() {
	dpkg-query -W -f '${Depends}\n' linux-headers-cloud-amd64 2>/dev/null |
		tr ',' '\n' | sed -n 's/^ *linux-headers-\([^ ]*-cloud-amd64\).*/\1/p' |
		head -n 1
}

debian_kdir() {
	local rel

	rel=$(header_release)
	[ -n "$rel" ] || die "no cloud kernel headers: run 'make deps' (package linux-headers-cloud-amd64)"
	printf '/usr/src/linux-headers-%s\n' "$rel"
}

# Debian's image and headers must be of one version: same ABI name, and where
# the mirror still has it the very same upload.
debian_cloud() {
	local kdir rel version dir tmp

	kdir=$(debian_kdir)
	rel=${kdir#*linux-headers-}
	version=$(dpkg-query -W -f '${Version}' "linux-headers-$rel")
	dir=$REIN_CACHE/debian-$rel-$version
	if [ ! -e "$dir/bzImage" ]; then
		lock_cache "debian-$rel"
	fi
	# Not "||": set -e would not hold in what comes after that.
	if [ ! -e "$dir/bzImage" ]; then
		say "fetching linux-image-$rel $version"
		tmp=$(mktemp -d "$REIN_CACHE/tmp.XXXXXX")
		fetch_image "$tmp" "$rel" "$version" || { rm -rf "$tmp"; exit 125; }
		unpack_image "$tmp" "$rel"
		rm -rf "$dir"
		mv "$tmp" "$dir"
	fi
	ln -sfn "$kdir" "$dir/kdir"
	printf '%s\n' "$dir"
}

# fetch_image DIR RELEASE VERSION
fetch_image() {
	local dir=$1 rel=$2 version=$3 pkg try

	for try in 1 2; do
		for pkg in "linux-image-$rel=$version" "linux-image-$rel-unsigned=$version" \
			"linux-image-$rel" "linux-image-$rel-unsigned"; do
			deb_fetch "$dir" "$pkg" 2>"$dir/log" && return 0
		done
		[ "$try$(id -u)" = 10 ] && apt-get -qq update >&2
	done
	cat "$dir/log" >&2
	say "the mirror has no linux-image-$rel, which must match the installed headers."
	say "Update them together: apt-get update && apt-get install linux-headers-cloud-amd64"
	return 1
}

# unpack_image DIR RELEASE: image and modules are in one package, or in several.
unpack_image() {
	local dir=$1 rel=$2 deb image

	for deb in "$dir"/linux-*.deb; do
		dpkg-deb -x "$deb" "$dir/x"
		rm "$deb"
	done
	if [ -d "$dir/x/lib/modules" ]; then
		mv "$dir/x/lib" "$dir/lib"
	else
		mv "$dir/x/usr/lib" "$dir/lib"
	fi
	for image in "$dir/x/boot/vmlinuz-$rel" "$dir/lib/modules/$rel/vmlinuz"; do
		[ ! -e "$image" ] || mv "$image" "$dir/bzImage"
	done
	rm -rf "$dir/x" "$dir/log"
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$dir" "$rel"
	printf '%s\n' "$rel" >"$dir/release"
}

# dependency PACKAGE PATTERN: the first package that PACKAGE depends on whose
# name matches.
dependency() {
	apt-cache "${APT[@]}" depends --important "$1" |
		sed -n "s/^ *|\{0,1\}Depends: \($2\)\$/\1/p" | head -n 1
}

# backport DIR SUITE: image and headers of the suite's cloud kernel.
backport() {
	local dir=$1 headers rel pkg deb
	local APT

	use_suite "$2"
	headers=$(dependency linux-headers-cloud-amd64 'linux-headers-.*-cloud-amd64')
	[ -n "$headers" ] || die "$2 has no linux-headers-cloud-amd64"
	rel=${headers#linux-headers-}
	say "fetching linux-image-$rel and its headers"
	for pkg in "$headers" "$(dependency "$headers" 'linux-headers-.*-common')" \
		"$(dependency "$headers" 'linux-kbuild-.*')"; do
		deb_fetch "$dir/headers" "$pkg" "${APT[@]}"
	done
	for deb in "$dir"/headers/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	# That of the image comes instead.
	rm -rf "${dir:?}/headers" "${dir:?}/lib"
	# Where these are unpacked they are not at /usr/src.
	sed -i "s|/usr/src/|\$(dir \$(lastword \$(MAKEFILE_LIST)))../|" "$dir/usr/src/$headers/Makefile"
	deb_fetch "$dir" "linux-image-$rel" "${APT[@]}"
	unpack_image "$dir" "$rel"
	ln -s "usr/src/$headers" "$dir/kdir"
}

# in_root ROOT COMMAND...
in_root() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp \
		DEBIAN_FRONTEND=noninteractive chroot "$@"
}

# chrooted DIR SUITE: the cloud kernel of SUITE-backports, and a SUITE to build
# for it in: kdir lies below DIR/root, which has a file .rein-chroot.
chrooted() {
	local dir=$1 suite=$2 root=$1/root log=$1/log headers rel

	[ "$(id -u)" = 0 ] || die "a chroot of $suite takes root to make"
	need debootstrap debootstrap
	say "making a chroot of $suite to build in, 2 to 5 minutes"
	quietly "$log" "debootstrap" debootstrap --variant=minbase "$suite" "$root" "$(mirror)"
	printf 'deb %s %s main\n' "$(mirror)" "$suite" "$(mirror)" "$suite-backports" \
		>"$root/etc/apt/sources.list"
	printf 'APT::Install-Recommends "0";\n' >"$root/etc/apt/apt.conf.d/90rein"
	quietly "$log" "apt-get update in $suite" in_root "$root" apt-get -q update
	quietly "$log" "installing a compiler" in_root "$root" apt-get -qy \
		-t "$suite-backports" install make gcc libc6-dev linux-headers-cloud-amd64
	headers=$(cd "$root/usr/src" && ls -d linux-headers-*-cloud-amd64)
	rel=${headers#linux-headers-}
	# shellcheck disable=SC2016 # for the shell in there
	quietly "$log" "fetching linux-image-$rel" in_root "$root" sh -c 'cd /tmp &&
		apt-get -q download "linux-binary-$1" "linux-modules-$1" "linux-base-$1"' sh "$rel"
	mv "$root"/tmp/linux-*.deb "$dir"
	unpack_image "$dir" "$rel"
	in_root "$root" apt-get clean
	touch "$root/.rein-chroot"
	ln -s "root/usr/src/$headers" "$dir/kdir"
}

# debian_suite NAME MAKER SUITE: what MAKER makes, once. Remove it from the cache
# for what the mirror has now.
debian_suite() {
	local name=$1 maker=$2 suite=$3 dir=$REIN_CACHE/debian-$1 tmp

	if [ ! -e "$dir/bzImage" ]; then
		lock_cache "debian-$name"
	fi
	# Not "||": set -e would not hold in what comes after that.
	if [ ! -e "$dir/bzImage" ]; then
		tmp=$(mktemp -d "$REIN_CACHE/tmp.XXXXXX")
		chmod 755 "$tmp"
		"$maker" "$tmp" "$suite"
		rm -rf "$dir"
		mv "$tmp" "$dir"
	fi
	printf '%s\n' "$dir"
}
