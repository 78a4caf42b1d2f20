#!/bin/sh
# architecture.sh - docs/architecture.md shows the floors as floors.sh draws
# them, and the files that it names are there.
set -eu
cd "${srcdir:-.}"
page=docs/architecture.md
status=0

complain() {
	echo "architecture.sh: $page $1" >&2
	status=1
}

drawing=$(srcdir=. sh tests/lint/floors.sh --draw)
shown=$(sed -n '/^```/,/^```/p' "$page" | grep -v '^```')
[ "$drawing" = "$shown" ] ||
	complain "does not show what floors.sh --draw prints"

# Between backquotes, whatever ends like a file or a directory.
names=$(grep -o '`[^` ]*`' "$page" | tr -d '`' |
	grep -E '^[a-zA-Z_][a-zA-Z0-9_/.-]*(/|\.[a-z]+)$' |
	grep -v '^world\.' | LC_ALL=C sort -u)
for name in $names; do
	[ -e "$name" ] || [ -e "src/$name" ] ||
		complain "names $name, which is not there"
done
[ "$(echo "$names" | wc -l)" -gt 50 ] || complain "names hardly any file"
exit $status
