"""A role that kills or pauses itself at an exact point: `python -m tests.kit.dying ROLE …`.

    handle      before the commit       the batch is decided, nothing is written
                before the index        the commit is applied, nothing follows yet
                before publishing       the commit is applied and in the index
                published               … on the topic, and not in the index: that one fails
                before settling         … both, and nothing notes it
    project     save sent               nobody has heard whether it was done
                before the save         the save before it is done, the next one is folded

It aims at one commit or save, and the signal comes from the process itself, in the call that
the point names: no timing is left to chance. What it says before it goes: `struck at POINT:`
and what it had in hand.
"""

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from cassandra import OperationTimedOut
from cassandra.cluster import ResponseFuture
from msgspec import Struct

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_log import KafkaLog
from airside.adapters.kafka_publisher import KafkaPublisher
from airside.adapters.redis_view_store import PendingSave, RedisViewStore
from airside.handling import handling
from airside.log import Log, Traces
from airside.projecting import projecting
from airside.running import Role, take_turns
from airside.settings import Settings
from airside.store import Store
from airside.wiring import Deployment, wall_clock
from commands.event_store import Commit
from projectors.view_store import Checkpoint, Generation, ParkedEvent
from tests.kit.cli import Shell, Worker, quoted
from tests.kit.witness import wait_until

PROGRAM = (sys.executable, "-m", "tests.kit.dying")
ROLES: Mapping[str, Callable[[Deployment], AbstractContextManager[Role]]] = {
    "handle": handling,
    "project": projecting,
}
log = logging.getLogger("trap")

SAID = re.compile(r"struck at [a-z ]+: (.*)")


class Struck(Struct, frozen=True):
    """What was in hand when it happened: events of one shard."""

    shard: int
    first_seq: int
    last_seq: int
    number: int = 0  # of the commit
    generation: str = ""  # of the save


@contextmanager
def trapped(
    shell: Shell, role: str, point: str, *, call: int, number: signal.Signals
) -> Iterator[Worker]:
    """A role as a process that sends itself this signal at that point of its n-th call."""
    worker = shell.start(role, point, str(call), str(number.value), program=PROGRAM)
    try:
        with quoted([worker]):
            yield worker
    finally:
        worker.stop()


def struck(worker: Worker) -> Struck:
    """What it had in hand, as soon as the trap is sprung."""
    wait_until("the trap is sprung", lambda: SAID.search(worker.text) is not None)
    found = SAID.search(worker.text)
    assert found is not None
    return msgspec.json.decode(found.group(1), type=Struck)


class Trap:
    """Aims at the n-th commit or save that is not the first of its shard; the signal once."""

    def __init__(self, point: str, call: int, number: int) -> None:
        self.aimed: Struck | None = None  # as soon as it was begun
        self.is_indexed: Callable[[Struck], bool] = lambda held: False
        self._events: frozenset[bytes] = frozenset()  # of the commit aimed at
        self._point, self._call, self._number = point, call, number
        self._begun = 0
        self._is_sprung = False

    def begins(self, held: Struck, events: Iterable[bytes] = ()) -> None:
        """Count it. One without events is none that a test could tell from another."""
        self._begun += 1 < held.first_seq <= held.last_seq
        if self.aimed is None and self._begun == self._call:
            self.aimed, self._events = held, frozenset(events)

    def commit_of(self, values: Iterable[object]) -> Struck | None:
        """The commit aimed at, where one of these is an event of it."""
        return None if self._events.isdisjoint(values) else self.aimed

    def is_next(self, point: str, held: Struck | None) -> bool:
        """Whether the trap springs at this point of what is in hand."""
        is_aimed_at = held is not None and held == self.aimed
        return is_aimed_at and point == self._point and not self._is_sprung

    def passes(self, point: str, held: Struck | None) -> None:
        """The signal, if it is due. After a pause all goes on as if nothing had been."""
        if self.is_next(point, held):
            self._is_sprung = True
            log.warning("struck at %s: %s", point, msgspec.json.encode(held).decode())
            os.kill(os.getpid(), self._number)


class TrappedSession(CassandraSession):
    """Knows the inserts into the index, which follow a commit."""

    def __init__(self, url: str, trap: Trap) -> None:
        super().__init__(url)
        self._trap = trap

    def send(self, statement: object, profile: str) -> ResponseFuture:
        held = self._trap.commit_of(getattr(statement, "values", None) or ())
        self._trap.passes("before the index", held)
        if self._trap.is_next("published", held):
            raise OperationTimedOut({"the index": "a test is in the way"})
        return super().send(statement, profile)


