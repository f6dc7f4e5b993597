"""Households that live for a while: hypothesis strategies of commands that meet rich states.

A `Deed` picks its device, title and license from the few that the account has, so histories are
full of limits reached, licenses renewed, devices that come back. `lived(...)` plays deeds and
returns every step, for invariants to be checked on.
"""

from collections.abc import Callable, Sequence
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import Struct

from commands.account import Account, initial
from commands.catalog import Catalog
from commands.decide import decide
from schemas import commands
from schemas.commands import AnyCommand
from schemas.envelope import Command, Event
from tests.kit.given import HOUSEHOLD, catalog_of, folded, stamped
from tests.kit.happenings import DAY, HOUR, NOW, id_of

KINDS: tuple[type[Command], ...] = get_args(AnyCommand)
WISHES = (
    *[commands.AcquireLicense] * 25,
    *[commands.RenewLicense, commands.ReleaseLicense, commands.ReportPlayback] * 6,
    *[commands.RenewDevice, commands.ReportDownload, commands.ExpireLicense] * 4,
    *[commands.SyncDevice, commands.RegisterDevice, commands.RemoveDevice] * 2,
    *[commands.RevokeLicense, commands.GrantAllowance, commands.ChangePlan] * 2,
    *KINDS,
)
DEVICES = ("d1", "d2", "d3", "d9")
TITLES = ("t1", "t2", "t3", "t9")
PAUSES = (0, 0, 1, HOUR, HOUR, 2 * DAY, 2 * DAY, 31 * DAY, 400 * DAY)
WEEK_S, YEAR_S = 7 * 86_400, 365 * 86_400
LIMITS: dict[str, tuple[Any, ...]] = {
    "title.max_downloads": (0, 1, 2, 3),
    "title.max_plays": (1, 2),
    "title.max_concurrent_devices": (1, 2),
    "studio.max_active": (1, 2, 3),
    "device.max_active": (1, 2, 3),
    "account.max_active": (1, 2, 3),
    "device.max_adds": (1, 4),
    "device.max_removals": (0, 1),
    "plan.max_downloads_device_month": (0, 1, 2),
    "license.max_renewals": (0, 1, 2),
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "title.max_downloads_window_s": (WEEK_S, YEAR_S),
    "title.count_renewals": (False,),
    "title.count_at": ("completed",),
    "license.term_s": (WEEK_S,),
    "license.play_window_s": (WEEK_S,),
    "license.renew_from_s": (WEEK_S,),
    "license.renew_until_s": (WEEK_S,),
    "account.lease_s": (WEEK_S, YEAR_S),
    "license.slot_held_until": ("released",),
    "plan.downgrade_action": ("revoke_newest",),
    "plan.max_download_devices": (1,),
    "playback.late_action": ("reject",),
    "release.require_proof": (True,),
    "min_security_level": (1, 2),
}


class Deed(Struct, frozen=True):
    """A command before it is known which license it is about."""

    kind: type[Command]
    pause_ms: int  # since the deed before
    n: int  # what it picks
    flag: bool


class Step(Struct, frozen=True):
    """One command and what it became."""

    before: Account
    command: Command
    at: int
    events: tuple[Event, ...]
    after: Account


def deeds(least: int = 12, most: int = 36) -> st.SearchStrategy[list[Deed]]:
    """What a household does in its life, in order."""
    kinds, pauses = st.sampled_from(WISHES), st.sampled_from(PAUSES)
    deed = st.builds(Deed, kinds, pauses, st.integers(0, 11), st.booleans())
    return st.lists(deed, min_size=least, max_size=most)


def catalogs() -> st.SearchStrategy[Catalog]:
    """Catalogs with up to three small limits and some other policies, by title and service."""
    limits, choices = _words(LIMITS, 3), _words(CHOICES, 4)
    return st.builds(
        lambda of_title, of_service, more: catalog_of(
            title=of_title, service={**of_service, **more}
        ),
        _words(LIMITS, 1),
        limits,
        choices,
    )


