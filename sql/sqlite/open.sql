-- open.sql - what is run once, while the database is opened (sqlite/schema.c),
-- or a copy of it made (sqlite/backup.c).

-- The order matters: exclusive before the first look, so that nobody else
-- changes what is seen, and nothing that writes before the look is done.
-- once: lock
PRAGMA locking_mode = EXCLUSIVE;
BEGIN EXCLUSIVE;

-- once: page_count
PRAGMA page_count;

-- once: application_id
PRAGMA application_id;

-- once: user_version
PRAGMA user_version;

-- once: quick_check
PRAGMA quick_check(1);

-- Switches for good, and says "wal".
-- once: journal_mode
PRAGMA journal_mode = WAL;

-- Every commit is fsynced.
-- once: durability_power
PRAGMA synchronous = FULL;

-- Commits reach the kernel; the log is fsynced before a checkpoint.
-- once: durability_process
PRAGMA synchronous = NORMAL;

-- 64 MiB of cache at most (KiB when negative); no memory map: an I/O error
-- would be a SIGBUS; a log that has been reset keeps no more than 4 MiB;
-- deleting overwrites only what is written anyway: zeros for whole pages would
-- go through the log, where a full disk has no room for them.
-- once: tune
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA journal_size_limit = 4194304;
PRAGMA secure_delete = FAST;

-- once: page_size
PRAGMA page_size;

-- 2: incremental.
-- once: auto_vacuum
PRAGMA auto_vacuum;

-- once: used_pages
SELECT page_count - freelist_count
FROM pragma_page_count, pragma_freelist_count;

-- once: rebuild
PRAGMA auto_vacuum = INCREMENTAL;
VACUUM;

-- Of a backup: nobody will ever roll it back or look for it after a crash.
-- once: backup
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
