"""How what a command comes to differs between two runs. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from schemas.envelope import Event
from schemas.events import CommandRefused

Kind = Literal[
    "now_refused",  # accepted before
    "now_accepted",  # refused before
    "other_reason",  # refused both times, by another rule
    "follows",  # about a license that would not exist: refused for that alone
    "in_part",  # accepted both times, but other licenses of the device are refused
    "noted",  # changes something in one run only
    "other_terms",  # the same outcome: another expiry, limit, use
]

_ENVELOPE = frozenset(Event.__struct_fields__)


class Term(Struct, frozen=True):
    """One thing that an outcome says otherwise."""

    name: str
    before: Any
    after: Any


class Difference(Struct, frozen=True):
    """One decision that would differ."""

    account_id: str
    command_id: str
    command: str  # its type
    at: int
    version: int  # of the account, in history
    catalog_version: int
    kind: Kind
    before: "Outcome"
    after: "Outcome"
    terms: tuple[Term, ...] = ()  # of `other_terms`


class Outcome(Struct, frozen=True):
    """What a command came to."""

    verdict: str  # accepted, refused or noted
    events: tuple[Event, ...]

    @property
    def refusals(self) -> tuple[tuple[str | None, str, str], ...]:
        """(license, code, rule) of everything that was refused, in order."""
        found = (event for event in self.events if isinstance(event, CommandRefused))
        return tuple((one.license_id, one.code, one.rule) for one in found)

    @property
    def refusal(self) -> CommandRefused | None:
        """The first refusal."""
        return next((e for e in self.events if isinstance(e, CommandRefused)), None)


def kind_of(before: Outcome, after: Outcome) -> Kind | None:
    """How two outcomes of one command differ; None: they say the same."""
    if _said(before.events) == _said(after.events):
        return None
    refusal = after.refusal
    if after.verdict == "refused" and refusal is not None:
        is_known = before.verdict == "refused" and before.refusals == after.refusals
        if not is_known and refusal.code == "LICENSE_UNKNOWN":
            return "follows"
    verdicts = (before.verdict, after.verdict)
    if "noted" in verdicts and before.verdict != after.verdict:
        return "noted"
    if before.verdict != after.verdict:
        return "now_refused" if after.verdict == "refused" else "now_accepted"
    if before.refusals != after.refusals:
        return "other_reason" if after.verdict == "refused" else "in_part"
    return "other_terms"


def terms_of(before: Outcome, after: Outcome) -> Iterator[Term]:
    """What two outcomes of the same kind say otherwise; each name once."""
    types = [", ".join(type(e).__name__ for e in one.events) for one in (before, after)]
    if types[0] != types[1]:
        yield Term("events", *types)
        return
    seen: set[str] = set()
    for was, now in zip(before.events, after.events, strict=True):
        for name in _facts(was):
            differs = getattr(was, name) != getattr(now, name)
            if differs and name not in seen:
                seen.add(name)
                yield Term(name, getattr(was, name), getattr(now, name))


def _said(events: Sequence[Event]) -> list[tuple[type[Event], tuple[Any, ...]]]:
    """What the events say, without their envelopes."""
    return [
        (type(event), tuple(getattr(event, name) for name in _facts(event))) for event in events
    ]


def _facts(event: Event) -> list[str]:
    return [name for name in event.__struct_fields__ if name not in _ENVELOPE]
