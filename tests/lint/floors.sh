#!/bin/sh
# floors.sh - a file includes only its own floor and those below; only store
# knows SQLite, only api knows json-c, only net knows libmicrohttpd and GnuTLS.
set -eu
cd "${srcdir:-.}"
status=0

# rule FOLDER FORBIDDEN-INCLUDES(extended regex)
rule() {
	if grep -rnE "^ *# *include *[<\"]($2)" "src/$1"; then
		echo "floors.sh: src/$1 may not include the above" >&2
		status=1
	fi
}

rule base 'store/|core/|api/|net/|options\.h|sqlite3|json-c/|microhttpd|gnutls/'
rule store 'core/|api/|net/|options\.h|json-c/|microhttpd|gnutls/'
rule core 'api/|net/|options\.h|sqlite3|store/sqlite|json-c/|microhttpd|gnutls/'
rule api 'net/|options\.h|sqlite3|store/sqlite|microhttpd|gnutls/'
rule net 'options\.h|sqlite3|store/sqlite|json-c/'
for file in src/*.[ch]; do
	if grep -nE '^ *# *include *[<"](sqlite3|store/sqlite|json-c/|microhttpd|gnutls/)' \
		"$file"; then
		echo "floors.sh: $file may not include the above" >&2
		status=1
	fi
done
exit $status
