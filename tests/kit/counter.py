"""A toy domain, so that the engine provably knows no license: accounts that count.

OpenAccount             AccountOpened, or a refusal where it is open
GrantAllowance(count)   the total rises by that; 0 changes nothing; over 1,000 is refused
CloseAccount            the total rises by one, three times: three events
RenewDevice             rises by one and is refused, both
RemoveDevice            a note and a refusal
SuspendAccount(reason)  "decide" and "evolve" say where it raises; else one event
EraseAccount            no event at all, which no decider may do
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from commands.decider import Decider
from schemas import commands, events
from schemas.envelope import Command, Event
from schemas.record import RECORD_BYTES_MAX

NOW = 1_700_000_000_000
TOLERANCE_MS = 300_000
TOTAL_MAX = 1_000


class Count(Struct, frozen=True):
    account_id: str
    is_open: bool = False
    total: int = 0
    outcomes: int = 0  # refusals and notes


@dataclass(frozen=True)
class Rules:
    """The context: a catalog of one number."""

    version: int = 1
    total_max: int = TOTAL_MAX


def granted(count: int) -> Event:
    return events.AllowanceGranted(
        title_id=None, device_id=None, count=count, expires_at=0, note=""
    )


def refused(command: Command) -> Event:
    return events.CommandRefused(command_type=type(command).__name__, code="NO", rule="")


def noted(command: Command) -> Event:
    return events.CommandNoted(command_type=type(command).__name__, note="nothing to do")


def decide(count: Count, command: Command, rules: Rules, at: int) -> Sequence[Event]:
    match command:
        case commands.OpenAccount(plan_id=plan_id, country=country) if not count.is_open:
            return [events.AccountOpened(plan_id=plan_id, country=country)]
        case commands.GrantAllowance(count=0):
            return [noted(command)]
        case commands.GrantAllowance(count=n) if n <= rules.total_max:
            return [granted(n)]
        case commands.CloseAccount():
            return [granted(1), granted(1), granted(1)]
        case commands.RenewDevice():
            return [granted(1), refused(command)]
        case commands.RemoveDevice():
            return [noted(command), refused(command)]
        case commands.SuspendAccount(reason="decide"):
            raise KeyError("no such thing")
        case commands.SuspendAccount(reason="large"):
            return [granted(1), events.AccountSuspended(reason="x" * RECORD_BYTES_MAX)]
        case commands.SuspendAccount(reason=reason):
            return [granted(1), events.AccountSuspended(reason=reason)]
        case commands.EraseAccount():
            return []
        case _:
            return [refused(command)]


def evolve(count: Count, event: Event) -> Count:
    match event:
        case events.AccountOpened():
            return replace(count, is_open=True)
        case events.AllowanceGranted(count=n):
            return replace(count, total=count.total + n)
        case events.AccountSuspended(reason="evolve"):
            raise ValueError("cannot fold this")
        case _:
            return replace(count, outcomes=count.outcomes + 1)


COUNTER: Decider[Count, Rules] = Decider(
    initial=Count,
    evolve=evolve,
    decide=decide,
    clock_tolerance_ms=lambda rules: TOLERANCE_MS,
    state_type=Count,
    fold_modules=(sys.modules[__name__],),
)


def id_of(n: int) -> str:
    """The n-th command id."""
    return f"{n:032x}"


def add(n: int, count: int = 1, *, account: str = "a", issued_at: int = NOW) -> Command:
    """Command n: raise the account's total."""
    return commands.GrantAllowance(
        command_id=id_of(n), account_id=account, issued_at=issued_at, count=count, expires_at=0
    )


def redrive(n: int, *, account: str = "a", issued_at: int = NOW) -> Command:
    """Command n: try again what is parked."""
    return commands.RedriveParked(command_id=id_of(n), account_id=account, issued_at=issued_at)


def discard(n: int, offset: int, *, account: str = "a", reason: str = "spam") -> Command:
    """Command n: give up what is parked at an offset."""
    return commands.DiscardParked(
        command_id=id_of(n), account_id=account, issued_at=NOW, offset=offset, reason=reason
    )


def suspend(n: int, reason: str = "", *, account: str = "a") -> Command:
    """Command n: rises by one and suspends; or raises, where the reason says."""
    return commands.SuspendAccount(
        command_id=id_of(n), account_id=account, issued_at=NOW, reason=reason
    )
