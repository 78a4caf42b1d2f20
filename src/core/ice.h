/* ice.h - which STUN and TURN servers clients are told of.
 *
 * Floor: core.  A part of struct settings.  The texts are borrowed; who
 * replaces the settings frees those of the ones before.
 */
#ifndef PEERPOST_CORE_ICE_H
#define PEERPOST_CORE_ICE_H

#include <stddef.h>
#include <stdint.h>

#define ICE_MAX_SERVERS 16
#define ICE_MAX_TURN_URIS 16

/* A server as RTCPeerConnection takes it; all texts are printable ASCII. */
struct ice_server {
	const char *url;      /* RFC 7064, RFC 7065 */
	const char *username; /* NULL, and so is credential: it needs none */
	const char *credential;
};

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

#endif
