"""The commits of each shard in Cassandra: where they end, and how they are read.

Numbers are gapless and never deleted, so the end of a shard needs no second table that could
disagree with it: the last segment is the last one whose first commit is there.
"""

from collections.abc import Iterator

from cassandra.cluster import ResponseFuture
from msgspec import Struct

from airside.adapters.cassandra_payload import Content, Payloads
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Commit, Position
from schemas.errors import Hole

SEGMENT_COMMITS = 256  # in one partition
PAGE_COMMITS = 16  # read at once, of up to 1 MiB each


class Stored(Struct, frozen=True):
    """A commit as it is read."""

    number: int
    commit_id: str
    first_seq: int
    last_seq: int
    next_offset: int
    settled: int
    content: Content | None  # None: it is archived


def segment_of(number: int) -> int:
    """Which segment holds a commit."""
    return (number - 1) // SEGMENT_COMMITS


def first_of(segment: int) -> int:
    """The number of a segment's first commit."""
    return segment * SEGMENT_COMMITS + 1


class Commits:
    """Reads and appends; for one thread at a time."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        self._payloads = Payloads()

    def send(self, commit: Commit) -> ResponseFuture:
        """Send the conditional write, do not wait. Raises: TooLarge, NotFound, Unavailable."""
        values = (
            commit.shard,
            segment_of(commit.number),
            commit.number,
            commit.commit_id,
            commit.first_seq,
            commit.last_seq,
            commit.next_offset,
            commit.settled,
            self._payloads.encode(commit),
        )
        return self._session.send(self._session.bound("add_commit", values), "commit")

    def holder(self, answer: ResponseFuture) -> Position | None:
        """None where the write was applied, else what holds its number.

        Raises: what the driver raises, untranslated; the outcome is unknown then.
        """
        result = answer.result()
        row = result.one()
        if row[0]:
            return None
        found = dict(zip(result.column_names, row, strict=True))
        return Position(
            found["number"], found["last_seq"], found["next_offset"], found["settled"]
        )

    def id_of(self, shard: int, number: int) -> str | None:
        """The id of the commit with that number, by a linearizable read."""
        key = (shard, segment_of(number), number)
        rows = self._session.rows("commit", *key, profile="serial")
        return rows[0][0] if rows else None

    def end(self, shard: int, *, known: int) -> Position:
        """The last commit, by a linearizable read; commit `known` (or 0) is surely there.

        Full segments are passed by plain reads, in steps that double; what is read last is
        read serially, so that a write under way counts or can never be applied.
        Raises: Hole, Unavailable.
        """
        segment = segment_of(max(known, 1))
        position = Position()
        while True:
            rows = self._session.rows("last", shard, segment, profile="serial")
            if not rows:
                break
            position = Position(*rows[0])
            if position.number < first_of(segment + 1) - 1:
                break
            segment = self._last_begun(shard, segment + 1)
        if position.number < known:
            raise Hole(
                f"{self._session.address}, shard {shard}: commit {known} was there and is not "
                f"any more: the history ends at {position.number}. Bring back a copy."
            )
        return position

    def number_after(self, shard: int, seq: int, *, end: Position) -> int:
        """The first commit that has events behind that seq, among those up to `end`."""
        low, high = 1, end.number  # the answer is in low…high, since end.seq > seq
        while low < high:
            middle = (low + high) // 2
            rows = self._session.rows("commit", shard, segment_of(middle), middle)
            if not rows:
                raise self._hole(shard, middle)
            low, high = (low, middle) if rows[0][2] > seq else (middle + 1, high)
        return low

    def read(self, shard: int, number: int, *, count_max: int) -> list[Stored]:
        """Commits from that number on, at most so many. Raises: Hole, Unavailable."""
        found: list[Stored] = []
        while len(found) < count_max:
            segment = segment_of(number)
            limit = min(count_max - len(found), PAGE_COMMITS)
            rows = self._session.rows("stretch", shard, segment, number, limit)
            for *columns, payload in rows:
                if columns[0] != number:
                    raise self._hole(shard, number)
                decode = self._payloads.decode
                content = None if payload is None else decode(payload, columns[2])
                found.append(Stored(*(*columns, content)))
                number += 1
            if len(rows) < limit and segment_of(number) == segment:
                break
        return found

    def each(self, shard: int, first: int, last: int) -> Iterator[Stored]:
        """All commits of a stretch that must be there. Raises: Hole, Unavailable."""
        while first <= last:
            page = self.read(shard, first, count_max=min(PAGE_COMMITS, last - first + 1))
            if not page:
                raise self._hole(shard, first)
            yield from page
            first += len(page)

    def _last_begun(self, shard: int, segment: int) -> int:
        """The last segment that has its first commit; this one where there is none behind."""
        step = 1
        while self._has_begun(shard, segment + step):
            segment += step
            step *= 2
        while step > 1:
            step //= 2
            if self._has_begun(shard, segment + step):
                segment += step
        return segment

    def _has_begun(self, shard: int, segment: int) -> bool:
        return bool(self._session.rows("commit", shard, segment, first_of(segment)))

    def _hole(self, shard: int, number: int) -> Hole:
        return Hole(
            f"{self._session.address}, shard {shard}: commit {number} should be there and is "
            "not. Bring back a copy, or repair the keyspace."
        )
