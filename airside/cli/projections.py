"""`airside projections`: which read models there are, and how far; which of them is served."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import click

from airside.cli.generations import promote, retire, rollback
from airside.cli.output import instant, show_json, show_table
from airside.cli.scratch import scratch_words
from airside.cli.verify import verify
from airside.settings import Settings
from airside.standings import Position, Standings, Status, Waiting, commands_waiting, statuses
from airside.wiring import open_existing
from projectors.view_store import Builder, Verified

WATCH_SECONDS = 1.0
SECONDS_SHOWN_MAX = MINUTES_SHOWN_MAX = 100  # of a lag; longer ones in the next unit


@click.group(invoke_without_command=True)
@click.option("--watch", is_flag=True, help="Again every second, until Ctrl-C.")
@click.option("--shards", "with_shards", is_flag=True, help="The position of each shard, too.")
@click.option("--wide", is_flag=True, help="All columns, for wide terminals.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def projections(
    ctx: click.Context, watch: bool, with_shards: bool, wide: bool, as_json: bool
) -> None:
    """Every projection: generations, positions, lag, builds under way, last verification.

    What a person should know of a generation is told below the table. Also how many commands
    wait for a handler; if they do while `airside up` runs, its log says why that shard was
    halted.

    A generation is building, then ready or serving; what was served before stands by and is
    kept up to date, so that `rollback` is one step, until it is retired. What was built to look
    back with is a scratch: it stays as it is, as of its instant.
    """
    if ctx.invoked_subcommand is not None:
        return
    settings: Settings = ctx.obj
    with open_existing(settings) as deployment, suppress(KeyboardInterrupt):
        while True:
            found, waiting = statuses(deployment), commands_waiting(deployment)
            if watch and not as_json:
                click.clear()
            if as_json:
                show_json(Standings(waiting, found))
            else:
                show(found, waiting, with_shards=with_shards, wide=wide)
            if not watch:
                return
            time.sleep(WATCH_SECONDS)


for verb in (promote, rollback, retire, verify):
    projections.add_command(verb)


def show(
    found: list[Status], waiting: Waiting, *, with_shards: bool = False, wide: bool = False
) -> None:
    """Tables for people: one line for each generation, and what there is to know of it."""
    columns = ["generation", "role", "version", "rows", "lag", "late"]
    rows = [_summary(one) for one in found]
    if wide:
        columns += ["as of (UTC)", "parked", "compared", "from", "code"]
        rows = [(*row, *_rest(one)) for row, one in zip(rows, found, strict=True)]
    show_table("Projections", columns, rows)
    if with_shards:
        each = [(one.name, *_cells(at)) for one in found for at in one.shards]
        show_table("Shards", ["generation", "shard", "version", "lag", "rows"], each)
    if not rows:
        click.echo("None yet: `airside up` (or `airside project`) builds them.")
    for one in found:
        for text in told(one):
            click.echo(f"{one.name}: {text}")
    in_shards = f", in shards {', '.join(map(str, waiting.shards))}" if waiting.shards else ""
    click.echo(f"{waiting.commands:,} commands wait for a handler{in_shards}")


def told(one: Status) -> Iterator[str]:
    """What a person should know of a generation, each with the next step."""
    if one.builder is not None:
        yield how_far(one.builder)
    if not one.current:
        yield f"built by other code ({one.fingerprint}). Run: airside replay {one.projection}"
    if not one.whole and one.label:
        words = scratch_words(one.projection, one.label, one.as_of, one.source)
        yield f"not whole, so it cannot be asked. Go on: airside replay {words}"
    if one.parked:
        step = "airside parked"
        yield f"{one.parked:,} events are parked, so rows of it are incomplete. See: {step}"
    if one.verified is not None and one.verified.different:
        yield f"{compared(one.verified)}, when they were compared last"


def compared(verified: Verified | None) -> str:
    """`0 of 1,200 differ`."""
    return "" if verified is None else f"{verified.different:,} of {verified.rows:,} differ"


def how_far(builder: Builder) -> str:
    """`building 12 of 90, ETA 40 s, by process 7 on host`."""
    seconds = builder.eta_seconds
    eta = "" if seconds is None else f", ETA {seconds:,.0f} s"
    phase = builder.phase or "begun"
    return f"{phase} {builder.done:,} of {builder.total:,}{eta}, by {builder.name}"


def _summary(one: Status) -> tuple[object, ...]:
    late = short(one.lag_seconds) if one.lag_events else None
    role_shown = one.role if one.whole or not one.label else "unfinished"
    return one.name, role_shown, one.version, one.rows, one.lag_events, late


def short(seconds: float) -> str:
    """`2.5 s`, `12 min`, `30 h`."""
    if seconds < SECONDS_SHOWN_MAX:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < MINUTES_SHOWN_MAX else f"{minutes / 60:,.0f} h"


def _rest(one: Status) -> tuple[object, ...]:
    code = "this" if one.current else one.fingerprint
    return instant(one.as_of or None), one.parked, compared(one.verified), one.source, code


def _cells(at: Position) -> tuple[Any, ...]:
    return at.shard, at.version, at.lag_events, at.rows
