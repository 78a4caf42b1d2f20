#!/bin/sh
# stages.sh - where the processor time of a relay goes: perf(1) on the daemon
# while relay-64 runs, summed up by stage.  From the build folder, after
# `make bench/peerpost-bench`:
#   sh ../bench/stages.sh [DAEMON [SCENARIO]]
# Needs perf and the right to use it (root, or kernel.perf_event_paranoid).
set -eu
: "${srcdir:=$(dirname "$0")/..}"
daemon=$(realpath "${1:-src/peerpostd}")
scenario=${2:-relay-64}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM

# Run in the daemon's place, to know which process it is.
cat >"$scratch/peerpostd" <<END
#!/bin/sh
echo \$\$ >"$scratch/pid"
exec "$daemon" "\$@"
END
chmod +x "$scratch/peerpostd"
mkdir "$scratch/data"

bench/peerpost-bench --peerpostd "$scratch/peerpostd" --bare bench/bare \
	--folder "$scratch/data" --json "$scratch/json" --only "$scenario" \
	--against peerpostd --rounds 1 --seconds 8 >"$scratch/table" &
bench=$!
# Until players are set up and the load has begun.
sleep 3
perf record --quiet --event cpu-clock --freq 4000 --call-graph fp \
	--pid "$(cat "$scratch/pid")" --output "$scratch/perf" -- sleep 4
wait $bench
grep "^$scenario" "$scratch/table"
us=$(sed -n 's/.*"server_cpu_us":\([0-9.]*\).*/\1/p' "$scratch/json")
perf script --input "$scratch/perf" --fields pid,tid,ip,sym,dso 2>/dev/null |
	awk -v us="$us" -f "$srcdir/bench/stages.awk" | sort
