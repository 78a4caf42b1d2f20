-- reply.sql - remembered replies (sqlite/session.c).

-- REPLACE, so that storing a key again is no error.  (remembered.c looks for the
-- key first, so it never does.)
-- name: reply_insert
INSERT OR REPLACE INTO reply
	(scope, key_hash, player, request_hash, body, created)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: reply_find
SELECT player, request_hash, body, created
FROM reply WHERE scope = ?1 AND key_hash = ?2;

-- name: replies_bytes
SELECT coalesce(sum(length(body)), 0) FROM reply WHERE player = ?1;

-- name: reply_delete_old
DELETE FROM reply WHERE player = ?1 AND created < ?2
RETURNING length(body);

-- name: reply_delete_many
DELETE FROM reply WHERE id IN (
	SELECT id FROM reply WHERE player = ?1
	ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?2)
RETURNING length(body);

-- name: reply_delete_all
DELETE FROM reply WHERE player = ?1;
