"""What if: an account's commands decided again under other policies. Pure; writes nothing.

History says which decisions there were, in which order, when, and by which catalog; the
commands topic says what was asked. From these, two runs are made from the account's beginning:

    control    by the catalogs of history. It has to come to what history says, event by event;
               where it does not, nothing can be said of the account, and it is left out
    other      by other catalogs, each command on the state that its own decisions have left

What differs between the two, command by command, is the policies' doing and nothing else's. A
command that somebody would have sent after another decision is not invented, and one that was
sent is decided, whatever came before it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Generic, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import fields

from commands.decider import Context, Decider
from commands.desk import Desk, StuckError
from commands.differing import Difference, Kind, Outcome, kind_of, terms_of
from commands.stream import Stream, is_operators
from schemas.codec import Codec
from schemas.envelope import Command, Event
from schemas.errors import NotFound, Permanent
from schemas.events import CommandNoted

S = TypeVar("S")
X = TypeVar("X", bound=Context)

Why = Literal["COMMANDS_GONE", "CATALOG_GONE", "HISTORY", "NOT_REPRODUCED", "STUCK"]


class Decision(Struct, frozen=True):
    """One decision of history: the events of one command."""

    command_id: str
    events: tuple[Event, ...]
    is_engines: bool  # no rule was asked: an operator's command, or one that was given up

    @property
    def first(self) -> Event:
        """The first event: its envelope is that of all."""
        return self.events[0]


class Simulated(Struct, frozen=True):
    """One account. Left out, with `why`, it has no differences."""

    decisions: int = 0  # that were compared
    differences: tuple[Difference, ...] = ()
    left_out: Why | None = None
    why: str = ""


class LeftOutError(Exception):
    """Nothing can be said of the account: its code, and in words why."""

    def __init__(self, code: Why, why: str) -> None:
        super().__init__(why)
        self.code = code


class Simulator(Generic[S, X]):
    """Compares the two runs. `catalogs` and `others` give the context of a version.

    They raise NotFound for one that cannot be told any more.
    """

    def __init__(
        self,
        decider: Decider[S, X],
        codec: Codec,
        catalogs: Callable[[int], X],
        others: Callable[[int], X],
    ) -> None:
        self._decider, self._codec = decider, codec
        self._catalogs, self._others = catalogs, others

    def simulate(
        self, account_id: str, history: Sequence[bytes], asked: Iterable[Command]
    ) -> Simulated:
        """An account's whole history, as bytes by version, against the other policies.

        `asked`: its commands, in the order in which they came, repeats and all.
        """
        commands: dict[str, list[Command]] = {}
        for command in asked:
            commands.setdefault(command.command_id, []).append(command)
        try:
            made = decisions(self._events(account_id, history))
            return self._compared(account_id, made, commands)
        except LeftOutError as left:
            return Simulated(left_out=left.code, why=str(left))

    def _compared(
        self,
        account_id: str,
        made: Sequence[Decision],
        commands: dict[str, list[Command]],
    ) -> Simulated:
        control = _Run(account_id, self._decider, self._codec, self._catalogs)
        other = _Run(account_id, self._decider, self._codec, self._others)
        differences = []
        for decision in made:
            command = _asked(decision, commands)
            before, after = control.decide(decision, command), other.decide(decision, command)
            if not _is_as_recorded(before.events, decision.events):
                raise LeftOutError(
                    "NOT_REPRODUCED",
                    f"version {decision.first.version}: this code decides otherwise than the "
                    "code that did, so nothing that differs could be laid to the policies.",
                )
            kind = kind_of(before, after)
            if kind is not None:
                differences.append(_difference(decision, command, kind, before, after))
        return Simulated(len(made), tuple(differences))

    def _events(self, account_id: str, history: Sequence[bytes]) -> list[Event]:
        try:
            found = [self._codec.decode_event(data) for data in history]
        except Permanent as error:
            raise LeftOutError("HISTORY", f"its history cannot be read: {error}") from error
        for version, event in enumerate(found, 1):
            if event.version != version:
                raise LeftOutError(
                    "HISTORY", f"expected version {version}, found {event.version}."
                )
        return found


class _Run(Generic[S, X]):
    """An account from its beginning, one command after the other."""

    def __init__(
        self,
        account_id: str,
        decider: Decider[S, X],
        codec: Codec,
        catalogs: Callable[[int], X],
    ) -> None:
        self._stream = Stream(account_id, decider.initial(account_id))
        self._decider, self._codec, self._catalogs = decider, codec, catalogs

    def decide(self, decision: Decision, command: Command) -> Outcome:
        """The next command, when history decided it. Raises: LeftOutError."""
        first, account_id = decision.first, self._stream.account_id
        try:
            context = self._catalogs(first.catalog_version)
            before = {account_id: self._stream}
            desk = Desk(self._decider, self._codec, context, before, self._stream.version)
            if decision.is_engines and isinstance(first, CommandNoted):
                verdict = desk.note(command, first.at, first.note)
            else:
                verdict = desk.decide(command, first.at)
        except NotFound as error:
            raise LeftOutError("CATALOG_GONE", str(error)) from error
        except StuckError as error:
            raise LeftOutError("STUCK", f"version {first.version}: {error}") from error
        self._stream = desk.streams.get(account_id, self._stream)
        events = (self._codec.decode_event(stored.data) for stored in desk.events)
        return Outcome(verdict, tuple(events))


def decisions(history: Sequence[Event]) -> list[Decision]:
    """The decisions of an account's history, in order.

    A command that was given up has the very note of the operator who did that, right before it.
    """
    made = [tuple(some) for _, some in groupby(history, key=lambda event: event.command_id)]
    followed_by = [*(some[0] for some in made[1:]), None]
    return [
        Decision(events[0].command_id, events, _is_engines(events, behind))
        for events, behind in zip(made, followed_by, strict=True)
    ]


def _difference(
    decision: Decision, command: Command, kind: Kind, before: Outcome, after: Outcome
) -> Difference:
    first = decision.first
    return Difference(
        account_id=first.account_id,
        command_id=decision.command_id,
        command=type(command).__name__,
        at=first.at,
        version=first.version,
        catalog_version=first.catalog_version,
        kind=kind,
        before=before,
        after=after,
        terms=tuple(terms_of(before, after)) if kind == "other_terms" else (),
    )


def _asked(decision: Decision, commands: dict[str, list[Command]]) -> Command:
    """The command of a decision: of those with its id, the one that was issued then."""
    found = commands.get(decision.command_id)
    if not found:
        raise LeftOutError(
            "COMMANDS_GONE",
            f"version {decision.first.version}: the topic does not hold its command any more.",
        )
    issued_at = decision.first.issued_at
    return next((one for one in found if one.issued_at == issued_at), found[0])


def _is_engines(events: Sequence[Event], behind: Event | None) -> bool:
    event = events[0]
    if len(events) > 1 or not isinstance(event, CommandNoted):
        return False
    if is_operators(event):
        return True
    return (
        isinstance(behind, CommandNoted)
        and behind.command_type == "DiscardParked"
        and behind.note == event.note
    )


def _is_as_recorded(now: Sequence[Event], recorded: Sequence[Event]) -> bool:
    """Whether the control run came to what history says."""
    if [type(event) for event in now] != [type(event) for event in recorded]:
        return False
    return not any(
        getattr(event, name) != getattr(one, name) and not _is_newer(one, name)
        for event, one in zip(now, recorded, strict=True)
        for name in one.__struct_fields__
        if name != "seq"
    )


def _is_newer(recorded: Event, name: str) -> bool:
    """Whether a recorded event leaves a field at its default: who wrote it may not know it."""
    defaults = {field.name: field.default for field in fields(recorded)}
    return bool(getattr(recorded, name) == defaults[name])
