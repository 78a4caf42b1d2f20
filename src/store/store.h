/* store.h - the store: sessions, rooms, mailboxes, remembered replies.
 *
 * Floor: store.  Engine thread only (opening: before it starts).
 *
 * An operations table, because SQLite need not stay the only backend: the
 * operations are the domain's, not SQL's.  A backend embeds struct store as
 * its first member.
 *
 * Everything happens between begin() and commit() or rollback(); reads may also
 * happen outside.  Any operation may return ERR_STORAGE (full disk, memory,
 * I/O: the backend has logged why).  Then the transaction is lost as a whole:
 * the caller must rollback() and may not go on with it.  ERR_FATAL comes from
 * commit() and watch() alone and means that the state of the disk is unknown (a
 * failed fsync), or that the files have been removed or replaced.  The backend
 * has logged which: acknowledge nothing, end the process.
 * ERR_ABSENT: there is no such row; the transaction can go on.
 *
 * Rows are plain structs, copied; texts passed in are borrowed for the call.
 */
#ifndef PEERPOST_STORE_STORE_H
#define PEERPOST_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "base/text.h"

#define STORE_NAME_SIZE 257 /* 64 code points of 4 bytes, and a NUL */

struct player_row {
	uint32_t id;                     /* 2 .. 2^31-1 */
	uint8_t token_hash[DIGEST_SIZE]; /* SHA-256 of the token */
	char name[STORE_NAME_SIZE];      /* UTF-8, NUL-terminated */
	int64_t room;                    /* 0: in the lobby */
	uint64_t trimmed_id; /* greatest event id ever trimmed; 0: none */
};

struct room_row {
	int64_t id; /* chosen by the store, > 0 */
	char uuid[TEXT_UUID_SIZE];
	uint32_t host; /* player id */
	bool sealed;
};

/* A remembered reply, for a request repeated with its key. */
struct reply_row {
	int64_t scope; /* the player's id, or 0: a key of /register */
	uint8_t key_hash[DIGEST_SIZE];
	uint32_t player; /* its owner; deleted with the player */
	uint8_t request_hash[DIGEST_SIZE];
	struct span body;  /* the part that cannot be rebuilt; when found, valid
	                    * until the next operation */
	int64_t created_s; /* of now_s() */
};

/* Delete the events of player up to and including id `upto`. */
struct trim {
	uint32_t player;
	uint64_t upto;
};

/* Called for each row; returns whether to go on.  Texts are valid only during
 * the call, which must not use the store. */
typedef bool (*store_event_fn)(
    void *cls, uint64_t id, int kind, struct span body);
typedef bool (*store_member_fn)(void *cls, uint32_t player, const char *name);
typedef bool (*store_room_fn)(void *cls, const struct room_row *room,
    const char *host_name, uint64_t n_members);

enum durability {
	DURABILITY_POWER,   /* every commit is fsynced */
	DURABILITY_PROCESS, /* survives a crash of the daemon */
};

/* Facts for the operator. */
struct store_status {
	const char *path;    /* absolute; lives as long as the store */
	uint64_t size_bytes; /* of the file */
	uint64_t log_bytes;  /* of its write-ahead log */
	uint64_t free_bytes; /* of their filesystem; UINT64_MAX: unknown */
	enum durability durability;
};

struct store {
	/* Roll back an open transaction, checkpoint, close and free. */
	void (*close)(struct store *store);

	/* Seconds by the database's own clock, which neither jumps nor goes
	 * back: it advances while a store is open, by the monotonic clock, and
	 * the next one that is opened continues from the last committed value.
	 * So it is never behind a stored time.  A commit stores it as well. */
	int64_t (*now_s)(struct store *store);

	enum err (*begin)(struct store *store);
	/* Whether this transaction has written anything so far. */
	bool (*has_written)(struct store *store);
	/* ERR_STORAGE: nothing of it is kept (rollback() must still be called).
	 */
	enum err (*commit)(struct store *store);
	void (*rollback)(struct store *store);
	/* Write, commit and undo something tiny, outside a transaction, to find
	 * out whether the store can write again and has room. */
	enum err (*probe)(struct store *store);
	/* Check that the files are still those that were opened; for use
	 * between commits, which check it themselves.  Updates the metric of
	 * the bytes in use.  ERR_FATAL: they are not. */
	enum err (*watch)(struct store *store);
	/* Whether the transaction may store this many more bytes, give or take
	 * a few pages.  ERR_DATABASE_FULL: no, max_bytes (0: no bound) would be
	 * in use, or the disk is full; nothing has changed, and deleting is
	 * still possible.  Deleted bytes no longer count, at once. */
	enum err (*check_space)(
	    struct store *store, uint64_t bytes, uint64_t max_bytes);
	/* Housekeeping while idle: give back some unused pages of the file;
	 * checkpoint and truncate the WAL if it is long enough.  Takes some
	 * milliseconds, and returns whether there is more to do.  Call outside
	 * a transaction. */
	bool (*tidy)(struct store *store);
	void (*status)(struct store *store, struct store_status *out);

