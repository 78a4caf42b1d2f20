/* test_ice_text.c - what clients are told of STUN and TURN servers, and
 * credentials byte for byte. */
#include "tests/unit/unit.h"

#include "api/ice.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	struct ice_settings ice;
	struct buf body, links;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .ice = { .turn_ttl_s = 100 } };
	buf_init(&f.body, 65536);
	buf_init(&f.links, 2048);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	buf_fini(&f->body);
	buf_fini(&f->links);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
assert_text(struct buf *buf, const char *wanted)
{
	buf_add(buf, "", 1);
	assert_string_equal(buf->data, wanted);
}

/* The n links. */
static void
assert_links(const struct buf *buf, const char *const *wanted, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(at < buf->len);
		assert_string_equal(buf->data + at, wanted[i]);
		at += strlen(wanted[i]) + 1;
	}
	assert_int_equal(buf->len, at);
}

/* Reference:
 *	printf %s USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64
 */
static void
test_a_credential_is_that_of_openssl(void **state)
{
	static const struct {
		const char *secret;
		int64_t expiry_s;
		uint32_t player;
		const char *members;
	} rows[] = {
		{ "north", 1700000000, 123456,
		    "\"username\":\"1700000000:123456\","
		    "\"credential\":\"NtIx61OxRhSnSQ8TFPgj7UWkZyE=\"" },
		{ "a-much-longer secret, with blanks and \"quotes\"",
		    1700043200, 2147483647,
		    "\"username\":\"1700043200:2147483647\","
		    "\"credential\":\"C2wtMzH+hoDHIuX2UOha9F9fCdQ=\"" },
	};
	struct fixture *f = *state;

	f->ice.turn_uris[0] = "turn:a";
	f->ice.n_turn_uris = 1;
	for (size_t i = 0; i < N_OF(rows); i++) {
		f->ice.turn_secret = rows[i].secret;
		buf_reset(&f->body);
		ice_text_add(&f->ice, rows[i].player,
		    rows[i].expiry_s - (int64_t)f->ice.turn_ttl_s, &f->body,
		    &f->links);
		buf_add(&f->body, "", 1);
		assert_non_null(strstr(f->body.data, rows[i].members));
	}
}

static void
test_without_servers_there_is_an_empty_list(void **state)
{
	struct fixture *f = *state;

	ice_text_add(&f->ice, 2, 1000, &f->body, &f->links);
	assert_int_equal(f->links.len, 0);
	assert_text(&f->body, "{\"iceServers\":[]}");
}

static void
test_neighbours_with_the_same_credentials_share_an_entry(void **state)
{
	static const struct ice_server servers[] = {
		{ "stun:a", NULL, NULL },
		{ "stun:b", NULL, NULL },
		{ "turn:c", "u", "p" },
		{ "turn:d", "u", "p" },
		{ "turn:e", "u", "q" },
		{ "stun:f", NULL, NULL },
	};
	static const char *const links[] = {
		"<stun:a>; rel=\"ice-server\"",
		"<stun:b>; rel=\"ice-server\"",
		"<turn:c>; rel=\"ice-server\"; username=\"u\"; "
		"credential=\"p\"; credential-type=\"password\"",
		"<turn:d>; rel=\"ice-server\"; username=\"u\"; "
		"credential=\"p\"; credential-type=\"password\"",
		"<turn:e>; rel=\"ice-server\"; username=\"u\"; "
		"credential=\"q\"; credential-type=\"password\"",
		"<stun:f>; rel=\"ice-server\"",
	};
	struct fixture *f = *state;

	memcpy(f->ice.servers, servers, sizeof(servers));
	f->ice.n_servers = N_OF(servers);
	ice_text_add(&f->ice, 2, 1000, &f->body, &f->links);
	assert_links(&f->links, links, N_OF(links));
	assert_text(&f->body,
	    "{\"iceServers\":[{\"urls\":[\"stun:a\",\"stun:b\"]},"
	    "{\"urls\":[\"turn:c\",\"turn:d\"],\"username\":\"u\","
	    "\"credential\":\"p\"},"
	    "{\"urls\":[\"turn:e\"],\"username\":\"u\","
	    "\"credential\":\"q\"},"
	    "{\"urls\":[\"stun:f\"]}]}");
}

