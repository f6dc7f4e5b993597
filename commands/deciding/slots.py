"""Slots change hands, and licenses are taken away: events that accompany other events.

`DeviceActivated` and `DeviceDeactivated` are the record of who occupies a slot; whether one
does is derived (R24), since licenses lapse without a word. The record is put right
whenever a slot is taken, so that it names no more devices than the plan allows.
"""

from collections.abc import Iterable

from commands.account import Account
from commands.ask import Ask
from commands.device_rules import holds_slot, slot_holders
from commands.license import License
from commands.policy import Policy
from schemas.envelope import Event
from schemas.events import (
    CommandNoted,
    DeviceActivated,
    DeviceDeactivated,
    LicenseRevoked,
)

REASONS_CHARACTERS = 100_000  # in all the revocations of one command


def noted(ask: Ask, note: str) -> list[Event]:
    """The command changes nothing, and why."""
    kind = type(ask.command).__name__
    return [CommandNoted(command_type=kind, note=note, license_id=ask.license_id)]


def slot_taken(ask: Ask) -> list[Event]:
    """What it takes that the device gets a license: nothing, if it occupies a slot already."""
    if ask.device is None or ask.device.activated_at is not None:
        return []
    others = slot_holders(ask.account, ask.policy, ask.at, other_than=ask.device_id)
    lapsed: list[Event] = [
        DeviceDeactivated(device_id=device.device_id)
        for device in ask.account.devices.values()
        if device.activated_at is not None and device not in others
    ]
    bound = ask.policy.plan_max_download_devices
    taken = DeviceActivated(
        device_id=ask.device.device_id,
        slots_used=len(others) + 1,
        slots_limit=None if bound is None else bound.value,
    )
    return [*lapsed, taken]


def slots_given_back(
    account: Account, policy: Policy, at: int, over: Iterable[License]
) -> list[Event]:
    """Once these licenses are over: their devices that no other license holds a slot for."""
    gone = {license.license_id: license.device_id for license in over}
    still_held = {
        held.device_id
        for held in account.licenses.values()
        if held.license_id not in gone and holds_slot(held, policy, at)
    }
    return [
        DeviceDeactivated(device_id=device_id)
        for device_id in dict.fromkeys(gone.values())
        if device_id not in still_held
        and device_id in account.devices
        and account.devices[device_id].activated_at is not None
    ]


def revoked(
    account: Account, policy: Policy, at: int, taken: Iterable[License], reason: str
) -> list[Event]:
    """These licenses are taken away, active or expired, and their slots come free.

    Of many, each says the reason only so far that the events of one command stay writable.
    """
    gone = list(taken)
    reason = reason[: REASONS_CHARACTERS // max(1, len(gone))]
    revocations: list[Event] = [
        LicenseRevoked(
            license_id=license.license_id,
            device_id=license.device_id,
            title_id=license.title_id,
            studio_id=license.studio_id,
            expires_at=license.expires_at,
            was_expired=license.is_recorded_expired,
            reason=reason,
        )
        for license in gone
    ]
    return revocations + slots_given_back(account, policy, at, gone)
