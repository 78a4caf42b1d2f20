/* metric.h - all counters and measurements, in one table.
 *
 * Floor: base.  Any thread.
 *
 * Each row is: id, kind, the number of series or bounds, the name and help text
 * for Prometheus, and the name of its label ("": none).  Names, help and labels
 * are documented in peerpost-metrics(7) and, like error words, never change:
 * dashboards depend on them.
 *
 * Each thread has its own shard of all counters, and adds to one with a relaxed
 * load and a relaxed store, which are plain instructions and take no lock.  A
 * reader adds the shards up, and may be a moment behind.
 */
#ifndef PEERPOST_BASE_METRIC_H
#define PEERPOST_BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_MAX_ROUTES 32
#define METRIC_MAX_STATUSES 24
#define METRIC_N_TIMES 14 /* bounds of METRIC_TIMES */
#define METRIC_N_HOLDS 12
#define METRIC_N_SIZES 11

/* clang-format off */
#define METRIC_COUNTED_TABLE(X) \
	X(REQUESTS, COUNTER, METRIC_MAX_ROUTES * METRIC_MAX_STATUSES, "peerpost_requests_total", "route", \
	  "Requests of players answered, by route and HTTP status.") \
	X(REQUEST_ERRORS, COUNTER, 64, "peerpost_request_errors_total", "error", \
	  "Requests that failed as a whole, by error word.") \
	X(REQUEST_SECONDS, TIMES, METRIC_N_TIMES, "peerpost_request_seconds", "", \
	  "Time from the first line of a request until its reply was handed to the socket, except for polls.") \
	X(REQUEST_BYTES, COUNTER, 1, "peerpost_request_body_bytes_total", "", \
	  "Bytes of the bodies of requests.") \
	X(REPLY_BYTES, COUNTER, 1, "peerpost_reply_body_bytes_total", "", \
	  "Bytes of the bodies of replies.") \
	X(POLLS, COUNTER, 16, "peerpost_polls_total", "end", \
	  "Polls answered, by how they ended.") \
	X(DELIVERY_SECONDS, TIMES, METRIC_N_TIMES, "peerpost_delivery_seconds", "", \
	  "Time from the beginning of the transaction that put an event into a mailbox until the held poll that got it was handed to the socket.") \
	X(CONNECTIONS, GAUGE, 4, "peerpost_connections", "transport", \
	  "Open connections of players.") \
	X(CONNECTIONS_ACCEPTED, COUNTER, 4, "peerpost_connections_accepted_total", "transport", \
	  "Connections of players accepted.") \
	X(CONNECTIONS_MAX, GAUGE, 1, "peerpost_connections_max", "", \
	  "Most connections of players that --max-connections and the descriptor limit allow.") \
	X(CONNECTIONS_FULL, GAUGE, 1, "peerpost_connections_full", "", \
	  "1 while all connections are taken and for 10 seconds after, else 0.") \
	X(HANGUPS, COUNTER, 1, "peerpost_hangups_total", "", \
	  "Requests whose client went away before they were answered.") \
	X(TLS_FAILURES, COUNTER, 1, "peerpost_tls_handshake_failures_total", "", \
	  "Connections over TLS that ended before their handshake was complete.") \
	X(UNSENT_BYTES, GAUGE, 1, "peerpost_unsent_bytes", "", \
	  "Bytes of HTTP replies waiting in memory to be sent.") \
	X(RATE_LIMITED, COUNTER, 7, "peerpost_rate_limited_total", "limit", \
	  "Connections and requests refused because there were too many, by limit.") \
	X(POLLS_PARKED, GAUGE, 1, "peerpost_polls_parked", "", \
	  "Polls held at the moment.") \
	X(POLL_HOLD_SECONDS, HOLDS, METRIC_N_HOLDS, "peerpost_poll_hold_seconds", "", \
	  "Time for which polls were held.") \
	X(POLL_WAKEUPS, COUNTER, 1, "peerpost_poll_wakeups_total", "", \
	  "Held polls woken by an event.") \
	X(LOOP_WAKEUPS, COUNTER, 1, "peerpost_loop_wakeups_total", "", \
	  "Times that the engine thread woke a loop thread to send replies.") \
	X(BATCH_REQUESTS, SIZES, METRIC_N_SIZES, "peerpost_batch_requests", "", \
	  "Requests run in one transaction.") \
	X(COMMIT_SECONDS, TIMES, METRIC_N_TIMES, "peerpost_commit_seconds", "", \
	  "Time of commits that wrote something, with the checkpoint that may follow.") \
	X(CHECKPOINT_SECONDS, TIMES, METRIC_N_TIMES, "peerpost_checkpoint_seconds", "", \
	  "Time of the checkpoints of the write-ahead log.") \
	X(MAILBOX_EVENTS, SIZES, METRIC_N_SIZES, "peerpost_mailbox_events", "", \
	  "Events waiting in a mailbox after one was put into it, that one included.") \
	X(ROOMS, GAUGE, 1, "peerpost_rooms", "", \
	  "Rooms that exist.") \
	X(PLAYERS, GAUGE, 1, "peerpost_players", "", \
	  "Registered players.") \
	X(SESSIONS_ENDED, COUNTER, 8, "peerpost_sessions_ended_total", "reason", \
	  "Sessions that ended, by reason.") \
	X(DATABASE_USED_BYTES, GAUGE, 1, "peerpost_database_used_bytes", "", \
	  "Size of the database's pages in use.") \
	X(DATABASE_MAX_BYTES, GAUGE, 1, "peerpost_database_max_bytes", "", \
	  "Limit of the database's pages in use (--max-database), 0 without a limit.") \
	X(STORAGE_ERRORS, COUNTER, 1, "peerpost_storage_errors_total", "", \
	  "Database errors.") \
	X(STORAGE_FAILING, GAUGE, 1, "peerpost_storage_failing", "", \
	  "1 while the last write to the database failed, else 0.")

