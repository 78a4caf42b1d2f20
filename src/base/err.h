/* err.h - every way in which a request can fail, in one table.
 *
 * Floor: base.  Any thread.
 *
 * Each row is: name, HTTP status, the stable word for programs ("error" in a
 * failure reply), the sentence for people, and the seconds of Retry-After
 * (0: the reply has none).  The words are part of the wire contract
 * (peerpost-protocol(7)): never change one, only add.
 *
 * Fallible functions return enum err and are MUST_CHECK; outputs are written
 * only on ERR_NONE.
 */
#ifndef PEERPOST_BASE_ERR_H
#define PEERPOST_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* clang-format off */
#define ERR_TABLE(X) \
	X(NONE,           200, "", "", 0) \
	X(BAD_REQUEST,    400, "bad-request", "This is not a valid HTTP request.", 0) \
	X(BAD_JSON,       400, "bad-json", "The body is not valid JSON.", 0) \
	X(BAD_NAME,       400, "bad-name", "A player name must be a string of 1 to 64 characters, without control characters.", 0) \
	X(BAD_DATA,       400, "bad-data", "The body is not in the form that this command takes.", 0) \
	X(BAD_CURSOR,     400, "bad-cursor", "after, wait, max and Last-Event-ID must be whole numbers from 0 to 9007199254740991.", 0) \
	X(BAD_KEY,        400, "bad-key", "An Idempotency-Key must have 1 to 64 printable characters; to register, at least 22 random ones.", 0) \
	X(NO_SESSION,     401, "no-session", "There is no such session. Register again.", 0) \
	X(NOT_HOST,       403, "not-host", "Only the host of the room may do this.", 0) \
	X(NOT_FOUND,      404, "not-found", "There is nothing at this path.", 0) \
	X(UNKNOWN_COMMAND, 404, "unknown-command", "There is no such command.", 0) \
	X(ROOM_NOT_FOUND, 404, "room-not-found", "There is no such room.", 0) \
	X(PEER_NOT_FOUND, 404, "peer-not-found", "There is no such peer in your room.", 0) \
	X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "This path does not allow this method.", 0) \
	X(NO_ROOM,        404, "not-in-room", "You are not in a room.", 0) \
	X(ALREADY_IN_ROOM, 409, "already-in-room", "You are already in a room. Leave it first.", 0) \
	X(ALREADY_REGISTERED, 409, "already-registered", "You are already registered.", 0) \
	X(NOT_IN_ROOM,    409, "not-in-room", "You are not in a room.", 0) \
	X(ROOM_SEALED,    409, "room-sealed", "The room is sealed.", 0) \
	X(ROOM_FULL,      409, "room-full", "The room is full.", 0) \
	X(MAILBOX_FULL,   409, "mailbox-full", "A recipient's mailbox is full. Try again in a moment.", 0) \
	X(OWN_MAILBOX_FULL, 409, "mailbox-full", "Your own mailbox is full. Acknowledge your events first; replies kept for an Idempotency-Key also count, for ten minutes.", 0) \
	X(TIMED_OUT,      410, "timed-out", "The session has ended.", 0) \
	X(TOO_LARGE,      413, "too-large", "The body is too large.", 0) \
	X(HEADERS_TOO_LARGE, 431, "too-large", "The header block is too large.", 0) \
	X(UNSUPPORTED_ENCODING, 415, "unsupported-encoding", "The body has a Content-Encoding, which this server does not support. Send it without one.", 0) \
	X(IDEMPOTENCY_MISMATCH, 422, "idempotency-mismatch", "This Idempotency-Key was used for another request.", 0) \
	X(RATE_LIMITED,   429, "rate-limited", "You have reached a rate limit. Wait a little.", 1) \
	X(UNKNOWN_METHOD, 501, "method-not-allowed", "This server does not support this method.", 0) \
	X(TOO_MANY_PLAYERS, 503, "too-many-players", "The server is full. Try again later.", 30) \
	X(TOO_MANY_ROOMS, 503, "too-many-rooms", "There are too many rooms. Try again later.", 30) \
	X(STORAGE,        503, "storage", "The server cannot store anything at the moment. Try again later.", 5) \
	X(DATABASE_FULL,  503, "storage", "The server's database is full at the moment. Try again later.", 5) \
	X(SHUTTING_DOWN,  503, "shutting-down", "The server is shutting down. Try again.", 1) \
	/* never sent to a client: */ \
	X(ABSENT,         500, "internal", "There is no such row.", 0) \
	X(TAKEN,          500, "internal", "This key is taken.", 0) \
	X(FATAL,          500, "internal", "The disk cannot be trusted any more.", 0)
/* clang-format on */

#define X(name, status, word, sentence, retry) ERR_##name,
enum err { ERR_TABLE(X) N_ERRS };
#undef X

/* HTTP status, stable word, sentence for people (static strings), and seconds
 * for Retry-After, of an error. */
unsigned err_status(enum err err);
const char *err_word(enum err err);
const char *err_sentence(enum err err);
unsigned err_retry_after(enum err err);

#endif
