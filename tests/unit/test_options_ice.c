/* test_options_ice.c - the options about STUN and TURN servers: what is kept,
 * and that what is refused is not shown. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/ice.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct options options;
static const struct ice_settings *const ice = &options.settings.ice;

static int
set_up(void **state)
{
	(void)state;
	options_free(&options);
	options = (struct options){ .settings.ice.turn_ttl_s = 43200 };
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

static void
assert_refused(bool result, const char *part)
{
	assert_false(result);
	if (!strstr(options.why, part))
		fail_msg("'%s' does not say '%s'", options.why, part);
	options.why[0] = '\0';
}

static void
test_a_stun_server_is_a_url(void **state)
{
	(void)state;
	assert_true(options_set_ice_server(&options, "stun:example.org"));
	assert_int_equal(ice->n_servers, 1);
	assert_string_equal(ice->servers[0].url, "stun:example.org");
	assert_null(ice->servers[0].username);
	assert_null(ice->servers[0].credential);
	assert_true(options_check_ice(&options));
}

static void
test_a_turn_server_has_a_username_and_a_credential_with_commas(void **state)
{
	(void)state;
	assert_true(options_set_ice_server(
	    &options, "turn:example.org?transport=udp,ann,a,b,,"));
	assert_int_equal(ice->n_servers, 1);
	assert_string_equal(
	    ice->servers[0].url, "turn:example.org?transport=udp");
	assert_string_equal(ice->servers[0].username, "ann");
	assert_string_equal(ice->servers[0].credential, "a,b,,");
	assert_true(options_check_ice(&options));
}

static void
test_servers_that_browsers_refuse_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{ "", "must begin with" },
		{ "x", "must begin with" },
		{ ",ann,b", "must begin with" },
		{ "stun:a,", "no username" },
		{ "stun:a,ann,b", "no username" },
		{ "turn:a", "needs a username" },
		{ "turn:a,", "needs a username" },
		{ "turn:a,ann", "needs a username" },
		{ "turn:a,,b", "not empty" },
		{ "turn:a,ann,", "not empty" },
		{ "turn:a,ann,b\r\nX: y", "printable" },
		{ "turn:a,\xc3\xa4nn,b", "printable" },
		{ "turn:a:x,ann,b", "port" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_refused(options_set_ice_server(&options, rows[i].text),
		    rows[i].part);
	assert_int_equal(ice->n_servers, 0);
}

static void
test_what_may_be_secret_is_not_shown(void **state)
{
	static const char *const texts[] = { "turn:a b,hidden,hidden",
		"stun:a,hidden,hidden", "turn:a,hidden", "hidden",
		"turn:a,hidden,hidden\n" };

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		assert_false(options_set_ice_server(&options, texts[i]));
		assert_string_not_equal(options.why, "");
		assert_null(strstr(options.why, "hidden"));
	}
	assert_false(options_set_turn_secret(&options, "hidden\n"));
	assert_null(strstr(options.why, "hidden"));
}

static void
test_turn_uris_are_turn_uris(void **state)
{
	(void)state;
	assert_true(options_set_turn_uri(&options, "turn:a?transport=udp"));
	assert_true(options_set_turn_uri(&options, "turns:a:443"));
	assert_string_equal(ice->turn_uris[0], "turn:a?transport=udp");
	assert_string_equal(ice->turn_uris[1], "turns:a:443");
	assert_refused(options_set_turn_uri(&options, "stun:a"), "turns:");
	assert_refused(options_set_turn_uri(&options, "a"), "must begin with");
	assert_refused(
	    options_set_turn_uri(&options, "turn:a,ann,b"), "after the scheme");
	assert_int_equal(ice->n_turn_uris, 2);
}

static void
test_the_first_secret_makes_credentials(void **state)
{
	(void)state;
	assert_true(options_set_turn_uri(&options, "turn:a"));
	assert_true(options_set_turn_secret(&options, "first one"));
	assert_true(options_set_turn_secret(&options, "second"));
	assert_string_equal(ice->turn_secret, "first one");
	assert_true(options_check_ice(&options));
}

static void
test_bad_secrets_are_refused(void **state)
{
	char text[257];

	(void)state;
	memset(text, 'x', 256);
	text[256] = '\0';
	assert_refused(options_set_turn_secret(&options, text), "255");
	assert_refused(options_set_turn_secret(&options, ""), "empty");
	assert_refused(options_set_turn_secret(&options, " x"), "blank");
	assert_refused(options_set_turn_secret(&options, "x "), "blank");
	assert_refused(options_set_turn_secret(&options, "x\t"), "control");
	assert_refused(options_set_turn_secret(&options, "x\r"), "control");
	assert_null(ice->turn_secret);
	text[255] = '\0';
	assert_true(options_set_turn_secret(&options, text));
}

/* Uris without a secret would make credentials of nothing, and a secret
 * without uris has been forgotten or misspelt somewhere. */
