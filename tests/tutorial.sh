#!/bin/sh
# tutorial.sh - docs/tutorial.sh does what it says.
for tool in curl jq; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: needs $tool"
		exit 77
	fi
done
exec sh docs/tutorial.sh
