/* contender.h - the servers that do the same work, each in its own words.
 *
 * A contender starts its server, brings players into rooms, and writes the
 * requests that relay something; crowd.c and the scenarios know nothing of
 * protocols.  What is relayed is the same bytes everywhere: a payload of
 * payload.h.
 */
#ifndef PEERPOST_BENCH_CONTENDER_H
#define PEERPOST_BENCH_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "bench/client.h"
#include "bench/process.h"

/* A player as the load generator sees it. */
struct peer {
	uint32_t index; /* 0, 1, 2 ... */
	uint32_t room;  /* the same, of rooms */
	uint32_t seat;  /* 0: the host */
	uint32_t id;    /* what the server calls it */
	uint64_t cursor;
	char token[48];
	char uuid[TEXT_UUID_SIZE]; /* of its room */
	char since[40], etag[24];  /* nchan's cursor */
	bool hears_room;   /* for those that have a channel for each room */
	bool default_hold; /* polls are not to be held for longer */
};

/* What is relayed: one JSON object or many. */
struct payload {
	struct span items[16];
	size_t n;
};

struct server {
	const struct contender *contender;
	char folder[256]; /* for its files */
	uint16_t port;
	struct processes processes;
};

enum contender_can {
	CAN_RELAY = 1 << 0,
	CAN_ROOMS = 1 << 1,   /* create, join, leave: real ones */
	CAN_RESTART = 1 << 2, /* and keep what it had */
	IS_OURS = 1 << 3,
};

struct contender {
	const char *name;
	unsigned can; /* enum contender_can */
	/* Why it cannot be run here, or NULL. */
	const char *(*missing)(const struct contender *contender);
	/* Start its processes, on server->port, with files in server->folder. */
	bool (*start)(struct server *server);
	int stop_signal;

	/* Set up peers, in rooms of room_size, and hold no polls yet. false:
	 * the server would not (said on stderr). */
	bool (*set_up)(struct server *server, struct peer *peers, uint32_t n,
	    uint32_t room_size);
	/* Write a whole HTTP request: the next poll of a peer; something
	 * relayed to one peer; something to everybody in the room. */
	void (*write_poll)(const struct peer *peer, struct buf *out);
	void (*write_relay)(const struct peer *from, const struct peer *to,
	    const struct payload *payload, struct buf *out);
	void (*write_message)(const struct peer *from, uint32_t room_size,
	    const struct payload *payload, struct buf *out);
	/* Note the cursor that a poll's answer brings. */
	void (*read_answer)(struct peer *peer, const struct response *response);

	const char *variant; /* for the functions above */
};

/* All of them, in the order of the tables; ends with NULL. */
extern const struct contender *const contenders[];
extern const struct contender contender_power, contender_process,
    contender_loops, contender_nginx, contender_fastcgi, contender_bare,
    contender_nchan, contender_nchan_redis;

/* contender_peerpost.c: take the id, token and UUID out of the reply to an
 * array of register and create (seat 0) or join.  false: it has failed. */
bool peerpost_read_reply(struct peer *peer, const struct response *response);

/* The programs under test; set by main.c. */
extern const char *peerpostd_path, *bare_path;

/* Start a fresh server of a contender in a folder of its own under folder.
 * false: it does not come up (said on stderr). */
bool server_start(struct server *server, const struct contender *contender,
    const char *folder);
/* Start it again on what it has. */
bool server_restart(struct server *server);
/* End it; its files stay. */
void server_stop(struct server *server);
/* Say on stderr that the server has failed in something. */
void server_complain(const struct server *server, const char *what);
/* The same, of what it has answered; NULL: it has hung up. */
void server_complain_of(const struct server *server, const char *what,
    const struct response *response);

/* Write a request with a body to out. fields: further header lines, each with
 * its line end. */
void write_post(
    struct buf *out, const char *target, const char *fields, struct span body);
/* The same whose body is what the payload holds, one after the other. */
void write_post_payload(
    struct buf *out, const char *target, const struct payload *payload);
/* The program's path, or NULL: it is not installed. */
const char *find_program(const char *name);

#endif
