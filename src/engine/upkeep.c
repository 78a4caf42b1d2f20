/* upkeep.c - see upkeep.h. */
#include "engine/upkeep.h"

#include "base/clock.h"
#include "core/commit.h"
#include "core/expiry.h"
#include "core/presence.h"
#include "engine/transaction.h"

#define MAX_EXPIRE 256 /* sessions and rooms ended in one transaction */
#define TRIM_AFTER_MS 1000
#define MAX_HALVINGS 12 /* of WORLD_MAX_TRIM */
#define RETRY_AFTER_MS 1000
#define TIDY_AFTER_MS 2000 /* of quiet */
#define WATCH_EVERY_MS 1000

static bool
is_trim_due(struct upkeep *upkeep, const struct world *world, int64_t now_ms)
{
	if (!world_has_trim(world))
		upkeep->trim_ms = 0;
	else if (upkeep->trim_ms == 0)
		upkeep->trim_ms = now_ms + TRIM_AFTER_MS;
	return upkeep->trim_ms && now_ms >= upkeep->trim_ms;
}

static void
tidy_when_quiet(struct upkeep *upkeep, struct turn *turn, int64_t now_ms)
{
	upkeep->is_tidying = false;
	if (turn->written_ms == 0 || now_ms - turn->written_ms < TIDY_AFTER_MS)
		return;
	upkeep->is_tidying = turn->world->store->tidy(turn->world->store);
	if (!upkeep->is_tidying)
		turn->written_ms = 0;
}

/* What fails may be too much for the room that there is: then an eighth of it,
 * and so on, down to one; what succeeds is doubled. */
static size_t
portion(const struct upkeep *upkeep, size_t max)
{
	size_t n = max >> upkeep->n_halvings;

	return n ? n : 1;
}

static void
watch(struct upkeep *upkeep, struct turn *turn, int64_t now_ms)
{
	if (now_ms < upkeep->watch_ms)
		return;
	upkeep->watch_ms = now_ms + WATCH_EVERY_MS;
	turn_watch(turn);
}

void
upkeep_run(struct upkeep *upkeep, struct turn *turn)
{
	struct world *world = turn->world;
	int64_t now_ms = clock_now_ms();
	bool has_trim;
	enum err err;

	presence_tick(world);
	watch(upkeep, turn, now_ms);
	tidy_when_quiet(upkeep, turn, now_ms);
	has_trim = is_trim_due(upkeep, world, now_ms);
	if (now_ms < upkeep->retry_ms || (!has_trim && !presence_is_due(world)))
		return;
	err = turn_begin(turn);
	if (!err)
		err = presence_expire(world, portion(upkeep, MAX_EXPIRE));
	if (!err && has_trim)
		err = world_trim(world, portion(upkeep, WORLD_MAX_TRIM));
	if (turn_end(turn, err) == ERR_NONE) {
		if (upkeep->n_halvings)
			upkeep->n_halvings--;
		return;
	}
	upkeep->retry_ms = now_ms + RETRY_AFTER_MS;
	if (upkeep->n_halvings < MAX_HALVINGS)
		upkeep->n_halvings += 3;
}

bool
upkeep_is_due(const struct upkeep *upkeep, const struct turn *turn)
{
	return upkeep->is_tidying ||
	    (clock_now_ms() >= upkeep->retry_ms &&
		presence_is_due(turn->world));
}

void
upkeep_finish(struct turn *turn)
{
	enum err err = ERR_NONE;

	while (!err && world_has_trim(turn->world)) {
		err = turn_begin(turn);
		if (!err)
			err = world_trim(turn->world, WORLD_MAX_TRIM);
		err = turn_end(turn, err);
	}
	/* Closing removes the log by its name. */
	turn_watch(turn);
}
