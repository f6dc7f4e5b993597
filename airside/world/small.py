"""A domain of one page that is as sensitive as can be to anything lost, doubled or stale.

OpenAccount             AccountOpened, or a refusal where it is open
GrantAllowance(count)   the total rises by that, and the event says what it comes to
ChangePlan(plan)        PlanChanged with the plan before, and a note: two events
AcquireLicense          LicenseIssued for LIFE_MS, or a refusal beyond the rules' limit
ExpireLicense           LicenseExpired where its time has come; else a note
SuspendAccount(reason)  AccountSuspended; RULE and EVENT are poison to `decide` and to folds
"""

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from airside.world.domain import Asking, Domain
from commands.decider import Decider
from projectors import expiring
from projectors.projection import Projection
from schemas import commands, events
from schemas.envelope import Command, Event, derived_id

LIFE_MS = 60_000
TOLERANCE_MS = 300_000
RULE, EVENT = "poison rule", "poison event"


class Account(Struct, frozen=True):
    """The state of one account."""

    account_id: str = ""
    is_open: bool = False
    plan_id: str = ""
    total: int = 0
    licenses: dict[str, int] = field(default_factory=dict)  # id -> when it expires


@dataclass(frozen=True, slots=True)
class Rules:
    """The context: a limit that another version may change."""

    version: int = 1

    @property
    def licenses_max(self) -> int:
        """Open licenses of one account."""
        return 1 + self.version % 3


def decide(account: Account, command: Command, rules: Rules, at: int) -> Sequence[Event]:
    """What the command comes to."""
    match command:
        case commands.OpenAccount(plan_id=plan_id, country=country) if not account.is_open:
            return [events.AccountOpened(plan_id=plan_id, country=country)]
        case commands.GrantAllowance(count=count):
            note = f"total {account.total + count}"
            return [_granted(count, note)]
        case commands.ChangePlan(plan_id=plan_id):
            name = type(command).__name__
            changed = events.PlanChanged(plan_id=plan_id, previous_plan_id=account.plan_id)
            return [changed, events.CommandNoted(command_type=name, note=plan_id)]
        case commands.AcquireLicense() if len(account.licenses) < rules.licenses_max:
            return [_issued(account, command, rules, at)]
        case commands.ExpireLicense():
            return [_expired(account, command, at)]
        case commands.SuspendAccount(reason=reason):
            if reason == RULE:
                raise ValueError("a rule that is broken")
            return [events.AccountSuspended(reason=reason)]
        case _:
            used, name = len(account.licenses), type(command).__name__
            return [events.CommandRefused(command_type=name, code="NO", rule="", used=used)]


def evolve(account: Account, event: Event) -> Account:
    """The account after the event."""
    match event:
        case events.AccountOpened(plan_id=plan_id):
            return replace(account, is_open=True, plan_id=plan_id)
        case events.PlanChanged(plan_id=plan_id):
            return replace(account, plan_id=plan_id)
        case events.AllowanceGranted(count=count):
            return replace(account, total=account.total + count)
        case events.LicenseIssued(license_id=license_id, expires_at=expires_at):
            return replace(account, licenses={**account.licenses, license_id: expires_at})
        case events.LicenseExpired(license_id=license_id):
            kept = {k: at for k, at in account.licenses.items() if k != license_id}
            return replace(account, licenses=kept)
        case _:
            return account


def _granted(count: int, note: str) -> Event:
    return events.AllowanceGranted(
        title_id=None, device_id=None, count=count, expires_at=0, note=note
    )


def _issued(account: Account, command: Command, rules: Rules, at: int) -> Event:
    return events.LicenseIssued(
        license_id=derived_id(command.command_id, 1),
        device_id="d1",
        title_id="t1",
        studio_id="s1",
        counted=True,
        expires_at=at + LIFE_MS,
        limit=rules.licenses_max,
        used=len(account.licenses) + 1,
        window_s=0,
        device_limit=None,
        play_window_s=None,
        profile_id="main",
        drm="widevine",
    )


