/* command.h - what a command is: one const struct in one file each.
 *
 * Floor: api.  check functions: any thread, pure.  run: engine thread.
 */
#ifndef PEERPOST_API_COMMAND_H
#define PEERPOST_API_COMMAND_H

#include "api/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/world.h"

/* What a successful command answers; it is stored in this form, too, for a
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

/* A failure, or an answer without names in it, as a record (reply.h). */
#define COMMAND_SMALL_ANSWER ((size_t)256)

/* In whose name commands run. */
struct session {
	struct world *world;
	const struct request *request;
	struct bill *relay_bill;
	struct player *player; /* NULL: none (yet, or any more) */
	bool is_over;          /* unregistered: there will be none */
	size_t max_record;     /* with a key: what can be kept of the reply */
	char token[DIGEST_TOKEN_SIZE]; /* of a session registered just now */
};

struct command {
	const char *code;   /* "###!RP" */
	const char *path;   /* "/register" */
	const char *ok;     /* code of success; NULL: it has no reply */
	const char *failed; /* code of failure */
	bool is_register;   /* runs without a session, and only so */

	/* Look at call->data (which may be none) and set call->args.
	 * ERR_BAD_*: it does not have the shape that the command needs, and
	 * call->why says why not. */
	enum err (*check)(struct call *call);
	/* Take a body that is not JSON; false: it must be JSON. NULL: it
	 * always must. Sets call->err, and why, instead of returning it. */
	bool (*check_bare)(
	    struct call *call, struct span body, bool is_text_plain);
	/* How many bytes it may answer at most, beyond the few that any
	 * command may (COMMAND_SMALL_ANSWER).  NULL: none.  ERR_STORAGE. */
	enum err (*measure)(
	    struct session *session, const struct call *call, size_t *out);
	/* Do it.  player_evict() comes after it.  Any error but ERR_STORAGE
	 * means that nothing has changed (but for a join, which may have found
	 * the host gone).
	 * out is empty, of kind OUTCOME_NONE. */
	enum err (*run)(struct session *session, const struct call *call,
	    struct outcome *out);
	/* Make out the answer, after player_evict(), to a caller whose session
	 * goes on.  NULL: run() has.  Errors are those of run(). */
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

/* A check for commands that take nothing: no data, null, or "null". */
enum err command_check_nothing(struct call *call);

/* Make out the text "null", the answer of commands that have none. */
void command_answer_null(struct outcome *out);

#endif
