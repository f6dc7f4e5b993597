"""`airside archive`: old events of a Cassandra event store go into files."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from airside.archiving import Done, archiving
from airside.cli.output import instant, progress, show_json, show_table
from airside.settings import Settings
from airside.wiring import open_existing, wall_clock
from schemas.errors import NotFound

AGE = re.compile(r"(\d{1,5})(d|h)")
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}
A_MS = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Before(click.ParamType[int]):
    """A date, an instant or an age; as an instant in ms."""

    name = "DATE|AGE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The instant. Raises: BadParameter."""
        text = str(value)
        if age := AGE.fullmatch(text):
            return wall_clock() - int(age[1]) * UNITS[age[2]] // A_MS
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None and len(text) == len("2026-01-31"):
            moment = moment.replace(tzinfo=UTC)
        if moment is None or moment.tzinfo is None:
            self.fail(
                f"{text!r}: expected a date (2026-01-31, where the day begins in UTC), an "
                "instant with a time zone (2026-01-31T12:00:00Z) or an age (90d, 12h).",
                param,
                ctx,
            )
        return (moment - EPOCH) // A_MS


@click.command("archive")
@click.option(
    "--before", "before_at", type=Before(), required=True, help="What is older is archived."
)
@click.option("--shard", type=click.IntRange(0), help="Only this shard. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def archive_verb(settings: Settings, before_at: int, shard: int | None, as_json: bool) -> None:
    """Move old commits from Cassandra into files, which every role goes on reading.

    Needs AIRSIDE_ARCHIVE, the same directory for all roles. Commits go in order, those whose
    every event is older, and only when they are on the events topic; files are Avro object
    containers. Accounts keep a snapshot and their newest event; after a change of the code
    that folds them, run it again for new ones. Handlers may be at work meanwhile; a run that
    was cut off is finished by the next one.
    """
    with open_existing(settings) as deployment, archiving(deployment) as archiver:
        if shard is not None and shard >= deployment.shards:
            raise NotFound(f"shard {shard}: there are shards 0 to {deployment.shards - 1}.")
        shards = range(deployment.shards) if shard is None else [shard]
        total = sum(archiver.left(one) for one in shards)
        with progress("archiving", total, quiet=as_json) as advance:
            archived = 0

            def report(events: int) -> None:
                nonlocal archived
                archived += events
                advance(archived)

            done = [archiver.run(one, before_at=before_at, report=report) for one in shards]
    if as_json:
        show_json({"before_at": before_at, "shards": done})
        return
    show(before_at, done)


def show(before_at: int, done: list[Done]) -> None:
    """What was archived, for people."""
    rows = [
        (one.shard, one.files, one.commits, one.events, one.accounts, one.kept, one.again)
        for one in done
    ]
    columns = ["shard", "files", "commits", "events", "accounts", "kept", "again"]
    show_table(f"Archived what is older than {instant(before_at)} UTC", columns, rows)
    if kept := sum(one.kept for one in done):
        click.echo(
            f"{kept:,} accounts keep their rows, since this code cannot fold their history.",
            err=True,
        )
    events, files = sum(one.events for one in done), sum(one.files for one in done)
    click.echo(f"archived {events:,} events in {files:,} files")