def _expired(account: Account, command: commands.ExpireLicense, at: int) -> Event:
    expires_at = account.licenses.get(command.license_id)
    if expires_at is None or at < expires_at:
        return events.CommandNoted(
            command_type="ExpireLicense",
            note="it is not due",
            license_id=command.license_id,
            due_at=command.due_at,
            next_due_at=expires_at,
        )
    return events.LicenseExpired(
        license_id=command.license_id,
        device_id="d1",
        title_id="t1",
        studio_id="s1",
        expires_at=expires_at,
    )


class Tally(Struct):
    """The order of everything that was folded into a row."""

    count: int = 0
    seqs: list[int] = field(default_factory=list)


def tallied(row: Tally, event: Any) -> Tally:
    """One more; half of the work is done before the poison shows."""
    row.count += 1
    row.seqs.append(event.seq)
    if event.event_type is events.AccountSuspended and event.reason == EVENT:
        raise ValueError("an event that cannot be folded")
    return row


def empty(key: str) -> Tally:
    """A row before its first event."""
    return Tally()


def of_account(event: Any) -> tuple[str, ...]:
    """The account's row."""
    return (event.account_id,)


def of_plans(event: Any) -> tuple[str, ...]:
    """The rows of the plan that comes and of the one that goes."""
    return tuple(dict.fromkeys((event.plan_id, event.previous_plan_id or "none")))


def merged(rows: Iterable[Tally]) -> Tally:
    """The tallies of all shards."""
    found = list(rows)
    seqs = sorted(seq for row in found for seq in row.seqs)
    return Tally(sum(row.count for row in found), seqs)


TALLIES: Projection[Tally] = Projection(
    name="tallies",
    row_type=Tally,
    initial=empty,
    keys=of_account,
    folds=dict.fromkeys(
        (events.AccountOpened, events.AllowanceGranted, events.AccountSuspended), tallied
    ),
)
PLANS: Projection[Tally] = Projection(
    name="plans",
    row_type=Tally,
    initial=empty,
    keys=of_plans,
    folds={events.PlanChanged: tallied},
    reads=("plan_id", "previous_plan_id"),
    merge=merged,
)


def command(chance: random.Random, asking: Asking) -> Command:
    """One that a client may send."""
    who: dict[str, Any] = {
        "command_id": asking.command_id,
        "account_id": asking.account_id,
        "issued_at": asking.issued_at,
    }
    draw = chance.random()
    if draw < 0.1:
        return commands.OpenAccount(**who, plan_id="basic", country="DE")
    if draw < 0.5:
        return commands.GrantAllowance(**who, count=chance.randint(1, 9), expires_at=0)
    if draw < 0.7:
        return commands.ChangePlan(**who, plan_id=chance.choice(("basic", "ads", "premium")))
    if draw < 0.95:
        return commands.AcquireLicense(**who, device_id="d1", title_id="t1")
    return commands.SuspendAccount(**who, reason="late payment")


def _in_tenths(account: Account) -> Account:
    return replace(account, total=account.total * 10)


def _whole(account: Account) -> Account:
    return replace(account, total=account.total // 10)


OLDER: Decider[Account, Rules] = Decider(
    initial=Account,
    evolve=lambda account, event: _in_tenths(evolve(_whole(account), event)),
    decide=lambda account, command, rules, at: decide(_whole(account), command, rules, at),
    clock_tolerance_ms=lambda rules: TOLERANCE_MS,
    state_type=Account,
    fold_modules=(sys.modules[__name__], sys.modules[Domain.__module__]),
)
"""It keeps the total in tenths: a snapshot of either means something else to the other."""


def _suspension(asking: Asking, reason: str) -> Command:
    return commands.SuspendAccount(
        command_id=asking.command_id,
        account_id=asking.account_id,
        issued_at=asking.issued_at,
        reason=reason,
    )


SMALL = Domain(
    decider=Decider(
        initial=Account,
        evolve=evolve,
        decide=decide,
        clock_tolerance_ms=lambda rules: TOLERANCE_MS,
        state_type=Account,
        fold_modules=(sys.modules[__name__],),
    ),
    context=Rules,
    command=command,
    projections=(TALLIES, PLANS, expiring.PROJECTION),
    older=OLDER,
    poison={
        RULE: lambda asking: _suspension(asking, RULE),
        EVENT: lambda asking: _suspension(asking, EVENT),
    },
)
