-- transaction.sql - where transactions begin and end (sqlite/transaction.c).

-- Deferred: a batch that only reads never becomes a write transaction.
-- name: begin
BEGIN DEFERRED;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- Of this transaction, if there is one.
-- name: pages
PRAGMA page_count;

-- name: free_pages
PRAGMA freelist_count;

-- 512 KiB: some milliseconds.
-- name: vacuum_some
PRAGMA incremental_vacuum(128);

-- 64 KiB is what one command may need; a few bytes could find room in the
-- log when there is none for a command.
-- name: probe_fill
UPDATE secret SET probe = zeroblob(65536) WHERE id = 1;

-- name: probe_clear
UPDATE secret SET probe = x'' WHERE id = 1;

-- name: clock_get
SELECT seconds FROM clock WHERE id = 1;

-- name: clock_set
UPDATE clock SET seconds = ?1 WHERE id = 1;

-- name: secret_get
SELECT value FROM secret WHERE id = 1;

-- name: secret_insert
INSERT INTO secret (id, value) VALUES (1, ?1);
