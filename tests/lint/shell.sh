#!/bin/sh
# shell.sh - shell scripts for users have no bashisms and no quoting mistakes.
set -eu
if ! command -v shellcheck >/dev/null; then
	echo "skipped: needs shellcheck"
	exit 77
fi
shellcheck -s sh "$srcdir/clients/sh/peerpost" "$srcdir/clients/sh/peerpostctl"
shellcheck -s sh "$srcdir/debian/peerpost.postinst" \
	"$srcdir/debian/peerpost.postrm" "$srcdir/debian/peerpost.prerm" \
	"$srcdir/contrib/certbot/certbot-deploy-hook"
shellcheck -s sh "$srcdir/bench/stages.sh"
(cd "$srcdir" && shellcheck -x -s sh tests/package/*.sh)
(cd "$srcdir" && shellcheck -x -s bash contrib/completion/bash/peerpost \
	tests/package/completion.bash)
