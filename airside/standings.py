"""How the pipeline stands: what waits, and each generation of each read model by its shards."""

from contextlib import closing

from msgspec import Struct

from airside.wiring import Deployment
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import KEPT, role
from projectors.view_store import Builder, Generation, Source, Verified, ViewStore
from schemas.codec import CODEC
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC


class Waiting(Struct, frozen=True):
    """Commands that no handler has taken yet, as it noted a second ago."""

    commands: int
    shards: tuple[int, ...]


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
    label: str  # of one to look back with
    role: str  # serving, standby, ready or building; scratch: to look back with
    whole: bool  # it can be asked; False: its builder has not come to the end
    fingerprint: str
    current: bool  # built by the code that is installed
    source: Source  # what it was built from
    version: int  # events folded
    lag_events: int  # records of the events topic not folded yet
    lag_seconds: float  # while there is a lag, since the last event folded or the beginning
    as_of: int  # ms
    rows: int
    parked: int
    shards: list[Position]
    verified: Verified | None
    builder: Builder | None


class Standings(Struct, frozen=True):
    """How the pipeline stands."""

    waiting: Waiting
    projections: list[Status]


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


def commands_waiting(deployment: Deployment) -> Waiting:
    """The lag of the write side."""
    lags = lags_of_commands(deployment)
    behind = tuple(shard for shard, lag in enumerate(lags) if lag)
    return Waiting(sum(lags), behind)


def lags_of_commands(deployment: Deployment) -> list[int]:
    """Commands that no handler has taken yet, by shard."""
    lags = []
    with deployment.log() as topics:
        for shard in range(deployment.shards):
            with closing(topics.source(COMMANDS_TOPIC, shard)) as source:
                lags.append(max(0, source.end() - topics.noted(COMMANDS_TOPIC, shard)))
    return lags


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
        label=generation.label,
        role=its_role,
        whole=its_role in KEPT or generation.followed_at is not None,
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


class Lag(Struct, frozen=True):
    """How far one served read model is in one partition."""

    version: int  # seq of the last event folded
    lag_events: int


class Partition(Struct, frozen=True):
    """One partition of the topics: what waits for handlers, and for projectors."""

    partition: int
    commands_waiting: int
    events_end: int  # offset behind the last event
    projections: dict[str, Lag]  # by name


class PipelineStanding(Struct, frozen=True):
    """How far everything is, by partition."""

    at: int  # ms
    partitions: list[Partition]
    parked_commands: int
    parked_events: int  # of served read models


def pipeline(deployment: Deployment) -> PipelineStanding:
    """Ends, positions and lag of all partitions. Raises: Unavailable, NotFound."""
    ends, waiting = log_ends(deployment), lags_of_commands(deployment)
    with deployment.view_store() as views, deployment.event_store() as store:
        shards = range(len(ends))
        served = [
            generation
            for projection in PROJECTIONS
            if (registry := views.registry(projection.name)).serving is not None
            and (generation := registry.generation(registry.serving)) is not None
        ]
        return PipelineStanding(
            at=deployment.clock(),
            partitions=[
                Partition(
                    partition=shard,
                    commands_waiting=waiting[shard],
                    events_end=ends[shard],
                    projections={
                        one.projection: _lag(views, one, shard, ends[shard]) for one in served
                    },
                )
                for shard in shards
            ],
            parked_commands=sum(1 for shard in shards for _ in store.parked(shard)),
            parked_events=sum(
                len(views.parked(one, shard)) for one in served for shard in shards
            ),
        )


def _lag(views: ViewStore, generation: Generation, shard: int, end: int) -> Lag:
    checkpoint = views.rows(generation, shard, ()).checkpoint
    return Lag(checkpoint.seq, max(0, end - checkpoint.offset))
