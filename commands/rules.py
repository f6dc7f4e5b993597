"""Every rule in the order in which it is asked, and of which commands.

The first refusal is what a command gets; a dry run hears them all. A rule is one short
function whose docstring says it in plain words; to add one, write it and give it a line here.

Rules that refuse nothing but decide what is issued stand beside them in the same files: R15 and
R16 (what counts), R21, R22 and R23 (until when), R24 (what holds a slot), R25 (a smaller plan)
and R29 (warnings).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, get_args

from commands import account_rules as account
from commands import device_rules as device
from commands import license_rules as license
from commands import title_rules as title
from commands.ask import Ask, Refusal
from schemas.commands import (
    AcquireLicense,
    AnyCommand,
    ChangeCountry,
    ChangePlan,
    ExpireLicense,
    GrantAllowance,
    OpenAccount,
    RegisterDevice,
    ReinstateAccount,
    ReleaseLicense,
    RemoveDevice,
    RenewDevice,
    RenewLicense,
    ReportDownload,
    ReportPlayback,
    RevokeLicense,
    SuspendAccount,
    SyncDevice,
)
from schemas.envelope import Command
from schemas.events import CommandRefused

EVERY: tuple[type[Command], ...] = get_args(AnyCommand)
ISSUING = (AcquireLicense, RenewLicense)
RENEWING = (RenewLicense,)
REPORTING = (ReportDownload, ReportPlayback)
NEW_THINGS = (*ISSUING, RenewDevice, RegisterDevice)
CHANGING = (
    *(OpenAccount, ChangePlan, ChangeCountry, SuspendAccount, ReinstateAccount),
    *(*NEW_THINGS, RemoveDevice, SyncDevice, RevokeLicense, GrantAllowance),
)
ABOUT_A_DEVICE = (*ISSUING, RenewDevice, RemoveDevice, SyncDevice, GrantAllowance)
ABOUT_A_LICENSE = (*RENEWING, ReleaseLicense, ExpireLicense, *REPORTING)


class Rule(NamedTuple):
    """A line of the table; `id` is empty for what no numbered rule says."""

    id: str
    refuses: Callable[[Ask], Refusal | None]
    asked_of: tuple[type[Command], ...]


RULES: tuple[Rule, ...] = (
    Rule("R01", account.is_known, tuple(kind for kind in EVERY if kind is not OpenAccount)),
    Rule("R01", account.is_not_erased, (*CHANGING, ReleaseLicense, *REPORTING)),
    Rule("R01", account.is_not_closed, CHANGING),
    Rule("R01", account.is_not_on_hold, NEW_THINGS),
    Rule("", license.is_known, ABOUT_A_LICENSE),
    Rule("", license.is_not_terminal, RENEWING),
    Rule("R02", account.plan_has_downloads, ISSUING),
    Rule("R03", title.is_known, (*ISSUING, GrantAllowance)),
    Rule("R03", title.is_downloadable, ISSUING),
    Rule("R04", title.is_in_its_window, ISSUING),
    Rule("R05", title.is_allowed_in_country, ISSUING),
    Rule("R06", device.is_registered, ABOUT_A_DEVICE),
    Rule("R06", device.is_eligible, ISSUING),
    Rule("R07", device.slot_is_free, ISSUING),
    Rule("R08", device.may_be_added, (RegisterDevice,)),
    Rule("R08", device.may_be_removed, (RemoveDevice,)),
    Rule("R09", device.device_has_room, ISSUING),
    Rule("R10", account.account_has_room, ISSUING),
    Rule("R11", title.studio_has_room, ISSUING),
    Rule("R12", title.is_on_few_devices, ISSUING),
    Rule("R13", device.month_is_not_used_up, ISSUING),
    Rule("R14", title.downloads_are_left, ISSUING),
    Rule("R17", title.plays_are_left, ISSUING),
    Rule("R18", license.has_renewals_left, RENEWING),
    Rule("R19", license.is_young_enough, RENEWING),
    Rule("R20", license.is_near_its_expiry, RENEWING),
    Rule("R20", license.did_not_expire_long_ago, RENEWING),
    Rule("R23", device.has_checked_in, ISSUING),
    Rule("", license.times_are_in_order, (ReportPlayback,)),
    Rule("", license.was_not_given_back, (ReportPlayback,)),
    Rule("R26", license.device_times_fit, (ReportPlayback,)),
    Rule("R27", license.played_in_time, (ReportPlayback,)),
    Rule("R28", license.deletion_is_proved, (ReleaseLicense,)),
)

RULES_OF: Mapping[type[Command], tuple[Rule, ...]] = {
    kind: tuple(rule for rule in RULES if kind in rule.asked_of) for kind in EVERY
}


def first_refusal(ask: Ask, kind: type[Command] | None = None) -> CommandRefused | None:
    """What the command gets for an answer; None: nothing is against it.

    `kind` asks the rules of another command: `RenewDevice` renews one license after another.
    """
    for rule_id, refuses, _ in RULES_OF[kind or type(ask.command)]:
        refusal = refuses(ask)
        if refusal is not None:
            return refused(ask, refusal, rule_id)
    return None


def every_refusal(ask: Ask) -> list[CommandRefused]:
    """Everything that is against it, in the order of the rules."""
    answers = ((rule.id, rule.refuses(ask)) for rule in RULES_OF[type(ask.command)])
    return [refused(ask, refusal, rule_id) for rule_id, refusal in answers if refusal]


def refused(ask: Ask, refusal: Refusal, rule_id: str = "") -> CommandRefused:
    """The event that says so, with all that is known of what was asked for."""
    return CommandRefused(
        command_type=type(ask.command).__name__,
        code=refusal.code,
        rule=rule_id,
        device_id=ask.device_id,
        title_id=ask.title_id,
        studio_id=ask.studio_id,
        license_id=ask.license_id,
        limit=refusal.limit,
        used=refusal.used,
        available_at=refusal.available_at,
        scope=refusal.scope,
        detail=refusal.detail,
    )
