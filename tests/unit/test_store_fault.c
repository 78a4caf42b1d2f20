/* test_store_fault.c - what the store does when disk or memory do not.
 *
 * Writes are made to fail through SQLite's own table of system calls; fsync
 * has no entry there, so this program brings its own fdatasync() and fsync(),
 * which the library then uses.  Memory is taken through SQLite's allocator.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <sys/syscall.h>

static int writes_left = -1;  /* that succeed; -1: all */
static int mallocs_left = -1; /* that succeed before one does not; -1: all */
static bool fsync_fails;
static unsigned n_fsyncs;
static sqlite3_mem_methods real_memory;

static bool
write_fails(void)
{
	if (writes_left < 0)
		return false;
	if (writes_left > 0) {
		writes_left--;
		return false;
	}
	errno = ENOSPC;
	return true;
}

static ssize_t
faulty_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return write_fails() ? -1 : pwrite(fd, bytes, len, offset);
}

static ssize_t
faulty_write(int fd, const void *bytes, size_t len)
{
	return write_fails() ? -1 : write(fd, bytes, len);
}

static int
faulty_sync(long number, int fd)
{
	n_fsyncs++;
	if (fsync_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(number, fd);
}

int
fdatasync(int fd)
{
	return faulty_sync(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return faulty_sync(SYS_fsync, fd);
}

static bool
malloc_fails(void)
{
	/* Once: what SQLite does about it may need memory. */
	return mallocs_left >= 0 && mallocs_left-- == 0;
}

static void *
faulty_malloc(int size)
{
	return malloc_fails() ? NULL : real_memory.xMalloc(size);
}

static void *
faulty_realloc(void *old, int size)
{
	return malloc_fails() ? NULL : real_memory.xRealloc(old, size);
}

static int
install_faults(void **state)
{
	sqlite3_mem_methods faulty;
	sqlite3_vfs *vfs;

	(void)state;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory))
		return -1;
	faulty = real_memory;
	faulty.xMalloc = faulty_malloc;
	faulty.xRealloc = faulty_realloc;
	/* Without lookaside every small allocation comes by as well. */
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty) ||
	    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0))
		return -1;
	vfs = sqlite3_vfs_find(NULL);
	/* A name that this build of SQLite does not use is passed over. */
	vfs->xSetSystemCall(vfs, "write", (sqlite3_syscall_ptr)faulty_write);
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)faulty_pwrite);
	vfs->xSetSystemCall(
	    vfs, "pwrite64", (sqlite3_syscall_ptr)faulty_pwrite);
	return 0;
}

static int
tear_down(void **state)
{
	writes_left = -1;
	mallocs_left = -1;
	fsync_fails = false;
	return fixture_tear_down(state);
}

/* A store whose commits are fsynced. */
static int
set_up(void **state)
{
	struct fixture *f;

	if (fixture_set_up_empty(state))
		return -1;
	f = *state;
	f->store = sqlite_open(
	    f->path, DURABILITY_POWER, f->why, sizeof(f->why));
	return f->store ? 0 : -1;
}

static enum err
commit_player(struct store *store, uint32_t id)
{
	struct player_row row = player_of(id, "Ann");
	enum err err;

	OK(store->begin(store));
	err = store->player_insert(store, &row);
	if (!err)
		err = store->commit(store);
	if (err)
		store->rollback(store);
	return err;
}

static void
test_full_disk_loses_the_transaction_and_no_more(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t n;

	OK(commit_player(store, 2));
	writes_left = 0;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(commit_player(store, 3), ERR_STORAGE);
	/* Reading goes on. */
	OK(store->begin(store));
	OK(store->count_players(store, &n));
	assert_int_equal(n, 1);
	store->rollback(store);
	assert_int_equal(store->probe(store), ERR_STORAGE);
	writes_left = -1;
	OK(store->probe(store));
	OK(commit_player(store, 3));
	OK(store->count_players(store, &n));
	assert_int_equal(n, 2);
}

static void
test_dead_transaction_touches_nothing(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t n;

	OK(store->begin(store));
	add_player(store, 2);
	writes_left = 0;
	assert_int_equal(store->commit(store), ERR_STORAGE);
	writes_left = -1;
	/* The disk is well again, but this transaction is not. */
	assert_int_equal(store->count_players(store, &n), ERR_STORAGE);
	assert_int_equal(store->room_seal(store, 1), ERR_STORAGE);
	assert_int_equal(store->commit(store), ERR_STORAGE);
	store->rollback(store);
	OK(store->count_players(store, &n));
	assert_int_equal(n, 0);
}

static void
test_failed_fsync_is_fatal(void **state)
{
	struct fixture *f = *state;

	fsync_fails = true;
	OK(f->store->begin(f->store));
	add_player(f->store, 2);
	assert_int_equal(f->store->commit(f->store), ERR_FATAL);
	fsync_fails = false;
	/* And stays so: trying again would be told lies. */
	assert_int_equal(f->store->commit(f->store), ERR_FATAL);
}

