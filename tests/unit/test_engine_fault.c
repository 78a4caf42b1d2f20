/* test_engine_fault.c - whichever operation of the store fails, nothing is
 * half done.
 *
 * A scenario is played with the Nth operation failing, for every N, until one
 * play meets no failure any more.  A request that meets it alone is answered
 * 503 and asked again, either of the same engine or of one that has been
 * started anew on the same database; one in company is run again by the
 * engine itself, and nobody sees a failure.  Each time all replies, and all
 * that is in the database, must be what they are in a play where nothing
 * fails: a 503 has left nothing behind, and what was acknowledged is there.
 */
#include "tests/unit/engine_scenario.h"

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
	uint64_t last_id;
	enum err err = store->player_by_id(store, id, &player);

	if (err == ERR_ABSENT)
		return;
	OK(err);
	OK(store->events_last_id(store, id, &last_id));
	dump_add(dump, "\n%u %s last %llu:", id, player.name,
	    (unsigned long long)last_id);
	assert_true(cursor <= last_id);
	dump->next_id = cursor + 1;
	OK(store->events_after(store, id, cursor, on_event, dump));
	assert_int_equal(dump->next_id, last_id + 1);
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
	    play.states[0], "1 players, 0 rooms\nANN Ann last 0:");
	assert_string_equal(play.states[3],
	    "2 players, 1 rooms\n"
	    "ANN Ann last 2: 1:1 2:BOB\n"
	    "  in UUID host ANN: ANN=Ann BOB=Bob\n"
	    "BOB Bob last 2: 1:BOB 2:1\n"
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
	    play.states[18], "1 players, 0 rooms\nBOB Bob last 11:");
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
