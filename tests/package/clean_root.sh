#!/bin/sh
# clean_root.sh FOLDER - make FOLDER a Debian that has nothing but what each
# has, and apt.
#
# It is copied from the machine's own packages: of those that are essential,
# apt, and what these depend on, the files that are the packages' own, and
# dpkg's record of them.  debootstrap would do the same with more right, but
# takes a minute, and needs a network for it.
set -eu
root=$1
export LC_ALL=C

# installed PACKAGE...: those of them that are there.
installed() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p' | sort -u
}

# depended_on PACKAGE...: what they depend on, all alternatives.
depended_on() {
	dpkg-query -W -f '${Pre-Depends}, ${Depends}\n' "$@" |
		tr ',|' '\n' | sed 's/^ *//; s/[ :].*//' | grep .
}

more="apt mawk $(dpkg-query -W -f '${Essential} ${Package}\n' |
	sed -n 's/^yes //p')"
packages=
while [ "$more" != "$packages" ]; do
	packages=$more
	# shellcheck disable=SC2046,SC2086 # lists of words
	more=$(installed $packages $(depended_on $packages))
done

# Of a machine whose /usr is merged, these are links.
for each in bin sbin lib lib32 lib64 libx32; do
	if [ -h /$each ]; then
		cp -P /$each "$root/$each"
		mkdir -p "$root/usr/$each"
	fi
done
# shellcheck disable=SC2086 # a list of words
dpkg-query -L $packages | grep '^/.' | sort -u |
	while read -r each; do
		[ ! -e "$each" ] && [ ! -h "$each" ] || echo "$each"
	done |
	sed 's,^/,,' |
	tar -c -C / --no-recursion --verbatim-files-from -T - |
	tar -x -C "$root" --keep-directory-symlink

# dpkg's record.
admin=var/lib/dpkg
mkdir -p "$root/$admin/info" "$root/$admin/updates" "$root/$admin/triggers" \
	"$root/$admin/alternatives" "$root/$admin/parts"
# shellcheck disable=SC2086 # a list of words
dpkg-query -s $packages >"$root/$admin/status"
cp /$admin/info/format "$root/$admin/info"
for package in $packages; do
	find /$admin/info \( -name "$package.*" -o -name "$package:*" \) \
		-exec cp -t "$root/$admin/info" {} +
done
cp /$admin/diversions "$root/$admin"
: >"$root/$admin/available"
: >"$root/$admin/statoverride"

# What their maintainer scripts have made.
for each in dev proc run sys tmp usr/local/share var/cache/debconf \
	var/cache/apt/archives/partial var/lib/apt/lists/partial; do
	mkdir -p "$root/$each"
done
chmod 1777 "$root/tmp"
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
sed 's/^\([^:]*\):.*/\1:*:19000:0:99999:7:::/' "$root/etc/passwd" \
	>"$root/etc/shadow"
cp /etc/nsswitch.conf "$root/etc"
cp /etc/pam.d/common-* "$root/etc/pam.d"
ln -s mawk "$root/usr/bin/awk"
ldconfig -r "$root"
chroot "$root" update-shells

# Where more can be had: as here, by what was known of it here.
cp -R /etc/apt "$root/etc"
cp /etc/resolv.conf /etc/hosts "$root/etc"
cp /var/lib/apt/lists/*_* "$root/var/lib/apt/lists" 2>/dev/null || :
