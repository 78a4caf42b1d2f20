/* room.c - see room.h. */
#include "core/room.h"

#include <string.h>

#include "base/random.h"
#include "core/commit.h"
#include "core/mailbox.h"
#include "core/presence.h"

#define HOST_PEER_ID 1
#define MAX_PEER_DIGITS 10

uint32_t
room_peer_id(const struct room *room, uint32_t player)
{
	return player == room->host ? HOST_PEER_ID : player;
}

/* A peer id as the data of an event. */
static struct span
peer_text(uint32_t peer, char digits[TEXT_INT_SIZE])
{
	return (struct span){ digits, text_from_int(digits, peer) };
}

static MUST_CHECK enum err
enter(struct world *world, struct player *player, struct room *room)
{
	enum err err = world->store->player_set_room(
	    world->store, player->id, room->id);

	if (err)
		return err;
	room_add_member(room, player->id);
	player->room = room;
	presence_leave_lobby(player);
	presence_room_active(world, room);
	return ERR_NONE;
}

static MUST_CHECK enum err
back_to_lobby(struct world *world, struct player *player)
{
	enum err err = world->store->player_set_room(
	    world->store, player->id, 0);

	if (err)
		return err;
	player->room = NULL;
	presence_enter_lobby(world, player);
	return ERR_NONE;
}

/* Send one player a peer id.  The mailbox may overflow: this is a broadcast to
 * a list of one. */
static MUST_CHECK enum err
tell_peer(struct world *world, struct player *player, enum event_kind kind,
    uint32_t peer)
{
	char digits[TEXT_INT_SIZE];

	return mailbox_broadcast(
	    world, &player->id, 1, 0, kind, peer_text(peer, digits));
}

static MUST_CHECK enum err
tell_others(struct world *world, const struct room *room, uint32_t except,
    enum event_kind kind, uint32_t peer)
{
	char digits[TEXT_INT_SIZE];

	return mailbox_broadcast(world, room->members, room->n_members, except,
	    kind, peer_text(peer, digits));
}

/* Whether the player's own mailbox has room for n more peer ids. */
static MUST_CHECK enum err
check_own(struct world *world, struct player *player, uint64_t n)
{
	enum err err = mailbox_load(world, player);

	if (err)
		return err;
	return mailbox_has_capacity(world, player, n, n * MAX_PEER_DIGITS) ?
	    ERR_NONE :
	    ERR_OWN_MAILBOX_FULL;
}

enum err
room_create(struct world *world, struct player *player)
{
	struct store *store = world->store;
	struct room_row row = { .host = player->id };
	struct room *room;
	uint8_t bytes[16];
	enum err err;

	if (player->room)
		return ERR_ALREADY_IN_ROOM;
	if (world->settings->max_rooms &&
	    world->n_rooms >= world->settings->max_rooms)
		return ERR_TOO_MANY_ROOMS;
	err = check_own(world, player, 1);
	if (!err)
		err = world_check_space(world, 0);
	if (err)
		return err;
	random_bytes(bytes, sizeof(bytes));
	text_from_uuid(row.uuid, bytes);
	err = store->room_insert(store, row.uuid, row.host, &row.id);
	if (err)
		return err;
	world->n_rooms++;
	room = room_new(world, &row);
	err = enter(world, player, room);
	if (err)
		return err;
	return tell_peer(world, player, EVENT_CONNECTED_TO_ROOM, HOST_PEER_ID);
}

/* If the host does not fetch its mail, and the event of a join does not fit
 * into its mailbox, it is listed for eviction: the room ends with its session.
 */
static MUST_CHECK enum err
check_host(struct world *world, struct room *room, size_t size_bytes)
{
	struct player *host;
	enum err err;

	err = player_find(world, room->host, &host);
	if (!err)
		err = mailbox_load(world, host);
	if (err)
		return err;
	if (mailbox_has_capacity(world, host, 1, size_bytes) ||
	    mailbox_is_fetched(world, host))
		return ERR_NONE;
	list_append(&world->evicted, &host->evicted);
	return ERR_ROOM_NOT_FOUND;
}

