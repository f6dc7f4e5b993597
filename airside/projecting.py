"""The projector's role: this worker's shards of every living generation of every projection."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from airside.history_source import HistorySource
from airside.membership import Membership
from airside.rebuilds import Rebuild, Rebuilds, replaying
from airside.rounds import Rounds
from airside.wiring import Deployment, wall_clock
from commands.event_store import EventStore
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, followed, serving
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.view_store import Generation, Registry, Source
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.record import EVENTS_TOPIC

GROUP = "projectors"
FOLLOW_MS = 1_000  # how often the registries are read for new generations
ROWS_MAX = 150_000  # in memory, of all shards and projections

log = logging.getLogger("airside.projecting")

Key = tuple[str, int, int]
"""Which worker: generation, when it was created, shard. A name alone may come again where the
read models' database was emptied."""


class Projecting:
    """Every living generation, in the shards that are ours."""

    name = "projector"

    def __init__(
        self,
        membership: Membership,
        read_side: ReadSide,
        rebuild: Rebuild = "no",
        rebuilds: Rebuilds | None = None,
        *,
        projections: Sequence[Projection[Any]] = PROJECTIONS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._membership = membership
        self._projections = projections
        self._read_side = read_side
        self._rebuild, self._rebuilds = rebuild, rebuilds
        self._fingerprints = {
            projection.name: fold_fingerprint(projection, read_side.codec)
            for projection in projections
        }
        self._living: list[tuple[Projection[Any], Generation]] = []
        self._workers: dict[Key, ShardProjector[Any]] = {}
        self._rounds: Rounds[Key] = Rounds(monotonic)
        self._followed_at = 0
        self._hinted: set[str] = set()
        self._shards: frozenset[int] = frozenset()

    @property
    def halted(self) -> dict[str, str]:
        """Shards of generations that stand still, each with the reason."""
        workers = self._workers.values()
        return {one.name: one.halted for one in workers if one.halted is not None}

    def turn(self) -> int:
        """One step of every worker; how many records were taken.

        Raises: Transient, of one of them, at the end of the round.
        """
        shards = self._membership.shards(self._leave_shards)
        if shards != self._shards:
            log.info("works on shards=%s", ",".join(map(str, sorted(shards))) or "none")
            self._shards = shards
        now = self._read_side.clock()
        if not self._living or not 0 <= now - self._followed_at < FOLLOW_MS:
            self._follow(now)
        self._take_up(shards)
        workers = self._workers
        return self._rounds.go(list(workers), lambda key: workers[key].step())

    def close(self) -> None:
        """Let go of every source, and leave the group."""
        try:
            self._leave(self._workers.keys())
        finally:
            self._membership.close()
            if self._rebuilds is not None:
                self._rebuilds.close()

    def _follow(self, now: int) -> None:
        """Which generations there are."""
        living: list[tuple[Projection[Any], Generation]] = []
        outdated: dict[str, Rebuild] = {}
        for projection in self._projections:
            registry = ensure_serving(
                self._read_side.store,
                projection.name,
                fingerprint=self._fingerprints[projection.name],
                history=self._read_side.history,
                shards=self._read_side.shards,
                now_at=now,
            )
            living += [(projection, generation) for generation in followed(registry)]
            fingerprint = self._fingerprints[projection.name]
            if all(g.fingerprint != fingerprint for g in followed(registry)):
                # What was served before and is not now was replaced, or rolled back, by
                # somebody: two versions of the code must not take turns. A person decides.
                was_served = fingerprint in registry.served
                outdated[projection.name] = "build" if was_served else self._rebuild
            self._hint(registry, fingerprint)
        self._living = living
        self._followed_at = now
        if self._rebuilds is not None:
            self._rebuilds.look(outdated)

    def _hint(self, registry: Registry, fingerprint: str) -> None:
        """Other code's rows are served, and ours are there: a person may want to know."""
        served = serving(registry)
        ours = [g for g in followed(registry) if g.fingerprint == fingerprint]
        if served.fingerprint == fingerprint or not ours or served.name in self._hinted:
            return
        self._hinted.add(served.name)
        log.warning(
            "%s is served, and was built by other code: only workers of that keep it up to "
            "date. Serve what this code keeps up to date: airside projections promote %s %d",
            served.name,
            served.projection,
            ours[-1].number,
        )

    def _take_up(self, shards: frozenset[int]) -> None:
        """A worker for all that is to be done, and none for what is not."""
        wanted = {
            (generation.name, generation.created_at, shard): (projection, generation)
            for projection, generation in self._living
            for shard in sorted(shards)
        }
        self._leave(self._workers.keys() - wanted.keys())
        for key in sorted(wanted.keys() - self._workers.keys()):
            projection, generation = wanted[key]
            fingerprint = self._fingerprints[projection.name]
            self._workers[key] = self._read_side.projector(
                projection, generation, key[2], fingerprint
            )

    def _leave_shards(self, shards: frozenset[int]) -> None:
        self._leave({key for key in self._workers if key[2] in shards})

    def _leave(self, keys: AbstractSet[Key]) -> None:
        for key in sorted(keys):
            self._workers.pop(key).close()


@contextmanager
def reading(deployment: Deployment) -> Iterator[ReadSide]:
    """What projections run on: topic, read models, and the event store to fill holes from."""
    with rebuilding(deployment, "topic", shares=deployment.shards * len(PROJECTIONS)) as found:
        yield found


@contextmanager
def rebuilding(deployment: Deployment, source: Source, *, shares: int) -> Iterator[ReadSide]:
    """The same, with events from either source; `shares` workers share the memory for rows."""
    with (
        deployment.log() as topics,
        deployment.view_store() as views,
        deployment.event_store() as events,
    ):
        of_topic = partial(topics.source, EVENTS_TOPIC)
        side = ReadSide(
            codec=CODEC,
            store=views,
            shards=deployment.shards,
            source=partial(HistorySource, events) if source == "store" else of_topic,
            clock=wall_clock,  # it paces looks at the store; a driven clock would race
            sleep=time.sleep,
            fill=lambda shard: partial(stored_events, events, shard),
            rows_max=ROWS_MAX // shares,
            history=events.history_id(),
        )
        yield deployment.telemetry.read_side(side)


def stored_events(
    store: EventStore, shard: int, after_seq: int, count_max: int
) -> list[tuple[bytes, bytes]]:
    """Events that the topic lacks, as (key, value), from the event store."""
    found = store.read(shard, after_seq=after_seq, count_max=count_max)
    return [(event.account_id.encode(), event.data) for event in found]


@contextmanager
def projecting(deployment: Deployment, rebuild: Rebuild = "no") -> Iterator[Projecting]:
    """The projector's role, closed behind it."""
    deployment.check_layout()
    start = replaying(deployment.settings)
    rebuilds = None if rebuild == "no" else Rebuilds(start)
    with reading(deployment) as read_side, deployment.log() as topics:
        membership = topics.membership(GROUP, EVENTS_TOPIC)
        with closing(Projecting(membership, read_side, rebuild, rebuilds)) as role:
            yield role
