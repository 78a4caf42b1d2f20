#!/bin/sh
# package.sh - the Debian package, from the distribution to its purge: it is
# built, lintian has nothing to say, and in a clean root it is installed, serves
# with the configuration that it has (in_clean_root.sh), and leaves nothing.
#
# Everything is done in a namespace of its own, and in memory.  Run from the
# build folder by make check.
set -eu
: "${srcdir:=$(dirname "$0")/..}"

skip() {
	echo "skipped: $*"
	exit 77
}

fail() {
	echo "package.sh: $*" >&2
	exit 1
}

here=$srcdir/tests/package
if [ -z "${PEERPOST_TEST_NAMESPACE-}" ]; then
	[ "${PEERPOST_TEST_PATIENCE:-1}" = 1 ] ||
		skip "the same whatever the daemon was built with"
	[ "$(id -u)" = 0 ] || skip "needs root"
	for tool in dpkg-buildpackage dh lintian apt-get unshare setpriv ip; do
		command -v $tool >/dev/null || skip "needs $tool"
	done
	unshare --mount --pid --fork true || skip "no namespace can be made"
	PEERPOST_TEST_NAMESPACE=yes
	export PEERPOST_TEST_NAMESPACE
	exec unshare --mount --pid --fork --kill-child sh "$0"
fi

# Of make's, which is to build something else here.
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR
work=$(mktemp -d)
trap 'umount -l "$work"; rmdir "$work"' EXIT
mount -t tmpfs -o size=2g tmpfs "$work"
root=$work/root
mkdir "$root"

# in_root COMMAND...
in_root() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		chroot "$root" "$@"
}

# What is there, apart from the records that apt and dpkg keep for themselves,
# and the copies that adduser makes of what it changes.
list() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o \
		-path ./dev -o -path ./tmp -o -path ./var/log -o \
		-path ./var/cache -o -path ./var/lib/apt -o \
		-path ./var/lib/dpkg -o -path './etc/*-' -o \
		-path ./run/adduser -o -name .pwd.lock -o -name ld.so.cache \) -prune -o \
		-printf '%p %y %m %U:%G %l\n' | sort
	cut -d : -f 1,3 etc/passwd etc/group | sort)
}

# ---- build it ----

make -s distdir distdir="$work/peerpost" >"$work/dist.out" 2>&1 || {
	cat "$work/dist.out" >&2
	fail "make distdir"
}
sh "$here/clean_root.sh" "$root" &
cleaning=$!
(cd "$work/peerpost" &&
	DEB_BUILD_OPTIONS='nocheck noautodbgsym parallel=2' \
		dpkg-buildpackage -us -uc -b) >"$work/build.out" 2>&1 || {
	cat "$work/build.out" >&2
	fail "dpkg-buildpackage"
}
wait $cleaning || fail "no clean root"
lintian -i --allow-root --fail-on warning "$work"/peerpost_*.changes \
	>"$work/lintian.out" 2>&1 &
lintian=$!

# ---- install it ----

list >"$work/before"
cp "$work"/peerpost_*.deb "$here/in_clean_root.sh" "$root/tmp"
dpkg-deb -f "$work"/peerpost_*.deb Recommends | grep -q '^curl, jq$' ||
	fail "curl and jq are not recommended"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# Without what is recommended by what it recommends.
in_root sh -c 'apt-get install -qy --no-install-recommends \
	-o DPkg::Options::=--force-unsafe-io \
	/tmp/peerpost_*.deb curl jq' >"$work/install.out" 2>&1 || {
	cat "$work/install.out" >&2
	fail "apt-get install"
}
unshare --net sh -c 'ip link set lo up && exec "$@"' sh \
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	chroot "$root" sh /tmp/in_clean_root.sh >"$work/run.out" 2>&1 || {
	cat "$work/run.out" >&2
	fail "the package does not serve"
}

# ---- and purge it ----

in_root apt-get purge -qy --autoremove peerpost curl jq \
	>"$work/purge.out" 2>&1 || {
	cat "$work/purge.out" >&2
	fail "apt-get purge"
}
list >"$work/after"
diff "$work/before" "$work/after" || fail "this is left behind"

wait $lintian || {
	cat "$work/lintian.out" >&2
	fail "lintian"
}
umount -l "$root/proc" "$root/dev"
