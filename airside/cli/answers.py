"""Answers as tables: one function per question."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click

from airside.cli.output import instant, readable, show_table
from projectors.outcomes import Outcome
from queries.across import ExpiringAnswer, RefusalsAnswer, TallyAnswer
from queries.can_download import DryRun
from queries.devices import DevicesAnswer
from queries.downloads import DownloadsAnswer
from queries.licenses import LicensesAnswer
from queries.outcomes import OutcomeAnswer, explain_refusal
from queries.reader import Standing
from queries.timeline import TimelineAnswer
from queries.warnings import MemberWarning
from schemas.codes import REFUSALS

DAY_S = 86_400

Names = Mapping[str, str]
"""What people call a title, by its id."""

NO_NAMES: Names = MappingProxyType({})


def standing(at: Standing | None) -> None:
    """From when the answer is, and what it lacks."""
    if at is None:
        return
    click.echo(f"as of {instant(at.as_of)} UTC, version {at.version}, {at.generation}")
    if not at.fresh:
        click.echo(f"STALE: {at.behind} events short of --min-version; ask again.", err=True)


def warned(warnings: tuple[MemberWarning, ...]) -> None:
    """What the member should be told."""
    for one in warnings:
        if one.days_left is not None:
            click.echo(f"! {one.title_id}: expires in {one.days_left} days")
        else:
            click.echo(f"! {one.title_id}: {one.downloads_left} downloads left")


def downloads(found: DownloadsAnswer, names: Names = NO_NAMES) -> None:
    """Totals, by title, by device."""
    click.echo(
        f"{found.account_id} as of {instant(found.at)}: {found.issued} issued, "
        f"{found.renewed} renewed, {found.counted} counted, {found.refunded} refunded, "
        f"{found.active} active"
    )
    columns = ["title", "used", "limit", "granted", "left", "window", "next possible (UTC)"]
    rows = [
        (
            named(one.title_id, names),
            one.used,
            one.limit,
            one.allowance,
            one.left,
            f"{one.window_s // DAY_S} d",
            possible(one.available_at, found.at),
        )
        for one in found.titles
    ]
    show_table("By title", columns, rows)
    columns = ["device", "active", "issued", "month", "used", "limit", "left"]
    by_device = [
        (
            one.device_id,
            one.active,
            one.issued,
            one.month,
            one.used,
            one.limit,
            one.left,
            possible(one.available_at, found.at),
        )
        for one in found.devices
    ]
    show_table("By device", [*columns, "next possible (UTC)"], by_device)
    warned(found.warnings)
    standing(found.standing)


def named(title_id: str, names: Names) -> str:
    """A title as people call it, with its id."""
    return f"{names[title_id]} ({title_id})" if title_id in names else title_id


def possible(available_at: int | None, at: int) -> str:
    """When the next one is possible."""
    if available_at is None:
        return "not as things stand"
    return "now" if available_at <= at else instant(available_at)


def licenses(found: LicensesAnswer, names: Names = NO_NAMES) -> None:
    """One line per license."""
    columns = [
        "license",
        "title",
        "device",
        "state",
        "until",
        "renewals",
        "first play",
        "plays",
        "late",
    ]
    rows = [
        (
            one.license_id[:8],
            named(one.title_id, names),
            one.device_id,
            one.state if one.state == one.recorded_state else f"{one.state} (not yet recorded)",
            instant(one.expires_at),
            one.renewals,
            instant(one.first_played_at),
            one.plays,
            one.late_plays,
        )
        for one in found.licenses
    ]
    show_table(f"Licenses of {found.account_id}", columns, rows)
    warned(found.warnings)
    standing(found.standing)


def devices(found: DevicesAnswer) -> None:
    """One line per device, and the slots."""
    limit = "(no limit known yet)" if found.slots_limit is None else f"of {found.slots_limit}"
    click.echo(
        f"{found.account_id}: plan {found.plan_id}, {found.country}, {found.status}; "
        f"slots used: {found.slots_used} {limit}"
    )
    columns = ["device", "model", "drm", "level", "slot", "active", "next expiry", "removed"]
    rows = [
        (
            one.device_id,
            one.model,
            one.drm,
            one.security_level,
            one.takes_slot,
            one.active,
            instant(one.next_expiry_at),
            instant(one.removed_at),
        )
        for one in found.devices
    ]
    show_table("Devices", columns, rows)
    standing(found.standing)


def timeline(found: TimelineAnswer) -> None:
    """One line per event, the latest first."""
    rows = [
        (one.version, instant(one.at), one.type, one.actor, one.explanation or facts(one.facts))
        for one in found.entries
    ]
    title = f"Timeline of {found.account_id}"
    show_table(title, ["version", "at (UTC)", "what", "by", "facts"], rows)
    if found.before is not None:
        click.echo(f"earlier: --before {found.before}")
    standing(found.standing)


def facts(values: dict[str, Any]) -> str:
    """`device_id d1, title_id t1, expires_at 2026-12-24 07:38:12`; absent ones left out."""
    return ", ".join(
        f"{name} {fact(name, value)}"
        for name, value in values.items()
        if value not in (None, "")
    )


def fact(name: str, value: Any) -> str:
    """One fact; instants as people read them, long ids by their first 8 digits."""
    if isinstance(value, int) and name.endswith(("_at", "_until")):
        return instant(value)
    return str(value)[:8] if name == "license_id" else str(value)


def outcome(found: OutcomeAnswer) -> None:
    """What became of a command, and from when the answer is."""
    outcome_row(found.outcome)
    standing(found.standing)


def outcome_row(row: Outcome) -> None:
    """What became of a command."""
    happened = ", ".join(f"{name} × {count}" for name, count in row.events.items())
    click.echo(f"{row.status}: {happened}")
    for license_id in row.license_ids:
        click.echo(f"  license {license_id}")
    if row.expires_at is not None:
        click.echo(f"  expires {instant(row.expires_at)} UTC")
    if row.code:
        click.echo(f"  {explain_refusal(row)}")
    if row.note:
        click.echo(f"  {row.note}")
    for warning in row.warnings:
        click.echo(f"  warning: {warning}")


def tally(found: TallyAnswer) -> None:
    """Counts of one title or studio."""
    one = found.tally
    names = ["issued", "renewed", "released", "expired", "revoked", "active"]
    names += ["counted", "refunded", "plays", "late_plays"]
    rows: list[tuple[str, int]] = [
        (name.replace("_", " "), getattr(one, name)) for name in names
    ]
    rows += [(f"refused {code}", count) for code, count in sorted(one.refused.items())]
    show_table(found.id, ["what", "how often"], rows)
    standing(found.standing)


def expiring(found: ExpiringAnswer) -> None:
    """Licenses by the instant of their expiry."""
    rows = [(instant(one.expires_at), one.account_id, one.license_id) for one in found.licenses]
    title = f"{found.count} licenses expire until {instant(found.until)} UTC"
    show_table(title, ["expires (UTC)", "account", "license"], rows)
    standing(found.standing)


def refusals(found: RefusalsAnswer) -> None:
    """Codes by how often they were given."""
    rows = [
        (code, row.count, instant(row.last_at), REFUSALS.get(code, ""))
        for code, row in found.codes.items()
    ]
    columns = ["code", "how often", "last (UTC)", "in words"]
    show_table(f"{found.count} refusals", columns, rows)
    standing(found.standing)


def dry_run(found: DryRun) -> None:
    """Every rule that would refuse."""
    if found.held:
        click.echo(f"The account is held, whatever the rules say: {readable(found.held)}")
    if found.allowed:
        click.echo("allowed: no rule would refuse this download now.")
    for number, reason in enumerate(found.reasons, 1):
        click.echo(f"{number}. {reason.explanation}")
    click.echo(
        f"asked of {found.account_id} at version {found.version}, "
        f"catalog version {found.catalog_version}"
    )
