/* world.h - everything that the engine thread has in memory.
 *
 * Floor: core.  Engine thread only.
 *
 * The store is the truth.  Memory holds two sorts of data, and every field of
 * the structs says which it is:
 *   cached   a copy of rows; can be dropped and read again at any time;
 *   memory   facts that only this process has (parked polls, clocks, buckets,
 *            the acknowledgement mark), which a restart may forget.
 *
 * When a transaction fails, all cached data is suspect: world_rolled_back()
 * raises `generation`, and data cached under an older one is read again when it
 * is next touched (player_find*()).
 */
#ifndef PEERPOST_CORE_WORLD_H
#define PEERPOST_CORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "core/limits.h"
#include "core/settings.h"
#include "store/store.h"

/* Why a session ended.  Stored: never change a number. */
enum end_reason {
	END_STOPPED_POLLING = 1,
	END_LEFT_IN_LOBBY = 2,
	END_MAILBOX_OVERFLOW = 3,
	END_UNREGISTERED = 4, /* not stored: there is nothing to explain */
	END_KICKED = 5,       /* by the operator */
	END_UNUSED = 6, /* gave its place to a newcomer; not stored either */
};

struct player {
	uint32_t id;                     /* constant */
	uint8_t token_hash[DIGEST_SIZE]; /* constant */

	/* Cached; valid while `generation` is the world's. */
	unsigned generation;
	bool has_mailbox;  /* last_id, bytes and reply_bytes have been read */
	struct room *room; /* NULL: in the lobby */
	uint64_t last_id;  /* greatest event id given out; 0: none */
	uint64_t bytes;    /* size of the events above `acked` */
	uint64_t reply_bytes; /* size of the remembered replies */

	/* Memory. */
	uint64_t acked;        /* all up to this id is acknowledged */
	uint64_t sent_id;      /* greatest id handed to the client */
	struct parked *parked; /* its one held poll, or NULL */
	struct bucket commands, polls, relays;
	int64_t polled_ms; /* presence clock: last poll ended, or registered */
	/* At late_ms (presence clock) the greatest id was late_id; until that
	 * is acknowledged, an event has been waiting since then. */
	uint64_t late_id;
	int64_t late_ms;
	int64_t seen_ms;        /* presence clock: last poll or request ended */
	int64_t lobby_since_ms; /* presence clock */
	enum end_reason end_reason; /* when is_removed */
	bool is_removed;            /* in this transaction, not yet committed */
	bool is_used; /* has made, or may have made, a request with its token */

	/* Nodes in the world's lists of these names. */
	struct list seen, lobby, unused, woken, evicted, added, removed, trim;
	UT_hash_handle hh_id, hh_token;
};

struct room {
	/* Cached. */
	int64_t id;
	char uuid[TEXT_UUID_SIZE];
	uint32_t host; /* player id */
	bool is_sealed;
	uint32_t *members; /* player ids in join order */
	size_t n_members, cap_members;

	/* Memory. */
	int64_t active_ms; /* presence clock: last command */
	int64_t sealed_ms; /* presence clock */

	struct list active, sealed;
	UT_hash_handle hh;
};

struct world {
	struct store *store;             /* borrowed */
	const struct settings *settings; /* borrowed */

	struct player *players_by_id, *players_by_token;
	struct room *rooms;
	unsigned generation;
	uint64_t n_players, n_rooms; /* rows in the store, including those of
	                              * this transaction */
	uint64_t n_players_committed, n_rooms_committed;

	/* Players, by the work that is due for them. */
	struct list woken;    /* have a parked poll, and mail */
	struct list evicted;  /* mailbox overflowed in the running command */
	struct list added;    /* registered in this transaction */
	struct list removed;  /* session ended in this transaction */
	struct list trim;     /* acknowledged events not yet deleted */
	struct list trimming; /* the same, deleted in this transaction */
	uint64_t n_acked;     /* events acknowledged since the last trim */

	/* Clocks (presence.h); each list has the oldest first. */
	struct list seen;   /* players without a parked poll */
	struct list lobby;  /* players in no room */
	struct list unused; /* players who have only registered */
	struct list active; /* rooms */
	struct list sealed; /* sealed rooms */
	int64_t start_ms;   /* presence clock */
	int64_t excess_ms;  /* time in which the daemon stood still */
	int64_t ticked_ms;  /* clock_running_ms() of the last tick */
	bool is_swept;      /* all have been loaded since the start */
	int64_t sweep_ms;   /* presence clock: earliest time of the next part */
	uint32_t swept_id;  /* up to this id */
	int64_t purge_s;    /* the store's: next purge of ended sessions */

	struct heap parked; /* by due time */
	/* The same, longest held first; [1]: of players in a room. */
	struct list parked_longest[2];

	struct address_buckets registers;
};

#endif
