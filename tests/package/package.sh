#!/bin/sh
# package.sh - the Debian package, from the distribution to its purge: it is
# built, lintian has nothing to say, and in a clean root it is installed, serves
# with the configuration that it has (in_clean_root.sh), and leaves nothing.
#
# Everything is done in a namespace of its own, and in memory.  Run from the
# build folder by make check.
set -eu
: "${srcdir:=$(dirname "$0")/..}"

# shellcheck source=tests/package/lib.sh
. "$srcdir/tests/package/lib.sh"
in_memory dpkg-buildpackage dh lintian setpriv
root=$work/root
tests=$(realpath "$srcdir/tests/package")

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

make_root "$root" &
clean_root=$!
make_package
cd "$work"
wait $clean_root || fail "there is no clean root"
run lintian lintian -i --allow-root --fail-on warning peerpost_*.changes &
lintian=$!

# ---- install it ----

list >before
cp peerpost_*.deb "$tests/in_clean_root.sh" "$root/tmp"
dpkg-deb -f peerpost_*.deb Recommends | grep -q '^curl, jq$' ||
	fail "curl and jq are not recommended"
# Without what is recommended by what it recommends.
run install in_root "$root" sh -c 'apt-get install -qy \
	--no-install-recommends -o DPkg::Options::=--force-unsafe-io \
	/tmp/peerpost_*.deb curl jq'
run "use" without_network chroot "$root" env -i \
	PATH=/usr/sbin:/usr/bin:/sbin:/bin sh /tmp/in_clean_root.sh

# ---- and purge it ----

run purge in_root "$root" apt-get purge -qy --autoremove peerpost curl jq
list >after
diff before after || fail "this is left behind"
wait $lintian || fail "lintian"
umount -l "$root/proc" "$root/dev"
