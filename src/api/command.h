/* command.h - a command: one const struct.
 *
 * Floor: api.  check functions: any thread, pure.  run: engine thread.
 */
#ifndef PEERPOST_API_COMMAND_H
#define PEERPOST_API_COMMAND_H

#include "api/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/world.h"

/* The answer of a successful command.  It is also stored in this form, for a
 * repeated request (see reply.h): never change a value. */
enum outcome_kind {
	OUTCOME_NONE = 'N',   /* nothing: 204, or null in an array */
	OUTCOME_ECHO = 'E',   /* data = the data that was sent */
	OUTCOME_TEXT = 'T',   /* text = JSON of data, then extra members */
	OUTCOME_TOKEN = 'R',  /* the same, and the session's token after it */
	OUTCOME_FAILED = 'F', /* text = the whole reply */
};

struct outcome {
	enum outcome_kind kind;
	struct buf text;
};

/* The size of a failure, or of an answer without names, as a record (reply.h).
 */
#define COMMAND_SMALL_ANSWER ((size_t)256)

/* The session that commands run for. */
struct session {
	struct world *world;
	const struct request *request;
	struct bill *relay_bill;
	struct player *player;         /* NULL: none (yet), or ended */
	bool is_over;                  /* unregistered: no session follows */
	size_t max_record;             /* with a key: room to keep the reply */
	char token[DIGEST_TOKEN_SIZE]; /* of a session that has just been
	                                * registered */
};

struct command {
	const char *code;   /* "###!RP" */
	const char *path;   /* "/register" */
	const char *ok;     /* code of success; NULL: no reply */
	const char *failed; /* code of failure */
	bool is_register;   /* runs without a session, and only so */

	/* Check call->data (which may be absent) and set call->args.
	 * ERR_BAD_*: the command cannot take it, and call->why says why. */
	enum err (*check)(struct call *call);
	/* Accept a body that is not JSON.  false: it must be JSON.  NULL: it
	 * always must.  Sets call->err and call->why instead of returning an
	 * error. */
	bool (*check_bare)(
	    struct call *call, struct span body, bool is_text_plain);
	/* The most bytes that its answer may have beyond the few allowed to any
	 * command (COMMAND_SMALL_ANSWER).  NULL: none.  ERR_STORAGE. */
	enum err (*measure)(
	    struct session *session, const struct call *call, size_t *out);
	/* Run it; player_evict() is called afterwards.  Any error except
	 * ERR_STORAGE means that nothing has changed (except that a join may
	 * have evicted the host).
	 * out is empty, of kind OUTCOME_NONE. */
	enum err (*run)(struct session *session, const struct call *call,
	    struct outcome *out);
	/* Write the answer, after player_evict(), for a caller whose session
	 * goes on.  NULL: run() has written it.  Same errors as run(). */
	enum err (*answer)(struct session *session, const struct call *call,
	    struct outcome *out);
};

extern const struct command command_register;
extern const struct command command_create_room;
extern const struct command command_join_room;
extern const struct command command_seal_room;
extern const struct command command_message;
extern const struct command command_offer;
extern const struct command command_answer;
extern const struct command command_candidate;
extern const struct command command_leave_room;
extern const struct command command_unregister;

/* A check for commands without data: none, null, or "null". */
enum err command_check_nothing(struct call *call);

/* Write the text "null", the answer of commands that have nothing to say. */
void command_answer_null(struct outcome *out);

#endif
