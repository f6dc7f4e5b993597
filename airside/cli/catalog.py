"""`airside catalog`: load titles, studios, plans and policies, and look at what is in force."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from airside.cli.output import show_json, show_table
from airside.settings import Settings
from airside.wiring import open_deployment, open_existing
from commands.catalog_file import parse_catalog
from commands.catalog_follower import CatalogFollower
from schemas.errors import Contradiction, Invalid, NotFound, TooLarge
from schemas.record import CATALOG_TOPIC

NAMES_SHOWN = 12


@click.group()
def catalog() -> None:
    """Titles, studios, plans and policies: what decisions are made under."""


@catalog.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def load(settings: Settings, file: Path, as_json: bool) -> None:
    """Check FILE as a whole and put its entries onto the catalog topic.

    A file with any contradiction changes nothing, and every finding is told. Entries that the
    file does not name stay as they are. examples/catalog.json shows the format.
    """
    records = [(key.encode(), value) for key, value in entries_in(file)]
    with open_deployment(settings) as deployment, deployment.log() as log:
        version = log.append(CATALOG_TOPIC, 0, records) + len(records)
    if as_json:
        show_json({"entries": len(records), "version": version})
    else:
        click.echo(f"{len(records)} entries of {file} are on the topic; version {version}.")


@catalog.command()
@click.option("--plan", "plan_id", default="standard", show_default=True, help="On which plan.")
@click.option("--title", "title_id", help="For which title; without, for the plan alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def show(settings: Settings, plan_id: str, title_id: str | None, as_json: bool) -> None:
    """The policy in force for a plan and a title, resolved from all scopes."""
    with open_existing(settings) as deployment, deployment.log() as log:
        source = log.source(CATALOG_TOPIC, 0)
        try:
            found = CatalogFollower(source).catch_up()
        finally:
            source.close()
    if found.plan(plan_id) is None:
        raise NotFound(f"plan {plan_id}: not in the catalog; it has {names(found.plans)}.")
    if title_id is not None and found.title(title_id) is None:
        raise NotFound(
            f"title {title_id}: not in the catalog; there are {names(found.titles)}."
        )
    policy = msgspec.to_builtins(found.policy(plan_id, title_id))
    if as_json:
        show_json({"version": found.version, "policy": policy})
        return
    rows = [(key, said(value)) for key, value in policy.items()]
    heading = f"plan {plan_id}, title {title_id or '–'}, catalog version {found.version}"
    show_table(heading, ["what", "in force"], rows)


def entries_in(file: Path) -> list[tuple[str, bytes]]:
    """The records of a catalog file. Raises: what `parse_catalog` raises, naming the file."""
    try:
        return parse_catalog(file.read_bytes())
    except (Invalid, Contradiction, TooLarge) as fault:
        raise type(fault)(f"{file}: {fault}") from fault


def names(entries: Mapping[str, object]) -> str:
    """Ids, as many as one reads."""
    some = ", ".join(sorted(entries)[:NAMES_SHOWN]) or "none"
    return (
        some if len(entries) <= NAMES_SHOWN else f"{some} and {len(entries) - NAMES_SHOWN} more"
    )


def said(value: object) -> str:
    """A resolved value in words: `3 in 31536000 s (studio)`, `20 (service)`, `no limit`."""
    match value:
        case None:
            return "no limit"
        case {"count": count, "window_s": window_s, "scope": scope}:
            return f"{count} in {window_s} s ({scope})"
        case {"value": limit, "scope": scope}:
            return f"{limit} ({scope})"
        case [] | ():
            return "no limit"
        case list() | tuple():
            return ", ".join(said(each) for each in value)
        case _:
            return str(value)
