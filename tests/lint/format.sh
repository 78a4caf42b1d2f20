#!/bin/sh
# format.sh - C sources are as .clang-format has them, and at most 80 wide.
set -eu
if [ -z "${CLANG_FORMAT-}" ]; then
	echo "skipped: needs clang-format"
	exit 77
fi
cd "$srcdir"
find src tests bench -name node_modules -prune -o \
	-name '*.[ch]' ! -path '*/sqlite/sql.[ch]' -exec \
	"$CLANG_FORMAT" --dry-run --Werror {} +
