/* settings.h - the operator's settings of the rules.
 *
 * Floor: core.  Engine thread.  The engine may replace the whole struct between
 * two batches (engine_change_settings()), so never keep anything from it.
 *
 * Times are milliseconds.  Where a comment says so, 0 turns something off.
 */
#ifndef PEERPOST_CORE_SETTINGS_H
#define PEERPOST_CORE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

/* The size and rate of a token bucket; if either is 0 there is no limit. */
struct rate {
	uint32_t per_s;
	uint32_t burst;
};

#define ICE_MAX_SERVERS 16
#define ICE_MAX_TURN_URIS 16

/* A server in the form that RTCPeerConnection takes; all texts are printable
 * ASCII. */
struct ice_server {
	const char *url;      /* RFC 7064, RFC 7065 */
	const char *username; /* NULL, as is credential: it needs none */
	const char *credential;
};

/* The STUN and TURN servers that clients get.  The texts are borrowed; code
 * that replaces the settings frees the old texts. */
struct ice_settings {
	/* The same for everybody. */
	struct ice_server servers[ICE_MAX_SERVERS];
	size_t n_servers;
	/* TURN servers for which each player gets its own credential. */
	const char *turn_uris[ICE_MAX_TURN_URIS];
	size_t n_turn_uris;
	const char *turn_secret; /* NULL: there are no turn_uris */
	uint64_t turn_ttl_s;
};

struct settings {
	int64_t player_timeout_ms; /* 0: never */
	int64_t lobby_timeout_ms;  /* 0: never */
	int64_t room_timeout_ms;   /* 0: never */
	int64_t sealed_linger_ms;  /* 0: never */

	int64_t poll_wait_ms;     /* if the client sends no wait */
	int64_t poll_wait_max_ms; /* the longest that a client gets */

	uint64_t max_mailbox_events; /* 0: no limit; also for all below */
	uint64_t max_mailbox_bytes;
	uint64_t max_room_members;
	uint64_t max_rooms;
	uint64_t max_players;
	uint64_t max_parked;
	uint64_t max_database; /* bytes */

	struct rate command_rate;  /* per player */
	struct rate poll_rate;     /* per player, of polls that acknowledge
	                           * nothing */
	struct rate relay_rate;    /* bytes, per player */
	struct rate register_rate; /* per address */

	struct ice_settings ice;
};

#endif
