-- 0001_initial.sql - the first schema.
--
-- A migration runs inside the transaction that opens the database, and sets
-- user_version to its own number.  Released ones are never edited.

-- "PrPo": whose file this is (see sqlite/open.c, which looks for it).
PRAGMA application_id = 0x5072506f;
PRAGMA user_version = 1;

-- What belongs to the database as a whole.  One row.
CREATE TABLE secret (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	-- The key from which the tokens of keyed registers are derived.
	value BLOB NOT NULL CHECK (length(value) = 32),
	-- Written and emptied again to find out whether writing works.
	probe BLOB NOT NULL DEFAULT x''
) STRICT;

CREATE TABLE room (
	id INTEGER PRIMARY KEY,
	-- Version 4, lower case: its name for players.
	uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
	-- The creator.  The room goes before its host does.
	host INTEGER NOT NULL UNIQUE REFERENCES player (id),
	sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1))
) STRICT;

CREATE TABLE player (
	-- Public, random; usable as a peer id, where 1 means the host.
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 2 AND 2147483647),
	-- SHA-256 of the token: who reads this file cannot act as a player.
	token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	-- NULL: in the lobby.
	room INTEGER REFERENCES room (id),
	-- Join order within the room: greater joined later.
	seat INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Members in join order; leaves out the lobby.
CREATE INDEX player_room ON player (room, seat) WHERE room IS NOT NULL;

-- What was sent, once, however many mailboxes it lies in.  Ids may come back
-- when the newest messages have gone: nothing refers to those any more.
CREATE TABLE message (
	id INTEGER PRIMARY KEY,
	-- Kind of event, a code of the rules above the store.
	kind INTEGER NOT NULL,
	-- How many events still refer to it.  It goes with the last.
	refs INTEGER NOT NULL CHECK (refs > 0),
	-- Final JSON text.
	body TEXT NOT NULL
) STRICT;

-- Mailboxes.  Thin rows, so that a message to a whole room is cheap.
-- message has no foreign key: checking one would take an index over
-- event.message, the dearest thing in this file; message.refs does instead.
CREATE TABLE event (
	player INTEGER NOT NULL REFERENCES player (id),
	-- 1, 2, 3 ... per player, without gaps.
	id INTEGER NOT NULL CHECK (id > 0),
	-- NULL: it is acknowledged, and the message released.  The last such row
	-- of a player stays, so that its id is not given out again.
	message INTEGER,
	-- Length of the message's body in bytes, for limits.
	size INTEGER NOT NULL CHECK (size >= 0),
	CHECK (message IS NOT NULL OR size = 0),
	PRIMARY KEY (player, id)
) STRICT, WITHOUT ROWID;

-- Sessions that were ended for a player, so that its token can be told why.
CREATE TABLE ended (
	token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
	-- A code of the rules above the store.
	reason INTEGER NOT NULL,
	-- Unix time.
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_at ON ended (at);

-- Remembered replies to commands with an Idempotency-Key.
CREATE TABLE reply (
	-- Greater is newer: created alone is too coarse to order by.
	id INTEGER PRIMARY KEY,
	-- Whose keys these are: a player's id, or 0 for keys of /register.
	scope INTEGER NOT NULL,
	key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
	-- With whom it goes.
	player INTEGER NOT NULL REFERENCES player (id),
	-- What was asked, to notice a key that is used for something else.
	request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
	-- What cannot be rebuilt from the repeated request; never a token.
	body BLOB NOT NULL,
	-- Unix time.
	created INTEGER NOT NULL,
	UNIQUE (scope, key_hash)
) STRICT;

CREATE INDEX reply_player ON reply (player, created);
