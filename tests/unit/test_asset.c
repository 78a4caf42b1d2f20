/* test_asset.c - files that the daemon serves, and when they are sent. */
#include "tests/unit/parse_fixture.h"

#include "api/asset_files.h"
#include "api/reply.h"

static const struct {
	const char *path;
	enum asset_file file;
	const char *type, *start;
	bool is_page, is_demo;
} served[] = {
	{ "/peerpost.js", ASSET_PEERPOST_JS, "text/javascript; charset=utf-8",
	    "", false, false },
	{ "/peerpost.d.ts", ASSET_PEERPOST_D_TS, "text/plain; charset=utf-8",
	    "// peerpost.d.ts", false, false },
	{ "/openapi.yaml", ASSET_OPENAPI_YAML, "application/yaml",
	    "openapi: ", false, false },
	{ "/demo/", ASSET_INDEX_HTML, "text/html; charset=utf-8",
	    "<!doctype html>", true, true },
	{ "/demo/demo.js", ASSET_DEMO_JS, "text/javascript; charset=utf-8", "",
	    false, true },
	{ "/demo/demo.css", ASSET_DEMO_CSS, "text/css; charset=utf-8", "",
	    false, true },
};

static struct request *
get(const char *target, const char *if_none_match)
{
	return ask((struct question){ .method = METHOD_GET,
	    .target = target,
	    .if_none_match = if_none_match,
	    .has_demo = true });
}

static void
test_each_path_has_its_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(served); i++) {
		const struct asset *asset = &asset_files[served[i].file];
		const struct reply *reply = &get(served[i].path, NULL)->reply;
		struct span body = reply_body(reply);

		assert_false(is_engines);
		assert_int_equal(reply->status, 200);
		assert_int_equal(reply->type, REPLY_ASSET);
		assert_ptr_equal(reply->asset, asset);
		assert_ptr_equal(body.at, asset->bytes.at);
		assert_true(body.len > strlen(served[i].start));
		assert_memory_equal(
		    body.at, served[i].start, strlen(served[i].start));
		assert_string_equal(asset->type, served[i].type);
		assert_int_equal(asset->is_page, served[i].is_page);
	}
	/* And what the page at / is made of. */
	assert_int_equal(N_OF(served) + 1, N_ASSET_FILES);
}

static void
test_entity_tags_are_strong_and_all_different(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ASSET_FILES; i++) {
		const char *etag = asset_files[i].etag;

		assert_int_equal(strlen(etag), 34);
		assert_int_equal(etag[0], '"');
		assert_int_equal(
		    strspn(etag + 1, "0123456789abcdef"), strlen(etag) - 2);
		assert_int_equal(etag[33], '"');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(etag, asset_files[k].etag);
	}
}

static void
test_a_known_tag_is_answered_304(void **state)
{
	static const char *const known[] = { "%s", "W/%s", "*", "\"a\", %s",
		"%s,\"a\"", ",, \t%s", "W/\"a,b\",W/%s", "\"\",%s , \"b\"" };
	const char *etag = asset_files[ASSET_PEERPOST_JS].etag;
	char header[128];

	(void)state;
	for (size_t i = 0; i < N_OF(known); i++) {
		const struct reply *reply;
		const char *place = strstr(known[i], "%s");
		int before = place ? (int)(place - known[i]) :
				     (int)strlen(known[i]);

		snprintf(header, sizeof(header), "%.*s%s%s", before, known[i],
		    place ? etag : "", place ? place + 2 : "");
		reply = &get("/peerpost.js", header)->reply;
		assert_int_equal(reply->status, 304);
		assert_string_equal(reply->asset->etag, etag);
	}
}

static void
test_another_tag_or_none_is_answered_200(void **state)
{
	static const char *const other[] = { "", "\"a\"", "W/\"a\"", "a", "W/",
		"W", "\"", "\"a", "**", "\"*\"", "w/\"a\"", "\"a\"\"b\"" };
	const char *etag = asset_files[ASSET_PEERPOST_JS].etag;
	char bare[40], cut[40];

	(void)state;
	for (size_t i = 0; i < N_OF(other); i++)
		assert_int_equal(
		    get("/peerpost.js", other[i])->reply.status, 200);
	/* Without its quotes it is no tag, nor is half of it. */
	snprintf(bare, sizeof(bare), "%.32s", etag + 1);
	assert_int_equal(get("/peerpost.js", bare)->reply.status, 200);
	snprintf(cut, sizeof(cut), "%.33s", etag);
	assert_int_equal(get("/peerpost.js", cut)->reply.status, 200);
	assert_int_equal(get("/openapi.yaml", etag)->reply.status, 200);
}

