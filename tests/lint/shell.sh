#!/bin/sh
# shell.sh - the shell client has no bashisms and no quoting mistakes.
set -eu
if ! command -v shellcheck >/dev/null; then
	echo "skipped: needs shellcheck"
	exit 77
fi
shellcheck -s sh "$srcdir/clients/sh/peerpost"
