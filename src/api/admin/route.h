/* route.h - the paths of the admin listener.
 *
 * Floor: api.
 *
 * Its requests are answered on the engine thread, in the transaction of the
 * batch like any other.  To add a route, add a row to route.c.
 */
#ifndef PEERPOST_API_ADMIN_ROUTE_H
#define PEERPOST_API_ADMIN_ROUTE_H

#include "api/route.h"
#include "api/transaction.h"

/* Writes the reply.  ERR_STORAGE: the transaction is lost, as always. */
typedef enum err (*admin_run_fn)(
    struct transaction *txn, struct request *request);

struct admin_route {
	struct route route; /* its path may have one segment "*" */
	admin_run_fn run;   /* of ROUTE_ADMIN */
};

/* The route of this path (decoded), or NULL.  The segment matched by its "*" is
 * written to out_argument; a path whose segment does not fit has no route.  Any
 * thread; pure. */
const struct route *admin_route_find(
    const char *path, char out_argument[REQUEST_ARGUMENT_SIZE]);

/* Run a request whose route is one of these and has the kind ROUTE_ADMIN.
 * Engine thread only.  ERR_STORAGE. */
MUST_CHECK enum err admin_route_run(
    struct transaction *txn, struct request *request);

/* The functions named in the rows, each in its own file.  Engine thread only.
 */

/* rooms.c */

/* GET /rooms?after=N&max=M: a page of rooms. */
MUST_CHECK enum err get_rooms_run(
    struct transaction *txn, struct request *request);
/* GET /rooms/UUID: one room, and its members. */
MUST_CHECK enum err get_one_room_run(
    struct transaction *txn, struct request *request);
/* POST /rooms/UUID/close */
MUST_CHECK enum err close_room_run(
    struct transaction *txn, struct request *request);
/* POST /players/ID/kick */
MUST_CHECK enum err kick_player_run(
    struct transaction *txn, struct request *request);

/* status.c */

/* GET /status */
MUST_CHECK enum err get_status_run(
    struct transaction *txn, struct request *request);
/* POST /log-level: {"level":NAME}, a JSON string, or the bare name. */
MUST_CHECK enum err set_log_level_run(
    struct transaction *txn, struct request *request);

#endif
