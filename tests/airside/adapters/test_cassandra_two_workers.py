"""Two workers that both believe to own a shard of Cassandra, at once, each dying often.

Each runs in a thread with a store of its own; all share what is really there: the keyspace and
the topics. What decides between them is the conditional write alone.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from airside.adapters import cassandra_index, cassandra_requests
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.world.engines import Crash
from commands.event_store import EventStore
from commands.limits import Limits
from schemas.errors import Transient
from stack.cassandra import CassandraNode
from tests.kit.cassandra import CassandraShard, drain, empty, laid_out
from tests.kit.counter import add

pytestmark = pytest.mark.engines

COMMANDS = 300
ACCOUNTS = 7
SECONDS_MAX = 20.0
DEATHS_PER_CALL = 0.03  # before it, and as many after it
PAUSE_SECONDS_MAX = 0.03  # in which the other goes on: this one is a zombie then
LIMITS = tuple(  # unlike batches, so that it shows who wrote what
    Limits(batch_records_max=n, streams_max=2, snapshot_every=5, window_commits_max=4)
    for n in (3, 5)
)


class MortalStore:
    """A store whose owner may die before or after every call, or fall asleep."""

    def __init__(self, store: CassandraEventStore, chance: random.Random) -> None:
        self._store, self._chance = store, chance

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._store, name)

        def call(*arguments: object, **named: object) -> object:
            self._perhaps_die()
            answer = method(*arguments, **named)
            self._perhaps_die()
            return answer

        return call

    def _perhaps_die(self) -> None:
        if self._chance.random() < DEATHS_PER_CALL:
            raise Crash
        if self._chance.random() < DEATHS_PER_CALL:
            time.sleep(PAUSE_SECONDS_MAX * self._chance.random())


class Life:
    """One worker after another, each taking up the shard where the last one died."""

    def __init__(
        self, shard: CassandraShard, limits: Limits, seed: int, is_over: threading.Event
    ) -> None:
        self._shard, self._limits, self._is_over = shard, limits, is_over
        self._chance = random.Random(seed + limits.batch_records_max)
        self.deaths = self.fenced = 0

    def run(self) -> None:
        """Until it is over."""
        while not self._is_over.is_set():
            self._live()

    def _live(self) -> None:
        with closing(CassandraEventStore(self._shard.session)) as store:
            mortal: EventStore = MortalStore(store, self._chance)  # type: ignore[assignment]
            worker = self._shard.worker(mortal, self._limits)
            try:
                while not self._is_over.is_set():
                    with suppress(Transient):
                        self.fenced += worker.step(0.01).fenced
            except Crash:
                self.deaths += 1


@pytest.fixture(scope="module")
def session(cassandra: CassandraNode) -> Iterator[CassandraSession]:
    with laid_out(f"cassandra://{cassandra.address}/two_workers") as session:
        yield session


def contend(shard: CassandraShard, seed: int) -> list[Life]:
    """Two lives at once, until every record is handled or time is up."""
    is_over = threading.Event()
    lives = [Life(shard, limits, seed, is_over) for limits in LIMITS]
    with ThreadPoolExecutor(len(lives)) as pool:
        running = [pool.submit(life.run) for life in lives]
        deadline = time.monotonic() + SECONDS_MAX
        with closing(CassandraEventStore(shard.session)) as store:
            while time.monotonic() < deadline and not is_over.wait(0.2):
                if store.resume(0).position.next_offset == COMMANDS:
                    break
        is_over.set()
    for ended in running:
        ended.result()
    return lives


@pytest.fixture
def slow_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row after the other, so that whoever dies leaves some that were never sent."""
    monkeypatch.setattr(cassandra_requests, "GROUP_ACCOUNTS_MAX", 1)
    monkeypatch.setattr(cassandra_index, "IN_FLIGHT_MAX", 1)


@pytest.mark.parametrize("seed", [1, 1_000])
def test_two_workers_at_once_leave_one_history(
    session: CassandraSession, slow_index: None, seed: int
) -> None:
    empty(session)
    shard = CassandraShard(session)
    shard.send(*[add(n, account=f"a{n % ACCOUNTS}") for n in range(1, COMMANDS + 1)])
    lives = contend(shard, seed)
    assert min(life.fenced for life in lives) > 0, "they were in each other's way"
    assert min(life.deaths for life in lives) > 0
    with closing(CassandraEventStore(session)) as store:
        drain(shard.worker(store, LIMITS[0]))
    shard.check(commands=COMMANDS)
