#!/bin/sh
# summary.sh FOLDER... - add up what the runners of each build say: cmocka's
# and node's own counts, and one for each other test of make check.
# Fails if a test has failed, or none has passed.
set -eu

for folder; do
	find "$folder" -name '*.trs' | sort | while read -r result; do
		log=${result%.trs}.log
		sed 's/\x1b\[[0-9;]*m//g' "$log" | awk -v result="$(sed -n \
			's/^:test-result: //p' "$result")" '
			/^\[==========\].*test\(s\) run/ { counted = 1 }
			/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
			/^\[  FAILED  \] [0-9]+ test/ { failed += $4; counted = 1 }
			/^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
			/^(ℹ|#) pass [0-9]+$/ { passed += $3; counted = 1 }
			/^(ℹ|#) (fail|cancelled) [0-9]+$/ { failed += $3 }
			/^(ℹ|#) (skipped|todo) [0-9]+$/ { skipped += $3 }
			END {
				if (!counted)
					passed += result == "PASS"
				if (!counted && result == "SKIP")
					skipped++
				if (result != "PASS" && result != "SKIP" && !failed)
					failed++
				print passed + 0, failed + 0, skipped + 0
			}'
	done
done | awk '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed > 0 || passed == 0
	}'
