#!/bin/sh
# node_fastcgi.sh - the tests of tests/node.sh that speak to the daemon by
# request() of tests/lib/peerpost.mjs, once more through FastCGI.  Run from the
# build folder by make check; by hand, name some:
#   sh ../tests/node_fastcgi.sh ../tests/api/rooms.test.mjs
: "${srcdir:=$(dirname "$0")/..}"
PEERPOST_TEST_TRANSPORT=$srcdir/tests/lib/fastcgi_transport.mjs
export srcdir PEERPOST_TEST_TRANSPORT

if [ $# = 0 ] && [ "${PEERPOST_TEST_PATIENCE:-1}" != 1 ]; then
	# One loop thread, for once.
	export PEERPOST_TEST_IO_THREADS=1
	# A sanitizer has met the rest over HTTP, and FastCGI in tests/fastcgi:
	# what is left is what requests and replies are made of.
	for each in command errors events headers idempotency message; do
		set -- "$@" "$srcdir/tests/api/$each.test.mjs"
	done
elif [ $# = 0 ]; then
	for each in "$srcdir"/tests/api/*.test.mjs \
		"$srcdir"/tests/restart/kill.test.mjs; do
		case $(basename "$each") in
		# Bytes on HTTP connections, what becomes of connections, who is
		# at their other end, and what no daemon is asked: nothing in
		# them would be different.
		address.test.mjs | connections.test.mjs | framing.test.mjs | \
			http.test.mjs | openapi.test.mjs | \
			overload.test.mjs | pipelining.test.mjs) ;;
		*) set -- "$@" "$each" ;;
		esac
	done
fi
exec sh "$srcdir/tests/node.sh" "$@"
