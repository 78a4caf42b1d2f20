/* internal.h - shared by the files of net/http.
 *
 * Floor: net.  One loop thread.
 *
 * Ownership: struct http owns cells, a cell owns its libmicrohttpd daemon, the
 * daemon owns the sockets. A struct connection lives from
 * NOTIFY_CONNECTION(STARTED) to (CLOSED); a struct exchange from the end of a
 * request's head until libmicrohttpd has said NOTIFY_COMPLETED *and* all tasks
 * given to the engine are back.
 */
#ifndef PEERPOST_NET_HTTP_INTERNAL_H
#define PEERPOST_NET_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "api/request.h"
#include "base/list.h"
#include "net/address.h"
#include "net/certificate.h"
#include "net/front.h"
#include "net/http/chunks.h"
#include "net/http/head.h"
#include "net/reply_headers.h"

/* libmicrohttpd's memory for a connection: the head that it is given, which may
 * take half of it (intake.c), and the header of the reply. */
#define HTTP_MEMORY ((size_t)4 << 10)
/* The bytes of Link headers that fit beside a head that takes half. */
#define HTTP_LINKS_BESIDE ((size_t)1 << 10)
/* The most bytes read from a socket at once. */
#define HTTP_SCRATCH ((size_t)32 << 10)

struct cell {
	struct http *http;
	struct MHD_Daemon *daemon;
	struct list connections;
	unsigned n_connections, n_waiting;
	struct list roomy;   /* in http->roomy or http->full */
	struct list touched; /* in http->touched if it must be run */
	bool is_tls;         /* all of its connections are, or none */
};

/* The protocol below HTTP of a cell's connections; index of http->roomy, full.
 */
enum { CELLS_PLAIN, CELLS_TLS, N_CELL_KINDS };

/* Zero for a plain connection.  See tls.c. */
struct connection_tls {
	struct certificate *certificate;
	struct gnutls_session_int *session; /* gnutls_session_t */
	bool is_shaking_hands;
	bool is_asleep;  /* suspended: waits for the client */
	bool has_unread; /* the last read found something */
	bool was_left;   /* and the last run had no read */
};

/* An incoming request; intake.c. */
struct intake {
	struct buf head; /* so far; then it is the exchange's */
	struct http_head_scan scan;
	bool in_body;
	bool is_chunked;
	uint64_t body_left; /* if it is not */
	struct http_chunks chunks;
	struct buf ahead; /* read, but not part of the request */
	size_t ahead_at;  /* from here on */
	size_t n_blank;   /* bytes of empty lines before a head */
	bool is_ended;    /* no more is read */
};

enum connection_state {
	CONNECTION_IDLE,      /* between requests */
	CONNECTION_RECEIVING, /* the first byte of a request has come */
	CONNECTION_WAITING,   /* the engine has the request */
	CONNECTION_SENDING,   /* the reply is being sent */
};
#define N_CONNECTION_STATES (CONNECTION_SENDING + 1)

/* The value of a connection when there are too many, ascending. */
enum connection_worth {
	CONNECTION_UNUSED, /* nothing has arrived on it */
	CONNECTION_UNUSED_TLS,
	CONNECTION_NEW,     /* no request on it has been served */
	CONNECTION_NEW_TLS, /* the same; a handshake takes longer */
	CONNECTION_SERVED,
};
#define N_CONNECTION_WORTHS (CONNECTION_SERVED + 1)

struct connection {
	struct http *http;
	struct cell *cell;
	struct list in_cell; /* in cell->connections */
	struct MHD_Connection *mhd;
	int fd;
	struct loop_source source;
	enum connection_state state;
	int64_t since_ms;     /* when the state began */
	struct list deadline; /* in http->in_state, or in none */
	bool has_spoken;      /* a request or TLS has begun */
	bool has_served;      /* a request has been served */
	unsigned n_limited;   /* requests in a row that were too fast */
	size_t n_unsent;      /* bytes of the reply, until it is sent */
	struct list unsent;   /* in http->unsent while there are some */
	bool is_half_closed;  /* the client will send no more */
	struct list hungup;   /* in http->hungup until handled */
	bool has_more_bytes;  /* arrived while WAITING or SENDING */
	struct peer_address peer;
	struct address address; /* of the peer, as it is counted */
	struct connection_tls tls;
	struct intake intake;
	struct exchange *exchange; /* the running one, or NULL */
};

struct exchange {
	struct front *front;
	struct connection *connection; /* NULL: it is closed */
	struct request *request;       /* never NULL */
	struct buf head_bytes;
	struct http_head head;
	enum err head_err; /* BAD_REQUEST, UNKNOWN_METHOD: refuse it */
	struct cors_fields cors;
	struct front_client client;
	size_t n_out;      /* tasks that the engine has */
	size_t n_drained;  /* bytes of a body that is too large */
	bool is_answered;  /* without the engine; the connection then ends */
	bool is_given;     /* to libmicrohttpd */
	bool is_filled_up; /* the head given to it */
	bool is_cancelled; /* the engine knows that the client is gone */
	bool has_reply;    /* which libmicrohttpd has, too */
	bool is_over;      /* NOTIFY_COMPLETED */
};

