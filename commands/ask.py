"""What a rule is asked, and what it answers.

An `Ask` is one wish together with everything that a rule may look at. A rule answers `None` or
a `Refusal`. What is missing (an unknown device, an unknown title) is refused by the rule whose
business it is; every other rule lets it pass, so that a dry run can ask them all.
"""

from msgspec import Struct

from commands.account import Account
from commands.catalog import Catalog, Plan, Title
from commands.device import Device
from commands.license import License
from commands.policy import Policy
from commands.policy_keys import COUNT_MAX
from schemas.envelope import Command


class Refusal(Struct, frozen=True, gc=False):
    """No, and why; for a limit also whose it is and how much of it is used."""

    code: str
    limit: int | None = None
    used: int | None = None
    scope: str | None = None
    available_at: int | None = None
    detail: str = ""


class Ask(Struct, frozen=True, gc=False):
    """One wish. What a license is of, its device and its title, is filled in from it."""

    command: Command
    account: Account
    policy: Policy  # for the title, or without one for the account, on the account's plan
    plan: Plan | None
    at: int
    device_id: str | None = None
    device: Device | None = None
    title_id: str | None = None
    title: Title | None = None
    license_id: str | None = None
    license: License | None = None  # held or ended

    @property
    def studio_id(self) -> str | None:
        """Whose title it is: for a license as it was when that was issued."""
        if self.license is not None:
            return self.license.studio_id
        return self.title.studio_id if self.title is not None else None

    def other_active_licenses(self) -> list[License]:
        """The account's active licenses; one that is to be renewed does not count itself."""
        own, at = self.license_id, self.at
        return [
            held
            for held in self.account.licenses.values()
            if held.is_active(at) and held.license_id != own
        ]

    def granted_for_title(self, at: int) -> int:
        """What support granted for the title and has not run out at that instant (R14)."""
        counts = [
            extra.count
            for extra in self.account.allowances
            if extra.title_id == self.title_id and extra.title_id and extra.expires_at > at
        ]
        return min(COUNT_MAX, sum(counts))

    def granted_for_device(self, at: int) -> int:
        """What support granted for the device and has not run out at that instant (R13)."""
        counts = [
            extra.count
            for extra in self.account.allowances
            if extra.device_id == self.device_id and extra.device_id and extra.expires_at > at
        ]
        return min(COUNT_MAX, sum(counts))


def ask_about(
    command: Command,
    account: Account,
    catalog: Catalog,
    at: int,
    *,
    device_id: str | None = None,
    title_id: str | None = None,
    license_id: str | None = None,
) -> Ask:
    """The wish that a command is, about a license, or a device and a title, or neither."""
    license = None if license_id is None else account.license(license_id)
    if license is not None:
        device_id, title_id = license.device_id, license.title_id
    return Ask(
        command,
        account,
        catalog.policy(account.plan_id, title_id),
        catalog.plan(account.plan_id),
        at,
        device_id,
        None if device_id is None else account.devices.get(device_id),
        title_id,
        None if title_id is None else catalog.title(title_id),
        license_id,
        license,
    )
