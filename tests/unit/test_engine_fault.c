/* test_engine_fault.c - whichever operation of the store fails, nothing is
 * half done.
 *
 * A scenario is played with the Nth operation failing, for every N, until one
 * play meets no failure any more.  A request that meets it alone is answered
 * 503 and asked again, either of the same engine or of one that has been
 * started anew on the same database; one in company is run again by the
 * engine itself, and nobody sees a failure.  Each time all replies and all that is in the
 * database must be what they are in a play where nothing fails: a 503 has left
 * nothing behind, and what was acknowledged is there.
 */
#include "tests/unit/engine_fixture.h"

#define N_STEPS 19
#define MAX_TEXT 2048

enum manner { ASK_AGAIN, START_ANEW, IN_COMPANY };

/* One play. */
struct play {
	struct fixture *f;
	enum manner manner;
	struct user ann, bob;
	char uuid[TEXT_UUID_SIZE];
	uint64_t ann_next, bob_next; /* their cursors */
	unsigned n_failures;
	char replies[N_STEPS][MAX_TEXT];
	char states[N_STEPS][MAX_TEXT]; /* of the database, after each step */
	size_t step;
};

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

static void
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

/* ---- what is in the database ---- */

struct dump {
	char *text;
	size_t len;
	uint64_t next_id; /* that the next event must have */
};

