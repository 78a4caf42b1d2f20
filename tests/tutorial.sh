#!/bin/sh
# tutorial.sh - docs/tutorial.sh keeps its promises, and the commands that it
# prints can be pasted into any shell.
set -eu
for tool in curl jq; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: needs $tool"
		exit 77
	fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	cat "$scratch/out"
	echo "tutorial.sh: $*" >&2
	exit 1
}

sh docs/tutorial.sh >"$scratch/out" || fail "it has failed"
# Without comments and quoted words, no character may be left that a shell
# interprets.
sed '/^#/d' "$scratch/out" | sed -z "s/'[^']*'/Q/g" >"$scratch/bare"
grep -q '^curl -H Q Q &$' "$scratch/bare" || fail "there is no long poll"
if grep '[^a-zA-Z0-9:/._ &-]' "$scratch/bare"; then
	fail "that is not quoted"
fi
# Run the output as a script, with commands that only print their names.
cat >"$scratch/pasted" - "$scratch/out" <<'EOF'
daemon() { printf 'daemon\n'; }
curl() { printf 'curl\n'; }
kill() { printf 'kill\n'; }
EOF
sed -i "s,^[^ #]*peerpostd ,daemon ," "$scratch/pasted"
sh -u "$scratch/pasted" >"$scratch/carried-out" || fail "it is no script"
for command in daemon:2 kill:2 curl:"$(grep -c '^curl ' "$scratch/out")"; do
	[ "$(grep -cx "${command%:*}" "$scratch/carried-out")" = "${command#*:}" ] ||
		fail "not ${command#*:} of ${command%:*}"
done
cat "$scratch/out"
