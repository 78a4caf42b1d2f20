/* relay.c - see relay.h. */
#include "core/relay.h"

#include "base/clock.h"
#include "core/commit.h"
#include "core/mailbox.h"
#include "core/presence.h"

/* Pay for this many bytes in the mailboxes of others. */
static MUST_CHECK enum err
pay(struct world *world, struct player *player, uint64_t n_bytes,
    struct bill *bill)
{
	return bill_pay(bill, &player->relays, world->settings->relay_rate,
	    clock_now_ms(), n_bytes);
}

enum err
relay_message(struct world *world, struct player *player, struct span body,
    struct bill *bill)
{
	struct room *room = player->room;
	enum err err;

	if (!room)
		return ERR_NOT_IN_ROOM;
	/* No mailbox could ever hold it, and all members would be evicted. */
	if (world->settings->max_mailbox_bytes &&
	    body.len > world->settings->max_mailbox_bytes)
		return ERR_MAILBOX_FULL;
	err = mailbox_check(world, room->members, room->n_members,
	    EVENT_ROOM_MESSAGE, body.len);
	if (!err)
		err = world_check_space(world, body.len);
	if (!err)
		err = pay(
		    world, player, body.len * (room->n_members - 1), bill);
	if (err)
		return err;
	presence_room_active(world, room);
	return mailbox_broadcast(
	    world, room->members, room->n_members, 0, EVENT_ROOM_MESSAGE, body);
}

enum err
relay_one(struct world *world, struct player *player, struct player *recipient,
    enum event_kind kind, struct span body, struct bill *bill)
{
	enum err err = mailbox_load(world, recipient);

	if (err)
		return err;
	if (!mailbox_has_capacity(world, recipient, 1, body.len))
		return ERR_MAILBOX_FULL;
	err = world_check_space(world, body.len);
	if (!err)
		err = pay(world, player, body.len, bill);
	return err ? err : mailbox_send(world, recipient, kind, body);
}
