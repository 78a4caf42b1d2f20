/* status.c - the daemon's status, and its log level. */
#include "config.h"

#include "api/admin/route.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/admin/reply.h"
#include "api/fault.h"
#include "api/parse_body.h"
#include "api/reply.h"
#include "api/value.h"
#include "base/clock.h"
#include "base/log.h"

static void
add_database(struct buf *out, struct store *store)
{
	struct store_status status;

	store->status(store, &status);
	admin_add_object(out, "database");
	admin_add_text(out, "file", status.path);
	admin_add_int(out, "bytes", status.size_bytes);
	admin_add_int(out, "log_bytes", status.log_bytes);
	admin_add_text(out, "durability",
	    status.durability == DURABILITY_POWER ? "power" : "process");
	buf_add_text(out, "}");
}

static void
add_limits(struct buf *out, const struct request *request,
    const struct settings *settings)
{
	admin_add_object(out, "max");
	admin_add_int(out, "players", settings->max_players);
	admin_add_int(out, "rooms", settings->max_rooms);
	admin_add_int(out, "parked", settings->max_parked);
	admin_add_int(out, "connections", request->max_connections);
	buf_add_text(out, "}");
}

enum err
get_status_run(struct transaction *txn, struct request *request)
{
	const struct world *world = txn->world;
	struct buf *out = reply_begin(request, 200);
	int64_t up_ms = clock_now_ms() - txn->started_ms;

	buf_add_text(out, "{");
	admin_add_text(out, "version", PACKAGE_VERSION);
	admin_add_int(out, "pid", (uint64_t)getpid());
	admin_add_int(out, "uptime_s", (uint64_t)up_ms / 1000);
	admin_add_text(out, "state", txn->is_draining ? "stopping" : "ready");
	admin_add_text(out, "storage", txn->is_failing ? "failing" : "ok");
	admin_add_int(out, "players", world->n_players);
	admin_add_int(out, "rooms", world->n_rooms);
	admin_add_int(out, "parked", world->parked.len);
	admin_add_int(out, "connections", request->n_connections);
	admin_add_bool(out, "full", request->is_full);
	add_limits(out, request, world->settings);
	add_database(out, world->store);
	admin_add_bool(out, "backup", txn->backup != NULL);
	admin_add_text(out, "log_level", log_level_name(log_get_level()));
	buf_add_text(out, "}");
	return ERR_NONE;
}

/* Write the level in the body, a JSON string or a bare name, to out. */
static void
read_level(struct span body, struct buf *out)
{
	struct json_value value, level = { .type = JSON_NULL };
	struct json_walk walk;
	struct span key;

	if (json_check(body, &value)) {
		buf_add_span(out, text_trim(body));
		return;
	}
	if (value.type != JSON_OBJECT) {
		(void)value_string(value, out);
		return;
	}
	walk = json_walk(value);
	while (json_next_member(&walk, &key, &value))
		if (value_key_is(key, "level"))
			level = value;
	(void)value_string(level, out);
}

enum err
set_log_level_run(struct transaction *txn, struct request *request)
{
	enum log_level level;
	struct buf name, *out;

	(void)txn;
	buf_init(&name, FAULT_MAX_SHOWN);
	read_level(parse_body(request), &name);
	if (name.overflowed || !log_level_parse(buf_span(&name), &level)) {
		char *why = fault_in_text(
		    "level", buf_span(&name), "error, warning, info or debug");

		reply_fail_admin(request, 400, "bad-level", why);
		free(why);
	} else {
		log_set_level(level);
		out = reply_begin(request, 200);
		buf_add_text(out, "{");
		admin_add_text(out, "level", log_level_name(level));
		buf_add_text(out, "}");
	}
	buf_fini(&name);
	return ERR_NONE;
}
