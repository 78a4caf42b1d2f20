/* request.h - one request, from its last byte in to its first byte out.
 *
 * Floor: api.
 *
 * A request belongs to exactly one thread at a time.  The loop thread creates
 * it, fills in the transport's members, and has it parsed (request_parse(),
 * pure).  Then either its reply is ready, or the request is submitted to the
 * engine thread (engine.h), which gives it back with its reply, perhaps half a
 * minute later.  In between the loop thread touches nothing in it except
 * `owner` and, to ask for it back, `cancel`.
 */
#ifndef PEERPOST_API_REQUEST_H
#define PEERPOST_API_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "api/json.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/queue.h"
#include "core/limits.h"
#include "core/parking.h"
#include "store/store.h"

struct asset;
struct command;
struct completion_queue;
struct route;

#define REQUEST_MAX_CALLS 64
#define REQUEST_MIN_OPEN_KEY 22              /* of a key without a session */
#define REQUEST_ARGUMENT_SIZE TEXT_UUID_SIZE /* the longest one */
#define REQUEST_MAX_TOKEN 128 /* ours have 43; a longer one is not ours */

/* Of all Link headers.  Proxies take 4 KiB for the whole header block. */
#define REPLY_MAX_LINKS 2048

/* The class of the listener that a request came in by.  Each class has its own
 * routes. */
enum listener_class {
	LISTENER_PUBLIC,
	LISTENER_ADMIN,   /* --admin */
	LISTENER_METRICS, /* --metrics: only those of --admin that just show */
};

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_OPTIONS,
	METHOD_OTHER, /* known to HTTP, never served */
};

/* The parsed data of a command, which decides on the member. */
union call_args {
	char name[STORE_NAME_SIZE];
	char uuid[TEXT_UUID_SIZE];
	struct {
		struct span id; /* where the id stands in the data */
		uint32_t peer;  /* 0: an id that no peer can have */
	} relay;
};

/* One command of a request. */
struct call {
	const struct command *command; /* NULL: there is none, see err */
	enum err err;                  /* reported in its turn */
	char *why;                     /* its sentence, owned; or NULL */
	struct json_value data;        /* none: null, with an empty text */
	const char *data_name;         /* for a sentence; static */
	union call_args args;
};

/* The parameters of a poll. */
struct poll_args {
	bool has_after, has_wait, has_max;
	uint64_t after;
	uint64_t wait_s;
	uint64_t max;
};

/* How a poll has ended.  POLL_NONE: it was refused, or the request is no poll.
 */
enum poll_end {
	POLL_NONE,
	POLL_MAIL,       /* events */
	POLL_EMPTY,      /* none in its time */
	POLL_LATE,       /* an old cursor, and nothing above it */
	POLL_RESET,      /* a cursor ahead of everything */
	POLL_SUPERSEDED, /* by a newer one */
	POLL_CROWDED,    /* no more can be held */
	POLL_DRAINED,    /* shutting down */
	POLL_HUNG_UP,    /* the client has gone */
	POLL_ENDED,      /* the session has ended while it was held */
	N_POLL_ENDS
};

/* The protocol that a request came by. */
enum front_kind { FRONT_HTTP, FRONT_HTTPS, FRONT_FASTCGI, N_FRONT_KINDS };

enum reply_type {
	REPLY_EMPTY,
	REPLY_JSON,
	REPLY_HTML,
	REPLY_TEXT,
	REPLY_ASSET, /* a file, or 304 */
	REPLY_FILE,  /* an open one */
};

struct reply {
	unsigned status; /* of HTTP; 0: no reply yet */
	enum err err;    /* of a failure: its error */
	enum reply_type type;
	unsigned retry_after_s; /* 0: no such header */
	const char *media;      /* Content-Type; static; NULL: the type's own */
	const char *allow;      /* for 405; static; or NULL */
	const char *location;   /* for 308; static; or NULL */
	const struct asset *asset; /* of REPLY_ASSET, instead of body */
	int fd;                    /* of REPLY_FILE, instead; owned; or -1 */
	uint64_t fd_size;
	bool is_replay;    /* Idempotency-Replayed: true */
	bool is_preflight; /* the answer to OPTIONS */
	uint32_t sent_to;  /* the player whose events are in it; 0: none */
	uint64_t sent_id;  /* the greatest of their ids */
	struct buf links;  /* values of Link headers, each followed by a NUL */
	struct buf body;
};