static void
test_the_demo_is_there_only_if_it_is_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(served); i++) {
		struct request *request = ask((struct question){
		    .method = METHOD_GET, .target = served[i].path });

		if (served[i].is_demo)
			assert_answered(request, ERR_NOT_FOUND);
		else
			assert_int_equal(request->reply.status, 200);
	}
	assert_answered(
	    ask((struct question){ .method = METHOD_GET, .target = "/demo" }),
	    ERR_NOT_FOUND);
	/* The path comes before the method. */
	assert_answered(post("/demo/", ""), ERR_NOT_FOUND);
}

static void
test_demo_without_a_slash_leads_to_the_demo(void **state)
{
	const struct reply *reply = &get("/demo", NULL)->reply;

	(void)state;
	assert_int_equal(reply->status, 308);
	assert_string_equal(reply->location, "demo/");
	assert_int_equal(reply->type, REPLY_EMPTY);
	assert_int_equal(reply_body(reply).len, 0);
}

static bool
page_links(
    const char *base_path, const char *target, bool has_demo, const char *href)
{
	char link[64];

	ask_under(base_path,
	    (struct question){
		.method = METHOD_GET, .target = target, .has_demo = has_demo });
	assert_int_equal(asked->reply.status, 200);
	snprintf(link, sizeof(link), "href=\"%s\"", href);
	return body_has(asked, link);
}

static void
test_the_page_links_what_there_is(void **state)
{
	(void)state;
	assert_true(page_links("", "/", false, "./peerpost.js"));
	assert_true(page_links("", "/?x=/y", false, "./openapi.yaml"));
	assert_true(page_links("", "/", true, "./demo/"));
	assert_false(page_links("", "/", false, "./demo/"));
}

/* The address that the lines for a shell have. */
static void
assert_url(const char *base_path, struct question q, const char *url)
{
	char span[512];

	q.method = METHOD_GET;
	q.target = base_path[0] ? base_path : "/";
	ask_under(base_path, q);
	snprintf(span, sizeof(span), "'<span>%s</span>/register'", url);
	assert_true(body_has(asked, span));
	assert_false(body_has(asked, "@URL@"));
}

static void
test_the_page_has_the_address_that_was_asked(void **state)
{
	(void)state;
	assert_url("", (struct question){ .host = "localhost:8080" },
	    "http://localhost:8080");
	assert_url("/a/b",
	    (struct question){ .host = "[::1]:80", .is_https = true },
	    "https://[::1]:80/a/b");
	assert_url("",
	    (struct question){ .host = "signal.example", .mount = "/signal" },
	    "http://signal.example/signal");
	assert_url("", (struct question){ .host = NULL }, "URL");
}

static void
test_the_page_shows_nothing_that_means_something_else(void **state)
{
	static const char *const hosts[] = { "", "a<b>", "a'b", "a\"b", "a&b",
		"a b", "a$(b)", "a\\b", "a`b`", "a/b", "a@b", "\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < N_OF(hosts); i++)
		assert_url("", (struct question){ .host = hosts[i] }, "URL");
	assert_url("",
	    (struct question){ .host = "a", .mount = "/a'b<&>\xc3\xa4%" },
	    "http://a/a%27b%3C%26%3E%C3%A4%25");
	assert_url(
	    "/a'b&c", (struct question){ .host = "a" }, "http://a/a%27b%26c");
}

static void
test_links_are_right_with_and_without_a_slash(void **state)
{
	(void)state;
	assert_true(page_links("/a/b", "/a/b/", true, "./demo/"));
	assert_true(page_links("/a/b", "/a/b", true, "./b/demo/"));
	assert_true(page_links("/a/b", "/a/b?c/", true, "./b/demo/"));
	assert_true(page_links("", "http://x", true, "./demo/"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_path_has_its_file),
		TEST(test_entity_tags_are_strong_and_all_different),
		TEST(test_a_known_tag_is_answered_304),
		TEST(test_another_tag_or_none_is_answered_200),
		TEST(test_the_demo_is_there_only_if_it_is_on),
		TEST(test_demo_without_a_slash_leads_to_the_demo),
		TEST(test_the_page_links_what_there_is),
		TEST(test_the_page_has_the_address_that_was_asked),
		TEST(test_the_page_shows_nothing_that_means_something_else),
		TEST(test_links_are_right_with_and_without_a_slash),
	};

	return cmocka_run_group_tests_name("asset", tests, NULL, NULL);
}
