#!/bin/sh
# replay.sh - run every fuzz target over its corpus.
set -eu
for target in body fcgi_wire forwarded http_chunks http_head json target; do
	tests/fuzz/fuzz_$target "$srcdir"/tests/fuzz/corpus/$target/*
done
