"""`airside projections`: which read models there are, and how far behind."""

from contextlib import closing

import click
from msgspec import Struct

from airside.cli.output import instant, show_json, show_table
from airside.settings import Settings
from airside.wiring import Deployment, open_existing
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import building
from projectors.view_store import Generation, Registry, ViewStore
from schemas.codec import CODEC
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC


class Waiting(Struct, frozen=True):
    """Commands that no handler has taken yet, as it noted a second ago."""

    commands: int
    shards: tuple[int, ...]


class Answer(Struct, frozen=True):
    """How the pipeline stands."""

    waiting: Waiting
    projections: list["Status"]


class Status(Struct, frozen=True):
    """One generation of a projection, over all shards."""

    projection: str
    generation: int
    role: str  # serving, standby or building
    fingerprint: str
    current: bool  # built by the code that is installed
    version: int  # events folded
    lag_events: int  # records of the events topic not folded yet
    lag_seconds: float  # while there is a lag, since the last event folded or the beginning
    as_of: int  # ms
    rows: int
    parked: int


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def projections(settings: Settings, as_json: bool) -> None:
    """Every projection: generation, position, lag in events and in seconds.

    Also how many commands wait for a handler; if they do while `airside up` runs, its log says
    why that shard was halted.
    """
    with open_existing(settings) as deployment:
        found, waiting = statuses(deployment), commands_waiting(deployment)
    if as_json:
        show_json(Answer(waiting, found))
        return
    columns = ["projection", "generation", "role", "built by", "version", "rows", "lag"]
    columns += ["lag (s)", "as of (UTC)", "parked"]
    rows = [
        (
            one.projection,
            one.generation,
            one.role,
            one.fingerprint if one.current else f"{one.fingerprint} (other code: replay it)",
            one.version,
            one.rows,
            one.lag_events,
            f"{one.lag_seconds:.1f}",
            instant(one.as_of or None),
            one.parked,
        )
        for one in found
    ]
    show_table("Projections", columns, rows)
    if not rows:
        click.echo("None yet: `airside up` (or `airside project`) builds them.")
    in_shards = f", in shards {', '.join(map(str, waiting.shards))}" if waiting.shards else ""
    click.echo(f"{waiting.commands:,} commands wait for a handler{in_shards}")


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
    with deployment.log() as topics, deployment.view_store() as views:
        ends = []
        for shard in range(deployment.shards):
            with closing(topics.source(EVENTS_TOPIC, shard)) as source:
                ends.append(source.end())
        for projection in PROJECTIONS:
            registry = views.registry(projection.name)
            fingerprint = fold_fingerprint(projection, CODEC)
            for generation in registry.generations:
                current = generation.fingerprint == fingerprint
                role = role_of(registry, generation)
                found.append(status(views, generation, role, current, ends, deployment.clock()))
    return found


def status(
    views: ViewStore,
    generation: Generation,
    role: str,
    current: bool,
    ends: list[int],
    now: int,
) -> Status:
    """One generation, added up over its shards."""
    shards = [views.rows(generation, shard, ()) for shard in range(len(ends))]
    lags = [max(0, end - s.checkpoint.offset) for end, s in zip(ends, shards, strict=True)]
    folded_at = [s.checkpoint.at or generation.created_at for s in shards]
    late = [now - at for at, lag in zip(folded_at, lags, strict=True) if lag]
    return Status(
        projection=generation.projection,
        generation=generation.number,
        role=role,
        fingerprint=generation.fingerprint,
        current=current,
        version=sum(s.checkpoint.seq for s in shards),
        lag_events=sum(lags),
        lag_seconds=max(late, default=0) / 1_000,
        as_of=max(s.checkpoint.at for s in shards),
        rows=sum(s.row_count for s in shards),
        parked=sum(len(views.parked(generation, shard)) for shard in range(len(ends))),
    )


def role_of(registry: Registry, generation: Generation) -> str:
    """What a generation is to its projection."""
    if generation.number == registry.serving:
        return "serving"
    return "building" if generation == building(registry) else "standby"
