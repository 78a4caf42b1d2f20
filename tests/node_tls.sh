#!/bin/sh
# node_tls.sh - the tests of tests/node.sh in which connections matter, once
# more over TLS.  Run from the build folder by make check; by hand, name some:
#   sh ../tests/node_tls.sh ../tests/api/rooms.test.mjs
: "${srcdir:=$(dirname "$0")/..}"
PEERPOST_TEST_TRANSPORT=$srcdir/tests/lib/tls_transport.mjs
export srcdir PEERPOST_TEST_TRANSPORT

if ! command -v openssl >/dev/null; then
	echo "skipped: needs openssl"
	exit 77
fi
if [ $# = 0 ]; then
	set -- "$srcdir"/tests/api/http.test.mjs \
		"$srcdir"/tests/api/pipelining.test.mjs \
		"$srcdir"/tests/restart/drain.test.mjs
	# A sanitizer would find little more in what takes longest.
	[ "${PEERPOST_TEST_PATIENCE:-1}" != 1 ] ||
		set -- "$@" "$srcdir"/tests/api/connections.test.mjs \
			"$srcdir"/tests/api/limits.test.mjs \
			"$srcdir"/tests/api/shutdown.test.mjs \
			"$srcdir"/tests/restart/hangup.test.mjs
fi
exec sh "$srcdir/tests/node.sh" "$@"
