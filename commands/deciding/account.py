"""Commands about the account itself: plan, country, standing, and what support grants."""

from commands.account import ALLOWANCES_MAX, Account
from commands.account_rules import devices_beyond_plan, plan_exists
from commands.ask import Ask, Refusal, ask_about
from commands.catalog import Catalog
from commands.deciding.slots import noted, revoked
from commands.policy_keys import COUNT_MAX
from commands.rules import first_refusal, refused
from schemas.commands import (
    ChangeCountry,
    ChangePlan,
    CloseAccount,
    EraseAccount,
    GrantAllowance,
    OpenAccount,
    ReinstateAccount,
    SuspendAccount,
)
from schemas.envelope import Event
from schemas.events import (
    AccountClosed,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    AllowanceGranted,
    CommandRefused,
    CountryChanged,
    PlanChanged,
)


def open_account(
    account: Account, command: OpenAccount, catalog: Catalog, at: int
) -> list[Event]:
    """A membership begins, once."""
    ask = ask_about(command, account, catalog, at)
    if account.status in ("open", "on_hold"):
        return noted(ask, "the account is open already")
    if refusal := first_refusal(ask) or _plan_refusal(ask, catalog, command.plan_id):
        return [refusal]
    return [AccountOpened(plan_id=command.plan_id, country=command.country)]


def change_plan(
    account: Account, command: ChangePlan, catalog: Catalog, at: int
) -> list[Event]:
    """Another plan. Where it says so, devices beyond its limit lose their licenses (R25)."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if command.plan_id == account.plan_id:
        return noted(ask, "the account is on that plan already")
    if refusal := _plan_refusal(ask, catalog, command.plan_id):
        return [refusal]
    changed = PlanChanged(plan_id=command.plan_id, previous_plan_id=account.plan_id)
    policy = catalog.policy(command.plan_id, None)
    beyond = {device.device_id for device in devices_beyond_plan(account, policy, at)}
    lost = [held for held in account.licenses.values() if held.device_id in beyond]
    return [changed, *revoked(account, policy, at, lost, "the plan allows fewer devices")]


def change_country(
    account: Account, command: ChangeCountry, catalog: Catalog, at: int
) -> list[Event]:
    """Another country. What was issued stays; R05 looks at what comes."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if command.country == account.country:
        return noted(ask, "the account is in that country already")
    return [CountryChanged(country=command.country, previous_country=account.country)]


def suspend_account(
    account: Account, command: SuspendAccount, catalog: Catalog, at: int
) -> list[Event]:
    """Nothing new is issued until the account is reinstated."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if account.status == "on_hold":
        return noted(ask, "the account is on hold already")
    return [AccountSuspended(reason=command.reason)]


def reinstate_account(
    account: Account, command: ReinstateAccount, catalog: Catalog, at: int
) -> list[Event]:
    """Off hold again."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if account.status == "open":
        return noted(ask, "the account is not on hold")
    return [AccountReinstated(reason=command.reason)]


def close_account(
    account: Account, command: CloseAccount, catalog: Catalog, at: int
) -> list[Event]:
    """The membership ends, and with it every license."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if account.status in ("closed", "erased"):
        return noted(ask, "the account is closed already")
    held = account.licenses.values()
    ends = revoked(account, ask.policy, at, held, "the account was closed")
    return [*ends, AccountClosed(reason=command.reason)]


def erase_account(
    account: Account, command: EraseAccount, catalog: Catalog, at: int
) -> list[Event]:
    """The person is forgotten; licenses are revoked first, so that no count keeps them."""
    ask = ask_about(command, account, catalog, at)
    if refusal := first_refusal(ask):
        return [refusal]
    if account.status == "erased":
        return noted(ask, "the account is erased already")
    held = account.licenses.values()
    return [*revoked(account, ask.policy, at, held, "the account was erased"), AccountErased()]


def grant_allowance(
    account: Account, command: GrantAllowance, catalog: Catalog, at: int
) -> list[Event]:
    """Support raises the limit of one title (R14) or one device (R13) for a while."""
    title_id, device_id = command.title_id, command.device_id
    ask = ask_about(command, account, catalog, at, device_id=device_id, title_id=title_id)
    if (title_id is None) == (device_id is None):
        return [refused(ask, Refusal("COMMAND_INVALID", detail="either a title or a device"))]
    if refusal := first_refusal(ask):
        return [refusal]
    if command.count == 0 or command.expires_at <= at:
        return noted(ask, "an allowance of nothing, or one that is over already")
    if refusal := _too_much_granted(ask, command.count):
        return [refusal]
    return [
        AllowanceGranted(
            title_id=title_id,
            device_id=device_id,
            count=command.count,
            expires_at=command.expires_at,
            note=command.note,
        )
    ]


def _too_much_granted(ask: Ask, count: int) -> CommandRefused | None:
    """No more lasting allowances than are kept, and no more than any limit could need."""
    lasting = sum(1 for extra in ask.account.allowances if extra.expires_at > ask.at)
    granted = ask.granted_for_title(ask.at) + ask.granted_for_device(ask.at)
    if lasting >= ALLOWANCES_MAX:
        detail, limit, used = "allowances that have not run out", ALLOWANCES_MAX, lasting
    elif granted + count > COUNT_MAX:
        detail, limit, used = "granted in all", COUNT_MAX, granted
    else:
        return None
    return refused(ask, Refusal("COMMAND_INVALID", limit, used, detail=detail))


def _plan_refusal(ask: Ask, catalog: Catalog, plan_id: str) -> CommandRefused | None:
    refusal = plan_exists(catalog.plan(plan_id), plan_id)
    return None if refusal is None else refused(ask, refusal)
