"""Commands about a device: it is registered, removed, renewed as a whole, or reports in."""

from msgspec.structs import replace

from commands.account import Account
from commands.ask import Ask, ask_about
from commands.catalog import Catalog
from commands.deciding.licenses import released, renewed
from commands.deciding.slots import noted, revoked, slots_given_back
from commands.device import Device
from commands.device_rules import lease_after_contact, lease_from
from commands.evolve import evolve
from commands.license import License
from commands.license_rules import is_worth_renewing
from commands.rules import first_refusal
from schemas.commands import RegisterDevice, RemoveDevice, RenewDevice, SyncDevice
from schemas.envelope import Event
from schemas.events import DeviceLeaseRenewed, DeviceRegistered, DeviceRemoved, DeviceSynced


def register_device(
    account: Account, command: RegisterDevice, catalog: Catalog, at: int
) -> list[Event]:
    """A device is added, comes back after its removal, or says that it has changed."""
    ask = ask_about(command, account, catalog, at, device_id=command.device_id)
    if refusal := first_refusal(ask):
        return [refusal]
    known = ask.device
    if known is not None and known.removed_at is None and _is_as_claimed(known, command):
        return noted(ask, "the device is registered already")
    return [
        DeviceRegistered(
            device_id=command.device_id,
            model=command.model,
            drm=command.drm,
            security_level=command.security_level,
            lease_until=lease_after_contact(known, ask.policy, at),
        )
    ]


def _is_as_claimed(known: Device, claim: RegisterDevice) -> bool:
    claims = (claim.model, claim.drm, claim.security_level)
    return claims == (known.model, known.drm, known.security_level)


def remove_device(
    account: Account, command: RemoveDevice, catalog: Catalog, at: int
) -> list[Event]:
    """A device leaves: its licenses are revoked and its slot comes free."""
    ask = ask_about(command, account, catalog, at, device_id=command.device_id)
    is_gone = ask.device is not None and ask.device.removed_at is not None
    if account.status in ("open", "on_hold") and is_gone:
        return noted(ask, "the device is removed already")
    if refusal := first_refusal(ask):
        return [refusal]
    taken = _held_by(account, command.device_id)
    ends = revoked(account, ask.policy, at, taken, "the device was removed")
    return [*ends, DeviceRemoved(device_id=command.device_id)]


def renew_device(
    account: Account, command: RenewDevice, catalog: Catalog, at: int
) -> list[Event]:
    """The lease is refreshed, then each license that the device holds is renewed or refused.

    What ends first comes first, and each sees what those before it have used. What expired long
    ago is left alone.
    """
    device_id = command.device_id
    ask = ask_about(command, account, catalog, at, device_id=device_id)
    if refusal := first_refusal(ask):
        return [refusal]
    lease_until = lease_from(ask.policy, at)
    events: list[Event] = [DeviceLeaseRenewed(device_id=device_id, lease_until=lease_until)]
    now = evolve(account, replace(events[0], at=at))
    worth_it = [
        held
        for held in _held_by(account, device_id)
        if is_worth_renewing(held, catalog.policy(account.plan_id, held.title_id), at)
    ]
    in_turn = sorted(worth_it, key=lambda held: (held.expires_at, held.license_id))
    for held in in_turn:
        outcome = renewed(now, command, catalog, at, held.license_id)
        for event in outcome:
            now = evolve(now, replace(event, at=at))
        events += outcome
    return events


def sync_device(
    account: Account, command: SyncDevice, catalog: Catalog, at: int
) -> list[Event]:
    """The device says what it holds; what it no longer names is released.

    A wrong clock is recorded and no reason to refuse (R26). A deletion that must be proved
    (R28) is not released by a mere list. A license that was issued after the device sent its
    list, or may have been, since the device's clock may be ahead, is not missing from it.
    """
    ask = ask_about(command, account, catalog, at, device_id=command.device_id)
    if refusal := first_refusal(ask):
        return [refusal]
    missing = _missing(ask, command, catalog)
    synced = DeviceSynced(
        device_id=command.device_id,
        held=len(set(command.held_license_ids)),
        released=len(missing),
        clock_skew_ms=command.device_clock - at,
        lease_until=lease_after_contact(ask.device, ask.policy, at),
    )
    releases = [released(license, "not held any more", "claimed") for license in missing]
    return [synced, *releases, *slots_given_back(account, ask.policy, at, missing)]


def _missing(ask: Ask, command: SyncDevice, catalog: Catalog) -> list[License]:
    named, plan_id = frozenset(command.held_license_ids), ask.account.plan_id
    listed_at = command.issued_at - ask.policy.clock_max_skew_s * 1000
    return [
        held
        for held in _held_by(ask.account, command.device_id)
        if held.license_id not in named
        and held.issued_at <= listed_at
        and not catalog.policy(plan_id, held.title_id).release_require_proof
    ]


def _held_by(account: Account, device_id: str) -> list[License]:
    return [held for held in account.licenses.values() if held.device_id == device_id]
