/* settings.h - what an operator can set about the rules of the game.
 *
 * Floor: core.  The engine thread's; between two batches the engine may replace
 * all of it (engine_change_settings()), so nothing may be kept of it.
 *
 * Times are milliseconds.  Where a comment says so, 0 switches a thing off.
 */
#ifndef PEERPOST_CORE_SETTINGS_H
#define PEERPOST_CORE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

/* A token bucket's measures; either 0: no limit. */
struct rate {
	uint32_t per_s;
	uint32_t burst;
};

#define ICE_MAX_SERVERS 16
#define ICE_MAX_TURN_URIS 16

/* A server as RTCPeerConnection takes it; all texts are printable ASCII. */
struct ice_server {
	const char *url;      /* RFC 7064, RFC 7065 */
	const char *username; /* NULL, and so is credential: it needs none */
	const char *credential;
};

/* Which STUN and TURN servers clients are told of.  The texts are borrowed; who
 * replaces the settings frees those of the ones before. */
struct ice_settings {
	/* The same for everybody. */
	struct ice_server servers[ICE_MAX_SERVERS];
	size_t n_servers;
	/* TURN servers for which each player gets a credential of its own. */
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

	int64_t poll_wait_ms;     /* hold when the client does not say */
	int64_t poll_wait_max_ms; /* longest hold, whatever the client says */

	uint64_t max_mailbox_events; /* 0: no limit; so all below */
	uint64_t max_mailbox_bytes;
	uint64_t max_room_members;
	uint64_t max_rooms;
	uint64_t max_players;
	uint64_t max_parked;
	uint64_t max_database; /* bytes */

	struct rate command_rate; /* per player */
	struct rate poll_rate;    /* per player, of what acknowledges nothing */
	struct rate relay_rate;   /* bytes, per player */
	struct rate register_rate; /* per address */

	struct ice_settings ice;
};

#endif
