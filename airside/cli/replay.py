"""`airside replay`: rebuild read models beside the served ones, prove them, cut over."""

import os
import socket
from contextlib import ExitStack
from typing import Any

import click

from airside.cli.heal import healing
from airside.cli.output import Seconds, show_json, show_table
from airside.cli.phases import phases, saying_how_to_go_on, style_of
from airside.cli.release_gate import gated
from airside.cli.rows import DIFFERENT, shortened
from airside.cli.scratch import looking_back
from airside.cli.watching import metrics_once_option
from airside.parallel import in_processes
from airside.projecting import rebuilding
from airside.settings import Settings
from airside.telemetry.endpoint import Address
from airside.telemetry.opening import telemetry
from airside.wiring import Deployment, open_existing, wall_clock
from projectors import replay as engine
from projectors.all import PROJECTIONS
from projectors.projection import Projection
from projectors.view_store import Source

DIFFERENCES_SHOWN = 10
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


@click.command()
@click.argument("projection", type=click.Choice(tuple(BY_NAME)), required=False)
@click.option("--all", "is_all", is_flag=True, help="Every projection, one after the other.")
@click.option(
    "--from",
    "source",
    type=click.Choice(("topic", "store")),
    default="topic",
    show_default=True,
    help="Where events come from. What the topic does not keep any more is read from the event "
    "store in any case.",
)
@click.option("--no-promote", is_flag=True, help="Only build and compare; serve it later.")
@click.option("--accept", is_flag=True, help="Serve the rebuilt one although rows differ.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="How many build at once. Default: one for each core where there is enough to do.",
)
@click.option(
    "--max-lag",
    type=Seconds(0),
    help="Wait while the served rows are more than so many seconds late. Default: never.",
)
@click.option("--if-missing", is_flag=True, hidden=True, help="For projectors: see Wish.")
@metrics_once_option
@click.option("--json", "as_json", is_flag=True, help="JSON for programs; progress as well.")
@click.pass_context
@gated
@healing
@looking_back
def replay(
    ctx: click.Context,
    /,
    projection: str | None,
    is_all: bool,
    as_json: bool,
    metrics: Address | None,
    **wanted: Any,
) -> None:
    """Rebuild PROJECTION from its events, compare every row, then serve it.

    Queries are answered by the old generation until the rebuilt one has been compared with it,
    row for row at the same position; the switch is one step, and `airside projections rollback`
    is the step back. Interrupted (Ctrl-C, kill -9), the same command goes on where it stopped.

    Exits 5 and switches nothing where rows differ that the same code built, or where the
    rebuilt one lacks events that the live one has; --accept serves it all the same. Rows that
    other code built are expected to differ, and are shown.

    Options that do something else, and switch nothing either: --account or --partition heal
    rows in place; --as-of and --into build a copy as of an instant, to look back with.

    \b
      airside replay downloads                  rebuild, compare, serve
      airside replay --all --from store         all of them, from the event store
      airside replay downloads --no-promote     … and `airside projections promote downloads`
      airside replay downloads --account a1     heal the rows of one account in place
      airside replay downloads --as-of 2026-11-01T00:00:00Z --into scratch
      airside replay --dry-run --corpus DIR     the release gate; it needs no engine
    """
    if is_all == (projection is not None):
        raise click.UsageError(
            f"Either name a projection ({', '.join(BY_NAME)}), or say --all; not both."
        )
    chosen = PROJECTIONS if projection is None else (BY_NAME[projection],)
    settings: Settings = ctx.obj
    done = []
    with (
        telemetry(metrics, {}, wall_clock) as watching,  # a replay is of nobody's trace
        open_existing(settings, watching) as deployment,
        saying_how_to_go_on(),
    ):
        for one in chosen:
            done.append(rebuild(deployment, one, as_json=as_json, **wanted))
            if as_json:
                show_json(done[-1])
            else:
                show(done[-1])
    is_whole = all(not one.refused and not one.halted for one in done)
    ctx.exit(0 if is_whole else DIFFERENT)


def rebuild(
    deployment: Deployment,
    projection: Projection[Any],
    *,
    as_json: bool = False,
    source: Source = "topic",
    no_promote: bool = False,
    accept: bool = False,
    processes: int | None = None,
    max_lag: float | None = None,
    if_missing: bool = False,
) -> engine.Replayed:
    """Replay one projection, with its progress on standard error."""
    wish = engine.Wish(
        promote=not no_promote,
        accept=accept,
        source=source,
        lag_ms_max=None if max_lag is None else int(max_lag * 1_000),
        if_missing=if_missing,
        name=f"process {os.getpid()} on {socket.gethostname()}",
    )
    with ExitStack() as held:
        sides = rebuilding(deployment, source, shares=deployment.shards)
        read_side = held.enter_context(sides)
        report = held.enter_context(phases(projection.name, style_of(as_json=as_json)))
        return engine.replay(
            projection,
            read_side,
            wish=wish,
            report=report,
            build=in_processes(deployment.settings, source, processes),
        )


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
    name, number = done.rebuilt.projection, done.rebuilt.number
    if done.promoted:
        click.echo(f"{done.rebuilt.name} is served now, with {done.events:,} events.")
    elif done.refused:
        click.echo(
            f"{done.rebuilt.name} is not served: {done.refused}. Find out why, or serve it all "
            f"the same: airside replay {name} --accept. Is it a row of the served one that is "
            f"wrong? Heal it: airside replay {name} --partition SHARD",
            err=True,
        )
    else:
        click.echo(
            f"{done.rebuilt.name} is ready, with {done.events:,} events. Serve it: "
            f"airside projections promote {name} {number}"
        )
    click.echo(verdict(found.rows, found.different))


def verdict(rows: int, different: int) -> str:
    """The last line, for people and scripts."""
    word = "differs from" if different else "equals"
    return f"rebuilt {word} live: {rows:,} rows, {different:,} different"
