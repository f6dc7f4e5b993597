"""A batch: records in, one commit out. Pure; what it is given it leaves as it was.

A record that cannot be handled is parked and holds its key (`commands/receive.py` has the
reasons). An operator's command is like any other, except that a held key does not hold it. It
needs a readable history too, since it leaves an event there; without one it is parked in its
turn, and redriven with the rest.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from commands.decider import Context, Decider
from commands.desk import Desk, StuckError
from commands.event_store import Commit, Parked, Position
from commands.parking import Waiting
from commands.receive import Received, cut, is_operators, receive
from commands.stream import Stream
from schemas.codec import Codec
from schemas.commands import DiscardParked, OperatorCommand
from schemas.errors import Permanent

S = TypeVar("S")
X = TypeVar("X", bound=Context)


class Before(Struct, Generic[S], frozen=True):
    """Where a shard stands before a batch."""

    shard: int
    shards: int
    position: Position
    settled: int  # by now
    streams: Mapping[str, Stream[S] | Permanent]  # of every account that is decided on
    held: Mapping[str, int]  # account -> offset of its first parked command
    waiting: Waiting = Waiting()


class Counts(Struct):
    """What became of the records consumed: the first five add up to them."""

    accepted: int = 0  # at least one event is neither a refusal nor a note
    refused: int = 0  # none is, and at least one is a refusal
    noted: int = 0  # only notes
    repeats: int = 0
    parked: int = 0
    redriven: int = 0  # parked in an earlier batch and handled in this one
    events: int = 0

    def add(self, other: "Counts") -> None:
        """All of the other's too."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Batch(Struct, Generic[S], frozen=True):
    """A commit, and what holds once it is applied."""

    commit: Commit
    consumed: int  # of the records, from the first
    streams: dict[str, Stream[S]]  # those that it changes
    held: dict[str, int]
    counts: Counts


class BatchHandler(Generic[S, X]):
    """Handles the records of one batch, in order. For one use."""

    def __init__(
        self, before: Before[S], decider: Decider[S, X], codec: Codec, context: X
    ) -> None:
        self._before = before
        self._codec = codec
        self._desk = Desk(decider, codec, context, before.streams, before.position.seq)
        self._held = dict(before.held)
        self._waiting = {parked.offset: parked for parked in before.waiting.records}
        self._offsets = dict.fromkeys(before.waiting.offsets)  # a set that keeps its order
        self._parked: list[Parked] = []
        self._parked_bytes = 0
        self._unparked: list[int] = []
        self._counts: defaultdict[str, int] = defaultdict(int)  # fields of `Counts`

    def handle(self, items: Sequence[Received], commit_id: str, bytes_max: int) -> Batch[S]:
        """Handle records until the commit has `bytes_max` or a little more; at least one.

        Only the first may be an operator's. Where that redrives more than one commit holds,
        nothing is consumed, and the next batch has to begin with the same record.
        """
        consumed = 0
        for item in items:
            size = self._desk.size + self._parked_bytes
            if size >= bytes_max or not self._take(item, bytes_max):
                break
            consumed += 1
        position = self._before.position
        commit = Commit(
            shard=self._before.shard,
            number=position.number + 1,
            commit_id=commit_id,
            first_seq=position.seq + 1,
            next_offset=items[consumed - 1].offset + 1 if consumed else items[0].offset,
            settled=self._before.settled,
            events=tuple(self._desk.events),
            parked=tuple(self._parked),
            unparked=tuple(self._unparked),
        )
        counts = Counts(events=len(commit.events), **self._counts)
        return Batch(commit, consumed, self._desk.streams, self._held, counts)

    def _take(self, item: Received, bytes_max: int) -> bool:
        """Handle one record, or park it. False: it is not finished, and stays."""
        try:
            if is_operators(item.command):
                return self._operate(item, item.command, bytes_max)
            held_by = None if item.is_homeless else self._held.get(item.account_id)
            if held_by is not None:
                raise StuckError(f"BEHIND: offset {held_by}")
            self._counts[self._decide(item, item.at)] += 1
        except StuckError as stuck:
            self._keep_parked(item.parked(str(stuck)))
            self._counts["parked"] += 1
            if not item.is_homeless:
                self._held.setdefault(item.account_id, item.offset)
        return True

    def _decide(self, item: Received, at: int) -> str:
        if item.command is None:
            raise StuckError(item.reason)
        return self._desk.decide(item.command, at)

    def _keep_parked(self, parked: Parked) -> None:
        self._parked.append(parked)
        self._parked_bytes += len(parked.value) + len(parked.reason)

    def _operate(self, item: Received, command: OperatorCommand, bytes_max: int) -> bool:
        note: str | None = ""
        if self._desk.is_repeat(command):
            pass
        elif isinstance(command, DiscardParked):
            note = self._discard(command, item.at)
        else:
            note = self._redrive(item.at, bytes_max)
        if self._offsets:
            self._held[item.account_id] = next(iter(self._offsets))
        else:
            self._held.pop(item.account_id, None)
        if note is None:
            return False
        self._counts[self._desk.note(command, item.at, note)] += 1
        return True

    def _redrive(self, at: int, bytes_max: int) -> str | None:
        """Handle what is parked as if it arrived now. How it went; None: to be continued."""
        if not self._offsets:
            return "nothing is parked"
        while self._waiting:
            if self._desk.size >= bytes_max:
                return None
            parked = next(iter(self._waiting.values()))
            try:
                self._decide_again(parked, at)
            except StuckError as stuck:
                reason = cut(str(stuck))
                if parked.value and reason != parked.reason:
                    self._keep_parked(replace(parked, reason=reason))
                return cut(f"{len(self._offsets)} left, from offset {parked.offset}: {reason}")
            self._unpark(parked.offset)
            self._counts["redriven"] += 1
        return None if self._offsets else "all that was parked is handled"

    def _decide_again(self, parked: Parked, at: int) -> None:
        item = self._received(parked, at)
        command = item.command
        if isinstance(command, DiscardParked):
            self._desk.note(command, at, self._discard(command, at))
        elif is_operators(command):
            self._desk.note(command, at, "redriven with the others")
        else:
            self._decide(item, at)

    def _received(self, parked: Parked, at: int) -> Received:
        record = (parked.offset, at, parked.account_id.encode(), parked.value)
        return receive(record, self._before.shard, self._before.shards, self._codec)

    def _discard(self, command: DiscardParked, at: int) -> str:
        """Give one up. That is its outcome, if it is a command: no copy is handled later."""
        offset = command.offset
        said = cut(f"offset {offset} discarded: {command.reason}")
        parked = self._waiting.get(offset)
        given_up = None if parked is None else self._received(parked, at).command
        if given_up is not None and not is_operators(given_up):
            self._desk.note(given_up, at, said)
        if offset in self._offsets:
            self._unpark(offset)
        elif offset in self._before.waiting.homeless:
            self._unparked.append(offset)
        else:
            return f"nothing is parked at offset {offset}"
        return said

    def _unpark(self, offset: int) -> None:
        if offset in self._offsets:
            del self._offsets[offset]
            self._waiting.pop(offset, None)
            self._unparked.append(offset)
