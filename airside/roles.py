"""The roles of the pipeline, each ready to take turns: handle, project, keep time.

A shard that cannot go on (a hole in its history) is halted and said so; the others go on.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

from airside.wiring import Deployment, wall_clock
from commands.batch import Counts
from commands.catalog import Catalog
from commands.catalog_follower import CatalogFollower
from commands.event_store import EventStore
from commands.handler import Limits, ShardHandler
from commands.license_decider import DECIDER
from commands.timekeeper import Due, Timekeeper
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, followed
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.view_store import Generation
from projectors.worker import ShardProjector
from queries.across import due
from queries.reader import Reader
from schemas.codec import CODEC
from schemas.errors import Hole, Permanent, Transient, Unavailable
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

TICK_MS = 1_000  # how often the timekeeper looks
LOOK_BACK_MS = 3_600_000  # how far before its last look, for a projection that lags
LOOK_AT_ALL_MS = 60_000  # how often all of the past is looked at
DUE_ASKED_MAX = 100_000  # licenses of one look; more of them than ever wait at a time
MOVES_MAX = 1_000  # times that a shard may be lost in a row before it is given up
FOLLOW_MS = 1_000  # how often the registries are read for new generations

STREAMS_MAX = 10_000  # accounts in memory, of all shards
ROWS_MAX = 150_000  # in memory, of all shards and projections

log = logging.getLogger("airside.roles")


class Handling:
    """Every shard's handler, one after the other."""

    name = "handler"

    def __init__(self, handlers: Sequence[ShardHandler[Any, Catalog]]) -> None:
        self._handlers = handlers
        self._moves = [0] * len(handlers)  # in a row
        self.halted: dict[int, str] = {}  # shard -> why

    @property
    def counts(self) -> Counts:
        """What became of all records, since the start."""
        total = Counts()
        for handler in self._handlers:
            total.add(handler.counts)
        return total

    def turn(self) -> int:
        """One step of every shard; how many records were taken.

        Raises: Transient, of one of them, after all had their turn.
        """
        polled = 0
        trouble: Transient | None = None
        for shard, handler in enumerate(self._handlers):
            if shard in self.halted:
                continue
            try:
                polled += self._step(shard, handler)
            except Transient as error:
                trouble = error
            except Permanent as why:
                self._halt(shard, str(why))
        if trouble is not None:
            raise trouble
        return polled

    def _step(self, shard: int, handler: ShardHandler[Any, Catalog]) -> int:
        step = handler.step()
        self._moves[shard] = self._moves[shard] + 1 if step.fenced else 0
        if self._moves[shard] > MOVES_MAX:
            self._halt(shard, f"it was lost {MOVES_MAX} times in a row: who else writes it?")
        return step.polled + step.counts.redriven

    def _halt(self, shard: int, why: str) -> None:
        log.error("shard halted shard=%d because %s", shard, why)
        self.halted[shard] = why


