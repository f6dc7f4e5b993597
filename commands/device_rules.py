"""The rules about a device: R06, R07, R08, R09, R13, R23, R24."""

from commands.account import HISTORY_KEPT_MS, Account
from commands.ask import Ask, Refusal
from commands.device import Device, month_of
from commands.license import License
from commands.policy import Policy, WindowBound
from commands.rolling import possible_again_at, tightest
from commands.title_rules import is_free_renewal
from schemas.commands import AcquireLicense


def is_registered(ask: Ask) -> Refusal | None:
    """R06: the device is on the account."""
    if ask.device_id is None:
        return None
    if ask.device is None:
        return Refusal("DEVICE_UNKNOWN")
    if ask.device.removed_at is not None:
        return Refusal("DEVICE_REMOVED")
    return None


def is_eligible(ask: Ask) -> Refusal | None:
    """R06: the device has the DRM that was asked for and is secure enough for the title."""
    device, level = ask.device, ask.policy.min_security_level
    if device is None:
        return None
    asked_for = ask.command.drm if isinstance(ask.command, AcquireLicense) else None
    if asked_for is not None and asked_for != device.drm:
        detail = f"its drm is {device.drm}, asked for was {asked_for}"
        return Refusal("DEVICE_NOT_ELIGIBLE", detail=detail)
    if device.security_level > level:
        detail = f"security level {device.security_level}, needs {level} or stronger"
        return Refusal("DEVICE_NOT_ELIGIBLE", detail=detail)
    return None


def slot_is_free(ask: Ask) -> Refusal | None:
    """R07: with this device, no more devices hold downloads than the plan allows.

    Only the other devices are counted. So a device that has its slot keeps it, while a plan
    that shrank below the devices in use lets nobody go on until they fit again (R25).
    """
    bound = ask.policy.plan_max_download_devices
    if bound is None:
        return None
    holders = slot_holders(ask.account, ask.policy, ask.at, other_than=ask.device_id)
    if len(holders) < bound.value:
        return None
    return Refusal("TOO_MANY_DEVICES", bound.value, len(holders), bound.scope)


def slot_holders(
    account: Account, policy: Policy, at: int, *, other_than: str | None = None
) -> list[Device]:
    """R24: the devices that occupy a slot: they took one, and a license of theirs holds it."""
    return [
        device
        for device in account.devices.values()
        if device.activated_at is not None
        and device.device_id != other_than
        and any(
            held.device_id == device.device_id and holds_slot(held, policy, at)
            for held in account.licenses.values()
        )
    ]


def holds_slot(held: License, policy: Policy, at: int) -> bool:
    """R24: an active license holds its device's slot; by policy an expired one does, too.

    Not for ever: what expired so long ago that it may be forgotten holds nothing.
    """
    if policy.license_slot_held_until == "released":
        return held.expires_at + HISTORY_KEPT_MS > at
    return held.is_active(at)


def may_be_added(ask: Ask) -> Refusal | None:
    """R08: not too many devices were added lately. A device that is there is not added."""
    if ask.device is not None and ask.device.removed_at is None:
        return None
    return _churn(ask, ask.policy.device_max_adds, ask.account.device_adds, "added")


def may_be_removed(ask: Ask) -> Refusal | None:
    """R08: not too many devices were removed lately."""
    return _churn(ask, ask.policy.device_max_removals, ask.account.device_removals, "removed")


def _churn(
    ask: Ask, bounds: tuple[WindowBound, ...], instants: tuple[int, ...], what: str
) -> Refusal | None:
    use = tightest(bounds, instants, ask.at)
    if use is None or use.left > 0:
        return None
    again_at = possible_again_at(bounds, instants, ask.at)
    return Refusal("DEVICE_CHURN", use.limit, use.used, use.scope, again_at, what)


def device_has_room(ask: Ask) -> Refusal | None:
    """R09: the device holds fewer active licenses than it may."""
    bound = ask.policy.device_max_active
    if bound is None or len(ask.account.licenses) < bound.value:  # not even all of them
        return None
    on_device = [
        held for held in ask.other_active_licenses() if held.device_id == ask.device_id
    ]
    if len(on_device) < bound.value:
        return None
    return Refusal("DEVICE_DOWNLOAD_LIMIT", bound.value, len(on_device), bound.scope)


def month_limit(ask: Ask) -> int | None:
    """R13: how many downloads the device may have in a month, grants included."""
    bound = ask.policy.plan_max_downloads_device_month
    return None if bound is None else bound.value + ask.granted_for_device(ask.at)


def month_is_not_used_up(ask: Ask) -> Refusal | None:
    """R13: the device has downloads left in this calendar month (UTC).

    What counts is what counts for the title: a renewal where R15 says so, a failed one not.
    """
    bound = ask.policy.plan_max_downloads_device_month
    if bound is None or ask.device is None or is_free_renewal(ask):
        return None
    limit = bound.value + ask.granted_for_device(ask.at)
    used = ask.device.downloads_in_month(ask.at)
    if used < limit:
        return None
    next_month_at = month_of(ask.at)[1]
    is_possible_then = bound.value + ask.granted_for_device(next_month_at) > 0
    again_at = next_month_at if is_possible_then else None
    return Refusal("MONTHLY_DEVICE_LIMIT", limit, used, bound.scope, again_at)


def has_checked_in(ask: Ask) -> Refusal | None:
    """R23: the device did not stay away past its lease. `RenewDevice` refreshes the lease."""
    device = ask.device
    if ask.policy.account_lease_s is None or device is None or device.lease_until is None:
        return None
    if ask.at < device.lease_until:
        return None
    return Refusal("LEASE_EXPIRED", detail=f"lease ended at {device.lease_until}")


def lease_from(policy: Policy, at: int) -> int | None:
    """R23: until when a device that checks in at `at` may stay away; None: for ever."""
    return None if policy.account_lease_s is None else at + policy.account_lease_s * 1000


def lease_after_contact(device: Device | None, policy: Policy, at: int) -> int | None:
    """R23: a device's lease once it was heard of. Only `RenewDevice` revives one that is over.

    A device from before there were leases gets one now.
    """
    until = lease_from(policy, at)
    if until is None or device is None or device.removed_at is not None:
        return until
    is_over = device.lease_until is not None and device.lease_until <= at
    return device.lease_until if is_over else until
