#!/bin/sh
# node.sh - the tests that drive the daemon over real sockets, by Node's own
# test runner.  Run from the build folder by make check; by hand, name some:
#   sh ../tests/node.sh ../tests/api/rooms.test.mjs
: "${srcdir:=$(dirname "$0")/..}"

if ! node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' \
	2>/dev/null; then
	echo "skipped: needs Node.js 18 or later"
	exit 77
fi
if [ $# = 0 ]; then
	set -- "$srcdir"/tests/api/*.test.mjs \
		"$srcdir"/tests/path/*.test.mjs \
		"$srcdir"/tests/restart/*.test.mjs \
		"$srcdir"/tests/fastcgi/*.test.mjs \
		"$srcdir"/tests/fault/*.test.mjs \
		"$srcdir"/tests/operation/*.test.mjs \
		"$srcdir"/tests/package/*.test.mjs
	# What clients and web servers do is the same whatever the daemon was
	# built with, and takes minutes.
	[ "${PEERPOST_TEST_PATIENCE:-1}" != 1 ] ||
		set -- "$@" "$srcdir"/tests/proxy/*.test.mjs \
			"$srcdir"/tests/clients/*.test.mjs \
			"$srcdir"/tests/browser/*.test.mjs \
			"$srcdir"/tests/godot_web/*.test.mjs
fi
# Several loop threads must make no difference that a client sees.
if [ "${PEERPOST_TEST_PATIENCE:-1}" != 1 ]; then
	: "${PEERPOST_TEST_IO_THREADS:=3}"
	export PEERPOST_TEST_IO_THREADS
fi
exec node --test --test-reporter=spec --test-concurrency=4 "$@"
