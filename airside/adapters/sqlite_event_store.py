"""The event store in one SQLite file: a commit is a transaction, and its number the fence.

An event's primary key is its shard and seq (`shard << 40 | seq`), so that the ordered history
is a range scan and a commit appends; the unique index over (account, version) is what accounts
are loaded from. It is written in the same transaction: what is committed is indexed.

The statements are in `sqlite_event_store.sql`, each under a name and a sentence.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from airside.adapters.memory_event_store import check_size, commit_refused
from airside.adapters.sqlite_file import answering, connect, writing
from commands.event_store import (
    Commit,
    Loaded,
    Parked,
    Position,
    Resumed,
    Snapshot,
    StoredEvent,
)
from schemas.envelope import new_id
from schemas.errors import Contradiction, Fenced, Hole, NotFound, OutcomeUnknown, Overtaken

SEQ_BITS = 40
LOAD_MAX = 250  # accounts in one statement
CACHE_KIB = 32_768  # per connection, as far as it is used
HISTORY_PAGE = 1_000
PARKED_PAGE = 50  # records of up to 1 MiB each
NAMED = re.compile(r"^-- (\w+): .*\n", re.MULTILINE)

_, *_parts = NAMED.split(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
SQL: Mapping[str, str] = dict(zip(_parts[::2], _parts[1::2], strict=True))


class SqliteEventStore:
    """One connection, for one thread at a time; any number of them share the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        with answering(path):
            # A commit touches index pages all over the file: with room for them, and the
            # rarer checkpoints of `connect`, events cost a quarter less (measured).
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._connection.executescript(SQL["schema"])

    def lay_out(self, shards: int | None, default: int) -> int:
        """How many shards there are: as stored, else as asked for, else `default`.

        Raises: Contradiction where another number is stored than asked for.
        """
        with writing(self._connection, self._path) as connection:
            layout = (default if shards is None else shards, new_id())
            connection.execute(SQL["set_layout"], layout)
            found: int = connection.execute(SQL["layout"]).fetchone()[0]
        if shards not in (None, found):
            raise Contradiction(
                f"{self._path} has {found} shards, {shards} were asked for. Accounts are "
                "partitioned once: keep the number, or start another data directory."
            )
        return found

    def shards(self) -> int:
        """How many shards the accounts are partitioned into. Raises: NotFound."""
        with answering(self._path):
            row = self._connection.execute(SQL["layout"]).fetchone()
        if row is None:
            raise NotFound(f"{self._path} has no layout yet. Run: airside init")
        return int(row[0])

    def history_id(self) -> str:
        """The random id that this history got when it was laid out."""
        with answering(self._path):
            return str(self._connection.execute(SQL["history_id"]).fetchone()[0])

    def resume(self, shard: int) -> Resumed:
        """Where the history ends and what is not settled. Raises: Hole, Unavailable."""
        with self._reading():
            position = self._last(shard)
            rows = self._all("unsettled", shard, position.settled)
            numbers = [number for number, _, _ in rows]
            if numbers != list(range(position.settled + 1, position.number + 1)):
                raise Hole(
                    f"{self._path}, shard {shard}: commits {position.settled + 1} to "
                    f"{position.number} should be there, found {numbers}. Bring the file back "
                    "from a copy."
                )
            unpublished = tuple(
                (number, tuple(self._stretch(shard, first - 1, last - first + 1)))
                for number, first, last in rows
            )
        return Resumed(position, unpublished)

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """Snapshot and later events of every asked account, two statements for LOAD_MAX.

        Ids are parameters: in JSON, SQLite would cut them at a NUL.
        """
        snapshots: dict[str, tuple[int, bytes | None]] = dict.fromkeys(account_ids, (0, None))
        events: dict[str, list[StoredEvent]] = {account_id: [] for account_id in snapshots}
        with self._reading():
            asked = list(snapshots)
            for first in range(0, len(asked), LOAD_MAX):
                some = asked[first : first + LOAD_MAX]
                found = self._of_many("newest_snapshots", "(?)", some, (*some, fingerprint))
                snapshots.update((row[0], row[1:]) for row in found)
                after = [value for a in some for value in (a, snapshots[a][0])]
                for row in self._of_many("later_events", "(?, ?)", some, after):
                    events[row[1]].append(StoredEvent(*row))
        return {
            account_id: Loaded(data, version, tuple(events[account_id]))
            for account_id, (version, data) in snapshots.items()
        }

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """Read when it is heard: this thread reads, and it has something else to do now."""
        return partial(self.load, account_ids, fingerprint)

    def begin_commit(self, commit: Commit) -> None:
        """Nothing: this thread writes."""

    def commit(self, commit: Commit) -> None:
        """One transaction. Raises: Fenced, OutcomeUnknown, TooLarge, Unavailable."""
        check_size(commit)
        connection = self._connection
        with answering(self._path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._append(commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise OutcomeUnknown(
                f"{self._path}, shard {commit.shard}, commit {commit.number}: {error}"
            ) from error

    def landed(self, commit: Commit) -> bool:
        """Whether the commit at that number is this very one."""
        with answering(self._path):
            rows = self._all("landed", commit.shard, commit.number)
        return rows == [(commit.commit_id,)]

    def indexed(self, shard: int) -> int:
        """All of them: the index is written with the commit."""
        with answering(self._path):
            return self._last(shard).number

    def settle(self, shard: int, number: int) -> None:
        """Note what is settled; never backwards."""
        with self._unhurried() as connection:
            connection.execute(SQL["settle"], (shard, number))

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The next events of the shard. Raises: Hole, Unavailable."""
        with answering(self._path):
            return self._stretch(shard, after_seq, count_max)

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """The account's events, by version, a page at a time."""
        version = 0
        while True:
            with answering(self._path):
                rows = self._all("history", account_id, version, HISTORY_PAGE)
            if not rows:
                return
            version = rows[-1][2]
            yield from (StoredEvent(*row) for row in rows)

    def parked_accounts(self, shard: int) -> dict[str, int]:
        """Accounts with parked commands, and the offset of the first of each."""
        with answering(self._path):
            return dict(self._all("parked_accounts", shard))

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        """Parked commands by offset, a page at a time."""
        offset = -1
        while True:
            with answering(self._path):
                if account_id is None:
                    rows = self._all("parked", shard, offset, PARKED_PAGE)
                else:
                    rows = self._all(
                        "parked_of_account", shard, offset, account_id, PARKED_PAGE
                    )
            if not rows:
                return
            offset = rows[-1][0]
            yield from (Parked(*row) for row in rows)

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep the newest two of each account and fingerprint."""
        rows = [(s.account_id, s.fingerprint, s.version, s.data) for s in snapshots]
        with self._unhurried() as connection:
            connection.executemany(SQL["add_snapshot"], rows)
            connection.executemany(SQL["drop_snapshots"], [row[:2] for row in rows])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _append(self, commit: Commit) -> None:
        last = self._last(commit.shard)
        if (commit.number, commit.first_seq) != (last.number + 1, last.seq + 1):
            raise Fenced(commit_refused(commit, last.number, last.seq))
        shard, execute_many = commit.shard, self._connection.executemany
        self._connection.execute(
            SQL["add_commit"],
            (
                shard,
                commit.number,
                commit.commit_id,
                commit.first_seq,
                commit.last_seq,
                commit.next_offset,
                commit.settled,
            ),
        )
        high = shard << SEQ_BITS
        try:
            execute_many(
                SQL["add_event"],
                [(high | e.seq, e.account_id, e.version, e.data) for e in commit.events],
            )
        except sqlite3.IntegrityError as error:
            raise Overtaken(
                f"{self._path}, shard {shard}, commit {commit.number}: {error}. The history "
                "already has such an event: resume."
            ) from error
        if commit.unparked:
            execute_many(SQL["unpark"], [(shard, offset) for offset in commit.unparked])
        if commit.parked:
            execute_many(
                SQL["park"],
                [
                    (shard, p.offset, p.account_id, p.at, p.reason, p.value)
                    for p in commit.parked
                ],
            )

    def _last(self, shard: int) -> Position:
        row = self._connection.execute(SQL["last"], (shard,)).fetchone()
        return Position(*row) if row else Position()

    def _stretch(self, shard: int, after_seq: int, count_max: int) -> list[StoredEvent]:
        high = shard << SEQ_BITS
        beyond = ((shard + 1) << SEQ_BITS) - 1
        rows = self._all("read", high | after_seq, beyond, count_max)
        if rows and rows[-1][0] != after_seq + len(rows):
            raise Hole(
                f"{self._path}, shard {shard}: behind seq {after_seq} should be "
                f"{rows[-1][0] - after_seq} events, found {len(rows)}. Bring back a copy."
            )
        return [StoredEvent(*row) for row in rows]

    def _of_many(
        self, name: str, one: str, many: Sequence[str], arguments: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        statement = SQL[name].format(asked=", ".join([one] * len(many)))
        return self._connection.execute(statement, arguments).fetchall()

    def _all(self, name: str, *arguments: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(SQL[name], arguments).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Several statements that see one moment."""
        with answering(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _unhurried(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is not worth waiting for the disk: losing it loses nothing."""
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            with writing(self._connection, self._path) as connection:
                yield connection
        finally:
            self._connection.execute("PRAGMA synchronous = FULL")
