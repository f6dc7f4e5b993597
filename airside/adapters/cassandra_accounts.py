"""Accounts in Cassandra: many loaded at once, one read through, and their snapshots.

Snapshots are read first and only the events behind them. Whoever archives meanwhile saves a
newer snapshot before deleting rows, and never deletes an account's newest event: so rows that
were deleted in between show as a gap, and the account is read again. Where no snapshot fits,
as with new fold code, the gap stays, and is filled from the archive.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence

from cassandra.cluster import ResponseFuture
from cassandra.query import BoundStatement

from airside.adapters.cassandra_archived import Archived, chunks_of
from airside.adapters.cassandra_errors import answering
from airside.adapters.cassandra_payload import Packing
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Loaded, Snapshot, StoredEvent

READS_MAX = 4  # of an account whose versions have a gap; then its fold says what is missing
PAUSE_SECONDS = 0.02  # before the third read, then twice that
HISTORY_ROWS = 1_000  # in one page
SNAPSHOT_BYTES_MAX = 8 * 1024 * 1024  # a write takes half a commit log segment: 16 MiB

log = logging.getLogger("airside.cassandra")


class Accounts:
    """For one thread at a time."""

    def __init__(self, session: CassandraSession, archived: Archived) -> None:
        self._session, self._archived = session, archived
        self._packing = Packing()
        self._saving: list[ResponseFuture] = []  # snapshots under way

    def load(self, account_ids: Sequence[str], fingerprint: str) -> dict[str, Loaded]:
        """Newest snapshot and later events of each. Raises: Hole, NotFound, Unavailable."""
        loaded: dict[str, Loaded] = {}
        missing = list(dict.fromkeys(account_ids))
        for attempt in range(READS_MAX):
            if attempt > 1:
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 2))
            loaded |= self.read(missing, fingerprint, self.take_saving())
            missing = [account_id for account_id in missing if has_gap(loaded[account_id])]
            if missing and attempt:
                loaded |= self._archived.filled({a: loaded[a] for a in missing})
                missing = [account_id for account_id in missing if has_gap(loaded[account_id])]
            if not missing:
                break
        return loaded

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """All events of one account, a page at a time. Raises: Hole, NotFound, Unavailable."""
        version = 0
        for row in self._session.pages("history", account_id, rows_max=HISTORY_ROWS):
            event = StoredEvent(*row)
            if event.version > version + 1:
                yield from self._archived.events(account_id, version + 1, event.version - 1)
            yield event
            version = event.version

    def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Send these, when those sent before have arrived. Raises: Unavailable, of those.

        Whoever needs them to be there waits for it; a lost one loses nothing else.
        """
        self.await_saved()
        with answering(self._session.address):
            for statement in self._statements(snapshots):
                self._saving.append(self._session.send(statement, "plain"))

    def take_saving(self) -> Sequence[ResponseFuture]:
        """The snapshots under way; whoever takes them waits for them."""
        sent, self._saving = self._saving, []
        return sent

    def await_saved(self) -> None:
        """Return when every snapshot sent is there. Raises: Unavailable."""
        self._await(self.take_saving())

    def read(
        self, account_ids: Sequence[str], fingerprint: str, saving: Sequence[ResponseFuture]
    ) -> dict[str, Loaded]:
        """One look at snapshots (behind those under way) and events; there may be gaps."""
        self._await(saving)
        bound, each = self._session.bound, self._session.each
        found: dict[str, tuple[int, bytes | None]] = dict.fromkeys(account_ids, (0, None))
        chunks = chunks_of(account_ids)
        for row in each(bound("snapshots", (some, fingerprint)) for some in chunks):
            found[row[0]] = (row[1], self._packing.unpacked(row[2]))
        events: dict[str, list[StoredEvent]] = {account_id: [] for account_id in account_ids}
        chunks = chunks_of(sorted(account_ids, key=lambda account_id: found[account_id][0]))
        for account_id, version, seq, data in each(
            bound("later_events", (some, found[some[0]][0])) for some in chunks
        ):
            if version > found[account_id][0]:
                events[account_id].append(StoredEvent(seq, account_id, version, data))
        return {
            account_id: Loaded(data, version, tuple(events[account_id]))
            for account_id, (version, data) in found.items()
        }

    def _await(self, saving: Sequence[ResponseFuture]) -> None:
        with answering(self._session.address):
            for answer in saving:
                answer.result()

    def _statements(self, snapshots: Iterable[Snapshot]) -> Iterator[BoundStatement]:
        for s in snapshots:
            data = self._packing.packed(s.data)
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


def has_gap(loaded: Loaded) -> bool:
    """Whether a version is missing behind the snapshot."""
    events = loaded.events
    return bool(events) and events[-1].version != loaded.snapshot_version + len(events)
