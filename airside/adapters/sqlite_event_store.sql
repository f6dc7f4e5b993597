-- schema: The commits of each shard are the truth; everything is written with them.
CREATE TABLE IF NOT EXISTS layout (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    shards  INTEGER NOT NULL,
    history TEXT NOT NULL  -- a random id: read models say whose history they are of
);
CREATE TABLE IF NOT EXISTS commits (
    shard       INTEGER NOT NULL,
    number      INTEGER NOT NULL,  -- 1, 2, 3 …; taken once, taken for ever
    commit_id   TEXT NOT NULL,
    first_seq   INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    PRIMARY KEY (shard, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id         INTEGER PRIMARY KEY,  -- shard << 40 | seq
    account_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    data       BLOB NOT NULL,
    UNIQUE (account_id, version)
);
CREATE TABLE IF NOT EXISTS parked (
    shard      INTEGER NOT NULL,
    "offset"   INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    at         INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    value      BLOB NOT NULL,
    PRIMARY KEY (shard, "offset")
);
CREATE INDEX IF NOT EXISTS parked_by_account ON parked (shard, account_id, "offset");
CREATE TABLE IF NOT EXISTS snapshots (
    account_id  TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version     INTEGER NOT NULL,
    data        BLOB NOT NULL,
    PRIMARY KEY (account_id, fingerprint, version)
);

-- set_layout: The first number of shards stays.
INSERT OR IGNORE INTO layout VALUES (1, ?, ?)

-- history_id: Which history this is.
SELECT history FROM layout

-- layout: How many shards the accounts were partitioned into.
SELECT shards FROM layout

-- last: Where a shard's history ends.
SELECT number, last_seq, next_offset, settled FROM commits
WHERE shard = ? ORDER BY number DESC LIMIT 1

-- landed: The id of the commit that has this number.
SELECT commit_id FROM commits WHERE shard = ? AND number = ?

-- unsettled: The commits behind one, in order.
SELECT number, first_seq, last_seq FROM commits WHERE shard = ? AND number > ? ORDER BY number

-- settle: Raise what the last commit says is settled.
UPDATE commits SET settled = max(settled, ?2)
WHERE shard = ?1 AND number = (SELECT max(number) FROM commits WHERE shard = ?1)

-- add_commit: Refused by its primary key where the number is taken.
INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?)

-- add_event: Refused by the unique index where the account has the version.
INSERT INTO events VALUES (?, ?, ?, ?)

-- read: A stretch of a shard's history, by its ids.
SELECT id & 1099511627775, account_id, version, data FROM events
WHERE id > ? AND id <= ? ORDER BY id LIMIT ?

-- history: The next events of one account.
SELECT id & 1099511627775, account_id, version, data FROM events
WHERE account_id = ? AND version > ? ORDER BY version LIMIT ?

-- newest_snapshots: Of many accounts; {asked} is a row of one parameter for each.
WITH asked (account_id) AS (VALUES {asked})
SELECT snapshots.account_id, max(snapshots.version), snapshots.data
FROM asked
JOIN snapshots ON snapshots.account_id = asked.account_id AND snapshots.fingerprint = ?
GROUP BY snapshots.account_id

-- later_events: Of many accounts, behind a version each; {asked} is a row of two parameters each.
WITH asked (account_id, version) AS (VALUES {asked})
SELECT events.id & 1099511627775, events.account_id, events.version, events.data
FROM asked
CROSS JOIN events ON events.account_id = asked.account_id AND events.version > asked.version
ORDER BY events.account_id, events.version

-- add_snapshot: A repeat carries the same bytes.
INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)

-- drop_snapshots: All but the two newest of an account and fingerprint.
DELETE FROM snapshots WHERE account_id = ?1 AND fingerprint = ?2 AND version < (
    SELECT version FROM snapshots WHERE account_id = ?1 AND fingerprint = ?2
    ORDER BY version DESC LIMIT 1 OFFSET 1
)

-- park: Set a record aside, or give a new reason for it.
INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?)

-- unpark: It is handled, or given up.
DELETE FROM parked WHERE shard = ? AND "offset" = ?

-- parked: The next parked records of a shard.
SELECT "offset", account_id, at, reason, value FROM parked
WHERE shard = ? AND "offset" > ? ORDER BY "offset" LIMIT ?

-- parked_of_account: The next parked records of one account.
SELECT "offset", account_id, at, reason, value FROM parked
WHERE shard = ? AND "offset" > ? AND account_id = ? ORDER BY "offset" LIMIT ?

-- parked_accounts: Who waits, and since which record.
SELECT account_id, min("offset") FROM parked WHERE shard = ? GROUP BY account_id
