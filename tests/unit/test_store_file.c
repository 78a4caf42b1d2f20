/* test_store_file.c - which files a store opens, and that it leaves those
 * that it refuses as they are, to the byte.
 *
 * Where two processes are wanted, there are two: within one, closing any
 * descriptor of a file drops the locks that SQLite holds on it.
 */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct copy {
	char *bytes;
	long size;
};

/* What is in the file path + suffix; size -1: there is none. */
static struct copy
read_copy(const struct fixture *f, const char *suffix)
{
	struct copy copy = { NULL, -1 };
	char name[128];
	FILE *file;

	snprintf(name, sizeof(name), "%s%s", f->path, suffix);
	file = fopen(name, "rb");
	if (!file)
		return copy;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	copy.size = ftell(file);
	rewind(file);
	copy.bytes = malloc((size_t)copy.size + 1);
	assert_non_null(copy.bytes);
	assert_int_equal(
	    fread(copy.bytes, 1, (size_t)copy.size, file), copy.size);
	fclose(file);
	return copy;
}

static void
write_file(
    const struct fixture *f, const char *suffix, const void *bytes, size_t len)
{
	char name[128];
	FILE *file;

	snprintf(name, sizeof(name), "%s%s", f->path, suffix);
	file = fopen(name, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
write_at(const struct fixture *f, long offset, const void *bytes, size_t len)
{
	FILE *file = fopen(f->path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Opening must fail, say `what`, and change neither file, log nor journal. */
static void
expect_refusal(struct fixture *f, const char *what)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	struct copy before[3], after;

	for (int i = 0; i < 3; i++)
		before[i] = read_copy(f, suffixes[i]);
	f->why[0] = '\0';
	assert_null(sqlite_open_retrying(
	    f->path, DURABILITY_POWER, 0, f->why, sizeof(f->why)));
	if (!strstr(f->why, what) || !strstr(f->why, f->path))
		fail_msg("\"%s\" does not say \"%s\"", f->why, what);
	for (int i = 0; i < 3; i++) {
		after = read_copy(f, suffixes[i]);
		/* An empty log may have come into being. */
		if (before[i].size < 0 && i == 1)
			assert_true(after.size <= 0);
		else
			assert_int_equal(after.size, before[i].size);
		if (before[i].size > 0)
			assert_memory_equal(
			    after.bytes, before[i].bytes, (size_t)after.size);
		free(before[i].bytes);
		free(after.bytes);
	}
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Run body in a process that then ends as if it had been killed. */
static void
in_killed_process(struct fixture *f, void (*body)(struct fixture *f))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		body(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_new_file_becomes_ours_and_private(void **state)
{
	struct fixture *f = *state;
	struct stat status;

	fixture_open(f);
	assert_int_equal(query_number(f->store, "PRAGMA application_id"),
	    SQLITE_OUR_APPLICATION_ID);
	assert_int_equal(
	    query_number(f->store, "PRAGMA user_version"), N_SQL_MIGRATIONS);
	assert_int_equal(query_number(f->store, "PRAGMA foreign_keys"), 1);
	assert_int_equal(stat(f->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void
test_empty_file_becomes_ours(void **state)
{
	struct fixture *f = *state;

	write_file(f, "", "", 0);
	fixture_open(f);
	add_player(f->store, 2);
}

static void
test_durability_sets_synchronous(void **state)
{
	struct fixture *f = *state;

	f->store = sqlite_open(
	    f->path, DURABILITY_POWER, f->why, sizeof(f->why));
	assert_non_null(f->store);
	assert_int_equal(query_number(f->store, "PRAGMA synchronous"), 2);
	fixture_reopen(f);
	assert_int_equal(query_number(f->store, "PRAGMA synchronous"), 1);
}

static void
test_migrations_run_once(void **state)
{
	struct fixture *f = *state;
	int64_t version;

	fixture_open(f);
	version = query_number(f->store, "PRAGMA schema_version");
	add_player(f->store, 2);
	fixture_reopen(f);
	assert_int_equal(
	    query_number(f->store, "PRAGMA schema_version"), version);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM player"), 1);
}

static void
advance_and_commit(struct fixture *f)
{
	struct sqlite_store *s;

	fixture_open(f);
	s = sqlite_of(f->store);
	s->clock_read_ms -= 700500;
	assert_in_range(f->store->now_s(f->store), 700, 701);
	OK(f->store->begin(f->store));
	add_player(f->store, 2);
	OK(f->store->commit(f->store));
	/* What nobody commits is forgotten. */
	s->clock_read_ms -= 1000000;
	OK(f->store->begin(f->store));
	add_player(f->store, 3);
}

static void
test_clock_goes_on_from_what_was_committed(void **state)
{
	struct fixture *f = *state;

	in_killed_process(f, advance_and_commit);
	fixture_open(f);
	assert_in_range(f->store->now_s(f->store), 700, 710);
}

static void
test_clock_needs_no_commit_of_its_own(void **state)
{
	struct fixture *f = *state;
	int64_t stored_s;

	fixture_open(f);
	stored_s = query_number(f->store, "SELECT seconds FROM clock");
	sqlite_of(f->store)->clock_read_ms -= 50000;
	OK(f->store->begin(f->store));
	query_number(f->store, "SELECT count(*) FROM player");
	assert_false(f->store->has_written(f->store));
	OK(f->store->commit(f->store));
	assert_int_equal(
	    query_number(f->store, "SELECT seconds FROM clock"), stored_s);
}

static void
test_clock_is_not_behind_what_version_1_stored(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, sql_migrations[0], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db,
		"INSERT INTO ended VALUES (zeroblob(32), 1, 1700000000);"
		"INSERT INTO player (id, token_hash, name)"
		" VALUES (2, zeroblob(32), 'Ann');"
		"INSERT INTO reply VALUES"
		" (1, 2, zeroblob(32), 2, zeroblob(32), x'', 1700000042)",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	fixture_open(f);
	assert_in_range(f->store->now_s(f->store), 1700000042, 1700000050);
}

static void
test_close_leaves_one_file(void **state)
{
	struct fixture *f = *state;
	struct copy wal;

	fixture_open(f);
	OK(f->store->begin(f->store));
	add_player(f->store, 2);
	OK(f->store->commit(f->store));
	OK(f->store->begin(f->store));
	add_player(f->store, 3);
	fixture_close(f);
	wal = read_copy(f, "-wal");
	assert_int_equal(wal.size, -1);
	fixture_open(f);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM player"), 1);
}

static void
test_tidy_empties_a_long_log(void **state)
{
	struct fixture *f = *state;
	struct copy wal;

	fixture_open(f);
	f->store->tidy(f->store);
	for (int i = 0; i < 20; i++)
		OK(f->store->probe(f->store));
	wal = read_copy(f, "-wal");
	assert_true(wal.size > 1000000);
	/* The commit that makes it 4 MiB long starts it anew. */
	assert_true(wal.size < 5000000);
	free(wal.bytes);
	for (int i = 0; i < 300; i++)
		OK(f->store->probe(f->store));
	wal = read_copy(f, "-wal");
	assert_true(wal.size < 5000000);
	free(wal.bytes);
	sqlite_of(f->store)->wal_pages = 1024;
	f->store->tidy(f->store);
	wal = read_copy(f, "-wal");
	assert_int_equal(wal.size, 0);
	free(wal.bytes);
}

static void
commit_one_and_start_another(struct fixture *f)
{
	fixture_open(f);
	OK(f->store->begin(f->store));
	add_player(f->store, 2);
	OK(f->store->commit(f->store));
	OK(f->store->begin(f->store));
	add_player(f->store, 3);
}

static void
test_commits_survive_a_killed_process(void **state)
{
	struct fixture *f = *state;
	struct player_row row;

	in_killed_process(f, commit_one_and_start_another);
	fixture_open(f);
	OK(f->store->player_by_id(f->store, 2, &row));
	assert_int_equal(f->store->player_by_id(f->store, 3, &row), ERR_ABSENT);
}

/* Holds the store until it is told to let go, and works with it then. */
static void
hold_store(struct fixture *f, int ready, int go)
{
	char byte = 0;

	fixture_open(f);
	add_player(f->store, 2);
	f->store->tidy(f->store);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	add_player(f->store, 3);
	fixture_close(f);
	_exit(0);
}

/* The child is the first: SQLite in a child knows the parent's locks from
 * its memory, and would not ask the kernel. */
static void
test_second_process_is_refused_until_the_first_has_gone(void **state)
{
	struct fixture *f = *state;
	int ready[2], go[2], status;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		hold_store(f, ready[1], go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	expect_refusal(f, "is in use by another process");
	assert_int_equal(write(go[1], &byte, 1), 1);
	/* Perhaps it has not gone yet: then this waits. */
	f->store = sqlite_open(
	    f->path, DURABILITY_PROCESS, f->why, sizeof(f->why));
	assert_non_null(f->store);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM player"), 2);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

static void
test_text_file_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[5000];

	write_file(f, "", "hello\n", 6);
	expect_refusal(f, "is not a Peerpost database");
	memset(text, '#', sizeof(text));
	write_file(f, "", text, sizeof(text));
	expect_refusal(f, "is not a Peerpost database");
	memset(text, 0, sizeof(text));
	write_file(f, "", text, sizeof(text));
	expect_refusal(f, "is not a Peerpost database");
}

static void
test_foreign_database_is_refused(void **state)
{
	struct fixture *f = *state;

	run_sql(f->path, "CREATE TABLE bookmarks (url TEXT)");
	expect_refusal(f, "is not a Peerpost database");
	run_sql(f->path, "PRAGMA user_version = 1");
	expect_refusal(f, "is not a Peerpost database");
	run_sql(f->path, "DROP TABLE bookmarks");
	expect_refusal(f, "is not a Peerpost database");
}

static void
leave_foreign_log(struct fixture *f)
{
	sqlite3 *db;

	if (sqlite3_open(f->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
		"PRAGMA journal_mode = WAL; CREATE TABLE a (b);"
		"INSERT INTO a VALUES (1)",
		NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
}

static void
test_foreign_log_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char shm[128];
	struct copy wal;

	in_killed_process(f, leave_foreign_log);
	wal = read_copy(f, "-wal");
	assert_true(wal.size > 0);
	free(wal.bytes);
	expect_refusal(f, "is not a Peerpost database");
	snprintf(shm, sizeof(shm), "%s-shm", f->path);
	unlink(shm);
}

static void
test_foreign_journal_is_left_alone(void **state)
{
	struct fixture *f = *state;

	run_sql(f->path, "CREATE TABLE a (b)");
	write_file(f, "-journal", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 hot", 12);
	expect_refusal(f, "is not a Peerpost database");
}

static void
test_newer_version_is_refused(void **state)
{
	struct fixture *f = *state;
	char sql[64];

	fixture_open(f);
	fixture_close(f);
	snprintf(
	    sql, sizeof(sql), "PRAGMA user_version = %d", N_SQL_MIGRATIONS + 1);
	run_sql(f->path, sql);
	expect_refusal(f, "is from a newer version of Peerpost");
}

static void
become_newer_in_the_log(struct fixture *f)
{
	fixture_open(f);
	if (sqlite3_exec(sqlite_of(f->store)->db, "PRAGMA user_version = 999",
		NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
}

static void
test_newer_version_in_the_log_is_refused(void **state)
{
	struct fixture *f = *state;

	in_killed_process(f, become_newer_in_the_log);
	expect_refusal(f, "is from a newer version of Peerpost");
}

static void
test_damaged_page_is_refused(void **state)
{
	struct fixture *f = *state;
	char garbage[4096];
	int64_t page;

	fixture_open(f);
	add_player(f->store, 2);
	page = query_number(f->store,
	    "SELECT rootpage FROM sqlite_schema WHERE name = 'player'");
	fixture_close(f);
	memset(garbage, 0xee, sizeof(garbage));
	write_at(f, (long)(page - 1) * 4096, garbage, sizeof(garbage));
	expect_refusal(f, "is corrupt");
}

static void
test_damaged_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_close(f);
	write_at(f, 104, "\xff\xff\xff\xff", 4);
	expect_refusal(f, "is corrupt");
}

static void
test_cut_off_file_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_close(f);
	assert_int_equal(truncate(f->path, 2 * 4096), 0);
	expect_refusal(f, "is corrupt");
	assert_int_equal(truncate(f->path, 100), 0);
	expect_refusal(f, "");
}

static void
test_missing_table_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_close(f);
	run_sql(f->path, "DROP TABLE ended");
	expect_refusal(f, "is corrupt");
}

static void
test_what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_null(sqlite_open_retrying(
	    f->path, DURABILITY_POWER, 0, f->why, sizeof(f->why)));
	assert_non_null(strstr(f->why, "Is a directory"));
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_null(sqlite_open_retrying(
	    f->path, DURABILITY_POWER, 0, f->why, sizeof(f->why)));
	assert_non_null(strstr(f->why, "not a regular file"));
	assert_null(sqlite_open_retrying(
	    "/nonexistent/db", DURABILITY_POWER, 0, f->why, sizeof(f->why)));
	assert_non_null(strstr(f->why, "No such file"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown( \
	    name, fixture_set_up_empty, fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_file_becomes_ours_and_private),
		TEST(test_empty_file_becomes_ours),
		TEST(test_durability_sets_synchronous),
		TEST(test_migrations_run_once),
		TEST(test_clock_goes_on_from_what_was_committed),
		TEST(test_clock_needs_no_commit_of_its_own),
		TEST(test_clock_is_not_behind_what_version_1_stored),
		TEST(test_close_leaves_one_file),
		TEST(test_tidy_empties_a_long_log),
		TEST(test_commits_survive_a_killed_process),
		TEST(test_second_process_is_refused_until_the_first_has_gone),
		TEST(test_text_file_is_refused),
		TEST(test_foreign_database_is_refused),
		TEST(test_foreign_log_is_left_alone),
		TEST(test_foreign_journal_is_left_alone),
		TEST(test_newer_version_is_refused),
		TEST(test_newer_version_in_the_log_is_refused),
		TEST(test_damaged_page_is_refused),
		TEST(test_damaged_schema_is_refused),
		TEST(test_cut_off_file_is_refused),
		TEST(test_missing_table_is_refused),
		TEST(test_what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests_name("store file", tests, NULL, NULL);
}