struct http {
	struct front *front;
	size_t n_sending, n_waiting;
	struct connection *starting;     /* while MHD_add_connection() runs */
	struct list roomy[N_CELL_KINDS]; /* cells with a free place */
	struct list full[N_CELL_KINDS];  /* cells without */
	struct list touched;             /* cells */
	/* Connections by their state, except WAITING; those longest in it
	 * first. */
	struct list in_state[N_CONNECTION_STATES][N_CONNECTION_WORTHS];
	struct list unsent; /* those waiting longest to send first */
	size_t n_unsent;    /* bytes of their replies */
	struct list hungup; /* half-closed, and not waiting */
	char scratch[HTTP_SCRATCH];
};

/* cell.c */

/* Find or make a cell with a place for this connection.  false: it failed. */
bool cell_acquire(struct connection *connection, bool is_tls);
/* Have the cell run in this round. */
void cell_touch(struct cell *cell);
/* This connection has closed.  An empty cell is kept if it is the only roomy
 * one, and freed at the end of the round otherwise. */
void cell_release(struct connection *connection);
/* Stop and free. */
void cell_free(struct cell *cell);

/* connection.c */

/* The protocol of the listener that it came by. */
enum front_kind connection_kind(const struct connection *connection);
void connection_set_state(
    struct connection *connection, enum connection_state state);
/* MHD_OPTION_NOTIFY_CONNECTION */
void connection_on_notify(void *cls, struct MHD_Connection *mhd,
    void **socket_context, enum MHD_ConnectionNotificationCode code);
/* The client has closed or half-closed: end the connection unless it is
 * waiting. */
void connection_hang_up(struct connection *connection);
/* Make libmicrohttpd see an end of file; it then closes the connection itself.
 */
void connection_end(struct connection *connection);
/* End the connections that have hung up and have no reply under way.  Call
 * after their cells have run: a request may have come with the hang-up. */
void connection_end_hungup(struct http *http);
/* The connection of a libmicrohttpd handle. */
struct connection *connection_of(struct MHD_Connection *mhd);
/* Set the number of bytes of the reply that are still to be sent. */
void connection_set_unsent(struct connection *connection, size_t n);
/* Whether its socket has something to read. */
bool connection_has_bytes(const struct connection *connection);

/* intake.c */

void intake_init(struct intake *intake);
void intake_fini(struct intake *intake);
/* The last reply of the connection is under way: incoming bytes are dropped. */
void intake_end(struct connection *connection);
/* Around MHD_run(): the cell whose connections it reads from. */
void intake_enter(const struct cell *cell);
void intake_leave(void);

/* exchange.c */

/* A request's head is complete: make an exchange for it, which becomes the
 * connection's current one.  Takes the bytes of the head, which may be
 * incomplete.  Its head_err has the fault of the head; it may also be answered
 * already. */
void exchange_begin(struct connection *connection, struct buf *head);
/* Answer it with a failure, then end the connection. */
void exchange_refuse(struct exchange *exchange, enum err err);
void exchange_refuse_body(struct exchange *exchange);
/* Add a piece of its body.  false: it is too large even to be dropped. */
MUST_CHECK bool exchange_add_body(struct exchange *exchange, struct span piece);
/* Write a head for libmicrohttpd to out, which is large enough, and return its
 * length.  is_last: the connection ends after the reply. */
size_t exchange_write_head(
    const struct exchange *exchange, bool is_last, char *out, size_t size);
/* The connection of an exchange not yet given to libmicrohttpd is closed. */
void exchange_abandon(struct exchange *exchange);
/* The client of a request that the engine has, or had, is gone. */
void exchange_cancel(struct exchange *exchange);

/* The callbacks of libmicrohttpd. */
enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *mhd,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **context);
void exchange_on_completed(void *cls, struct MHD_Connection *mhd,
    void **context, enum MHD_RequestTerminationCode code);

/* tls.c */

#define HTTP_TLS_N_OPTIONS 3
/* Options for libmicrohttpd.  Returns flags. */
unsigned http_tls_set_options(struct MHD_OptionItem out[HTTP_TLS_N_OPTIONS]);
/* libmicrohttpd has made a connection with a certificate: the handshake may
 * begin. */
void http_tls_begin(struct connection *connection);
/* There is an event on its socket. */
void http_tls_wake(struct connection *connection);
/* Call before stopping the cell. */
void http_tls_wake_all(struct cell *cell);
/* Whether a cell that has just run should run again. */
bool http_tls_wants_to_run(struct cell *cell);

/* http.c */

/* Queue the request's reply (its body is moved out), and log it.  is_last: the
 * connection closes after it. */
enum MHD_Result response_queue(
    struct connection *connection, struct request *request, bool is_last);

#endif
