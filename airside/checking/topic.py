"""The events topic against the store: everything stored is published, in order, and no more."""

from bisect import bisect_left

from msgspec import Struct

from airside.checking.found import Found, Meter, Sides, numbers
from airside.checking.reading import Pages, records
from schemas.record import EVENTS_TOPIC, Record

SHOWN_BYTES = 8


class Bounds(Struct, frozen=True):
    """Up to where a shard's topic and store can be compared while both move.

    They were read in this order, so what is missing or stray is not just late.
    """

    settled_seq: int  # everything up to it was on the topic before
    end: int  # of the topic
    through: int  # the last seq of the store, and no earlier one than the topic has


class Ranges:
    """A set of numbers as its unbroken stretches."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []  # first and last of each, ascending

    def add(self, number: int) -> None:
        """Take it up."""
        at = bisect_left(self._ranges, (number + 1, 0))
        first, last = self._ranges[at - 1] if at else (number, number - 2)
        if last >= number:
            return
        if last == number - 1:
            at -= 1
            del self._ranges[at]
        else:
            first = number
        last = number
        if at < len(self._ranges) and self._ranges[at][0] == number + 1:
            last = self._ranges.pop(at)[1]
        self._ranges.insert(at, (first, last))

    def forget(self, through: int) -> None:
        """Drop the stretches that end there or before."""
        while self._ranges and self._ranges[0][1] <= through:
            del self._ranges[0]

    def lacks(self, first: int, last: int) -> list[tuple[int, int]]:
        """The stretches from `first` to `last` that are not in it."""
        missing = []
        for low, high in self._ranges:
            if low > first:
                missing.append((first, min(low - 1, last)))
            first = max(first, high + 1)
            if first > last:
                break
        if first <= last:
            missing.append((first, last))
        return [(low, high) for low, high in missing if low <= high]


class TopicCheck:
    """One shard. `next_seq` is what a reader that takes only what comes next still lacks."""

    def __init__(self, sides: Sides, shard: int, bounds: Bounds) -> None:
        self.found = Found("topic", shard)
        self.next_seq = 1
        self._sides, self._shard, self._bounds = sides, shard, bounds
        self._pages = Pages(sides.store, shard, bounds.through)
        self._early = Ranges()
        self.is_unknown = False  # retention has left no event that says where it begins

    def run(self, meter: Meter) -> Found:
        """Read the topic to the bound."""
        self._say_what_is_gone()
        for some in records(
            self._sides.topics, EVENTS_TOPIC, self._shard, end=self._bounds.end
        ):
            for record in some:
                self._take(record)
            self.found.compared += len(some)
            meter.add(len(some))
        self._name_what_is_missing()
        if self.found.repeats:
            self.found.said.append(f"{self.found.repeats:,} records are repeats")
        if self.found.early:
            self.found.said.append(f"{self.found.early:,} records came before their turn")
        return self.found

    def _say_what_is_gone(self) -> None:
        source = self._sides.topics.source(EVENTS_TOPIC, self._shard)
        begin = source.begin()
        source.close()
        if begin:
            self.found.said.append(f"records before offset {begin} are gone by retention")
            self.is_unknown = True

    def _take(self, record: Record) -> None:
        offset, _, key, value = record
        seq = None if value is None else self._sides.codec.seq_of(value)
        place = f"offset {offset}"
        if seq is None or value is None:
            what = "no value" if value is None else value[:SHOWN_BYTES].hex(" ")
            self.found.fault(place, f"no event ({what}). Find the producer that wrote it.")
            return
        stored = self._pages.event(seq)
        if stored is None:
            self.found.fault(place, f"seq {seq} is not in the store. Find its producer.")
            return
        if key != stored.account_id.encode() or value != stored.data:
            part = "key" if value == stored.data else "bytes"
            what = f"seq {seq} has another {part} in the store. Find its producer."
            self.found.fault(place, what)
            return
        self._count(seq)

    def _count(self, seq: int) -> None:
        if self.is_unknown:
            self.next_seq, self.is_unknown = seq, False
        if seq == self.next_seq:
            self.next_seq += 1
            self._early.forget(seq)
        elif seq < self.next_seq:
            self.found.repeats += 1
        else:
            self.found.early += 1
            self._early.add(seq)

    def _name_what_is_missing(self) -> None:
        first, last = self.next_seq, self._bounds.settled_seq
        self._say_what_waits(max(last, first - 1))
        if self.is_unknown or first > last:
            return
        missing = self._early.lacks(first, last)
        for low, high in missing:
            self.found.fault(numbers(low, high), "missing on the topic. --repair publishes it.")
        if not missing:
            what = "published only before what comes ahead of it. --repair publishes it again."
            self.found.fault(numbers(first, last), what)

    def _say_what_waits(self, seq: int) -> None:
        """What is committed behind `seq`, and not known to be published by anybody."""
        waiting = self._bounds.through - seq
        if waiting > 0:
            self.found.waiting = waiting
            said = f"{waiting:,} events from seq {seq + 1} on wait to be published"
            self.found.said.append(f"{said}: the shard's handler does it")