static void
test_failed_fsync_in_a_checkpoint_is_fatal_next_time(void **state)
{
	struct fixture *f = *state;

	OK(commit_player(f->store, 2));
	sqlite_of(f->store)->wal_pages = 100000;
	fsync_fails = true;
	f->store->tidy(f->store);
	fsync_fails = false;
	OK(f->store->begin(f->store));
	add_player(f->store, 3);
	assert_int_equal(f->store->commit(f->store), ERR_FATAL);
	f->store->rollback(f->store);
	/* The log keeps what the checkpoint may have lost. */
	fixture_reopen(f);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM player"), 1);
}

static void
test_every_commit_is_fsynced_for_power_and_none_for_process(void **state)
{
	struct fixture *f = *state;

	n_fsyncs = 0;
	OK(commit_player(f->store, 2));
	assert_true(n_fsyncs > 0);
	fixture_reopen(f);
	OK(commit_player(f->store, 3));
	n_fsyncs = 0;
	OK(commit_player(f->store, 4));
	assert_int_equal(n_fsyncs, 0);
}

static void
test_reading_never_fsyncs(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	f->store->tidy(f->store);
	n_fsyncs = 0;
	OK(f->store->begin(f->store));
	OK(f->store->count_players(f->store, &n));
	OK(f->store->commit(f->store));
	f->store->tidy(f->store);
	assert_int_equal(n_fsyncs, 0);
}

/* A mailbox's life in two transactions. */
static enum err
live(struct store *store, bool *out_first)
{
	static const char body[] = "\"0123456789abcdef\"";
	struct player_row row = player_of(2, "Ann");
	struct trim trim = { .player = 2, .upto = 20 };
	int64_t message;
	enum err err;

	*out_first = false;
	err = store->begin(store);
	if (!err)
		err = store->player_insert(store, &row);
	for (uint64_t id = 1; id <= 40 && !err; id++) {
		err = store->message_insert(
		    store, 7, span_of(body), 1, &message);
		if (!err)
			err = store->event_append(
			    store, 2, id, message, strlen(body));
	}
	if (!err)
		err = store->commit(store);
	if (err)
		return err;
	*out_first = true;
	err = store->begin(store);
	if (!err)
		err = store->events_trim(store, &trim, 1);
	if (!err)
		err = store->commit(store);
	return err;
}

/* Whether all, the first transaction, or nothing of live() is there; leaves
 * the store empty. */
static void
expect_whole_transactions(struct store *store, bool first, bool second)
{
	uint64_t last_id;

	if (first) {
		OK(store->events_last_id(store, 2, &last_id));
		assert_int_equal(last_id, 40);
	}
	assert_int_equal(
	    query_number(store, "SELECT count(message) FROM event"),
	    !first     ? 0 :
		second ? 20 :
			 40);
	assert_int_equal(query_number(store,
			     "SELECT coalesce(sum(refs), 0) = "
			     "(SELECT count(message) FROM event) FROM message"),
	    1);
	if (first)
		OK(store->player_delete(store, 2));
}

static void
test_whichever_write_fails_nothing_is_half_done(void **state)
{
	struct fixture *f = *state;
	enum err err = ERR_STORAGE;
	bool first;
	int nth;

	for (nth = 0; err; nth++) {
		fixture_reopen(f);
		writes_left = nth;
		err = live(f->store, &first);
		writes_left = -1;
		if (err)
			f->store->rollback(f->store);
		expect_whole_transactions(f->store, first, !err);
	}
	assert_true(nth > 3);
}

static void
test_whichever_allocation_fails_nothing_is_half_done(void **state)
{
	struct fixture *f = *state;
	enum err err = ERR_STORAGE;
	bool first, reached;
	int nth;

	for (nth = 0, reached = true; reached; nth++) {
		fixture_reopen(f);
		mallocs_left = nth;
		err = live(f->store, &first);
		/* SQLite can do without some of them. */
		reached = mallocs_left < 0;
		mallocs_left = -1;
		if (err)
			f->store->rollback(f->store);
		expect_whole_transactions(f->store, first, !err);
	}
	assert_int_equal(err, ERR_NONE);
	assert_true(nth > 10);
}

static void
test_full_disk_at_the_first_start_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	int nth = 0;

	do {
		fixture_close(f);
		unlink(f->path);
		writes_left = nth++;
		store = sqlite_open_retrying(
		    f->path, DURABILITY_POWER, 0, f->why, sizeof(f->why));
		writes_left = -1;
		if (store)
			store->close(store);
		fixture_open(f);
	} while (!store);
	assert_true(nth > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full_disk_loses_the_transaction_and_no_more),
		TEST(test_dead_transaction_touches_nothing),
		TEST(test_failed_fsync_is_fatal),
		TEST(test_failed_fsync_in_a_checkpoint_is_fatal_next_time),
		TEST(
		    test_every_commit_is_fsynced_for_power_and_none_for_process),
		TEST(test_reading_never_fsyncs),
		TEST(test_whichever_write_fails_nothing_is_half_done),
		TEST(test_whichever_allocation_fails_nothing_is_half_done),
		TEST(test_full_disk_at_the_first_start_does_no_harm),
	};

	return cmocka_run_group_tests_name(
	    "store faults", tests, install_faults, NULL);
}
