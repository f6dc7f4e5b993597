"""A role that kills or pauses itself at an exact point: `python -m tests.kit.dying ROLE …`.

    handle      before the commit       the batch is decided, nothing is written
                before the index        the commit is applied, nothing follows yet
                before publishing       the commit is applied and in the index
                published               … on the topic, and not in the index: that one fails
                before settling         … both; the next one has not begun
    project     save sent               nobody has heard whether it was done
                before the save         the save before it is done, the next one is folded

The signal comes from the process itself, in the call that the point names: no timing is left
to chance. What it says before it goes: `struck at POINT: shard=2 first=57 last=80`.
"""

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from airside.log import Log
from airside.projecting import projecting
from airside.running import Role, take_turns
from airside.settings import Settings
from airside.store import Store
from airside.wiring import Deployment, wall_clock
from commands.event_store import Commit
from projectors.view_store import Checkpoint, Generation, ParkedEvent
from tests.kit.cli import Shell, Worker
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
    """A role as a process that sends itself this signal at the n-th call of that point."""
    worker = shell.start(role, point, str(call), str(number.value), program=PROGRAM)
    try:
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
    """Counts the calls at one point; the signal at the n-th of them, once."""

    def __init__(self, point: str, call: int, number: int) -> None:
        self.in_hand = Struck(0, 0, 0)  # the last commit that was begun
        self.unindexed: Struck | None = None  # from this one on, the index cannot be written
        self.is_indexed: Callable[[Struck], bool] = lambda held: False
        self._point, self._call, self._number = point, call, number
        self._calls = 0

    def is_due(self, point: str) -> bool:
        """Count this call; whether it is the one."""
        self._calls += point == self._point
        return point == self._point and self._calls == self._call

    def passes(self, point: str, held: Struck) -> None:
        """The signal, if this call is the one."""
        if self.is_due(point):
            self.spring(held)

    def spring(self, held: Struck) -> None:
        """The signal, now. After a pause the process goes on as if nothing had been."""
        log.warning("struck at %s: %s", self._point, msgspec.json.encode(held).decode())
        os.kill(os.getpid(), self._number)


class TrappedSession(CassandraSession):
    """Knows the inserts into the index, which follow a commit."""

    def __init__(self, url: str, trap: Trap) -> None:
        super().__init__(url)
        self._trap = trap

    def send(self, statement: object, profile: str) -> ResponseFuture:
        trap = self._trap
        if _is_of_index(statement):
            trap.passes("before the index", trap.in_hand)
            if trap.is_due("published"):
                trap.unindexed = trap.in_hand
            if trap.unindexed is not None:
                raise OperationTimedOut({"the index": "a test is in the way"})
        return super().send(statement, profile)


class TrappedStore(CassandraEventStore):
    """Knows where a commit begins and where one is noted as settled."""

    def __init__(self, session: CassandraSession, trap: Trap) -> None:
        super().__init__(session)
        self._trap = trap
        self._begun: dict[tuple[int, int], Struck] = {}  # by shard and number
        trap.is_indexed = lambda held: self.indexed(held.shard) >= held.number

    def commit(self, commit: Commit) -> None:
        held = Struck(commit.shard, commit.first_seq, commit.last_seq, commit.number)
        self._begun[commit.shard, commit.number] = self._trap.in_hand = held
        self._trap.passes("before the commit", held)
        super().commit(commit)

    def settle(self, shard: int, number: int) -> None:
        self._trap.passes("before settling", self._begun[shard, number])
        super().settle(shard, number)


class TrappedPublisher(KafkaPublisher):
    """Knows what it was given, and what of it is on the topic."""

    def __init__(self, *own: Any, trap: Trap) -> None:
        super().__init__(*own)
        self._trap = trap
        self._given = 0

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        held = self._trap.in_hand
        if self._trap.is_due("before publishing"):
            wait_until("the commit is indexed", lambda: self._trap.is_indexed(held))
            self._trap.spring(held)
        self._given += len(records)
        super().send(records)

    def acknowledged(self) -> int:
        found, held = super().acknowledged(), self._trap.unindexed
        if held is not None and held.shard == self._partition and found == self._given:
            self._trap.spring(held)
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


def _is_of_index(statement: object) -> bool:
    prepared = getattr(statement, "prepared_statement", None)
    text = "" if prepared is None else prepared.query_string
    return "INSERT INTO" in text and ".events (" in text


if __name__ == "__main__":
    main(*sys.argv[1:])
