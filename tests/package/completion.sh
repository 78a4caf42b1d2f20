#!/bin/sh
# completion.sh - what bash offers for the commands is what they have, no more
# and no less.
set -eu
: "${srcdir:?}"
if ! command -v bash >/dev/null; then
	echo "skipped: needs bash"
	exit 77
fi
exec bash "$srcdir/tests/package/completion.bash"
