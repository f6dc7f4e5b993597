"""The connection to Cassandra is cut at every step: one history, and the worker goes on."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from commands.limits import Limits
from schemas.errors import Fenced, OutcomeUnknown, Unavailable
from stack.cassandra import CassandraNode
from tests.contracts.event_store import Author
from tests.kit.cassandra import CassandraShard, drain, empty, laid_out
from tests.kit.counter import add
from tests.kit.tcp_proxy import Fate, TcpProxy

pytestmark = pytest.mark.engines

COMMANDS = 24
# Two records in a batch and one stream in memory: every step loads, commits and indexes.
LIMITS = Limits(batch_records_max=2, streams_max=1, snapshot_every=4)
WAIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def direct(cassandra: CassandraNode) -> Iterator[CassandraSession]:
    """A session that is never cut."""
    with laid_out(f"cassandra://{cassandra.address}/cut") as session:
        yield session


@pytest.fixture(scope="module")
def proxy(cassandra: CassandraNode) -> Iterator[TcpProxy]:
    with TcpProxy(cassandra.host, cassandra.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def session(direct: CassandraSession, proxy: TcpProxy) -> Iterator[CassandraSession]:
    """A session whose connections go through the proxy."""
    url = f"cassandra://{proxy.host}:{proxy.port}/cut?timeout_seconds=2"
    with closing(CassandraSession(url)) as session:
        yield session


@pytest.fixture
def store(direct: CassandraSession, session: CassandraSession) -> Iterator[CassandraEventStore]:
    empty(direct)
    with closing(CassandraEventStore(session)) as store:
        answer(store)
        yield store


def answer(store: CassandraEventStore) -> None:
    """Wait until the node is to be reached again."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            store.shards()
            return
        except Unavailable:
            assert time.monotonic() < deadline, "the node is not reached again"
            time.sleep(0.05)


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("after", range(1, 21))
def test_a_worker_goes_on_wherever_its_connection_is_cut(
    store: CassandraEventStore,
    direct: CassandraSession,
    proxy: TcpProxy,
    fate: Fate,
    after: int,
) -> None:
    shard = CassandraShard(direct)
    shard.send(*[add(n, account="abc"[n % 3]) for n in range(1, COMMANDS + 1)])
    proxy.arm(fate, after=after)
    drain(shard.worker(store, LIMITS))
    assert proxy.has_struck
    shard.check(commands=COMMANDS)


def test_a_commit_whose_answer_is_lost_has_landed_and_is_indexed(
    store: CassandraEventStore, proxy: TcpProxy
) -> None:
    commit = Author().commit("a", "b")
    proxy.arm("after", holding=commit.commit_id.encode())
    with pytest.raises(OutcomeUnknown, match="Ask whether it landed"):
        store.commit(commit)
    answer(store)
    assert store.landed(commit)
    assert [event.version for event in store.history("a")] == [1]
    assert store.indexed(0) == 1


def test_a_commit_that_never_arrived_has_not_landed_and_may_be_sent_again(
    store: CassandraEventStore, proxy: TcpProxy
) -> None:
    commit = Author().commit("a")
    proxy.arm("before", holding=commit.commit_id.encode())
    with pytest.raises(OutcomeUnknown):
        store.commit(commit)
    answer(store)
    assert not store.landed(commit)
    store.commit(commit)
    assert store.landed(commit)


def test_a_commit_that_arrives_late_is_told_from_another_by_its_id(
    store: CassandraEventStore, proxy: TcpProxy, direct: CassandraSession
) -> None:
    author = Author()
    commit = author.commit("a")
    proxy.arm("late", holding=commit.commit_id.encode())
    with pytest.raises(OutcomeUnknown):
        store.commit(commit)
    with closing(CassandraEventStore(direct)) as other:
        deadline = time.monotonic() + WAIT_SECONDS
        while not other.landed(commit) and time.monotonic() < deadline:
            time.sleep(0.05)
    with pytest.raises(Fenced):
        store.commit(commit)
    assert store.landed(commit)
    store.commit(author.commit("a"))
    assert [event.version for event in store.load(["a"], "f1")["a"].events] == [1, 2]


def test_an_index_that_cannot_be_written_is_said_so_and_written_later(
    store: CassandraEventStore, proxy: TcpProxy
) -> None:
    commit = Author().commit("an account of the index")
    proxy.arm("before", after=2, holding=b"an account of the index")
    store.commit(commit)
    with pytest.raises(Unavailable, match="index"):
        store.load(["an account of the index"], "f1")
    answer(store)
    deadline = time.monotonic() + WAIT_SECONDS
    while not _is_indexed(store) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert store.indexed(0) == 1
    assert len(list(store.history("an account of the index"))) == 1


def _is_indexed(store: CassandraEventStore) -> bool:
    try:
        return store.indexed(0) == 1
    except Unavailable:
        return False


def test_while_nobody_is_reached_everything_says_so(
    store: CassandraEventStore, proxy: TcpProxy
) -> None:
    store.commit(Author().commit("a"))
    proxy.refuse()
    with pytest.raises(Unavailable, match=f"{proxy.host}:{proxy.port}/cut"):
        store.resume(0)
    with pytest.raises(Unavailable):
        store.load(["b"], "f1")
    with pytest.raises(Unavailable):
        store.settle(0, 1)
    proxy.accept()
    answer(store)
    assert store.resume(0).position.number == 1