/* Not counted, but determined when they are read. */
#define METRIC_READ_TABLE(X) \
	X(WAL_BYTES, GAUGE, 0, "peerpost_wal_bytes", "", \
	  "Size of the write-ahead log of the database.") \
	X(DATABASE_BYTES, GAUGE, 0, "peerpost_database_bytes", "", \
	  "Size of the database, without its write-ahead log.") \
	X(THREAD_CPU_SECONDS, COUNTER, 0, "peerpost_thread_cpu_seconds_total", "thread", \
	  "Processor time of each thread.") \
	X(BUILD_INFO, GAUGE, 0, "peerpost_build_info", "version", \
	  "1, labelled with the version of the daemon.") \
	X(PROCESS_CPU_SECONDS, COUNTER, 0, "process_cpu_seconds_total", "", \
	  "Total user and system CPU time spent in seconds.") \
	X(PROCESS_OPEN_FDS, GAUGE, 0, "process_open_fds", "", \
	  "Number of open file descriptors.") \
	X(PROCESS_MAX_FDS, GAUGE, 0, "process_max_fds", "", \
	  "Maximum number of open file descriptors.") \
	X(PROCESS_VIRTUAL_BYTES, GAUGE, 0, "process_virtual_memory_bytes", "", \
	  "Virtual memory size in bytes.") \
	X(PROCESS_RESIDENT_BYTES, GAUGE, 0, "process_resident_memory_bytes", "", \
	  "Resident memory size in bytes.") \
	X(PROCESS_START_SECONDS, GAUGE, 0, "process_start_time_seconds", "", \
	  "Start time of the process since unix epoch in seconds.")
/* clang-format on */

#define METRIC_TABLE(X) METRIC_COUNTED_TABLE(X) METRIC_READ_TABLE(X)

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	/* Histograms; their counters are one for each bound, one for values
	 * above all bounds, and the sum. */
	METRIC_TIMES, /* of microseconds, up to 2.5 s */
	METRIC_HOLDS, /* of microseconds, up to 60 s */
	METRIC_SIZES, /* of numbers, up to 1024 */
};

#define METRIC_COUNTERS_COUNTER(n) (n)
#define METRIC_COUNTERS_GAUGE(n) (n)
#define METRIC_COUNTERS_TIMES(n) ((n) + 2)
#define METRIC_COUNTERS_HOLDS(n) ((n) + 2)
#define METRIC_COUNTERS_SIZES(n) ((n) + 2)

/* The first counter of each row: METRIC_REQUESTS and so on. */
enum metric_counter {
#define X(id, kind, n, name, label, help) \
	METRIC_##id, \
	    METRIC_LAST_##id = METRIC_##id + METRIC_COUNTERS_##kind(n) - 1,
	METRIC_COUNTED_TABLE(X)
#undef X
	    N_METRIC_COUNTERS
};

/* The series of METRIC_RATE_LIMITED; the last four are the engine's. */
enum {
	METRIC_LIMITED_CONNECTIONS = METRIC_RATE_LIMITED,
	METRIC_LIMITED_REQUESTS,
	METRIC_LIMITED_UNSENT,
	METRIC_LIMITED_COMMANDS,
	METRIC_LIMITED_REGISTERS,
	METRIC_LIMITED_POLLS,
	METRIC_LIMITED_RELAYS,
};

/* The rows: METRIC_ROW_REQUESTS and so on. */
enum {
#define X(id, kind, n, name, label, help) METRIC_ROW_##id,
	METRIC_TABLE(X)
#undef X
	    N_METRIC_ROWS
};

struct metric {
	const char *name, *label, *help;
	enum metric_kind kind;
	size_t n;         /* series or bounds; 0: determined when read */
	unsigned counter; /* the first */
};

extern const struct metric metrics[N_METRIC_ROWS];

/* This thread's shard. */
extern _Thread_local _Atomic(uint64_t) *metric_shard;

/* Give this thread the shard of that number (enum process_thread).  Until this
 * call, a thread writes to the main thread's. */
void metric_use_shard(unsigned thread);

/* The value of a counter: the sum of all shards. */
uint64_t metric_get(unsigned counter);

/* Set a gauge, which only one thread may ever do. */
static inline void
metric_set(unsigned counter, uint64_t value)
{
	atomic_store_explicit(
	    &metric_shard[counter], value, memory_order_relaxed);
}

static inline void
metric_add(unsigned counter, uint64_t n)
{
	metric_set(counter,
	    atomic_load_explicit(&metric_shard[counter], memory_order_relaxed) +
		n);
}

/* Only for gauges.  One thread may subtract what another has added: the sum is
 * right, modulo 2^64. */
static inline void
metric_sub(unsigned counter, uint64_t n)
{
	metric_add(counter, -n);
}

/* Count a value in a histogram; a negative value counts as 0, since a test may
 * turn its clock back. */
void metric_observe(unsigned row, int64_t value);

/* The bounds of a histogram, n of them, ascending. */
const uint32_t *metric_bounds(enum metric_kind kind);

#endif
