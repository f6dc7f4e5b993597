"""The world: members of every role on one set of memory engines, and who is next.

Everything runs in one thread. Where fate pauses a member in the middle of an effect, the others
work on before it goes on: so a paused owner is a zombie once somebody else took its shard.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from airside.adapters.memory_log import MemoryLog
from airside.handling import Handling
from airside.projecting import Projecting, stored_events
from airside.timekeeping import DueExpiries, Timekeeping
from airside.world.assigned import Assigned
from airside.world.clients import Clients
from airside.world.domain import Domain
from airside.world.engines import (
    Crash,
    Effects,
    PipelinedViewStore,
    WorldEventStore,
    WorldProducer,
    WorldPublisher,
    WorldSource,
    WorldViewStore,
)
from airside.world.fate import Fate
from commands.handler import ShardHandler
from commands.limits import Limits
from commands.log import EventPublisher
from commands.timekeeper import Timekeeper
from projectors.fingerprint import fold_fingerprint
from projectors.generations import promote, retire, standby
from projectors.read_side import ReadSide
from projectors.replay import replay
from queries.reader import store_reader
from schemas.codec import CODEC
from schemas.envelope import Command
from schemas.errors import AirsideError, NotFound
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC

SHARDS = 2
MEMBERS = 2  # of every role
START_AT = 1_800_000_000_000
STEP_MS = 20
DEPTH_MAX = 2  # members that stand still in the middle of something
OTHERS_MAX = 12  # steps of the others meanwhile
OLDER_SHARE = 0.3  # of the times that a handler takes a shard up
RETIRE_SHARE = 0.5  # of the times that something stands by
LIMITS = Limits(
    batch_records_max=3,
    streams_max=2,
    snapshot_every=3,
    snapshot_loaded=4,
    window_commits_max=4,
)

Member = Handling | Projecting | Timekeeping


class World:
    """Engines, members, a clock. `act` and `others` are given by whoever schedules."""

    def __init__(self, domain: Domain, fate: Fate) -> None:
        self.domain, self.fate = domain, fate
        self._favourite = fate.random.choice(domain.projections)  # that is rebuilt
        self.now_at = START_AT
        self.elapsed_ms = 0  # never set back
        self.version = 1  # of the rules
        self.steps = 0
        self.act: Callable[[], None] = lambda: None  # one step of anybody
        self._depth = 0
        self.effects = Effects(fate, self.others)
        self.log = MemoryLog(lambda: self.now_at)
        for topic in (COMMANDS_TOPIC, EVENTS_TOPIC):
            self.log.create_topic(topic, SHARDS)
        self.store = WorldEventStore(self.effects)
        kind = fate.random.choice((WorldViewStore, PipelinedViewStore))
        self.views: WorldViewStore = kind(self.effects)
        self.clients = Clients(domain, self.log, SHARDS, fate)
        self.producer = WorldProducer(self.effects, self._append)
        self.wires: list[WorldPublisher] = []
        self.busy: set[str] = set()  # members that stand still
        self.groups: dict[str, Assigned] = {}
        self.members: dict[str, Member] = {}
        self.read_side = self._read_side()
        self.fingerprints = {
            one.name: fold_fingerprint(one, CODEC) for one in domain.projections
        }
        self.names = [f"{r} {n}" for r in ("handler", "projector") for n in range(MEMBERS)]
        self.names.append("timekeeper 0")
        for name in self.names:
            self.start(name)

    def others(self) -> None:
        """Whoever calls stands still while the others take some steps."""
        if self.fate.is_calm or self._depth >= DEPTH_MAX:
            return
        self._depth += 1
        try:
            for _ in range(self.fate.random.randint(1, OTHERS_MAX)):
                self.act()
        finally:
            self._depth -= 1

    def sleep(self, seconds: float) -> None:
        """Whoever calls waits: a part of a millisecond is one, or time might stand still."""
        self.pass_ms(math.ceil(seconds * 1_000))
        if not self.fate.is_calm and self._depth < DEPTH_MAX:
            self._depth += 1
            try:
                self.act()
            finally:
                self._depth -= 1

    def pass_ms(self, duration_ms: int) -> None:
        """Time goes by."""
        self.now_at += duration_ms
        self.elapsed_ms += duration_ms

    def start(self, name: str) -> None:
        """A member comes, in the place of the one with that name."""
        role, number = name.split()
        default = Assigned(*(s for s in range(SHARDS) if s % MEMBERS == int(number)))
        before = self.groups.get(name, default)
        group = self.groups[name] = Assigned(*before.next)
        if role == "handler":
            self.members[name] = Handling(group, self._open_handler, self.monotonic)
        elif role == "projector":
            self.members[name] = Projecting(
                group,
                self.read_side,
                projections=self.domain.projections,
                monotonic=self.monotonic,
            )
        else:
            self.members[name] = self._timekeeper()

    def turn(self, name: str) -> int:
        """A member's turn, alive or to its death; how much it did."""
        if name in self.busy:
            return 0
        self.busy.add(name)
        try:
            return self.members[name].turn()
        except Crash:
            self.fate.tell("crashed", name)
            self.start(name)
        except AirsideError as error:
            self.fate.tell("failed", name, type(error).__name__)
        finally:
            self.busy.discard(name)
        return 1

    def stop(self, name: str) -> None:
        """A member goes in good order, and another comes."""
        self.busy.add(name)
        with contextlib.suppress(Crash, AirsideError):
            self.members[name].close()
        self.busy.discard(name)
        self.start(name)

    def rebuild(self) -> None:
        """A replay of this world's favourite projection, with promotion, as far as it gets."""
        projection = self._favourite
        with contextlib.suppress(Crash, AirsideError):
            replay(projection, self.read_side)
            self.fate.strikes("promotion")

    def roll_back(self) -> None:
        """What was served before is served again, or is given up, if it stands by."""
        projection = self._favourite
        with contextlib.suppress(Crash, AirsideError):
            registry = self.views.registry(projection.name)
            before = standby(registry)
            if before is None:
                return
            if self.fate.random.random() < RETIRE_SHARE:
                retire(self.views, projection.name, before.number)
                return
            promote(self.views, before, serving=registry.serving, now_at=self.now_at)
            self.fate.strikes("rollback")

    def monotonic(self) -> float:
        """Seconds, never backwards."""
        return self.elapsed_ms / 1_000

    def _append(self, records: Sequence[Any]) -> None:
        self.clients.append(list(records))

    def arrive(self) -> None:
        """Every write that is under way lands, or is refused."""
        self.effects.arrive()
        self.views.arrive()

    def _open_handler(self, shard: int) -> Any:
        decider, older = self.domain.decider, self.domain.older
        is_older = older is not None and self.fate.random.random() < OLDER_SHARE
        if older is not None and is_older and self.fate.strikes("older code"):
            decider = older
        return closing(
            ShardHandler(
                shard=shard,
                shards=SHARDS,
                decider=decider,
                codec=CODEC,
                store=self.store,
                source=self._source(COMMANDS_TOPIC, shard, "poll commands"),
                open_publisher=lambda: self._publisher(shard),
                context=lambda: self.domain.context(self.version),
                limits=LIMITS,
                new_commit_id=self.fate.fresh_id,
            )
        )

    def _source(self, topic: str, shard: int, step: str) -> Any:
        return WorldSource(self.log.source(topic, shard), self.effects, step, self.sleep)

    def _publisher(self, shard: int) -> EventPublisher:
        self.wires = [wire for wire in self.wires if wire.is_busy or not wire.is_closed]
        self.wires.append(WorldPublisher(self.log, shard, self.effects))
        return self.wires[-1]

    def _read_side(self) -> ReadSide:
        def fill(shard: int) -> Any:
            return lambda after, count: stored_events(self.store, shard, after, count)

        return ReadSide(
            codec=CODEC,
            store=self.views,
            shards=SHARDS,
            source=lambda shard: self._source(EVENTS_TOPIC, shard, "poll events"),
            clock=lambda: self.now_at,
            sleep=self.sleep,
            fill=fill,
            rows_max=3,
            history="world",
        )

    def _timekeeper(self) -> Timekeeping:
        reader = store_reader(self.views, SHARDS, monotonic=self.monotonic, sleep=self.sleep)
        due = DueExpiries(reader)

        def send(commands: Sequence[Command]) -> None:
            records = [(one.account_id.encode(), CODEC.encode(one)) for one in commands]
            self.producer.send(records)

        def ask(now_at: int) -> Any:
            try:
                return due(now_at)
            except NotFound:  # nothing was ever built
                return []

        return Timekeeping(Assigned(0), lambda: self.now_at, Timekeeper(ask, send))
