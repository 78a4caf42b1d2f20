/* test_store_backup.c - copies of a database that goes on being written. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define N_MESSAGES 64
#define STEP 4 /* pages: so that the copy takes many */

static void
fill(struct store *store)
{
	static char body[16384];

	memset(body, 'x', sizeof(body) - 1);
	OK(store->begin(store));
	add_player(store, 2);
	for (uint64_t i = 1; i <= N_MESSAGES; i++)
		add_message(store, body, i, &(uint32_t){ 2 }, 1);
	OK(store->commit(store));
}

/* One step; returns the descriptor, or -1: there is more to do. */
static int
step(struct fixture *f, int n_pages)
{
	int fd;

	OK(f->store->backup_step(
	    f->store, n_pages, &fd, f->why, sizeof(f->why)));
	return fd;
}

static void
begin(struct fixture *f)
{
	if (f->store->backup_begin(f->store, f->why, sizeof(f->why)))
		fail_msg("%s", f->why);
}

/* Open what was copied as a store, in the place of the original. */
static void
restore(struct fixture *f, int fd)
{
	char bytes[4096];
	ssize_t n;
	off_t at = 0;
	int out;

	fixture_close(f);
	out = open(f->path, O_WRONLY | O_TRUNC);
	assert_true(out >= 0);
	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		assert_int_equal(write(out, bytes, (size_t)n), n);
		at += n;
	}
	close(fd);
	close(out);
	fixture_open(f);
}

static int64_t
count_players(struct fixture *f)
{
	uint64_t n;

	OK(f->store->count_players(f->store, &n));
	return (int64_t)n;
}

static size_t
count_files(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void
test_what_is_written_between_steps_is_in_the_copy(void **state)
{
	struct fixture *f = *state;
	struct store *store = f->store;
	uint32_t n = 0;
	int fd;

	fill(store);
	begin(f);
	while ((fd = step(f, STEP)) < 0) {
		OK(store->begin(store));
		add_player(store, 100 + n++);
		OK(store->commit(store));
		store->tidy(store);
	}
	assert_true(n > N_MESSAGES / 2);
	restore(f, fd);
	assert_int_equal(count_players(f), 1 + n);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM event"), N_MESSAGES);
}

static void
test_what_is_rolled_back_between_steps_is_not(void **state)
{
	struct fixture *f = *state;
	struct store *store = f->store;
	int fd;

	fill(store);
	begin(f);
	assert_int_equal(step(f, STEP), -1);
	OK(store->begin(store));
	add_player(store, 100);
	OK(store->events_trim(
	    store, &(struct trim){ .player = 2, .upto = N_MESSAGES }, 1));
	store->rollback(store);
	while ((fd = step(f, STEP)) < 0)
		;
	restore(f, fd);
	assert_int_equal(count_players(f), 1);
	assert_int_equal(
	    query_number(f->store, "SELECT count(*) FROM message"), N_MESSAGES);
}

static void
test_a_copy_has_no_name_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	size_t n_files;

	fill(f->store);
	n_files = count_files(f);
	begin(f);
	assert_int_equal(step(f, STEP), -1);
	assert_int_equal(count_files(f), n_files);
	f->store->backup_abort(f->store);
	f->store->backup_abort(f->store);
	assert_int_equal(count_files(f), n_files);
	/* And another one can be made, closed with the store. */
	begin(f);
	assert_int_equal(step(f, STEP), -1);
	fixture_close(f);
	/* The database and its reserve. */
	assert_int_equal(count_files(f), 2);
}

static void
test_what_a_kill_left_of_a_copy_is_removed(void **state)
{
	struct fixture *f = *state;
	char name[128];
	int fd;

	fixture_close(f);
	snprintf(name, sizeof(name), "%s-backup", f->path);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	fixture_open(f);
	assert_int_equal(access(name, F_OK), -1);
	/* Or it stands in the way later. */
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	close(fd);
	begin(f);
	assert_int_equal(access(name, F_OK), -1);
}

static void
test_a_place_that_cannot_be_written_is_named(void **state)
{
	struct fixture *f = *state;
	char name[128];

	snprintf(name, sizeof(name), "%s-backup", f->path);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(
	    f->store->backup_begin(f->store, f->why, sizeof(f->why)),
	    ERR_STORAGE);
	assert_non_null(strstr(f->why, name));
	assert_non_null(strstr(f->why, "cannot be created: "));
	assert_int_equal(rmdir(name), 0);
	begin(f);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_written_between_steps_is_in_the_copy),
		TEST(test_what_is_rolled_back_between_steps_is_not),
		TEST(test_a_copy_has_no_name_and_leaves_nothing),
		TEST(test_what_a_kill_left_of_a_copy_is_removed),
		TEST(test_a_place_that_cannot_be_written_is_named),
	};

	return cmocka_run_group_tests_name("store_backup", tests, NULL, NULL);
}
