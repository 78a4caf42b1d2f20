# stages.awk - see stages.sh.  Reads perf script: a line with process and thread,
# then a frame a line from the innermost on, then an empty line.  us: what one
# relay costs.
#
# With one loop, which is the main thread; whatever else there is, is the engine.

function stage_of_kernel(stack)
{
	if (stack ~ /sys_(sendto|sendmsg|writev|sendfile)/)
		return "send, and deliver to the peer on loopback"
	if (stack ~ /sys_(recvfrom|recvmsg|read)( |$)/)
		return "receive"
	if (stack ~ /sys_(epoll_|poll)/)
		return "wait for sockets"
	if (stack ~ /sys_p?write/)
		return "write (log of the database; wake the loop)"
	if (stack ~ /sys_f(data)?sync/)
		return "sync"
	if (stack ~ /sys_futex/)
		return "wake, and wait for, the other thread"
	return "other kernel"
}

function stage_of_library(dso)
{
	if (dso ~ /libmicrohttpd/)
		return "libmicrohttpd"
	if (dso ~ /libsqlite3/)
		return "SQLite"
	if (dso ~ /libc[.-]/)
		return "C library (memory, strings)"
	return "our own code, json-c, nettle"
}

/^ *[0-9]+\/[0-9]+/ {
	split($1, ids, "/")
	is_main = ids[1] == ids[2]
	stack = leaf = ""
	next
}
NF {
	if (leaf == "")
		leaf = $NF
	stack = stack " " $2
	next
}
leaf != "" {
	thread = is_main ? "loop" : "engine"
	if (leaf ~ /kernel|vdso/)
		stage = stage_of_kernel(stack)
	else
		stage = stage_of_library(leaf)
	samples[thread ": " stage]++
	all++
	leaf = ""
}
END {
	for (stage in samples)
		printf "%-60s %5.1f us %5.1f %%\n", stage,
			us * samples[stage] / all, 100 * samples[stage] / all
}
