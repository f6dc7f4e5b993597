"""The statements that follow a commit, grouped and bound by hand.

A prepared `BEGIN UNLOGGED BATCH` of n inserts is one statement with 4 n values: the driver
binds it at a fraction of what n statements in a `BatchStatement` cost (measured, see
docs/decisions/0010-cassandra.md). Different accounts are different partitions, so the batch is
not atomic and need not be: every row may be repeated.
"""

import struct
from collections.abc import Callable, Iterator

from cassandra.query import BoundStatement

from airside.adapters.cassandra_payload import Content
from airside.adapters.cassandra_session import CQL, CassandraSession
from commands.event_store import StoredEvent

BUCKET_OFFSETS = 4_096  # of parked records in one partition
GROUP_ACCOUNTS_MAX = 10  # the server warns above this many partitions …
GROUP_BYTES_MAX = 4_500  # … and above 5 KiB
GROUP_ROWS_MAX = 50  # of few accounts; bounds how many statements are prepared
ACCOUNT_BYTES_MAX = 64 * 1024  # of one account at once: one partition, so nothing is warned of
ROW_BYTES = 48  # what a row weighs besides its id and data, about

_version = struct.Struct(">i").pack
_seq = struct.Struct(">q").pack


def bucket_of(offset: int) -> int:
    """In which bucket a parked record is."""
    return offset // BUCKET_OFFSETS


class Requests:
    """Makes the requests of a commit."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    def of(self, shard: int, number: int, content: Content) -> list[BoundStatement]:
        """Everything that follows from a commit. Raises: NotFound, Unavailable."""
        primary = self._session.primary_of_accounts()
        inserts = [self._insert(group) for group in groups(content.events, primary)]
        return inserts + list(self._parking(shard, number, content))

    def _insert(self, events: list[StoredEvent]) -> BoundStatement:
        count = len(events)
        prepared = self._session.prepared(f"add_events {count}", lambda: batch_of(count))
        values: list[bytes] = []
        for event in events:
            values += (
                event.account_id.encode(),
                _version(event.version),
                _seq(event.seq),
                event.data,
            )
        prepared.routing_key_indexes = [0]  # the server names none for a batch
        request = BoundStatement(prepared)
        request.values = values
        return request

    def _parking(self, shard: int, number: int, content: Content) -> Iterator[BoundStatement]:
        """A record that is both unparked and parked again stays: its delete would win."""
        bound = self._session.bound
        kept = {parked.offset for parked in content.parked}
        for offset in content.unparked:
            if offset not in kept:
                yield bound("unpark", (number, shard, bucket_of(offset), offset))
        for bucket in sorted({bucket_of(offset) for offset in kept}):
            yield bound("add_bucket", (shard, bucket))
        for p in content.parked:
            key = (shard, bucket_of(p.offset), p.offset)
            yield bound("park", (*key, p.account_id, p.at, p.reason, p.value, number))


def batch_of(count: int) -> str:
    """An unlogged batch of so many inserts; one needs none."""
    insert = CQL["add_event"].strip()
    if count == 1:
        return insert
    return "\n".join(["BEGIN UNLOGGED BATCH", *[f"{insert};"] * count, "APPLY BATCH"])


def groups(
    events: tuple[StoredEvent, ...], primary: Callable[[str], object] | None
) -> Iterator[list[StoredEvent]]:
    """All events, an account's together, in groups that the server does not warn about.

    With `primary`, accounts that live on the same node travel together, and that node is asked.
    """
    accounts: dict[str, list[StoredEvent]] = {}
    for event in events:
        accounts.setdefault(event.account_id, []).append(event)
    homes: dict[object, list[list[StoredEvent]]] = {}
    for account_id, some in accounts.items():
        home = None if primary is None else primary(account_id)
        homes.setdefault(home, []).append(some)
    for of_home in homes.values():
        yield from _packed(of_home)


def _packed(accounts: list[list[StoredEvent]]) -> Iterator[list[StoredEvent]]:
    group: list[StoredEvent] = []
    size = count = 0
    for events in accounts:
        for portion, weight in _portions(events):
            is_full = count == GROUP_ACCOUNTS_MAX or size + weight > GROUP_BYTES_MAX
            if group and (is_full or len(group) + len(portion) > GROUP_ROWS_MAX):
                yield group
                group, size, count = [], 0, 0
            group.extend(portion)
            size, count = size + weight, count + 1
    if group:
        yield group


def _portions(events: list[StoredEvent]) -> Iterator[tuple[list[StoredEvent], int]]:
    """One account's events in portions that one request can carry, and what each weighs."""
    portion: list[StoredEvent] = []
    size = 0
    for event in events:
        weight = len(event.data) + len(event.account_id) + ROW_BYTES
        if portion and (size + weight > ACCOUNT_BYTES_MAX or len(portion) == GROUP_ROWS_MAX):
            yield portion, size
            portion, size = [], 0
        portion.append(event)
        size += weight
    yield portion, size