@contextmanager
def handling(deployment: Deployment) -> Iterator[Handling]:
    """The handler of all shards, closed behind it. Raises: Hole if any had to be halted."""
    shards = deployment.shards
    with deployment.log() as topics, deployment.event_store() as store, ExitStack() as held:
        catalog = CatalogFollower(held.enter_context(closing(topics.source(CATALOG_TOPIC, 0))))
        handlers = []
        for shard in range(shards):
            handler = ShardHandler(
                shard=shard,
                shards=shards,
                decider=DECIDER,
                codec=CODEC,
                store=store,
                source=held.enter_context(closing(topics.source(COMMANDS_TOPIC, shard))),
                open_publisher=partial(topics.publisher, EVENTS_TOPIC, shard),
                context=catalog.catch_up,
                limits=Limits(streams_max=STREAMS_MAX // shards),
            )
            held.callback(handler.close)
            handlers.append(handler)
        role = Handling(handlers)
        yield role
        if role.halted:
            told = "; ".join(f"shard {shard}: {why}" for shard, why in role.halted.items())
            raise Hole(f"halted, mend and start again: {told}")


class Projecting:
    """Every shard of every living generation of every projection."""

    name = "projector"

    def __init__(self, read_side: ReadSide) -> None:
        self._read_side = read_side
        self._fingerprints = {
            projection.name: fold_fingerprint(projection, read_side.codec)
            for projection in PROJECTIONS
        }
        self._workers: dict[str, list[ShardProjector[Any]]] = {}  # by generation
        self._followed_at = 0

    def turn(self) -> int:
        """One step of every worker; how many records were taken."""
        now = self._read_side.clock()
        if not self._workers or not 0 <= now - self._followed_at < FOLLOW_MS:
            self._follow(now)
        return sum(worker.step() for workers in self._workers.values() for worker in workers)

    def close(self) -> None:
        """Let go of every source."""
        for name in list(self._workers):
            self._leave(name)

    def _follow(self, now: int) -> None:
        """Take up generations that came, leave those that went."""
        living: dict[str, tuple[Projection[Any], Generation]] = {}
        for projection in PROJECTIONS:
            registry = ensure_serving(
                self._read_side.store,
                projection.name,
                fingerprint=self._fingerprints[projection.name],
                history=self._read_side.history,
                now_at=now,
            )
            for generation in followed(registry):
                living[generation.name] = (projection, generation)
        for name in self._workers.keys() - living.keys():
            self._leave(name)
        for name, (projection, generation) in living.items():
            if name not in self._workers:
                fingerprint = self._fingerprints[projection.name]
                self._workers[name] = [
                    self._read_side.projector(projection, generation, shard, fingerprint)
                    for shard in range(self._read_side.shards)
                ]
        self._followed_at = now

    def _leave(self, name: str) -> None:
        for worker in self._workers.pop(name):
            worker.close()


@contextmanager
def reading(deployment: Deployment) -> Iterator[ReadSide]:
    """What projections run on: topic, read models, and the event store to fill holes from."""
    with (
        deployment.log() as topics,
        deployment.view_store() as views,
        deployment.event_store() as events,
    ):
        yield ReadSide(
            codec=CODEC,
            store=views,
            shards=deployment.shards,
            source=partial(topics.source, EVENTS_TOPIC),
            clock=wall_clock,  # it paces looks at the store; a driven clock would race
            fill=lambda shard: partial(stored_events, events, shard),
            rows_max=ROWS_MAX // (deployment.shards * len(PROJECTIONS)),
            history=events.history_id(),
        )


def stored_events(
    store: EventStore, shard: int, after_seq: int, count_max: int
) -> list[tuple[bytes, bytes]]:
    """Events that the topic lacks, as (key, value), from the event store."""
    found = store.read(shard, after_seq=after_seq, count_max=count_max)
    return [(event.account_id.encode(), event.data) for event in found]


@contextmanager
def projecting(deployment: Deployment) -> Iterator[Projecting]:
    """The projector of all read models, closed behind it."""
    with reading(deployment) as read_side, closing(Projecting(read_side)) as role:
        yield role


class Timekeeping:
    """The timekeeper, with the read model of expiries as its source."""

    name = "timekeeper"

    def __init__(self, deployment: Deployment, timekeeper: Timekeeper) -> None:
        self._deployment = deployment
        self._timekeeper = timekeeper
        self._ticked_at = 0

    def turn(self) -> int:
        """Send what is due, once in TICK_MS; how many."""
        now = self._deployment.clock()
        if 0 <= now - self._ticked_at < TICK_MS:
            return 0
        self._ticked_at = now
        try:
            return self._timekeeper.tick(now)
        except Unavailable:
            return 0  # nothing is served yet; the projector of this deployment will see to it


class DueExpiries:
    """What is due, from the read model: what is new every time, everything once a minute.

    A playback that is reported late can open a play window that ended long ago, so the past
    has to be looked at again and again.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._looked_at = self._looked_at_all = 0

    def __call__(self, now_at: int) -> list[Due]:
        """Licenses whose expiry has come and is not on record, oldest first."""
        is_everything = now_at - self._looked_at_all >= LOOK_AT_ALL_MS
        since = None if is_everything else self._looked_at - LOOK_BACK_MS
        found = due(self._reader, at=now_at, since=since, count_max=DUE_ASKED_MAX)
        if len(found) < DUE_ASKED_MAX:
            self._looked_at = now_at
            self._looked_at_all = now_at if is_everything else self._looked_at_all
        return [Due(one.license_id, one.account_id, one.expires_at) for one in found]


@contextmanager
def timekeeping(deployment: Deployment) -> Iterator[Timekeeping]:
    """The timekeeper, closed behind it."""
    with deployment.reader() as reader, deployment.producer() as producer:
        timekeeper = Timekeeper(DueExpiries(reader), producer.send)
        yield Timekeeping(deployment, timekeeper)
