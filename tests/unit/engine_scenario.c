/* engine_scenario.c - two players and every command, with replays. */
#include "tests/unit/engine_scenario.h"

/* Replace what differs from play to play. */
static void
replace(char *text, const char *old, const char *new)
{
	char *at;

	if (old[0] == '\0')
		return;
	while ((at = strstr(text, old)) != NULL) {
		memmove(at + strlen(new), at + strlen(old),
		    strlen(at + strlen(old)) + 1);
		memcpy(at, new, strlen(new));
	}
}

void
normalise(const struct play *play, char *text)
{
	char digits[16];

	replace(text, play->ann.token, "TA");
	replace(text, play->bob.token, "TB");
	replace(text, play->uuid, "UUID");
	snprintf(digits, sizeof(digits), "%u", play->ann.id);
	replace(text, play->ann.id ? digits : "", "ANN");
	snprintf(digits, sizeof(digits), "%u", play->bob.id);
	replace(text, play->bob.id ? digits : "", "BOB");
}

static void
start_anew(struct play *play)
{
	stop_engine(play->f);
	forget_exchanges(play->f);
	start_engine(play->f);
}

/* Whether the request met the failure.  If so, the client may ask again. */
static bool
has_failed(struct play *play, const struct exchange *e)
{
	if (e->request->reply.status != 503)
		return false;
	assert_failed(e, ERR_STORAGE);
	assert_true(e->request->reply.retry_after_s > 0);
	assert_int_equal(++play->n_failures, 1);
	return true;
}

/* In company: a stranger's request comes in the same batch. */
static const struct exchange *
ask_once(struct play *play, struct question q)
{
	if (play->manner == IN_COMPANY)
		submit(play->f, (struct question){ .target = "/room" });
	return ask(play->f, q);
}

/* Ask, and ask again after the failure. */
static const struct exchange *
say(struct play *play, struct question q)
{
	const struct exchange *e = ask_once(play, q);

	if (has_failed(play, e)) {
		assert_int_not_equal(play->manner, IN_COMPANY);
		if (play->manner == START_ANEW)
			start_anew(play);
		e = ask(play->f, q);
		assert_int_not_equal(e->request->reply.status, 503);
	}
	return e;
}

/* Keep the reply as that of this step. */
static void
note(struct play *play, const struct exchange *e)
{
	const struct reply *reply = &e->request->reply;
	char *text = play->replies[play->step];
	int len = snprintf(text, MAX_TEXT, "%u%s %.*s", reply->status,
	    reply->is_replay ? " replay" : "", (int)reply->body.len,
	    reply->body.data);

	assert_in_range(len, 1, MAX_TEXT - 1);
}

static void
say_and_note(struct play *play, struct question q)
{
	note(play, say(play, q));
}

static void
take_cursor(struct play *play, uint64_t *cursor)
{
	const char *at = strstr(play->replies[play->step], "\"next\":");
	uint64_t next;

	assert_non_null(at);
	next = strtoull(at + strlen("\"next\":"), NULL, 10);
	assert_true(next >= *cursor);
	*cursor = next;
}

static struct question
poll_of(const struct user *user, uint64_t after, const char *more)
{
	static char target[64];

	snprintf(target, sizeof(target), "/events?after=%llu%s",
	    (unsigned long long)after, more);
	return get_of(user, target);
}

static struct question
keyed(struct question q, const char *key)
{
	q.key = key;
	return q;
}

#define REGISTER_KEY "key-of-Ann-0123456789abcdef"

static struct question
register_ann(void)
{
	return (struct question){ .method = METHOD_POST,
		.target = "/register",
		.body = "\"Ann\"",
		.key = REGISTER_KEY };
}

static void
step_register(struct play *play)
{
	const struct exchange *e = say(play, register_ann());

	read_user(e, &play->ann);
	note(play, e);
}

static void
step_register_bob(struct play *play)
{
	const struct exchange *e = say(play,
	    (struct question){ .method = METHOD_POST,
		.target = "/register",
		.body = "Bob",
		.is_text_plain = true });

	read_user(e, &play->bob);
	note(play, e);
}

static void
step_create(struct play *play)
{
	const struct exchange *e = say(
	    play, keyed(post_of(&play->ann, "/create-room", NULL), "k1"));

	read_uuid(e, play->uuid);
	note(play, e);
}

static void
step_join(struct play *play)
{
	say_and_note(play, post_of(&play->bob, "/join-room", play->uuid));
}

