-- 0002_clock.sql - ages by a clock of the database's own.

PRAGMA user_version = 2;

-- Seconds for which daemons have served this database.  They advance with the
-- monotonic clock of the daemon that has it open, and stand still while there
-- is none.  So the clock on the wall may jump by years, and nothing looks older
-- for it.  reply.created and ended.at are times of this clock.  One row,
-- written together with whatever else is written, and never behind those times.
CREATE TABLE clock (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	seconds INTEGER NOT NULL
) STRICT;

-- Version 1 stored Unix time there: the clock goes on from the newest.
INSERT INTO clock (id, seconds) VALUES (1, max(
	(SELECT coalesce(max(created), 0) FROM reply),
	(SELECT coalesce(max(at), 0) FROM ended)));
