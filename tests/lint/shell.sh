#!/bin/sh
# shell.sh - the shell commands have no bashisms and no quoting mistakes.
set -eu
if ! command -v shellcheck >/dev/null; then
	echo "skipped: needs shellcheck"
	exit 77
fi
shellcheck -s sh "$srcdir/clients/sh/peerpost" "$srcdir/clients/sh/peerpostctl"