def _words(keys: dict[str, tuple[Any, ...]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    """What a policy says of some of these keys."""
    names = st.lists(st.sampled_from(sorted(keys)), max_size=most, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: st.sampled_from(keys[name]) for name in chosen}
        )
    )


def lived(catalog: Catalog, doing: Sequence[Deed]) -> list[Step]:
    """The household's life, step by step."""
    account, at, steps = folded(initial("a1"), HOUSEHOLD), NOW, []
    for number, deed in enumerate(doing):
        at += deed.pause_ms
        command = command_of(deed, account, number, at)
        decided = tuple(decide(account, command, catalog, at))
        after = folded(account, stamped(decided, at))
        steps.append(Step(account, command, at, decided, after))
        account = after
    return steps


def command_of(deed: Deed, account: Account, number: int, at: int) -> Command:
    """The command, about what the account has."""
    known = [*account.licenses, *account.ended, id_of(9_999)]
    picked = Picked(
        deed.n,
        deed.flag,
        at,
        DEVICES[deed.n % len(DEVICES)],
        TITLES[deed.n // 3 % len(TITLES)],
        known[deed.n % len(known)],
        tuple(known[:-1][:: 1 + deed.flag]),
    )
    usual: dict[str, Any] = {"command_id": id_of(10_000 + number), "account_id": "a1"}
    usual["issued_at"] = at
    return deed.kind(**usual, **FIELDS[deed.kind](picked))


class Picked(Struct, frozen=True):
    """What a deed has to do with."""

    n: int
    flag: bool
    at: int
    device_id: str
    title_id: str
    license_id: str
    held: tuple[str, ...]


def _selected(of: Picked) -> dict[str, Any]:
    """One selector of a revocation or a grant, or by chance two."""
    selectors = {"title_id": of.title_id, "device_id": of.device_id}
    names = ("title_id",) if of.n < 6 else ("device_id",) if of.n < 11 else tuple(selectors)
    return {name: selectors[name] for name in names}


FIELDS: dict[type[Command], Callable[[Picked], dict[str, Any]]] = {
    commands.OpenAccount: lambda of: {"plan_id": "standard", "country": "GB"},
    commands.ChangePlan: lambda of: {
        "plan_id": ("basic", "standard", "premium", "none", "gold")[of.n % 5]
    },
    commands.ChangeCountry: lambda of: {"country": "US" if of.flag else "GB"},
    commands.SuspendAccount: lambda of: {},
    commands.ReinstateAccount: lambda of: {},
    commands.CloseAccount: lambda of: {},
    commands.EraseAccount: lambda of: {},
    commands.RegisterDevice: lambda of: {
        "device_id": of.device_id,
        "security_level": 1 + of.n % 3,
    },
    commands.RemoveDevice: lambda of: {"device_id": of.device_id},
    commands.RenewDevice: lambda of: {"device_id": of.device_id},
    commands.SyncDevice: lambda of: {
        "device_id": of.device_id,
        "held_license_ids": of.held,
        "device_clock": of.at,
    },
    commands.AcquireLicense: lambda of: {
        "device_id": of.device_id,
        "title_id": of.title_id,
        "drm": "fairplay" if of.n == 11 else None,
    },
    commands.RenewLicense: lambda of: {"license_id": of.license_id},
    commands.ReleaseLicense: lambda of: {
        "license_id": of.license_id,
        "proof": "secure" if of.flag else "claimed",
    },
    commands.ReportDownload: lambda of: {
        "license_id": of.license_id,
        "status": ("started", "completed", "failed")[of.n % 3],
    },
    commands.ReportPlayback: lambda of: {
        "license_id": of.license_id,
        "session_id": f"p{of.n}",
        "started_at": of.at - of.n * HOUR,
        "stopped_at": of.at if of.flag else None,
    },
    commands.ExpireLicense: lambda of: {"license_id": of.license_id, "due_at": of.at},
    commands.RevokeLicense: lambda of: {"all": True} if of.flag else _selected(of),
    commands.GrantAllowance: lambda of: {
        **_selected(of),
        "count": 1,
        "expires_at": of.at + of.n * DAY,
    },
}
