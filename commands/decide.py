"""What happens: from a command and an account to the events that it becomes.

Total: every well-formed command becomes at least one event, and none raises.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from commands.account import Account, remembered
from commands.catalog import Catalog
from commands.deciding import account as accounts
from commands.deciding import devices, licenses, reports
from schemas import commands
from schemas.envelope import Command, Event
from schemas.events import CommandRefused


def decide(account: Account, command: Command, catalog: Catalog, at: int) -> Sequence[Event]:
    """The events of the command at that instant, still without their envelope.

    It looks at the state that they will be folded into, so what they say is in it after them.
    """
    decision = DECISIONS.get(type(command))
    if decision is not None:
        return decision(remembered(account, at), command, catalog, at)
    kind = type(command).__name__
    detail = "an account has no such command"
    return [CommandRefused(command_type=kind, code="COMMAND_INVALID", rule="", detail=detail)]


DECISIONS: Mapping[type[Command], Callable[[Account, Any, Catalog, int], Sequence[Event]]] = {
    commands.OpenAccount: accounts.open_account,
    commands.ChangePlan: accounts.change_plan,
    commands.ChangeCountry: accounts.change_country,
    commands.SuspendAccount: accounts.suspend_account,
    commands.ReinstateAccount: accounts.reinstate_account,
    commands.CloseAccount: accounts.close_account,
    commands.EraseAccount: accounts.erase_account,
    commands.GrantAllowance: accounts.grant_allowance,
    commands.RegisterDevice: devices.register_device,
    commands.RemoveDevice: devices.remove_device,
    commands.RenewDevice: devices.renew_device,
    commands.SyncDevice: devices.sync_device,
    commands.AcquireLicense: licenses.acquire_license,
    commands.RenewLicense: licenses.renew_license,
    commands.ReleaseLicense: licenses.release_license,
    commands.ExpireLicense: licenses.expire_license,
    commands.RevokeLicense: licenses.revoke_license,
    commands.ReportDownload: reports.report_download,
    commands.ReportPlayback: reports.report_playback,
}
"""Who decides on what; a test compares it with `AnyCommand`."""
