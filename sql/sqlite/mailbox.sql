-- mailbox.sql - messages and the events that share them (sqlite/mailbox.c).

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

-- name: events_last_id
SELECT (SELECT coalesce(max(id), 0) FROM event WHERE player = ?1)
FROM player WHERE id = ?1;

-- What is about to be released.
-- name: events_acknowledged
SELECT id, message FROM event
WHERE player = ?1 AND id <= ?2 AND message IS NOT NULL
ORDER BY id;

-- name: events_delete_before
DELETE FROM event WHERE player = ?1 AND id < ?2;

-- name: event_release
UPDATE event SET message = NULL, size = 0 WHERE player = ?1 AND id = ?2;

-- name: events_delete_all
DELETE FROM event WHERE player = ?1;
