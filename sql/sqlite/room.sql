-- room.sql - rooms and their members (sqlite/room.c).

-- name: room_insert
INSERT INTO room (uuid, host) VALUES (?1, ?2);

-- name: room_by_uuid
SELECT id, uuid, host, sealed FROM room WHERE uuid = ?1;

-- name: room_by_id
SELECT id, uuid, host, sealed FROM room WHERE id = ?1;

-- name: room_seal
UPDATE room SET sealed = 1 WHERE id = ?1;

-- name: room_delete
DELETE FROM room WHERE id = ?1;

-- name: rooms_after
SELECT id, uuid, host, sealed,
	(SELECT name FROM player WHERE player.id = room.host),
	(SELECT count(*) FROM player WHERE player.room = room.id)
FROM room WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: room_members
SELECT id, name FROM player WHERE room = ?1 ORDER BY seat;

-- scan: it counts every row; asked for rarely.
-- name: room_count
SELECT count(*) FROM room;