static void
test_uris_and_secrets_go_together(void **state)
{
	(void)state;
	assert_true(options_set_turn_uri(&options, "turn:a"));
	assert_refused(options_check_ice(&options), "--turn-uri needs");
	set_up(NULL);
	assert_true(options_set_turn_secret(&options, "x"));
	assert_refused(options_check_ice(&options), "needs a --turn-uri");
}

static void
test_there_are_sixteen_of_each(void **state)
{
	(void)state;
	for (int i = 0; i < 16; i++) {
		assert_true(options_set_ice_server(&options, "stun:a"));
		assert_true(options_set_turn_uri(&options, "turn:a"));
	}
	assert_refused(options_set_ice_server(&options, "stun:a"), "16");
	assert_refused(options_set_turn_uri(&options, "turn:a"), "16");
}

static void
test_too_many_bytes_of_links_are_refused(void **state)
{
	char url[200] = "stun:";

	(void)state;
	memset(url + 5, 'a', 190);
	for (int i = 0; i < 9; i++)
		assert_true(options_set_ice_server(&options, url));
	assert_true(options_check_ice(&options));
	assert_true(options_set_ice_server(&options, url));
	assert_refused(options_check_ice(&options), "2048");
}

/* ---- files ---- */

static bool
take_file(const void *bytes, size_t len, mode_t mode)
{
	char path[] = "/tmp/peerpost-test.XXXXXX";
	int fd = mkstemp(path);
	bool result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	result = options_set_turn_secret_file(&options, path);
	unlink(path);
	return result;
}

static bool
take_text(const char *text)
{
	return take_file(text, strlen(text), 0600);
}

static const char *
take_kept_secret(void)
{
	const char *secret = ice->turn_secret;

	options.settings.ice.turn_secret = NULL;
	return secret;
}

static void
test_a_file_has_a_secret_a_line(void **state)
{
	static const char *const texts[] = { "new", "new\n", "new\nold\n",
		"\n\nnew\n\nold", "\r\nnew\r\nold\r\n" };

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		const char *secret;

		assert_true(take_text(texts[i]));
		secret = take_kept_secret();
		assert_string_equal(secret, "new");
	}
	assert_null(options.exposed_file);
}

static void
test_what_stands_first_counts_in_files_and_out_of_them(void **state)
{
	(void)state;
	assert_true(options_set_turn_secret(&options, "first"));
	assert_true(take_text("second\n"));
	assert_string_equal(ice->turn_secret, "first");
}

static void
test_bad_files_are_refused(void **state)
{
	(void)state;
	assert_refused(take_text(""), "no secret");
	assert_refused(take_text("\n\n"), "no secret");
	assert_refused(take_text("\r\n"), "no secret");
	assert_refused(take_text("a\rb\r\n"), "line 1");
	assert_refused(take_text("a\r"), "line 1");
	assert_refused(take_file("a\0b\n", 4, 0600), "line 1");
	assert_refused(
	    options_set_turn_secret_file(&options, "/"), "Is a directory");
	assert_refused(options_set_turn_secret_file(&options, "/dev/zero"),
	    "cannot read '/dev/zero': it is a device, not a regular file");
	assert_refused(options_set_turn_secret_file(&options, "/no/such/file"),
	    "'/no/such/file': No such file");
	assert_null(ice->turn_secret);
	assert_refused(take_text("good\n\nhidden \n"), "line 3");
	take_kept_secret();
	assert_false(take_text("hidden\t\r\n"));
	assert_null(strstr(options.why, "hidden"));
}

static void
test_a_file_that_everybody_can_read_is_noticed(void **state)
{
	(void)state;
	assert_true(take_file("x", 1, 0640));
	take_kept_secret();
	assert_null(options.exposed_file);
	assert_true(take_file("x", 1, 0644));
	take_kept_secret();
	assert_non_null(options.exposed_file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_stun_server_is_a_url),
		TEST(
		    test_a_turn_server_has_a_username_and_a_credential_with_commas),
		TEST(test_servers_that_browsers_refuse_are_refused),
		TEST(test_what_may_be_secret_is_not_shown),
		TEST(test_turn_uris_are_turn_uris),
		TEST(test_the_first_secret_makes_credentials),
		TEST(test_bad_secrets_are_refused),
		TEST(test_uris_and_secrets_go_together),
		TEST(test_there_are_sixteen_of_each),
		TEST(test_too_many_bytes_of_links_are_refused),
		TEST(test_a_file_has_a_secret_a_line),
		TEST(test_what_stands_first_counts_in_files_and_out_of_them),
		TEST(test_bad_files_are_refused),
		TEST(test_a_file_that_everybody_can_read_is_noticed),
	};

	return cmocka_run_group_tests_name("options_ice", tests, NULL, NULL);
}