/* How a request travels between the threads. */
enum task_kind { TASK_RUN, TASK_CANCEL, TASK_SETTINGS, TASK_DRAIN, TASK_STOP };

struct task {
	struct queue_item item; /* first */
	enum task_kind kind;
	struct completion_queue *cq; /* the one that it came through */
	struct request *request;     /* NULL except for the first two kinds */
};

struct request {
	uint32_t id; /* for the log; never 0, once in 2^32 requests */
	/* Set by the transport; borrowed texts must live as long as the
	 * request. */
	enum listener_class listener_class;
	enum method method;
	struct span target;        /* raw, as on the request line */
	struct span authorization; /* header values; NULL: not there */
	struct span idempotency_key;
	struct span last_event_id;
	struct span if_none_match;
	struct span host;  /* the Host that the client sent */
	struct span mount; /* path at which a web server has mounted us; or not
	                    * there */
	bool is_https;     /* sent over TLS, perhaps to a proxy */
	struct span content_encoding;
	bool is_text_plain; /* Content-Type, without parameters */
	struct buf body;
	bool is_too_large; /* the body exceeded the limit */
	bool no_hold;      /* half-closed: a poll is not held */
	uint8_t address[ADDRESS_KEY_SIZE];
	bool is_exempt;  /* loopback or Unix: no per-address limit */
	bool has_demo;   /* the demo is enabled */
	bool is_foreign; /* at LISTENER_ADMIN: a web page may have caused it */
	/* At listeners other than LISTENER_PUBLIC: the number of players'
	 * connections, its maximum, and whether there is, or has just been, no
	 * room for more. */
	size_t n_connections, max_connections;
	bool is_full;
	void *owner; /* private to the transport */
	/* Takes the request, and then its cancellation if there was one, back
	 * from the engine, on the loop thread.  For the transports only: the
	 * engine does not call it. */
	void (*give_back)(struct request *request, enum task_kind kind);

	/* Set by request_parse(). */
	const struct route *route; /* NULL: unknown path */
	enum err err;              /* reported after errors of the session */
	char *why;                 /* its sentence, owned; or NULL */
	bool has_token;
	bool is_query_token; /* the last resort: any other wins */
	bool has_odd_token;  /* the body has one that is not a string */
	uint8_t token_hash[DIGEST_SIZE];
	struct call *calls; /* n_calls of them; NULL: none */
	size_t n_calls;
	bool is_array;   /* calls came as an array */
	bool is_wrapped; /* the answer is {"replies":[...]} */
	struct poll_args poll;
	char argument[REQUEST_ARGUMENT_SIZE]; /* api/admin/route.h */
	bool has_key;
	uint8_t key_hash[DIGEST_SIZE];
	uint8_t request_hash[DIGEST_SIZE];

	/* Private to the engine. */
	struct parked parked;
	bool is_due;      /* a poll whose time is over */
	int64_t woken_us; /* when the transaction that woke it began; 0: none
	                   * did */
	enum poll_end poll_end;
	bool is_charged; /* has paid for itself */
	struct bill relay_bill;
	bool is_held;     /* for a backup in progress */
	bool is_finished; /* its reply is on its way back */

	struct reply reply;
	struct task run, cancel;
};

/* A new request; nothing is set except the ceilings. */
struct request *request_new(size_t max_body);
void request_free(struct request *request);

/* One word for it; POLL_NONE: "". */
const char *poll_end_word(enum poll_end end);
/* "http", "https" or "fastcgi". */
const char *front_kind_word(enum front_kind kind);

/* Keep why, of which it takes ownership, as the sentence for the err about to
 * be kept in the request, unless it has one already. */
void request_explain(struct request *request, char *why);

/* Whether the request has no token only because its token cannot be read: it is
 * then refused for that, rather than for having no session. */
bool request_hides_token(const struct request *request);

/* Empty the reply, to write it again. */
void request_reset_reply(struct request *request);

#endif
