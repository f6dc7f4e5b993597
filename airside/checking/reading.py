"""Reading a shard's history and topics in pieces, also where something is missing.

stretches     the history in order: events, or the numbers that are not there
Pages         one event by its seq, a few pages in memory
records       a partition from its begin to a given end
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from airside.log import Log, Source
from commands.event_store import EventStore, StoredEvent
from schemas.errors import Hole, Unavailable
from schemas.record import Record

PAGE = 1_000  # events or records at once
PAGES_MAX = 8  # in memory
WAIT_SECONDS = 0.5  # of one poll
FRUITLESS_MAX = 20  # polls in a row that bring nothing, though the end is not reached


def stretches(
    store: EventStore, shard: int, *, after_seq: int, through: int
) -> Iterator[Sequence[StoredEvent] | range]:
    """The history behind `after_seq` up to `through`: events, or a range of missing seqs.

    Where the store says that there is a hole, pieces are halved until it is found; one of which
    it knows the end, such as a file that is missing, is passed in one step.
    """
    seq, count = after_seq, PAGE
    lost_from = None
    while seq < through:
        asked = min(count, through - seq)
        try:
            found = store.read(shard, after_seq=seq, count_max=asked)
        except Hole as hole:
            if asked == 1:
                lost_from = lost_from or seq + 1
                seq = max(seq + 1, hole.last_seq or 0)
            count = max(1, asked // 2)
            continue
        if not found:
            break
        if lost_from:
            yield range(lost_from, seq + 1)
            lost_from = None
        yield found
        seq, count = seq + len(found), min(2 * count, PAGE)
    if lost_from or seq < through:
        yield range(lost_from or seq + 1, through + 1)


class Pages:
    """Single events of a shard's history, for a reader that mostly goes forwards."""

    def __init__(self, store: EventStore, shard: int, through: int) -> None:
        self._store, self._shard, self._through = store, shard, through
        self._pages: OrderedDict[int, Mapping[int, StoredEvent]] = OrderedDict()

    def event(self, seq: int) -> StoredEvent | None:
        """The event with that seq; None where the history has none up to `through`."""
        if not 0 < seq <= self._through:
            return None
        number = (seq - 1) // PAGE
        if number not in self._pages:
            self._pages[number] = self._read(number)
            if len(self._pages) > PAGES_MAX:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return self._pages[number].get(seq)

    def _read(self, number: int) -> Mapping[int, StoredEvent]:
        first = number * PAGE
        through = min(first + PAGE, self._through)
        found = stretches(self._store, self._shard, after_seq=first, through=through)
        return {e.seq: e for part in found if not isinstance(part, range) for e in part}


def records(topics: Log, topic: str, shard: int, *, end: int) -> Iterator[list[Record]]:
    """Every record of a partition before offset `end`, in pieces.

    Raises: Unavailable where they stay away, though the log says that they are there.
    """
    with closing(topics.source(topic, shard)) as source:
        reached = source.begin()
        source.seek(reached)
        while reached < end and (polled := _polled(source, reached, PAGE)):
            reached = polled[-1][0] + 1
            yield [record for record in polled if record[0] < end]


def record_at(topics: Log, topic: str, shard: int, offset: int) -> Record | None:
    """The record at an offset; None where there is none, or none any more.

    Raises: Unavailable.
    """
    with closing(topics.source(topic, shard)) as source:
        source.seek(offset)
        found = next(iter(_polled(source, offset, 1)), None)
    return found if found is not None and found[0] == offset else None


def _polled(source: Source, reached: int, count: int) -> list[Record]:
    """What comes next; nothing at the end, which only a source that reached it knows surely.

    Raises: Unavailable where nothing comes before the end.
    """
    for _ in range(FRUITLESS_MAX):
        if polled := source.poll(count, WAIT_SECONDS):
            return polled
        if source.end() <= reached:
            return []
    raise Unavailable(
        f"nothing comes from offset {reached} on, {FRUITLESS_MAX} polls in a row, though the "
        f"topic ends at {source.end()}. Check the log's servers, then again."
    )
