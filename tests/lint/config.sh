#!/bin/sh
# config.sh - contrib/peerpost.conf has every option there is, in the order of
# the table, with its default; it changes nothing; and its examples are valid.
set -eu
file=$srcdir/contrib/peerpost.conf
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

fail() {
	echo "config.sh: $1" >&2
	status=1
}

# The options that have no default, one a line.
"$PEERPOSTD" --check-config >"$scratch/settings"
sed -n 's/^#\([a-z-]*\) = .*/\1/p' "$scratch/settings" >"$scratch/none"

# settings FILE: "name = default" of each, or "name" if it has none.
settings() {
	sed -n 's/^#*\([a-z-]* = .*\)/\1/p' "$1" | awk '
		is_list { none[$1]; next }
		{ print $1 in none ? $1 : $0 }
	' is_list=1 "$scratch/none" is_list=0 - | uniq
}

settings "$scratch/settings" >"$scratch/wanted"
settings "$file" >"$scratch/found"
diff -u "$scratch/wanted" "$scratch/found" >&2 ||
	fail "contrib/peerpost.conf (+) is not what the options are (-)"

if grep -v '^#' "$file" | grep .; then
	fail "contrib/peerpost.conf sets the above"
fi
# Files, users and groups that this machine need not have.
sed -n 's/^#\([a-z-]* = .*\)/\1/p' "$file" |
	grep -v '^[a-z-]*\(file\|user\|group\|cert\|key\) = ' >"$scratch/examples.conf"
chmod 600 "$scratch/examples.conf"
"$PEERPOSTD" --check-config --config "$scratch/examples.conf" >/dev/null ||
	fail "contrib/peerpost.conf has the above, which is wrong"
exit $status
