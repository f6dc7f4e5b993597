"""`airside replay`: rebuild a read model beside the served one, prove it, cut over."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from airside.cli.output import Advance, progress, show_json, show_table
from airside.projecting import reading
from airside.settings import Settings
from airside.wiring import open_existing
from projectors import replay as engine
from projectors.all import PROJECTIONS

DIFFERENT = 5  # exit code
DIFFERENCES_SHOWN = 10
ROW_CHARACTERS_SHOWN = 300
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


@click.command()
@click.argument("projection", type=click.Choice(tuple(BY_NAME)))
@click.option("--accept", is_flag=True, help="Serve the rebuilt one although rows differ.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def replay(ctx: click.Context, projection: str, accept: bool, as_json: bool) -> None:
    """Rebuild PROJECTION from the events topic, compare every row, then serve it.

    Queries are answered by the old generation until the rebuilt one has been compared with it,
    row for row at the same position; the switch is one step. Interrupted, the same command
    goes on where it stopped. Exits 5 and switches nothing where rows differ that the same code
    built, or where the rebuilt one lacks events that the live one has; --accept serves it all
    the same. Rows that other code built are expected to differ, and are shown.
    """
    settings: Settings = ctx.obj
    with (
        open_existing(settings) as deployment,
        reading(deployment) as read_side,
        phases(projection, quiet=as_json) as report,
    ):
        done = engine.replay(BY_NAME[projection], read_side, report=report, accept=accept)
    if as_json:
        show_json(done)
    else:
        show(done)
    ctx.exit(0 if done.promoted and not done.halted else DIFFERENT)


@contextmanager
def phases(name: str, *, quiet: bool = False) -> Iterator[engine.Report]:
    """A progress bar for each phase of a replay, one after the other."""
    with ExitStack() as shown:
        bars: dict[str, Advance] = {}

        def report(at: engine.Progress) -> None:
            if at.phase not in bars:
                shown.close()
                bars[at.phase] = shown.enter_context(
                    progress(f"{name}: {at.phase}", at.total, quiet=quiet)
                )
            bars[at.phase](at.done)

        yield report


def show(done: engine.Replayed) -> None:
    """What the replay came to, with the rows that differ side by side."""
    found = done.verification
    if found.differences:
        rows = [
            (one.shard, one.key, shortened(one.live), shortened(one.rebuilt))
            for one in found.differences[:DIFFERENCES_SHOWN]
        ]
        show_table("Rows that differ", ["shard", "row", "live", "rebuilt"], rows)
    for key in found.parked:
        click.echo(f"incomplete, since an event of it is parked: {key}", err=True)
    for why in done.halted:
        click.echo(f"not followed to the end: {why}", err=True)
    if done.is_other_code and found.different:
        click.echo(f"{found.different:,} rows differ, as expected of other code.")
    if done.promoted:
        click.echo(f"{done.rebuilt.name} is served now, with {done.events:,} events.")
    else:
        click.echo(
            f"{done.rebuilt.name} is not served: {done.refused}. Find out why, or serve it all "
            f"the same: airside replay {done.rebuilt.projection} --accept",
            err=True,
        )
    click.echo(verdict(found.rows, found.different))


def verdict(rows: int, different: int) -> str:
    """The last line, for people and scripts."""
    word = "differs from" if different else "equals"
    return f"rebuilt {word} live: {rows:,} rows, {different:,} different"


def shortened(row: bytes | None) -> str:
    """A row as people can take it in."""
    text = "(no such row)" if row is None else row.decode(errors="replace")
    return text if len(text) <= ROW_CHARACTERS_SHOWN else f"{text[:ROW_CHARACTERS_SHOWN]}…"
