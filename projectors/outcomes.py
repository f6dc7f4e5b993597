"""What became of each command: one small row per account and command id.

It names no title, device or person, since the rows of an erased account cannot be found by
account; the timeline, which is erased, has the facts.
"""

import sys
from collections.abc import Callable
from typing import Any, Literal, get_args

from msgspec import Struct, field

from projectors.projection import Projection
from schemas import events
from schemas.envelope import Event

Status = Literal["", "accepted", "refused", "noted", "partly"]

LICENSES_MAX = 1_000  # named in one row; `events` counts all


class Outcome(Struct, gc=False, omit_defaults=True):
    """The row of one command. Where several licenses were refused, the first speaks."""

    status: Status = ""  # partly: some licenses were, others were refused
    account_id: str = ""
    at: int = 0
    seq: int = 0  # within the shard, of the last event
    version: int = 0  # of the account, after it
    catalog_version: int = 0  # of the catalog that decided
    events: dict[str, int] = field(default_factory=dict)  # how many of each type
    license_ids: tuple[str, ...] = ()  # that changed
    expires_at: int | None = None  # of what was issued or renewed, the earliest
    warnings: tuple[str, ...] = ()
    command_type: str = ""  # of a command that was refused or noted
    code: str = ""
    rule: str = ""
    limit: int | None = None
    used: int | None = None
    available_at: int | None = None
    scope: str | None = None
    detail: str = ""
    refused_license_ids: tuple[str, ...] = ()
    note: str = ""
    stale_repeats: int = 0  # late ones, refused since they could not be told from new commands


Fold = Callable[[Outcome, Any], Outcome]


def row_key(account_id: str, command_id: str) -> str:
    """Two accounts may have used the same command id, by accident or not."""
    return f"{account_id}/{command_id}"


def happened(row: Outcome, event: Any) -> Outcome:
    """The command had this effect."""
    row.status = "partly" if row.status in ("refused", "partly") else "accepted"
    return _stamp(row, event)


def happened_to_license(row: Outcome, event: Any) -> Outcome:
    """The command changed this license."""
    if event.license_id not in row.license_ids[-2:] and len(row.license_ids) < LICENSES_MAX:
        row.license_ids = (*row.license_ids, event.license_id)
    return happened(row, event)


def granted(row: Outcome, event: Any) -> Outcome:
    """The command got an expiry, which the device has to be told."""
    row.expires_at = min(row.expires_at or event.expires_at, event.expires_at)
    if event.warnings:
        row.warnings = tuple(dict.fromkeys((*row.warnings, *event.warnings)))
    return happened_to_license(row, event)


def refused(row: Outcome, event: Any) -> Outcome:
    """A rule said no. Where that came to a late repeat, the outcome stays what it was."""
    if event.code == "COMMAND_STALE" and row.status:
        row.stale_repeats += 1
        return row
    row.status = "partly" if row.status in ("accepted", "partly") else "refused"
    if event.license_id is not None and len(row.refused_license_ids) < LICENSES_MAX:
        row.refused_license_ids = (*row.refused_license_ids, event.license_id)
    if not row.code:
        row.command_type = event.command_type
        row.code = event.code
        row.rule = event.rule
        row.limit = event.limit
        row.used = event.used
        row.available_at = event.available_at
        row.scope = event.scope
        row.detail = event.detail
    return _stamp(row, event)


def noted(row: Outcome, event: Any) -> Outcome:
    """There was nothing to do."""
    row.status = row.status or "noted"
    row.command_type = event.command_type
    row.note = event.note
    return _stamp(row, event)


def _stamp(row: Outcome, event: Any) -> Outcome:
    row.account_id = event.account_id
    row.at = event.at
    row.seq = event.seq
    row.version = event.version
    row.catalog_version = event.catalog_version
    name = event.event_type.__name__
    row.events[name] = row.events.get(name, 0) + 1
    return row


def _usual(event_type: type[Event]) -> Fold:
    return happened_to_license if "license_id" in event_type.__struct_fields__ else happened


_FOLDS: dict[type[Event], Fold] = {
    **{event_type: _usual(event_type) for event_type in get_args(events.AnyEvent)},
    events.LicenseIssued: granted,
    events.LicenseRenewed: granted,
    events.CommandRefused: refused,
    events.CommandNoted: noted,
}

PROJECTION: Projection[Outcome] = Projection(
    name="outcomes",
    row_type=Outcome,
    initial=lambda _: Outcome(),
    keys=lambda event: (row_key(event.account_id, event.command_id),),
    folds=_FOLDS,
    reads=(
        *("version", "at", "catalog_version", "command_id", "account_id", "license_id"),
        *("expires_at", "warnings", "command_type", "code", "rule", "limit", "used"),
        *("available_at", "scope", "detail", "note"),
    ),
    modules=(sys.modules[__name__],),
)
