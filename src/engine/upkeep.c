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
tidy_when_quiet(struct upkeep *upkeep, struct transaction *txn, int64_t now_ms)
{
	upkeep->is_tidying = false;
	if (txn->written_ms == 0 || now_ms - txn->written_ms < TIDY_AFTER_MS)
		return;
	upkeep->is_tidying = txn->world->store->tidy(txn->world->store);
	if (!upkeep->is_tidying)
		txn->written_ms = 0;
}

/* A failure may mean that there was too little room for this much work: then an
 * eighth of it is tried, and so on, down to one; after a success it is doubled.
 */
static size_t
portion(const struct upkeep *upkeep, size_t max)
{
	size_t n = max >> upkeep->n_halvings;

	return n ? n : 1;
}

static void
watch(struct upkeep *upkeep, struct transaction *txn, int64_t now_ms)
{
	if (now_ms < upkeep->watch_ms)
		return;
	upkeep->watch_ms = now_ms + WATCH_EVERY_MS;
	transaction_watch(txn);
}

void
upkeep_run(struct upkeep *upkeep, struct transaction *txn)
{
	struct world *world = txn->world;
	int64_t now_ms = clock_now_ms();
	bool has_trim;
	enum err err;

	presence_tick(world);
	watch(upkeep, txn, now_ms);
	tidy_when_quiet(upkeep, txn, now_ms);
	has_trim = is_trim_due(upkeep, world, now_ms);
	if (now_ms < upkeep->retry_ms || (!has_trim && !expiry_is_due(world)))
		return;
	err = transaction_begin(txn);
	if (!err)
		err = expiry_run(world, portion(upkeep, MAX_EXPIRE));
	if (!err && has_trim)
		err = world_trim(world, portion(upkeep, WORLD_MAX_TRIM));
	if (transaction_end(txn, err) == ERR_NONE) {
		if (upkeep->n_halvings)
			upkeep->n_halvings--;
		return;
	}
	upkeep->retry_ms = now_ms + RETRY_AFTER_MS;
	if (upkeep->n_halvings < MAX_HALVINGS)
		upkeep->n_halvings += 3;
}

bool
upkeep_is_due(const struct upkeep *upkeep, const struct transaction *txn)
{
	return upkeep->is_tidying ||
	    (clock_now_ms() >= upkeep->retry_ms && expiry_is_due(txn->world));
}

void
upkeep_finish(struct transaction *txn)
{
	enum err err = ERR_NONE;

	while (!err && world_has_trim(txn->world)) {
		err = transaction_begin(txn);
		if (!err)
			err = world_trim(txn->world, WORLD_MAX_TRIM);
		err = transaction_end(txn, err);
	}
	/* Closing removes the log by its name. */
	transaction_watch(txn);
}
