# lib.sh - what the tests of packages have in common.
# shellcheck shell=sh
: "${srcdir:?}"

skip() {
	echo "skipped: $*"
	exit 77
}

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# run WHAT COMMAND...: its output is shown only if it fails.
run() {
	what=$1
	shift
	"$@" >"$work/$what.out" 2>&1 || {
		cat "$work/$what.out" >&2
		fail "$what"
	}
}

# in_memory TOOL...: go on in namespaces of one's own, where $work is a folder
# in memory, and goes with everything that was started.  As root only, and
# with the tools named.
in_memory() {
	if [ -z "${PEERPOST_TEST_NAMESPACE-}" ]; then
		[ "${PEERPOST_TEST_PATIENCE:-1}" = 1 ] ||
			skip "the same whatever the daemon was built with"
		[ "$(id -u)" = 0 ] || skip "needs root"
		for tool in apt-get unshare ip "$@"; do
			command -v "$tool" >/dev/null || skip "needs $tool"
		done
		unshare --mount-proc --pid --fork true ||
			skip "no namespace can be made"
		PEERPOST_TEST_NAMESPACE=yes
		export PEERPOST_TEST_NAMESPACE
		exec unshare --mount-proc --pid --fork --kill-child sh "$0"
	fi
	# What make is to build in here is something else.
	unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR
	work=$(mktemp -d)
	trap 'umount -l "$work"; rmdir "$work"' EXIT
	mount -t tmpfs -o size=3g tmpfs "$work"
}

# make_root ROOT: a clean one, to be used with in_root.
make_root() {
	mkdir -p "$1"
	sh "$srcdir/tests/package/clean_root.sh" "$1"
	mount -t proc proc "$1/proc"
	mount --rbind /dev "$1/dev"
}

# in_root ROOT COMMAND...
in_root() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		chroot "$@"
}

# without_network COMMAND...: with loopback only.
without_network() {
	# shellcheck disable=SC2016 # for that shell
	unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
}

# make_package: build the Debian package, from the distribution, in $work.  If
# another test has built one of the same files, take that.
make_package() {
	run distdir make -s distdir distdir="$work/peerpost"
	key=$(cd "$work/peerpost" && find . -type f -exec sha256sum {} + |
		sort | sha256sum | cut -c 1-16)
	kept=$PWD/tests/package/deb
	if [ ! -f "$kept/$key" ]; then
		# shellcheck disable=SC2016 # for that shell
		run dpkg-buildpackage sh -c '
			cd "$1" && DEB_BUILD_OPTIONS=$2 \
				dpkg-buildpackage -us -uc -b' sh \
			"$work/peerpost" 'nocheck noautodbgsym parallel=2'
		rm -rf "$kept"
		mkdir -p "$kept"
		mv "$work"/peerpost_* "$kept"
		: >"$kept/$key"
	fi
	rm -rf "$work/peerpost"
	cp "$kept"/peerpost_* "$work"
}
