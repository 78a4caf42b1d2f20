/* store_fixture.c - a store in a directory of its own. */
#include "tests/unit/store_fixture.h"

void
fixture_open(struct fixture *f)
{
	f->store = sqlite_open_retrying(
	    f->path, DURABILITY_PROCESS, 0, f->why, sizeof(f->why));
	if (!f->store)
		fail_msg("%s", f->why);
}

void
fixture_close(struct fixture *f)
{
	if (f->store)
		f->store->close(f->store);
	f->store = NULL;
}

void
fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

int
fixture_set_up_empty(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	*state = f;
	return 0;
}

int
fixture_set_up(void **state)
{
	if (fixture_set_up_empty(state))
		return -1;
	fixture_open(*state);
	return 0;
}

int
fixture_tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-journal",
		"-reserve" };
	struct fixture *f = *state;
	char name[128];

	fixture_close(f);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", f->path, suffixes[i]);
		unlink(name);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

const uint8_t *
hash_of(uint32_t number)
{
	static uint8_t hashes[4][DIGEST_SIZE];
	static unsigned next;
	uint8_t *hash = hashes[next++ % 4];

	memset(hash, 0x5a, DIGEST_SIZE);
	memcpy(hash, &number, sizeof(number));
	return hash;
}

struct player_row
player_of(uint32_t id, const char *name)
{
	struct player_row row = { .id = id };

	memcpy(row.token_hash, hash_of(id), DIGEST_SIZE);
	strcpy(row.name, name);
	return row;
}

void
add_player(struct store *store, uint32_t id)
{
	struct player_row row = player_of(id, "Ann");

	OK(store->player_insert(store, &row));
}

int64_t
add_message(struct store *store, const char *body, uint64_t event_id,
    const uint32_t *players, uint32_t n)
{
	int64_t message;

	OK(store->message_insert(store, 7, span_of(body), n, &message));
	for (uint32_t i = 0; i < n; i++)
		OK(store->event_append(
		    store, players[i], event_id, message, strlen(body)));
	return message;
}

int64_t
query_number(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t number;

	assert_int_equal(
	    sqlite3_prepare_v2(sqlite_of(store)->db, sql, -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}
