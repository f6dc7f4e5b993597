"""The account: all that is remembered of one membership.

Every change copies what it touches and shares the rest, so an old state stays as it was.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from commands.device import Device
from commands.license import License
from commands.title import TitleUse

HISTORY_KEPT_MS = 2 * 365 * 86_400_000  # no window of a policy is longer; a test compares
PRUNE_EVERY_MS = 86_400_000
ALLOWANCES_MAX = 100  # that have not run out

NOTHING_USED = TitleUse()


class Allowance(Struct, frozen=True, array_like=True, gc=False):
    """So many more, for one title (R14) or one device (R13), until it runs out."""

    title_id: str | None
    device_id: str | None
    count: int
    expires_at: int


class Account(Struct, frozen=True, gc=False):
    """One membership. What is older than `HISTORY_KEPT_MS` is forgotten, so it is bounded."""

    account_id: str
    status: Literal["unknown", "open", "on_hold", "closed", "erased"] = "unknown"
    plan_id: str = ""
    country: str = ""
    devices: dict[str, Device] = {}
    licenses: dict[str, License] = {}  # active or expired: they may be renewed
    ended: dict[str, License] = {}  # released or revoked: kept to say so, and for late reports
    titles: dict[str, TitleUse] = {}
    allowances: tuple[Allowance, ...] = ()
    device_adds: tuple[int, ...] = ()  # when, oldest first (R08)
    device_removals: tuple[int, ...] = ()
    pruned_at: int = 0

    def license(self, license_id: str) -> License | None:
        """The license of that id, whatever became of it."""
        return self.licenses.get(license_id) or self.ended.get(license_id)

    def title(self, title_id: str) -> TitleUse:
        """What was had of a title."""
        return self.titles.get(title_id, NOTHING_USED)

    def with_device(self, changed: Device) -> "Account":
        """With one device added or replaced."""
        return replace(self, devices={**self.devices, changed.device_id: changed})

    def with_license(self, changed: License) -> "Account":
        """With one license replaced; a terminal one moves to those that ended."""
        license_id = changed.license_id
        if changed.ended_as is None:
            return replace(self, licenses={**self.licenses, license_id: changed})
        kept = self.licenses
        if license_id in kept:
            kept = {id: held for id, held in kept.items() if id != license_id}
        return replace(self, licenses=kept, ended={**self.ended, license_id: changed})

    def with_title(self, title_id: str, use: TitleUse) -> "Account":
        """With one title's use replaced."""
        return replace(self, titles={**self.titles, title_id: use})


def initial(account_id: str) -> Account:
    """An account before its first event."""
    return Account(account_id)


def remembered(account: Account, at: int) -> Account:
    """The account as an event at that instant finds it: about once a day it forgets.

    A decision looks at the same, so nothing happens to what is forgotten by then.
    """
    return pruned(account, at) if at >= account.pruned_at + PRUNE_EVERY_MS else account


def pruned(account: Account, at: int) -> Account:
    """The account without what no rule can ask for any more."""
    horizon = at - HISTORY_KEPT_MS
    uses = ((title_id, use.since(horizon)) for title_id, use in account.titles.items())
    return replace(
        account,
        devices={
            known.device_id: known
            for known in account.devices.values()
            if known.removed_at is None or known.removed_at > horizon
        },
        licenses={
            held.license_id: held
            for held in account.licenses.values()
            if held.expires_at > horizon
        },
        ended={
            ended.license_id: ended
            for ended in account.ended.values()
            if ended.ended_at is None or ended.ended_at > horizon
        },
        titles={title_id: use for title_id, use in uses if use != NOTHING_USED},
        allowances=tuple(extra for extra in account.allowances if extra.expires_at > at),
        device_adds=tuple(added for added in account.device_adds if added > horizon),
        device_removals=tuple(gone for gone in account.device_removals if gone > horizon),
        pruned_at=at,
    )