/* Whether all events of a join fit into their mailboxes. */
static MUST_CHECK enum err
check_join(struct world *world, struct player *player, struct room *room)
{
	char digits[TEXT_INT_SIZE];
	size_t size_bytes = text_from_int(digits, player->id);
	enum err err = check_own(world, player, 1 + room->n_members);

	if (!err)
		err = world_check_space(world, 0);
	if (!err)
		err = check_host(world, room, size_bytes);
	return err ? err :
		     mailbox_check(world, room->members, room->n_members,
			 EVENT_PEER_CONNECTED, size_bytes);
}

enum err
room_join(struct world *world, struct player *player, const char *uuid)
{
	struct room *room;
	enum err err;

	if (player->room)
		return ERR_ALREADY_IN_ROOM;
	err = room_find_by_uuid(world, uuid, &room);
	if (err)
		return err;
	if (room->is_sealed)
		return ERR_ROOM_SEALED;
	if (world->settings->max_room_members &&
	    room->n_members >= world->settings->max_room_members)
		return ERR_ROOM_FULL;
	err = check_join(world, player, room);
	if (err)
		return err;
	err = enter(world, player, room);
	if (!err)
		err = tell_peer(
		    world, player, EVENT_CONNECTED_TO_ROOM, player->id);
	for (size_t i = 0; !err && i + 1 < room->n_members; i++)
		err = tell_peer(world, player, EVENT_PEER_CONNECTED,
		    room_peer_id(room, room->members[i]));
	return err ? err :
		     tell_others(world, room, player->id, EVENT_PEER_CONNECTED,
			 player->id);
}

enum err
room_seal(struct world *world, struct player *player)
{
	struct span body = span_of("\"null\"");
	struct room *room = player->room;
	enum err err;

	if (!room)
		return ERR_NOT_IN_ROOM;
	if (room->host != player->id)
		return ERR_NOT_HOST;
	if (room->is_sealed)
		return ERR_ROOM_SEALED;
	err = mailbox_check(
	    world, room->members, room->n_members, EVENT_ROOM_SEALED, body.len);
	if (!err)
		err = world_check_space(world, 0);
	if (!err)
		err = world->store->room_seal(world->store, room->id);
	if (err)
		return err;
	room->is_sealed = true;
	presence_room_active(world, room);
	presence_room_sealed(world, room);
	return mailbox_broadcast(
	    world, room->members, room->n_members, 0, EVENT_ROOM_SEALED, body);
}

enum err
room_find_peer(struct world *world, struct player *player, uint32_t peer,
    struct player **out)
{
	struct room *room = player->room;
	struct player *other;
	enum err err;

	if (!room)
		return ERR_NOT_IN_ROOM;
	presence_room_active(world, room);
	err = player_find(
	    world, peer == HOST_PEER_ID ? room->host : peer, &other);
	if (err == ERR_ABSENT)
		return ERR_PEER_NOT_FOUND;
	if (err)
		return err;
	if (other->room != room || other == player)
		return ERR_PEER_NOT_FOUND;
	*out = other;
	return ERR_NONE;
}

static MUST_CHECK enum err
delete_room(struct world *world, struct room *room)
{
	enum err err = world->store->room_delete(world->store, room->id);

	if (err)
		return err;
	world->n_rooms--;
	room_free(world, room);
	return ERR_NONE;
}

enum err
room_close(struct world *world, struct room *room, struct span reason)
{
	enum err err;

	err = mailbox_broadcast(world, room->members, room->n_members, 0,
	    EVENT_ROOM_CLOSED, reason);
	for (size_t i = 0; !err && i < room->n_members; i++) {
		struct player *member;

		err = player_find(world, room->members[i], &member);
		if (!err)
			err = back_to_lobby(world, member);
	}
	return err ? err : delete_room(world, room);
}

enum err
room_leave(struct world *world, struct player *player)
{
	struct room *room = player->room;
	bool was_host;
	enum err err;

	if (!room)
		return ERR_NOT_IN_ROOM;
	was_host = room->host == player->id;
	err = back_to_lobby(world, player);
	if (err)
		return err;
	room_remove_member(room, player->id);
	err = tell_others(world, room, 0, EVENT_PEER_DISCONNECTED,
	    was_host ? HOST_PEER_ID : player->id);
	if (err)
		return err;
	if (was_host)
		return room_close(
		    world, room, span_of("\"Host Disconnected\""));
	presence_room_active(world, room);
	return ERR_NONE;
}
