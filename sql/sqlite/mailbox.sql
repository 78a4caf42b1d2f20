-- mailbox.sql - messages and the events that share them (sqlite_mailbox.c).

-- name: message_insert
INSERT INTO message (kind, refs, body) VALUES (?1, ?2, ?3);

-- Tried before message_release: mostly the last reference goes.
-- name: message_delete
DELETE FROM message WHERE id = ?1 AND refs <= ?2;

-- name: message_release
UPDATE message SET refs = refs - ?2 WHERE id = ?1;

-- name: event_insert
INSERT INTO event (player, id, message, size) VALUES (?1, ?2, ?3, ?4);

-- name: events_after
SELECT event.id, message.kind, message.body
FROM event JOIN message ON message.id = event.message
WHERE event.player = ?1 AND event.id > ?2
ORDER BY event.id;

-- name: events_bytes
SELECT coalesce(sum(size), 0) FROM event WHERE player = ?1 AND id > ?2;

-- name: events_head
SELECT max(floor,
	(SELECT coalesce(max(id), 0) FROM event WHERE player = ?1))
FROM player WHERE id = ?1;

-- What events_delete is about to let go of.  (RETURNING would do both, but
-- through a temporary table, which is dearer than looking twice.)
-- name: events_acknowledged
SELECT message FROM event WHERE player = ?1 AND id <= ?2;

-- name: events_delete
DELETE FROM event WHERE player = ?1 AND id <= ?2;
