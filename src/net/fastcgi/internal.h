/* internal.h - shared by the files of net/fastcgi.
 *
 * Floor: net.  One loop thread.
 *
 * Ownership: struct fastcgi owns its connections, a connection the exchanges
 * that are live on it.  An exchange is live from its BEGIN_REQUEST until its
 * END_REQUEST has been encoded, or its connection is closed; after that it is
 * freed when all tasks given to the engine are back.
 */
#ifndef PEERPOST_NET_FASTCGI_INTERNAL_H
#define PEERPOST_NET_FASTCGI_INTERNAL_H

#include "api/request.h"
#include "base/hash.h"
#include "base/list.h"
#include "net/fastcgi/wire.h"
#include "net/front.h"
#include "net/reply_headers.h"

struct fcgi_connection {
	struct fastcgi *fastcgi;
	uint64_t serial; /* of this connection; never used again */
	int fd;
	struct loop_source source;
	struct peer_address peer;
	struct address address;
	struct list all;       /* in fastcgi->connections */
	struct list touched;   /* in fastcgi->touched if it must be run */
	struct list resting;   /* in fastcgi->idle, sending or lingering */
	struct list *rests_in; /* the one it is in; NULL: none */
	int64_t since_ms;      /* when it was added; sending: last progress */
	bool can_read, can_write; /* as last reported by epoll */
	bool is_half_closed;      /* the web server will send no more */
	bool is_read;             /* and everything it sent has been read */
	bool is_last;             /* closes after its live exchanges */
	bool is_lingering;        /* done sending; input is dropped */
	struct fcgi_decoder decoder;
	struct buf control; /* content of BEGIN_REQUEST and GET_VALUES */
	size_t n_live;      /* exchanges */
	size_t n_fresh;     /* submitted since the last barrier came back */
	struct request *barrier; /* a barrier under way, or NULL */
	struct list exchanges;   /* all that are live */
	struct list replies;     /* those with a reply */
	struct buf out;          /* encoded records */
	size_t n_sent;           /* sent bytes of it */
};

enum fcgi_state {
	FCGI_STATE_PARAMS,  /* parameters are coming */
	FCGI_STATE_STDIN,   /* the body is coming */
	FCGI_STATE_WAITING, /* the engine has the request */
	FCGI_STATE_REPLIED, /* the reply has come */
};

struct fcgi_exchange {
	struct fcgi_connection *connection; /* NULL: no longer live */
	struct fastcgi *fastcgi;
	uint64_t key; /* of connection and request id */
	UT_hash_handle hh;
	uint16_t id;
	bool keep_conn;
	bool is_aborted;   /* the reply is not needed */
	bool is_cancelled; /* a cancel has been submitted */
	enum fcgi_state state;
	struct list live;     /* in connection->exchanges */
	struct list reply;    /* in connection->replies */
	struct list deadline; /* in fastcgi->receiving */
	int64_t since_ms;     /* when it began */
	struct buf params;    /* the request borrows from it */
	struct buf target;    /* if it is not in the parameters as such */
	struct cors_fields cors;
	bool has_length;
	uint64_t length;         /* CONTENT_LENGTH */
	uint64_t n_body;         /* bytes that came */
	size_t n_drained;        /* of a body that is too large */
	struct request *request; /* never NULL */
	struct front_client client;
	size_t n_out; /* tasks that the engine has */
};

#define FCGI_READ_SIZE ((size_t)16 << 10)

struct fastcgi {
	struct front *front;
	uint64_t last_serial;
	struct fcgi_exchange *live; /* by key */
	size_t n_live;
	struct list connections;
	struct list touched;
	struct list idle;      /* connections without an exchange */
	struct list sending;   /* with bytes that cannot be written yet */
	struct list lingering; /* waiting for the other side to close */
	struct list receiving; /* exchanges not complete yet */
	char *in;              /* bytes read, not decoded yet */
};

/* connection.c */

/* Have it run in this round. */
void fcgi_connection_touch(struct fcgi_connection *connection);
/* Read, act and write.  It may be closed and freed by this. */
void fcgi_connection_run(struct fcgi_connection *connection);
/* Close and free it; its live exchanges are dropped. */
void fcgi_connection_close(struct fcgi_connection *connection);

/* record.c */

/* Act on the records in bytes.  false: they make no sense; the connection must
 * be closed. */
bool fcgi_record_feed(struct fcgi_connection *connection, struct span bytes);

/* exchange.c */

/* BEGIN_REQUEST.  NULL: there are too many. */
struct fcgi_exchange *fcgi_exchange_begin(
    struct fcgi_connection *connection, uint16_t id, bool keep_conn);
/* The live exchange with this id, or NULL. */
struct fcgi_exchange *fcgi_exchange_find(
    const struct fcgi_connection *connection, uint16_t id);
/* The parameters are complete. */
void fcgi_exchange_end_params(struct fcgi_exchange *exchange);
/* A piece of the body; the body is complete. */
void fcgi_exchange_add_body(struct fcgi_exchange *exchange, struct span piece);
void fcgi_exchange_end_body(struct fcgi_exchange *exchange);
/* Reply with a failure of the request itself, which has not been given to the
 * engine. */
void fcgi_exchange_fail(struct fcgi_exchange *exchange, enum err err);
/* The reply is not needed: if the engine has the request, ask for it back. */
void fcgi_exchange_cancel(struct fcgi_exchange *exchange);
/* Encode the reply into the connection's output, and end the exchange. */
void fcgi_exchange_write(struct fcgi_exchange *exchange);
/* The exchange is no longer live. */
void fcgi_exchange_drop(struct fcgi_exchange *exchange);

#endif