static void dump_add(struct dump *dump, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
dump_add(struct dump *dump, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	dump->len += (size_t)vsnprintf(
	    dump->text + dump->len, MAX_TEXT - dump->len, format, args);
	va_end(args);
	assert_true(dump->len < MAX_TEXT);
}

static bool
on_event(void *cls, uint64_t id, int kind, struct span body)
{
	struct dump *dump = cls;

	assert_int_equal(id, dump->next_id++);
	dump_add(dump, " %d:%.*s", kind, (int)body.len, body.at);
	return true;
}

static bool
on_member(void *cls, uint32_t player, const char *name)
{
	dump_add(cls, " %u=%s", player, name);
	return true;
}

/* The player, its room, and its mail above the client's cursor. */
static void
dump_player(
    struct store *store, struct dump *dump, uint32_t id, uint64_t cursor)
{
	struct player_row player;
	struct room_row room;
	uint64_t head;
	enum err err = store->player_by_id(store, id, &player);

	if (err == ERR_ABSENT)
		return;
	OK(err);
	OK(store->events_head(store, id, &head));
	dump_add(dump, "\n%u %s head %llu:", id, player.name,
	    (unsigned long long)head);
	assert_true(cursor <= head);
	dump->next_id = cursor + 1;
	OK(store->events_after(store, id, cursor, on_event, dump));
	assert_int_equal(dump->next_id, head + 1);
	if (player.room == 0)
		return;
	OK(store->room_by_id(store, player.room, &room));
	dump_add(dump, "\n  in %s host %u%s:", room.uuid, room.host,
	    room.sealed ? " sealed" : "");
	OK(store->room_members(store, player.room, on_member, dump));
}

/* Look into the database of a stopped engine. */
static void
dump_state(struct play *play, char text[MAX_TEXT])
{
	struct store *store = scratch_open(&play->f->scratch);
	struct dump dump = { .text = text };
	uint64_t n_players, n_rooms;

	OK(store->count_players(store, &n_players));
	OK(store->count_rooms(store, &n_rooms));
	dump_add(&dump, "%llu players, %llu rooms",
	    (unsigned long long)n_players, (unsigned long long)n_rooms);
	dump_player(store, &dump, play->ann.id, play->ann_next);
	dump_player(store, &dump, play->bob.id, play->bob_next);
	store->close(store);
	normalise(play, text);
}

/* ---- asking ---- */

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

/* ---- the scenario ---- */

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

static void (*const steps[N_STEPS])(struct play *play) = {
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

/* ---- playing ---- */

static void
begin_play(struct play *play, struct fixture *f)
{
	*play = (struct play){ .f = f };
	stop_engine(f);
	forget_exchanges(f);
	scratch_empty(&f->scratch);
	start_engine(f);
}

/* Play with no failure, but start anew after each step, and look. */
static void
play_undisturbed(struct fixture *f, struct play *play)
{
	begin_play(play, f);
	for (play->step = 0; play->step < N_STEPS; play->step++) {
		steps[play->step](play);
		normalise(play, play->replies[play->step]);
		stop_engine(f);
		forget_exchanges(f);
		dump_state(play, play->states[play->step]);
		start_engine(f);
	}
	assert_int_equal(play->n_failures, 0);
}

/* Play with the Nth operation failing.  false: there are not so many. */
static bool
play_disturbed(
    struct fixture *f, const struct play *model, long nth, enum manner manner)
{
	static struct play play;
	char state[MAX_TEXT];
	bool is_met;

	begin_play(&play, f);
	play.manner = manner;
	atomic_store(&f->store->ops_left, nth);
	for (play.step = 0; play.step < N_STEPS; play.step++) {
		unsigned n_failures = play.n_failures;

		steps[play.step](&play);
		normalise(&play, play.replies[play.step]);
		if (strcmp(play.replies[play.step],
			model->replies[play.step]) != 0)
			fail_msg("operation %ld, step %zu: %s\nnot %s", nth,
			    play.step, play.replies[play.step],
			    model->replies[play.step]);
		if (play.n_failures == n_failures)
			continue;
		/* The failure has just been met. */
		if (manner == START_ANEW) {
			stop_engine(f);
			dump_state(&play, state);
			assert_string_equal(state, model->states[play.step]);
			forget_exchanges(f);
			start_engine(f);
		}
	}
	/* A store that has been opened since has no failure to come. */
	is_met = atomic_load(&f->store->ops_left) < 0;
	stop_engine(f);
	dump_state(&play, state);
	assert_string_equal(state, model->states[N_STEPS - 1]);
	return is_met;
}

static void
play_all(struct fixture *f, enum manner manner)
{
	static struct play model;
	long nth = 0;

	play_undisturbed(f, &model);
	while (play_disturbed(f, &model, nth, manner))
		nth++;
	assert_true(nth > 100);
}

static void
test_whichever_operation_fails_the_engine_goes_on(void **state)
{
	play_all(*state, ASK_AGAIN);
}

static void
test_whichever_operation_fails_the_database_is_whole(void **state)
{
	play_all(*state, START_ANEW);
}

static void
test_whichever_operation_fails_once_a_batch_does_not_show_it(void **state)
{
	play_all(*state, IN_COMPANY);
}

/* The scenario itself does what it is for. */
static void
test_the_scenario_sees_events_rooms_and_replays(void **state)
{
	static struct play play;

	play_undisturbed(*state, &play);
	assert_string_equal(play.replies[0],
	    "200 {\"command\":\"###!RPK\",\"data\":ANN,\"token\":\"TA\"}");
	assert_string_equal(
	    play.states[0], "1 players, 0 rooms\nANN Ann head 0:");
	assert_string_equal(play.states[3],
	    "2 players, 1 rooms\n"
	    "ANN Ann head 2: 1:1 2:BOB\n"
	    "  in UUID host ANN: ANN=Ann BOB=Bob\n"
	    "BOB Bob head 2: 1:BOB 2:1\n"
	    "  in UUID host ANN: ANN=Ann BOB=Bob");
	assert_string_equal(play.replies[5],
	    "200 {\"events\":[{\"id\":3,\"command\":\"###!OOO\","
	    "\"data\":{\"rtc\": 1.50, \"id\":1 }}],\"next\":3}");
	assert_string_equal(play.replies[7],
	    "200 replay {\"command\":\"###!CRK\",\"data\":\"UUID\",\"id\":1}");
	assert_string_equal(play.replies[8],
	    "200 replay "
	    "{\"command\":\"###!RPK\",\"data\":ANN,\"token\":\"TA\"}");
	assert_string_equal(play.states[12], play.states[11]);
	assert_string_equal(
	    play.states[18], "1 players, 0 rooms\nBOB Bob head 11:");
}

static int
set_up_group(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_scenario_sees_events_rooms_and_replays),
		TEST(test_whichever_operation_fails_the_engine_goes_on),
		TEST(test_whichever_operation_fails_the_database_is_whole),
		TEST(
		    test_whichever_operation_fails_once_a_batch_does_not_show_it),
	};

	return cmocka_run_group_tests_name(
	    "engine faults", tests, set_up_group, NULL);
}
