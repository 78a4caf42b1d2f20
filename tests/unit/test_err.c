/* test_err.c - the table of errors is the one of peerpost-protocol(7).
 *
 * The words and statuses stand here a second time on purpose: they are part
 * of the wire contract, and a change of the table must not go unseen.
 */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	enum err err;
	unsigned status;
	const char *word;
} contract[] = {
	{ ERR_BAD_REQUEST, 400, "bad-request" },
	{ ERR_BAD_JSON, 400, "bad-json" },
	{ ERR_BAD_NAME, 400, "bad-name" },
	{ ERR_BAD_DATA, 400, "bad-data" },
	{ ERR_BAD_CURSOR, 400, "bad-cursor" },
	{ ERR_BAD_KEY, 400, "bad-key" },
	{ ERR_NO_SESSION, 401, "no-session" },
	{ ERR_NOT_HOST, 403, "not-host" },
	{ ERR_NOT_FOUND, 404, "not-found" },
	{ ERR_UNKNOWN_COMMAND, 404, "unknown-command" },
	{ ERR_ROOM_NOT_FOUND, 404, "room-not-found" },
	{ ERR_PEER_NOT_FOUND, 404, "peer-not-found" },
	{ ERR_METHOD_NOT_ALLOWED, 405, "method-not-allowed" },
	{ ERR_ALREADY_IN_ROOM, 409, "already-in-room" },
	{ ERR_ALREADY_REGISTERED, 409, "already-registered" },
	{ ERR_NOT_IN_ROOM, 409, "not-in-room" },
	{ ERR_NO_ROOM, 404, "not-in-room" },
	{ ERR_ROOM_SEALED, 409, "room-sealed" },
	{ ERR_ROOM_FULL, 409, "room-full" },
	{ ERR_MAILBOX_FULL, 409, "mailbox-full" },
	{ ERR_OWN_MAILBOX_FULL, 409, "mailbox-full" },
	{ ERR_TIMED_OUT, 410, "timed-out" },
	{ ERR_TOO_LARGE, 413, "too-large" },
	{ ERR_HEADERS_TOO_LARGE, 431, "too-large" },
	{ ERR_UNSUPPORTED_ENCODING, 415, "unsupported-encoding" },
	{ ERR_IDEMPOTENCY_MISMATCH, 422, "idempotency-mismatch" },
	{ ERR_RATE_LIMITED, 429, "rate-limited" },
	{ ERR_UNKNOWN_METHOD, 501, "method-not-allowed" },
	{ ERR_TOO_MANY_PLAYERS, 503, "too-many-players" },
	{ ERR_TOO_MANY_ROOMS, 503, "too-many-rooms" },
	{ ERR_STORAGE, 503, "storage" },
	{ ERR_DATABASE_FULL, 503, "storage" },
	{ ERR_SHUTTING_DOWN, 503, "shutting-down" },
};

static bool
is_in_contract(enum err err)
{
	for (size_t i = 0; i < N_OF(contract); i++)
		if (contract[i].err == err)
			return true;
	return false;
}

static void
test_words_and_statuses_are_those_of_the_contract(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(contract); i++) {
		assert_int_equal(
		    err_status(contract[i].err), contract[i].status);
		assert_string_equal(
		    err_word(contract[i].err), contract[i].word);
	}
}

static void
test_what_is_not_in_the_contract_shows_nothing_of_us(void **state)
{
	size_t n_internal = 0;

	(void)state;
	for (int err = ERR_NONE + 1; err < N_ERRS; err++) {
		if (is_in_contract((enum err)err))
			continue;
		n_internal++;
		assert_int_equal(err_status((enum err)err), 500);
		assert_string_equal(err_word((enum err)err), "internal");
	}
	assert_int_equal(n_internal + N_OF(contract) + 1, N_ERRS);
}

static void
test_no_error_is_zero_and_a_success(void **state)
{
	(void)state;
	assert_int_equal(ERR_NONE, 0);
	assert_int_equal(err_status(ERR_NONE), 200);
	assert_string_equal(err_word(ERR_NONE), "");
	assert_string_equal(err_sentence(ERR_NONE), "");
	assert_int_equal(err_retry_after(ERR_NONE), 0);
}

static void
test_only_429_and_503_say_when_to_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(contract); i++) {
		bool is_later = contract[i].status == 429 ||
		    contract[i].status == 503;

		assert_int_equal(
		    err_retry_after(contract[i].err) > 0, is_later);
	}
}

/* "data" of a failure: it goes into JSON as it stands. */
static void
test_every_error_has_a_sentence_for_people(void **state)
{
	(void)state;
	for (int err = ERR_NONE + 1; err < N_ERRS; err++) {
		const char *sentence = err_sentence((enum err)err);
		size_t len = strlen(sentence);

		assert_true(len > 10 && sentence[len - 1] == '.');
		for (size_t i = 0; i < len; i++)
			assert_true(sentence[i] >= ' ' && sentence[i] <= '~' &&
			    sentence[i] != '"' && sentence[i] != '\\');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_words_and_statuses_are_those_of_the_contract),
		cmocka_unit_test(
		    test_what_is_not_in_the_contract_shows_nothing_of_us),
		cmocka_unit_test(test_no_error_is_zero_and_a_success),
		cmocka_unit_test(test_only_429_and_503_say_when_to_come_back),
		cmocka_unit_test(test_every_error_has_a_sentence_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
