/* request.h - one request, from its last byte in to its first byte out.
 *
 * Floor: api.
 *
 * A request belongs to exactly one thread at a time.  The loop thread makes
 * it, fills in what the transport saw, and has it parsed
 * (request_parse(), pure).  Then either the reply is there already, or the
 * request is submitted to the engine thread (engine.h), which gives it back
 * with its reply, be it half a minute later.  In between the loop thread
 * touches nothing of it but `owner` and, to ask for it
 * back, `cancel`.
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
#define REQUEST_MIN_OPEN_KEY 22              /* of one that stands alone */
#define REQUEST_ARGUMENT_SIZE TEXT_UUID_SIZE /* the longest there is */
#define REQUEST_MAX_TOKEN 128 /* ours have 43; longer ones are nobody's */

/* Of all Link headers.  Proxies take 4 KiB for the whole header block. */
#define REPLY_MAX_LINKS 2048

/* By which sort of listener a request has come in: what is served at the one
 * is not there at the other. */
enum listener_class {
	LISTENER_PUBLIC,
	LISTENER_ADMIN,   /* --admin */
	LISTENER_METRICS, /* --metrics: of the former, what only shows */
};

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_OPTIONS,
	METHOD_OTHER, /* known to HTTP, but never served */
};

/* The parsed data of a command; which member is told by the command. */
union call_args {
	char name[STORE_NAME_SIZE];
	char uuid[TEXT_UUID_SIZE];
	struct {
		struct span id; /* where the id stands in the data */
		uint32_t peer;  /* 0: an id that nobody can have */
	} relay;
};

/* One command that a request asks for. */
struct call {
	const struct command *command; /* NULL: there is none, see err */
	enum err err;                  /* to be reported in its turn */
	char *why;                     /* its sentence, owned; or NULL */
	struct json_value data;        /* none: null, with an empty text */
	const char *data_name;         /* for a sentence; static */
	union call_args args;
};

/* What a poll asks for. */
struct poll_args {
	bool has_after, has_wait, has_max;
	uint64_t after;
	uint64_t wait_s;
	uint64_t max;
};

/* How a poll has ended; of one that was refused, and of what is no poll:
 * POLL_NONE. */
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

/* How a request has come. */
enum front_kind { FRONT_HTTP, FRONT_HTTPS, FRONT_FASTCGI, N_FRONT_KINDS };

enum reply_type {
	REPLY_EMPTY,
	REPLY_JSON,
	REPLY_HTML,
	REPLY_TEXT,
	REPLY_ASSET, /* a file, or that it has not changed */
	REPLY_FILE,  /* an open one */
};

struct reply {
	unsigned status; /* HTTP; 0: not there yet */
	enum err err;    /* of a failure: what its word says */
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
	uint32_t sent_to;  /* whose events are in it; 0: none are */
	uint64_t sent_id;  /* the greatest of their ids */
	struct buf links;  /* values of Link headers, a NUL after each */
	struct buf body;
};

/* How a request travels between the threads. */
enum task_kind { TASK_RUN, TASK_CANCEL, TASK_SETTINGS, TASK_DRAIN, TASK_STOP };

struct task {
	struct queue_item item; /* first */
	enum task_kind kind;
	struct completion_queue *cq; /* by which it went to the engine */
	struct request *request;     /* NULL but for the first two kinds */
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
	struct span host;  /* where it was sent, as the client says */
	struct span mount; /* where a web server has mounted us; or not there */
	bool is_https;     /* it was sent over TLS, be it to a proxy */
	struct span content_encoding;
	bool is_text_plain; /* Content-Type, without parameters */
	struct buf body;
	bool is_too_large; /* the body went over the limit */
	bool no_hold;      /* half-closed: a poll is not held */
	uint8_t address[ADDRESS_KEY_SIZE];
	bool is_exempt;  /* loopback or Unix: no per-address limit */
	bool has_demo;   /* the demo is switched on */
	bool is_foreign; /* at LISTENER_ADMIN: a web page may be behind it */
	/* At listeners other than LISTENER_PUBLIC: connections of players, how
	 * many may be, and whether there is no room for more, or has just
	 * been none. */
	size_t n_connections, max_connections;
	bool is_full;
	void *owner; /* the transport's own */
	/* What takes the request, and then its cancellation if there was one,
	 * back from the engine, on the loop thread.  For the transports only:
	 * the engine does not call it. */
	void (*give_back)(struct request *request, enum task_kind kind);

	/* Set by request_parse(). */
	const struct route *route; /* NULL: unknown path */
	enum err err;              /* to be reported after the session's */
	char *why;                 /* its sentence, owned; or NULL */
	bool has_token;
	bool is_query_token; /* the last resort: others win */
	bool has_odd_token;  /* in the body there is one that is no string */
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

	/* The engine's own. */
	struct parked parked;
	bool is_due;      /* a poll whose time is over */
	int64_t woken_us; /* when what woke it was begun; 0: nothing did */
	enum poll_end poll_end;
	bool is_charged; /* has paid its rate */
	struct bill relay_bill;
	bool is_held;     /* a backup that is being made */
	bool is_finished; /* its reply is on the way back */

	struct reply reply;
	struct task run, cancel;
};

/* A new request; nothing is set but the ceilings. */
struct request *request_new(size_t max_body);
void request_free(struct request *request);

/* One word for it; POLL_NONE: "". */
const char *poll_end_word(enum poll_end end);
/* "http", "https" or "fastcgi". */
const char *front_kind_word(enum front_kind kind);

/* Keep why, which is taken, as the sentence for the err that is about to be
 * kept in the request: not if there is one already. */
void request_explain(struct request *request, char *why);

/* Whether the request has no token because what it has of one cannot be read:
 * it is refused for that, rather than for having no session. */
bool request_hides_token(const struct request *request);

/* Start the reply anew. */
void request_reset_reply(struct request *request);

#endif
