-- player.sql - sessions (sqlite/session.c).

-- Nothing inserted: the id is taken.  A token that is taken is an error.
-- name: player_insert
INSERT INTO player (id, token_hash, name) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO NOTHING;

-- What is acknowledged stands first in a mailbox, and is one row at most.
-- name: player_by_token
SELECT id, token_hash, name, coalesce(room, 0),
	coalesce((SELECT iif(event.message IS NULL, event.id, 0) FROM event
		WHERE event.player = player.id ORDER BY event.id LIMIT 1), 0)
FROM player WHERE token_hash = ?1;

-- name: player_by_id
SELECT id, token_hash, name, coalesce(room, 0),
	coalesce((SELECT iif(event.message IS NULL, event.id, 0) FROM event
		WHERE event.player = player.id ORDER BY event.id LIMIT 1), 0)
FROM player WHERE id = ?1;

-- name: players_after
SELECT id FROM player WHERE id > ?1 ORDER BY id LIMIT ?2;

-- scan: it counts every row; asked for rarely.
-- name: player_count
SELECT count(*) FROM player;

-- name: player_enter_room
UPDATE player SET room = ?2,
	seat = 1 + (SELECT coalesce(max(seat), 0) FROM player WHERE room = ?2)
WHERE id = ?1;

-- name: player_leave_room
UPDATE player SET room = NULL, seat = 0 WHERE id = ?1;

-- name: player_delete
DELETE FROM player WHERE id = ?1;
