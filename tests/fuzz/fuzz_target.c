/* fuzz_target.c - request targets and query strings.
 *
 * The first byte of the input chooses a base path, the rest is the target;
 * the same rest is also walked over as a query.
 */
#include <assert.h>
#include <stdio.h>

#include "api/target.h"
#include "tests/fuzz/fuzz.h"

static const char *const base_paths[] = { "", "/p", "/signal/post" };

#define N_BASE_PATHS (sizeof(base_paths) / sizeof(base_paths[0]))

/* A path written with every byte escaped is the same path. */
static void
check_escaped(const struct target *target, const char *base_path)
{
	char raw[3 * (TARGET_MAX_PATH + 1) + 64];
	struct target again;
	size_t len = (size_t)sprintf(raw, "%s/", base_path);
	enum err err;

	for (const char *p = target->path + 1; *p; p++)
		len += (size_t)sprintf(raw + len, "%%%02x", (unsigned char)*p);
	err = target_parse((struct span){ raw, len }, base_path, &again);
	assert(err == ERR_NONE);
	assert(strcmp(again.path, target->path) == 0);
	assert(!again.query.at);
}

static void
check_target(struct span raw, const char *base_path)
{
	struct target target = { .path = "kept" };
	enum err err = target_parse(raw, base_path, &target);

	if (err) {
		assert(err == ERR_BAD_REQUEST || err == ERR_NOT_FOUND);
		assert(strcmp(target.path, "kept") == 0);
		return;
	}
	assert(strlen(target.path) <= TARGET_MAX_PATH);
	if (target.query.at) {
		assert(target.query.at > raw.at);
		assert(target.query.at[-1] == '?');
		assert(target.query.at + target.query.len == raw.at + raw.len);
	}
	if (strcmp(target.path, "*") == 0)
		return;
	assert(target.path[0] == '/');
	assert(!strstr(target.path, "//"));
	check_escaped(&target, base_path);
}

static void
check_query(struct span query)
{
	const char *end = query.at + query.len;
	struct target_member member;
	bool more = true;

	while (more) {
		struct span before = query;

		if (target_next_member(&query, &member, &more)) {
			assert(query.at == before.at);
			assert(memchr(before.at, '%', before.len) ||
			    memchr(before.at, '\0', before.len));
			return;
		}
		assert(query.at + query.len == end);
		if (!more)
			break;
		assert(query.len < before.len);
		assert(strlen(member.name) < sizeof(member.name));
		assert(strlen(member.value) <= TARGET_MAX_VALUE);
		assert(
		    !member.is_cut || strlen(member.value) == TARGET_MAX_VALUE);
	}
	assert(query.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	check_target(text, base_paths[data[0] % N_BASE_PATHS]);
	check_query(text);
	return 0;
}
