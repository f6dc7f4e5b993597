"""Accounts in Cassandra: many loaded at once, one read through, and their snapshots.

Snapshots are read first and only the events behind them. Whoever archives meanwhile saves a
newer snapshot before deleting rows, and never deletes an account's newest event: so rows that
were deleted in between show as a gap, and the account is read again.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import zstandard
from cassandra.cluster import ResponseFuture
from cassandra.query import BoundStatement

from airside.adapters.cassandra_errors import answering
from airside.adapters.cassandra_session import CassandraSession, Row
from commands.event_store import Loaded, Snapshot, StoredEvent

ACCOUNTS_MAX = 40  # asked for in one request
IN_FLIGHT_MAX = 16  # requests
READS_MAX = 4  # of an account whose versions have a gap; then its fold says what is missing
PAUSE_SECONDS = 0.02  # before the second read, then twice that, and so on
HISTORY_ROWS = 1_000  # in one page
SNAPSHOT_BYTES_MAX = 8 * 1024 * 1024  # a write takes half a commit log segment: 16 MiB
ZSTD_LEVEL = 1

log = logging.getLogger("airside.cassandra")


class Accounts:
    """For one thread at a time."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        self._compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def load(self, account_ids: Sequence[str], fingerprint: str) -> dict[str, Loaded]:
        """Newest snapshot and later events of each. Raises: Unavailable."""
        loaded: dict[str, Loaded] = {}
        missing = list(dict.fromkeys(account_ids))
        for attempt in range(READS_MAX):
            if attempt:
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            loaded |= self._read(missing, fingerprint)
            missing = [account_id for account_id in missing if has_gap(loaded[account_id])]
            if not missing:
                break
        return loaded

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """All events of one account, a page at a time. Raises: Unavailable."""
        rows = self._session.pages("history", account_id, rows_max=HISTORY_ROWS)
        return (StoredEvent(*row) for row in rows)

    def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep these; the newest of an account and fingerprint stays. Raises: Unavailable."""
        for _ in self._rows(self._saving(snapshots)):
            pass

    def _saving(self, snapshots: Iterable[Snapshot]) -> Iterator[BoundStatement]:
        for s in snapshots:
            data = self._compress(s.data)
            if len(data) > SNAPSHOT_BYTES_MAX:
                log.warning(
                    "snapshot left out version=%d bytes=%d bytes_max=%d",
                    s.version,
                    len(data),
                    SNAPSHOT_BYTES_MAX,
                )
                continue
            values = (s.account_id, s.fingerprint, s.version, data, s.version)
            yield self._session.bound("add_snapshot", values)

    def _read(self, account_ids: Sequence[str], fingerprint: str) -> dict[str, Loaded]:
        bound = self._session.bound
        found: dict[str, tuple[int, bytes | None]] = dict.fromkeys(account_ids, (0, None))
        chunks = _chunks(account_ids)
        for row in self._rows(bound("snapshots", (some, fingerprint)) for some in chunks):
            found[row[0]] = (row[1], self._decompress(row[2]))
        events: dict[str, list[StoredEvent]] = {account_id: [] for account_id in account_ids}
        chunks = _chunks(sorted(account_ids, key=lambda account_id: found[account_id][0]))
        for account_id, version, seq, data in self._rows(
            bound("later_events", (some, found[some[0]][0])) for some in chunks
        ):
            if version > found[account_id][0]:
                events[account_id].append(StoredEvent(seq, account_id, version, data))
        return {
            account_id: Loaded(data, version, tuple(events[account_id]))
            for account_id, (version, data) in found.items()
        }

    def _rows(self, statements: Iterable[BoundStatement]) -> Iterator[Row]:
        """What all of them answer, in order, a bounded number of requests ahead."""
        sent: deque[ResponseFuture] = deque()
        with answering(self._session.address):
            for statement in statements:
                if len(sent) == IN_FLIGHT_MAX:
                    yield from sent.popleft().result()
                sent.append(self._session.send(statement, "plain"))
            while sent:
                yield from sent.popleft().result()


def has_gap(loaded: Loaded) -> bool:
    """Whether a version is missing behind the snapshot."""
    events = loaded.events
    return bool(events) and events[-1].version != loaded.snapshot_version + len(events)


def _chunks(account_ids: Sequence[str]) -> list[Sequence[str]]:
    step = ACCOUNTS_MAX
    return [account_ids[first : first + step] for first in range(0, len(account_ids), step)]
