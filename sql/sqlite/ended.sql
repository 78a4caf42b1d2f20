-- ended.sql - sessions that were ended for a player (sqlite/session.c).

-- name: ended_insert
INSERT INTO ended (token_hash, reason, at) VALUES (?1, ?2, ?3)
ON CONFLICT (token_hash) DO UPDATE SET reason = excluded.reason,
	at = excluded.at;

-- name: ended_by_token
SELECT reason FROM ended WHERE token_hash = ?1 AND at >= ?2;

-- name: ended_delete_old
DELETE FROM ended WHERE at < ?1;

-- The token decides between rows of the same second.  NULL, and so nothing
-- to delete, when there are no more than ?1 rows.
-- scan: walks the ?1 newest entries of the index, which are to stay.
-- name: ended_delete_many
DELETE FROM ended WHERE (at, token_hash) <= (
	SELECT at, token_hash FROM ended
	ORDER BY at DESC, token_hash DESC LIMIT 1 OFFSET ?1);
