#!/bin/sh
# bench.sh - the benchmark runs, and nothing gets lost in it.  Not how fast.
: "${MAKE:=make}"

if ! command -v jq >/dev/null; then
	echo "skipped: needs jq"
	exit 77
fi
# A daemon that is checked at every step is no measure for anything.
if [ "${PEERPOST_TEST_PATIENCE:-1}" != 1 ]; then
	echo "skipped: it would take long, and tell nothing more"
	exit 77
fi
# Its exit status tells whether the targets were met: not in such a short time.
$MAKE -s bench BENCH='--only relay-1,candidates-16,room-of-8 \
	--against peerpostd,bare-libmicrohttpd --rounds 1 --seconds 0.2' || :
jq -es 'length == 6 and all(.[]; .lost == 0 and .per_s > 0)' \
	bench/results.jsonl
