"""`airside projections`: which read models there are, and how far; which of them is served."""

import time
from contextlib import closing, suppress
from typing import Any

import click
from msgspec import Struct

from airside.cli.generations import promote, retire, rollback
from airside.cli.output import instant, show_json, show_table
from airside.cli.verify import verify
from airside.settings import Settings
from airside.wiring import Deployment, open_existing
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import role
from projectors.view_store import Builder, Generation, Verified, ViewStore
from schemas.codec import CODEC
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC

WATCH_SECONDS = 1.0


class Waiting(Struct, frozen=True):
    """Commands that no handler has taken yet, as it noted a second ago."""

    commands: int
    shards: tuple[int, ...]


class Answer(Struct, frozen=True):
    """How the pipeline stands."""

    waiting: Waiting
    projections: list["Status"]


class Position(Struct, frozen=True):
    """Where one shard of a generation stands."""

    shard: int
    version: int
    lag_events: int
    rows: int


class Status(Struct, frozen=True):
    """One generation of a projection, over all shards."""

    projection: str
    generation: int
    name: str
    role: str  # serving, standby, ready or building; scratch: to look back with
    fingerprint: str
    current: bool  # built by the code that is installed
    source: str  # what it was built from
    version: int  # events folded
    lag_events: int  # records of the events topic not folded yet
    lag_seconds: float  # while there is a lag, since the last event folded or the beginning
    as_of: int  # ms
    rows: int
    parked: int
    shards: list[Position]
    verified: Verified | None
    builder: Builder | None


@click.group(invoke_without_command=True)
@click.option("--watch", is_flag=True, help="Again every second, until Ctrl-C.")
@click.option("--shards", "with_shards", is_flag=True, help="The position of each shard, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_context
def projections(ctx: click.Context, watch: bool, with_shards: bool, as_json: bool) -> None:
    """Every projection: generations, positions, lag, builds under way, last verification.

    Also how many commands wait for a handler; if they do while `airside up` runs, its log says
    why that shard was halted.

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
                show_json(Answer(waiting, found))
            else:
                show(found, waiting, with_shards=with_shards)
            if not watch:
                return
            time.sleep(WATCH_SECONDS)


for verb in (promote, rollback, retire, verify):
    projections.add_command(verb)


def show(found: list[Status], waiting: Waiting, *, with_shards: bool) -> None:
    """Tables for people."""
    columns = ["projection", "generation", "role", "code", "version", "rows", "lag"]
    columns += ["lag (s)", "as of (UTC)", "parked", "compared"]
    rows = [
        (
            one.projection,
            one.name if one.role == "scratch" else one.generation,
            one.role,
            "this" if one.current else f"other ({one.fingerprint}): replay it",
            one.version,
            one.rows,
            one.lag_events,
            f"{one.lag_seconds:.1f}",
            instant(one.as_of or None),
            one.parked,
            compared(one.verified),
        )
        for one in found
    ]
    show_table("Projections", columns, rows)
    if with_shards:
        each = [(one.name, *_cells(at)) for one in found for at in one.shards]
        show_table("Shards", ["generation", "shard", "version", "lag", "rows"], each)
    if not rows:
        click.echo("None yet: `airside up` (or `airside project`) builds them.")
    for one in found:
        if one.builder is not None:
            click.echo(f"{one.name}: {how_far(one.builder)}")
    in_shards = f", in shards {', '.join(map(str, waiting.shards))}" if waiting.shards else ""
    click.echo(f"{waiting.commands:,} commands wait for a handler{in_shards}")


def compared(verified: Verified | None) -> str:
    """`0 of 1,200 differ`."""
    return "" if verified is None else f"{verified.different:,} of {verified.rows:,} differ"


def how_far(builder: Builder) -> str:
    """`building 12 of 90, ETA 40 s, by process 7 on host`."""
    seconds = builder.eta_seconds
    eta = "" if seconds is None else f", ETA {seconds:,.0f} s"
    phase = builder.phase or "begun"
    return f"{phase} {builder.done:,} of {builder.total:,}{eta}, by {builder.name}"


def commands_waiting(deployment: Deployment) -> Waiting:
    """The lag of the write side."""
    lags: dict[int, int] = {}
    with deployment.log() as topics:
        for shard in range(deployment.shards):
            with closing(topics.source(COMMANDS_TOPIC, shard)) as source:
                lags[shard] = source.end() - topics.noted(COMMANDS_TOPIC, shard)
    behind = tuple(shard for shard, lag in lags.items() if lag > 0)
    return Waiting(sum(lags[shard] for shard in behind), behind)


def statuses(deployment: Deployment) -> list[Status]:
    """The status of every generation that exists."""
    found = []
    with deployment.view_store() as views:
        ends = log_ends(deployment)
        for projection in PROJECTIONS:
            registry = views.registry(projection.name)
            fingerprint = fold_fingerprint(projection, CODEC)
            for generation in registry.generations:
                is_current = generation.fingerprint == fingerprint
                its_role = role(registry, generation)
                now = deployment.clock()
                found.append(status(views, generation, its_role, is_current, ends, now))
    return found


def log_ends(deployment: Deployment) -> list[int]:
    """Where the events topic ends, by shard."""
    ends = []
    with deployment.log() as topics:
        for shard in range(deployment.shards):
            with closing(topics.source(EVENTS_TOPIC, shard)) as source:
                ends.append(source.end())
    return ends


def status(
    views: ViewStore,
    generation: Generation,
    its_role: str,
    current: bool,
    ends: list[int],
    now: int,
) -> Status:
    """One generation, added up over its shards."""
    shards = [views.rows(generation, shard, ()) for shard in range(len(ends))]
    lags = [max(0, end - s.checkpoint.offset) for end, s in zip(ends, shards, strict=True)]
    if generation.as_of is not None:
        lags = [0] * len(ends)  # it is what it should be, and stays so
    folded_at = [s.checkpoint.at or generation.created_at for s in shards]
    late = [now - at for at, lag in zip(folded_at, lags, strict=True) if lag]
    return Status(
        projection=generation.projection,
        generation=generation.number,
        name=generation.name,
        role=its_role,
        fingerprint=generation.fingerprint,
        current=current,
        source=generation.source,
        version=sum(s.checkpoint.seq for s in shards),
        lag_events=sum(lags),
        lag_seconds=max(late, default=0) / 1_000,
        as_of=generation.as_of or max(s.checkpoint.at for s in shards),
        rows=sum(s.row_count for s in shards),
        parked=sum(len(views.parked(generation, shard)) for shard in range(len(ends))),
        shards=[
            Position(n, rows.checkpoint.seq, lag, rows.row_count)
            for n, (rows, lag) in enumerate(zip(shards, lags, strict=True))
        ],
        verified=generation.verified,
        builder=generation.builder,
    )


def _cells(at: Position) -> tuple[Any, ...]:
    return at.shard, at.version, at.lag_events, at.rows
