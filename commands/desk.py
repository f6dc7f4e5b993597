"""The desk: decides one command after the other, on copies, and keeps the events of a batch.

A repeat yields no events. A command that cannot be told from a repeat, or whose clock runs
ahead, is refused here, in any domain; all else is the decider's business. Where one is stuck,
nothing of it is kept.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from commands.decider import Context, Decider
from commands.event_store import StoredEvent
from commands.receive import ITEM_BYTES_MAX
from commands.stream import Stream, bug_of
from schemas.codec import Codec
from schemas.envelope import Command, Event
from schemas.errors import Permanent
from schemas.events import CommandNoted, CommandRefused
from schemas.record import RECORD_BYTES_MAX

S = TypeVar("S")
X = TypeVar("X", bound=Context)

EVENT_BYTES_MAX = RECORD_BYTES_MAX - 4_096  # an event, its key and its headers are one record


class StuckError(Exception):
    """A command cannot be handled now; the message is the reason it is parked with."""


class Desk(Generic[S, X]):
    """What a batch has come to so far: `streams` that it changed, `events`, their `size`."""

    def __init__(
        self,
        decider: Decider[S, X],
        codec: Codec,
        context: X,
        streams: Mapping[str, Stream[S] | Permanent],
        seq: int,
    ) -> None:
        self.streams: dict[str, Stream[S]] = {}
        self.events: list[StoredEvent] = []
        self.size = 0  # bytes
        self._decide, self._evolve = decider.decide, decider.evolve
        self._encode = codec.encode
        self._context, self._catalog_version = context, context.version
        self._tolerance_ms = decider.clock_tolerance_ms(context)
        self._before = streams
        self._seq = seq

    def is_repeat(self, command: Command) -> bool:
        """Whether it is known that the command was handled. Raises: StuckError."""
        return self._stream(command.account_id).is_repeat(command.command_id)

    def decide(self, command: Command, at: int) -> str:
        """What became of it, by its name in `Counts`, with its events. Raises: StuckError."""
        stream = self._stream(command.account_id)
        if stream.is_repeat(command.command_id):
            return "repeats"
        at = max(at, stream.at)
        issued_at = command.issued_at
        said: Sequence[Event]
        try:
            if issued_at > at + self._tolerance_ms:
                said = _refused(command, "CLOCK_SKEW", "R26", f"{issued_at - at} ms ahead")
                issued_at = at  # the claim, remembered, would make all others stale one day
            elif issued_at <= stream.forgotten_until:
                said = _refused(command, "COMMAND_STALE", "", f"by {stream.forgotten_until}")
            else:
                said = self._decide(stream.state, command, self._context, at)
            self._keep(command, stream, said, at, issued_at)
        except (StuckError, MemoryError):
            raise
        except Exception as bug:
            # `decide` and `evolve` never raise, by contract. Where one does after all, one
            # account waits until the bug is mended, and not its whole shard.
            raise StuckError(f"DECIDER_FAILED: {bug_of(bug)}") from bug
        return _outcome(said)

    def note(self, command: Command, at: int, note: str) -> str:
        """The engine has handled the command itself, and says how. Raises: StuckError."""
        stream = self._stream(command.account_id)
        if stream.is_repeat(command.command_id):
            return "repeats"
        at = max(at, stream.at)
        said = [CommandNoted(command_type=type(command).__name__, note=note)]
        self._keep(command, stream, said, at, min(command.issued_at, at))
        return "noted"

    def _stream(self, account_id: str) -> Stream[S]:
        stream = self.streams.get(account_id) or self._before[account_id]
        if isinstance(stream, Permanent):
            raise StuckError(f"HISTORY: {stream}")
        return stream

    def _keep(
        self,
        command: Command,
        stream: Stream[S],
        said: Sequence[Event],
        at: int,
        issued_at: int,
    ) -> None:
        if not said:
            raise StuckError("DECIDER_FAILED: decide returned no event")
        account_id, seq, version = command.account_id, self._seq, stream.version
        events: list[Event] = []
        stored: list[StoredEvent] = []
        size = 0
        for one in said:
            seq, version = seq + 1, version + 1
            event = replace(
                one,
                seq=seq,
                version=version,
                at=at,
                issued_at=issued_at,
                catalog_version=self._catalog_version,
                command_id=command.command_id,
                account_id=account_id,
                actor=command.actor,
            )
            data = self._encode(event)
            events.append(event)
            stored.append(StoredEvent(seq, account_id, version, data))
            size += len(data)
        if size > EVENT_BYTES_MAX and _is_too_large(stored):
            raise StuckError(f"TOO_LARGE: {len(stored)} events of {size} bytes in all")
        changed = stream if account_id in self.streams else stream.copy()
        changed.apply(events, self._evolve)
        self.streams[account_id] = changed
        self.events += stored
        self.size += size
        self._seq = seq


def _is_too_large(events: Sequence[StoredEvent]) -> bool:
    sizes = [len(event.data) for event in events]
    return max(sizes) > EVENT_BYTES_MAX or sum(sizes) > ITEM_BYTES_MAX


def _refused(command: Command, code: str, rule: str, detail: str) -> list[Event]:
    return [
        CommandRefused(
            command_type=type(command).__name__,
            code=code,
            rule=rule,
            detail=f"issued_at {command.issued_at}: {detail}",
        )
    ]


def _outcome(said: Sequence[Event]) -> str:
    for event in said:
        if type(event) is not CommandRefused and type(event) is not CommandNoted:
            return "accepted"
    return "refused" if CommandRefused in map(type, said) else "noted"