	/* A copy of everything that has been committed, made in steps between
	 * transactions, which may go on meanwhile: their writes are in it, too.
	 * It has no name, so it disappears with its last descriptor.  One at a
	 * time.  On ERR_STORAGE there is no copy (any more), and out_why has
	 * one sentence without a full stop; the store itself is not affected.
	 *
	 * backup_step() copies up to n_pages pages.  When the copy is whole,
	 * *out_fd is its descriptor, which the caller closes; else -1. */
	enum err (*backup_begin)(
	    struct store *store, char *out_why, size_t why_size);
	enum err (*backup_step)(struct store *store, int n_pages, int *out_fd,
	    char *out_why, size_t why_size);
	/* Give up the copy.  Without one, nothing happens. */
	void (*backup_abort)(struct store *store);

	/* The database's own secret, made when it was created. */
	enum err (*secret)(struct store *store, uint8_t out[DIGEST_SIZE]);
	enum err (*count_players)(struct store *store, uint64_t *out);
	enum err (*count_rooms)(struct store *store, uint64_t *out);

	/* Add a player to the lobby (room and trimmed_id of row are ignored).
	 * ERR_TAKEN: the id is in use; the transaction goes on. */
	enum err (*player_insert)(
	    struct store *store, const struct player_row *row);
	enum err (*player_by_token)(struct store *store,
	    const uint8_t token_hash[DIGEST_SIZE], struct player_row *out);
	enum err (*player_by_id)(
	    struct store *store, uint32_t id, struct player_row *out);
	/* Up to max ids greater than `after`, ascending. */
	enum err (*players_after)(struct store *store, uint32_t after,
	    size_t max, uint32_t *out_ids, size_t *out_n);
	/* room 0: back to the lobby.  Otherwise the player becomes the last
	 * member in join order. */
	enum err (*player_set_room)(
	    struct store *store, uint32_t id, int64_t room);
	/* Delete the player, its events and its remembered replies.  It must be
	 * in no room, and a room that it hosted must be gone. */
	enum err (*player_delete)(struct store *store, uint32_t id);

	/* Add a room without members; writes its id. */
	enum err (*room_insert)(struct store *store, const char *uuid,
	    uint32_t host, int64_t *out_id);
	enum err (*room_by_uuid)(
	    struct store *store, const char *uuid, struct room_row *out);
	enum err (*room_by_id)(
	    struct store *store, int64_t id, struct room_row *out);
	enum err (*room_seal)(struct store *store, int64_t id);
	/* The room must have no members any more. */
	enum err (*room_delete)(struct store *store, int64_t id);
	/* Up to max rooms with ids greater than `after`, ascending. */
	enum err (*rooms_after)(struct store *store, int64_t after, size_t max,
	    store_room_fn fn, void *cls);
	/* Its members in join order. */
	enum err (*room_members)(
	    struct store *store, int64_t id, store_member_fn fn, void *cls);

	/* Add a message that n_events events will share (n_events >= 1). */
	enum err (*message_insert)(struct store *store, int kind,
	    struct span body, uint32_t n_events, int64_t *out_id);
	/* Put message into the mailbox of player as event `id`, which the
	 * caller counts; size_bytes is the length of the message's body. */
	enum err (*event_append)(struct store *store, uint32_t player,
	    uint64_t id, int64_t message, uint64_t size_bytes);
	/* The events of player above `after`, ascending. */
	enum err (*events_after)(struct store *store, uint32_t player,
	    uint64_t after, store_event_fn fn, void *cls);
	/* The sum of the sizes of the events of player above `after`. */
	enum err (*events_bytes)(struct store *store, uint32_t player,
	    uint64_t after, uint64_t *out);
	/* The greatest event id that player ever had, trimmed ones too. */
	enum err (*events_last_id)(
	    struct store *store, uint32_t player, uint64_t *out);
	/* Delete acknowledged events, and the messages that no other event
	 * shares.  Ids are never given out again.  The trim of a player that is
	 * gone does nothing. */
	enum err (*events_trim)(
	    struct store *store, const struct trim *trims, size_t n);

	/* Remember why a session ended (a code of the caller's), and when, by
	 * now_s(). */
	enum err (*ended_insert)(struct store *store,
	    const uint8_t token_hash[DIGEST_SIZE], int reason, int64_t at_s);
	/* Only if it ended at or after since_s. */
	enum err (*ended_by_token)(struct store *store,
	    const uint8_t token_hash[DIGEST_SIZE], int64_t since_s,
	    int *out_reason);
	/* Forget the sessions that ended before before_s, and all except the
	 * max newest. */
	enum err (*ended_purge)(
	    struct store *store, int64_t before_s, uint64_t max);

	enum err (*reply_insert)(
	    struct store *store, const struct reply_row *row);
	/* Forget replies of player beyond the max newest and those created
	 * before before_s.  *out: the sum of their sizes. */
	enum err (*replies_forget)(struct store *store, uint32_t player,
	    int64_t before_s, uint64_t max, uint64_t *out);
	/* The sum of the sizes of the player's remembered replies. */
	enum err (*replies_bytes)(
	    struct store *store, uint32_t player, uint64_t *out);
	enum err (*reply_find)(struct store *store, int64_t scope,
	    const uint8_t key_hash[DIGEST_SIZE], struct reply_row *out);
};

/* Open (or create, or bring up to date) the SQLite database at path.
 * On failure returns NULL, having written one sentence without a full stop,
 * which begins with path, to out_why: the file is in use by another process
 * (after trying for about 5 s), is not a Peerpost database, is of a newer
 * version, is corrupt, cannot be opened.  A file that is refused is not changed
 * in any byte.  A process must not open the same file twice: the locks would
 * not prevent it. */
struct store *sqlite_open(const char *path, enum durability durability,
    char *out_why, size_t why_size);

#endif
