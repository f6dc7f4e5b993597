"""The ordered history of shards, read in any portion; going on where the last call stopped."""

from collections.abc import Sequence

from msgspec import Struct

from airside.adapters.cassandra_archived import Archived
from airside.adapters.cassandra_commits import Commits, Stored
from commands.event_store import StoredEvent
from schemas.errors import Hole

COMMITS_MAX = 64  # read at once


class Place(Struct, frozen=True):
    """Where a read stopped."""

    seq: int  # of the last event handed out
    number: int  # of the next commit
    left: tuple[StoredEvent, ...] = ()  # of the commit before it


class ShardReader:
    """For one thread at a time."""

    def __init__(self, commits: Commits, archived: Archived) -> None:
        self._commits, self._archived = commits, archived
        self._places: dict[int, Place] = {}
        self._events_per_commit = 1.0

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The next events behind a seq. Raises: Hole, NotFound, Unavailable."""
        place = self._place(shard, after_seq)
        if place is None:
            return []
        events = list(place.left)
        number = place.number
        while len(events) < count_max:
            wanted = (count_max - len(events)) / max(self._events_per_commit, 1.0)
            page = self._commits.read(
                shard, number, count_max=min(int(wanted) + 1, COMMITS_MAX)
            )
            if not page:
                break
            for stored in page:
                events.extend(self._events(shard, stored))
            number += len(page)
            self._events_per_commit = (len(events) - len(place.left)) / (number - place.number)
        self._check(shard, after_seq, events)
        found, left = events[:count_max], tuple(events[count_max:])
        self._places[shard] = Place(after_seq + len(found), number, left)
        return found

    def _place(self, shard: int, after_seq: int) -> Place | None:
        """Where to go on; None where nothing lies behind that seq."""
        place = self._places.get(shard)
        if place is not None and place.seq == after_seq:
            return place
        if after_seq == 0:
            return Place(0, 1)
        end = self._commits.end(shard, known=0)
        if end.seq <= after_seq:
            return None
        number = self._commits.number_after(shard, after_seq, end=end)
        events = self._events(shard, next(self._commits.each(shard, number, number)))
        left = tuple(event for event in events if event.seq > after_seq)
        return Place(after_seq, number + 1, left)

    def _events(self, shard: int, stored: Stored) -> Sequence[StoredEvent]:
        if stored.content is not None:
            return stored.content.events
        return self._archived.commit(shard, stored.number).events

    def _check(self, shard: int, after_seq: int, events: Sequence[StoredEvent]) -> None:
        if events and (events[0].seq, events[-1].seq) != (
            after_seq + 1,
            after_seq + len(events),
        ):
            raise Hole(
                f"shard {shard}: behind seq {after_seq} should be {len(events)} events, found "
                f"seq {events[0].seq} to {events[-1].seq}. Bring back a copy."
            )