class TrappedStore(CassandraEventStore):
    """Knows where a commit begins and where one is noted as settled."""

    def __init__(self, session: CassandraSession, trap: Trap) -> None:
        super().__init__(session)
        self._trap = trap
        trap.is_indexed = lambda held: self.indexed(held.shard) >= held.number

    def begin_commit(self, commit: Commit) -> None:
        held = Struck(commit.shard, commit.first_seq, commit.last_seq, commit.number)
        self._trap.begins(held, (event.data for event in commit.events))
        self._trap.passes("before the commit", held)
        super().begin_commit(commit)

    def settle(self, shard: int, number: int) -> None:
        held = self._trap.aimed
        if held is not None and held.shard == shard and held.number <= number:
            self._trap.passes("before settling", held)
        super().settle(shard, number)


class TrappedPublisher(KafkaPublisher):
    """Knows when it was given the commit aimed at, and when that is on the topic."""

    def __init__(self, *own: Any, trap: Trap) -> None:
        super().__init__(*own)
        self._trap = trap
        self._given = 0
        self._given_through: int | None = None  # the end of that commit

    def send(
        self, records: Sequence[tuple[bytes, bytes]], traces: Traces | None = None
    ) -> None:
        held = self._trap.commit_of(data for _, data in records)
        self._trap.passes("before the index", held)  # where its inserts have to wait
        if held is not None and self._trap.is_next("before publishing", held):
            wait_until("the commit is indexed", lambda: self._trap.is_indexed(held))
            self._trap.passes("before publishing", held)
        self._given += len(records)
        if held is not None:
            self._given_through = self._given
        super().send(records, traces)

    def acknowledged(self) -> int:
        found = super().acknowledged()
        if self._given_through is not None and found >= self._given_through:
            self._trap.passes("published", self._trap.aimed)
        return found


class TrappedLog(KafkaLog):
    """A log with such publishers."""

    def __init__(self, url: str, trap: Trap) -> None:
        super().__init__(url)
        self._trap = trap

    def publisher(self, topic: str, partition: int) -> KafkaPublisher:
        own = (self._cluster, self._trouble, topic, partition)
        return TrappedPublisher(*own, trap=self._trap)


class TrappedViews(RedisViewStore):
    """Knows where a save begins, and where it is on its way."""

    def __init__(self, url: str, trap: Trap) -> None:
        super().__init__(url)
        self._trap = trap

    def begin_save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> PendingSave:
        held = Struck(shard, expected.seq + 1, checkpoint.seq, 0, generation.name)
        self._trap.begins(held)
        self._trap.passes("before the save", held)
        pending = super().begin_save(
            generation,
            shard,
            expected=expected,
            checkpoint=checkpoint,
            rows=rows,
            parked=parked,
        )
        self._trap.passes("save sent", held)
        return pending


class TrappedDeployment(Deployment):
    """The real engines, each with its points."""

    def __init__(self, settings: Settings, resources: ExitStack, trap: Trap) -> None:
        super().__init__(settings, wall_clock, resources)
        self._trap = trap
        session = TrappedSession(settings.events or "", trap)
        self._session = resources.enter_context(closing(session))

    @contextmanager
    def log(self) -> Iterator[Log]:
        with closing(TrappedLog(self.settings.log or "", self._trap)) as log:
            yield log

    @contextmanager
    def event_store(self) -> Iterator[Store]:
        with closing(TrappedStore(self._session, self._trap)) as store:
            yield store

    @contextmanager
    def view_store(self, timeout_seconds: float = 0) -> Iterator[RedisViewStore]:
        with closing(TrappedViews(self.views_url(), self._trap)) as store:
            yield store


def main(role: str, point: str, call: str, number: str) -> None:
    """Run the role until SIGINT, or until the trap is sprung."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings(
        data=Path(os.environ["AIRSIDE_DATA"]),
        events=os.environ["AIRSIDE_EVENTS"],
        log=os.environ["AIRSIDE_LOG"],
        views=os.environ["AIRSIDE_VIEWS"],
    )
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with ExitStack() as resources:
        trap = Trap(point, int(call), int(number))
        deployment = TrappedDeployment(settings, resources, trap)
        opened = resources.enter_context(ROLES[role](deployment))
        log.info("%s is up: it will be struck %s", role, point)
        take_turns(opened, stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
