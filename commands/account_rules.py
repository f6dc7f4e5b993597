"""The rules about the account and its plan: R01, R02, R10, R25."""

from commands.account import Account
from commands.ask import Ask, Refusal
from commands.catalog import Plan
from commands.device import Device
from commands.device_rules import slot_holders
from commands.policy import Policy


def is_known(ask: Ask) -> Refusal | None:
    """R01: only an account that was opened can ask for anything."""
    if ask.account.status == "unknown":
        return Refusal("ACCOUNT_UNKNOWN")
    return None


def is_not_closed(ask: Ask) -> Refusal | None:
    """R01: a closed account changes no more; what its devices report late is still taken."""
    if ask.account.status == "closed":
        return Refusal("ACCOUNT_CLOSED")
    return None


def is_not_erased(ask: Ask) -> Refusal | None:
    """R01: of an erased account nothing is known but that it was erased."""
    if ask.account.status == "erased":
        return Refusal("ACCOUNT_CLOSED", detail="erased")
    return None


def is_not_on_hold(ask: Ask) -> Refusal | None:
    """R01: a suspended account gets nothing new. What it has, it may play and give back."""
    if ask.account.status == "on_hold":
        return Refusal("ACCOUNT_ON_HOLD")
    return None


def plan_exists(plan: Plan | None, plan_id: str) -> Refusal | None:
    """An account is only put on a plan that the catalog has."""
    return Refusal("PLAN_UNKNOWN", detail=plan_id) if plan is None else None


def plan_has_downloads(ask: Ask) -> Refusal | None:
    """R02: the plan includes downloads."""
    if not ask.account.plan_id:  # never opened, or erased: R01's business
        return None
    if ask.plan is None:
        return Refusal("PLAN_UNKNOWN", detail=ask.account.plan_id)
    if not ask.policy.plan_downloads_enabled:
        return Refusal("PLAN_NO_DOWNLOADS", detail=ask.plan.plan_id)
    return None


def account_has_room(ask: Ask) -> Refusal | None:
    """R10: the account holds fewer active licenses than it may."""
    bound = ask.policy.account_max_active
    if bound is None:
        return None
    used = len(ask.other_active_licenses())
    if used < bound.value:
        return None
    return Refusal("ACCOUNT_DOWNLOAD_LIMIT", bound.value, used, bound.scope)


def devices_beyond_plan(account: Account, policy: Policy, at: int) -> list[Device]:
    """R25: whose licenses a smaller plan takes away, newest first, where it says so.

    With `block_new` nobody's: R07 lets nobody renew or acquire until the devices fit again.
    """
    bound = policy.plan_max_download_devices
    if bound is None or policy.plan_downgrade_action != "revoke_newest":
        return []
    holders = slot_holders(account, policy, at)
    newest_first = sorted(
        holders, key=lambda holder: (holder.activated_at or 0, holder.device_id), reverse=True
    )
    return newest_first[: max(0, len(holders) - bound.value)]
