#!/bin/sh
# man.sh - the man pages are clean, and name every option there is.
set -eu
if [ -z "${MANDOC-}" ]; then
	echo "skipped: needs mandoc"
	exit 77
fi
"$MANDOC" -T lint -W warning "$srcdir"/man/*.[1-9]
status=0
# Faults that mandoc accepts and readers see: a quotation that swallows the rest
# of its line (".Ql a No or Ql b"), a blank before a comma, a macro's name in the
# text, a line that is too long for a terminal.
for page in "$srcdir"/man/*.[1-9]; do
	awk '
	function complain(what) {
		print "man.sh: " FILENAME ":" FNR ": " what ": " $0
		bad = 1
	}
	/^\.Bd/ { display = 1 }
	/^\.Ed/ { display = 0 }
	/^\./ {
		quoted = 0
		for (i = 1; i <= NF; i++) {
			word = $i
			if (i == 1)
				word = substr(word, 2)
			if (quoted && word ~ macro)
				complain("within a quotation is " word)
			if (word == "Ql" || word == "Sq" || word == "Dq" ||
			    word == "Qq")
				quoted = 1
			if (word == "Ta")
				quoted = 0
		}
	}
	!/^\./ && !display && / [,;.:)]( |$)/ {
		complain("a blank before punctuation")
	}
	END { exit bad }
	' macro='^(No|Ns|Ql|Dq|Sq|Qq|Pq|Ar|Fl|Cm|Xr|Em|Sy|Li|Va|Pa|Ev|Ic|Po|Pc)$' \
		"$page" >&2 || status=1
	"$MANDOC" -T ascii -O width=80 "$page" 2>/dev/null |
		sed "s/.$(printf '\010')//g" | awk -v page="$page" '
	length($0) > 80 { what = "longer than 80 columns" }
	/(^| )(Ns|Ql|Dq|Sq|Qq|Pq|Fl|Xr|Po|Pc)( |$)/ {
		what = "a macro in the text"
	}
	what { print "man.sh: " page ": " what ": " $0; bad = 1 }
	{ what = "" }
	END { exit bad }
	' >&2 || status=1
done
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
# peerpostd(8) says which parameters of FastCGI are read.
read=$(sed -n 's/[^"]*"\([A-Z_]*[A-Z]\)"[^"]*/\1\n/gp' "$srcdir/src/net/fastcgi/cgi.c" |
	grep . | sort -u)
told=$(sed -n '/^Of the parameters it reads/,/^\.Ev .* \.$/s/^\.Ev \([A-Z_]*\).*/\1/p' \
	"$srcdir/man/peerpostd.8" | sort)
if [ -z "$read" ] || [ "$read" != "$told" ]; then
	echo "man.sh: peerpostd(8) has not the parameters of cgi.c:" "$read" \
		"but:" "$told" >&2
	status=1
fi
# peerpost.conf(5) says which options take effect at the start only.
fixed=$(awk -F '"' '/^\t\{ \.name = "/ { name = $2 } /OPTION_FIXED/ { print name }' \
	"$srcdir/src/config/table.c" | sort)
told=$(sed -n '/^\.Ss Reloading/,/^\.El/s/^\.Cm \([a-z-]*\)$/\1/p' \
	"$srcdir/man/peerpost.conf.5" | sort)
if [ -z "$fixed" ] || [ "$fixed" != "$told" ]; then
	echo "man.sh: peerpost.conf(5) has not those that are OPTION_FIXED" >&2
	status=1
fi
exit $status