static void
step_poll_bob(struct play *play)
{
	say_and_note(play, poll_of(&play->bob, play->bob_next, "&wait=0"));
	take_cursor(play, &play->bob_next);
}

static void
step_poll_ann(struct play *play)
{
	say_and_note(play, poll_of(&play->ann, play->ann_next, "&wait=0"));
	take_cursor(play, &play->ann_next);
}

/* A poll of Bob's that is held. */
static const struct exchange *
hold_poll(struct play *play)
{
	const struct question q = poll_of(&play->bob, play->bob_next, "");
	const struct exchange *e = submit(play->f, q);

	settle(play->f);
	if (e->n_back) {
		assert_true(has_failed(play, e));
		if (play->manner == START_ANEW)
			start_anew(play);
		e = submit(play->f, q);
		settle(play->f);
		assert_int_equal(e->n_back, 0);
	}
	return e;
}

/* Ann's offer wakes Bob's poll.  Either may fail; what the poll does not
 * bring then, the next one does. */
static void
step_wake(struct play *play)
{
	const struct exchange *poll = hold_poll(play), *offer;
	struct question q = post_of(&play->ann, "/offer", NULL);
	char body[64];

	snprintf(
	    body, sizeof(body), "{\"rtc\": 1.50, \"id\":%u }", play->bob.id);
	q.body = body;
	offer = ask_once(play, q);
	if (has_failed(play, offer)) {
		assert_int_not_equal(play->manner, IN_COMPANY);
		assert_int_equal(poll->n_back, 0);
		if (play->manner == START_ANEW) {
			start_anew(play);
			poll = hold_poll(play);
		}
		offer = ask(play->f, q);
	}
	assert_int_equal(offer->request->reply.status, 204);
	wait_for(play->f, &poll->n_back);
	if (has_failed(play, poll)) {
		if (play->manner == START_ANEW)
			start_anew(play);
		step_poll_bob(play);
		return;
	}
	note(play, poll);
	take_cursor(play, &play->bob_next);
}

static void
step_message(struct play *play)
{
	say_and_note(play, post_of(&play->bob, "/message", "[ \"hi\" ]"));
}

static void
step_array(struct play *play)
{
	struct question q = post_of(&play->ann, "/command", NULL);
	char body[512];

	snprintf(body, sizeof(body),
	    "[{\"command\":\"###!CC\",\"data\":{\"id\":%u,\"c\":1}},"
	    "{\"command\":\"###!SM\",\"data\":1},{\"command\":\"x\"},"
	    "{\"command\":\"###!SR\"},{\"command\":\"###!CR\"},"
	    "{\"command\":\"###!SM\",\"data\":2}]",
	    play->bob.id);
	q.body = body;
	say_and_note(play, q);
}

static void
step_keyed_array(struct play *play)
{
	say_and_note(play,
	    keyed(post_of(&play->ann, "/command",
		      "[{\"command\":\"###!SM\",\"data\":3},"
		      "{\"command\":\"###!SM\",\"data\":4}]"),
		"k2"));
}

/* With mail, and a cursor that acknowledges. */
static void
step_wrapped(struct play *play)
{
	struct question q = post_of(&play->bob, "/command", NULL);
	char body[256];

	snprintf(body, sizeof(body),
	    "{\"commands\":[{\"command\":\"###!SM\",\"data\":\"w\"},"
	    "{\"command\":\"###!AA\",\"data\":{\"id\":1}}],\"after\":%llu}",
	    (unsigned long long)play->bob_next);
	q.body = body;
	say_and_note(play, q);
	take_cursor(play, &play->bob_next);
}

static void
step_leave(struct play *play)
{
	say_and_note(
	    play, keyed(post_of(&play->bob, "/leave-room", NULL), "k3"));
}

static void
step_room(struct play *play)
{
	say_and_note(play, get_of(&play->ann, "/room"));
}

static void
step_unregister(struct play *play)
{
	say_and_note(play, post_of(&play->ann, "/unregister", NULL));
}

void (*const steps[N_STEPS])(struct play *play) = {
	step_register,
	step_register_bob,
	step_create,
	step_join,
	step_poll_bob,
	step_wake,
	step_message,
	step_create,   /* replayed */
	step_register, /* replayed: the same token */
	step_array,
	step_poll_ann,
	step_keyed_array,
	step_keyed_array, /* replayed */
	step_wrapped,
	step_leave,
	step_leave, /* replayed */
	step_room,
	step_unregister,
	step_poll_bob,
};
