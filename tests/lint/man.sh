#!/bin/sh
# man.sh - the man pages are clean, and name every option there is.
set -eu
if [ -z "${MANDOC-}" ]; then
	echo "skipped: needs mandoc"
	exit 77
fi
"$MANDOC" -T lint -W warning "$srcdir"/man/*.[1-9]
status=0
for option in $("$PEERPOSTD" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'); do
	if ! grep -q "^\.It Fl Fl $option\( \|\$\)" "$srcdir/man/peerpostd.8"
	then
		echo "man.sh: peerpostd(8) does not tell of --$option" >&2
		status=1
	fi
done
for option in $(sed -n 's/^\.It Fl Fl \([a-z-]*\).*/\1/p' \
	"$srcdir/man/peerpostd.8"); do
	if ! "$PEERPOSTD" --help | grep -q "^  --$option\([ ,]\|\$\)"; then
		echo "man.sh: peerpostd has no --$option" >&2
		status=1
	fi
done
# peerpost.conf(5) says which options take effect at the start only.
fixed=$(awk -F '"' '/^\t\{ "/ { name = $2 } /OPTION_FIXED/ { print name }' \
	"$srcdir/src/options_table.c" | sort)
told=$(sed -n '/^\.Ss Reloading/,/^\.El/s/^\.Cm \([a-z-]*\)$/\1/p' \
	"$srcdir/man/peerpost.conf.5" | sort)
if [ -z "$fixed" ] || [ "$fixed" != "$told" ]; then
	echo "man.sh: peerpost.conf(5) has not those that are OPTION_FIXED" >&2
	status=1
fi
exit $status