/* printf %s 1700000000:123456 | openssl dgst -sha1 -hmac north -binary |
 *	base64 */
static void
test_time_limited_credentials_count_from_now(void **state)
{
	static const char *const links[] = {
		"<stun:a>; rel=\"ice-server\"",
		"<turn:b?transport=udp>; rel=\"ice-server\"; "
		"username=\"1700000000:123456\"; "
		"credential=\"NtIx61OxRhSnSQ8TFPgj7UWkZyE=\"; "
		"credential-type=\"password\"",
		"<turns:b:443>; rel=\"ice-server\"; "
		"username=\"1700000000:123456\"; "
		"credential=\"NtIx61OxRhSnSQ8TFPgj7UWkZyE=\"; "
		"credential-type=\"password\"",
	};
	struct fixture *f = *state;

	f->ice.servers[f->ice.n_servers++].url = "stun:a";
	f->ice.turn_uris[f->ice.n_turn_uris++] = "turn:b?transport=udp";
	f->ice.turn_uris[f->ice.n_turn_uris++] = "turns:b:443";
	f->ice.turn_secret = "north";
	ice_text_add(&f->ice, 123456, 1699999900, &f->body, &f->links);
	assert_links(&f->links, links, N_OF(links));
	assert_text(&f->body,
	    "{\"iceServers\":[{\"urls\":[\"stun:a\"]},"
	    "{\"urls\":[\"turn:b?transport=udp\",\"turns:b:443\"],"
	    "\"username\":\"1700000000:123456\","
	    "\"credential\":\"NtIx61OxRhSnSQ8TFPgj7UWkZyE=\"}],"
	    "\"ttl\":100}");
}

static void
test_quotes_and_backslashes_are_escaped_in_both(void **state)
{
	static const char *const links[] = {
		"<turn:a>; rel=\"ice-server\"; username=\"a\\\"b\"; "
		"credential=\"c\\\\d, e; f\"; credential-type=\"password\"",
	};
	struct fixture *f = *state;

	f->ice.servers[f->ice.n_servers++] = (struct ice_server){ "turn:a",
		"a\"b", "c\\d, e; f" };
	ice_text_add(&f->ice, 2, 1000, &f->body, &f->links);
	assert_links(&f->links, links, N_OF(links));
	assert_text(&f->body,
	    "{\"iceServers\":[{\"urls\":[\"turn:a\"],"
	    "\"username\":\"a\\\"b\",\"credential\":\"c\\\\d, e; f\"}]}");
}

static void
test_links_that_do_not_all_fit_are_left_out(void **state)
{
	struct fixture *f = *state;

	f->ice.servers[f->ice.n_servers++].url = "stun:a";
	f->ice.servers[f->ice.n_servers++].url = "stun:b";
	buf_fini(&f->links);
	buf_init(&f->links, 40);
	ice_text_add(&f->ice, 2, 1000, &f->body, &f->links);
	assert_int_equal(f->links.len, 0);
	assert_text(
	    &f->body, "{\"iceServers\":[{\"urls\":[\"stun:a\",\"stun:b\"]}]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_credential_is_that_of_openssl),
		TEST(test_without_servers_there_is_an_empty_list),
		TEST(test_neighbours_with_the_same_credentials_share_an_entry),
		TEST(test_time_limited_credentials_count_from_now),
		TEST(test_quotes_and_backslashes_are_escaped_in_both),
		TEST(test_links_that_do_not_all_fit_are_left_out),
	};

	return cmocka_run_group_tests_name("ice_text", tests, NULL, NULL);
}
