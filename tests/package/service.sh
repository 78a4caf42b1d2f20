#!/bin/sh
# service.sh - the Debian package under systemd as process 1 (booted.sh): all that
# operators do with the service (in_booted.sh), from its installation to its
# purge, while clients go on.
#
# Everything is done in namespaces of its own, and in memory.  Run from the
# build folder by make check.  The log is a transcript.
set -eu
: "${srcdir:=$(dirname "$0")/..}"

# shellcheck source=tests/package/lib.sh
. "$srcdir/tests/package/lib.sh"
in_memory dpkg-buildpackage dh nsenter pgrep findmnt
root=$work/root
tests=$(realpath "$srcdir/tests/package")

make_root "$root" &
clean_root=$!
make_package
cd "$work"
wait $clean_root || fail "there is no clean root"
# The package is installed in there, with dpkg; its dependencies are installed
# here.
# shellcheck disable=SC2016 # for that shell
run packages in_root "$root" sh -c 'apt-get satisfy -qy \
	--no-install-recommends -o DPkg::Options::=--force-unsafe-io "$1"' sh \
	"$(dpkg-deb -f peerpost_*.deb Depends),
		systemd-sysv, procps, curl, jq, openssl"
umount -l "$root/proc" "$root/dev"

# The next version, which is not to be told from this one otherwise.
mv peerpost_*.deb old.deb
dpkg-deb -R old.deb next
sed -i 's/^Version: .*/&+next/' next/DEBIAN/control
run dpkg-deb dpkg-deb --root-owner-group -b next new.deb
mkdir "$root/packages"
cp old.deb new.deb "$tests/in_booted.sh" "$root/packages"

sh "$tests/booted.sh" "$root" sh /packages/in_booted.sh
