"""Three Cassandra nodes: a coordinator that gives up, and accounts that are not everywhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

import pytest

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Commit
from schemas.errors import Fenced, OutcomeUnknown, Transient
from stack.cassandra import CassandraCluster
from stack.processes import start_together
from tests.contracts.event_store import Author
from tests.kit.cassandra import SHARDS, laid_out

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]

WAIT_SECONDS = 60.0

T = TypeVar("T")


@pytest.fixture(scope="module")
def cluster(jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CassandraCluster]:
    cluster = CassandraCluster(tmp_path_factory.mktemp("nodes"))
    start_together(cluster.nodes)
    yield cluster
    kill(cluster)


def kill(cluster: CassandraCluster) -> None:
    for node in cluster.nodes:
        node.kill()


def address(cluster: CassandraCluster) -> str:
    return "cassandra://" + ",".join(node.address for node in cluster.nodes)


@pytest.fixture(scope="module")
def session(cluster: CassandraCluster) -> Iterator[CassandraSession]:
    with laid_out(f"{address(cluster)}/three?replication=3") as session:
        yield session


def shard_of_first_node(session: CassandraSession, host: str) -> int:
    """A shard whose commits that node coordinates."""
    metadata = session.connected().cluster.metadata
    for shard in range(SHARDS):
        key = session.bound("stretch", (shard, 0, 1, 1)).routing_key
        if metadata.get_replicas(session.keyspace, key)[0].address == host:
            return shard
    raise AssertionError(f"no shard of {SHARDS} is coordinated by {host}")


def only_first(cluster: CassandraCluster, act: Callable[[], None]) -> None:
    """While the other nodes do not answer."""
    for node in cluster.nodes[1:]:
        node.pause()
    try:
        act()
    finally:
        for node in cluster.nodes[1:]:
            node.go_on()


def patiently(act: Callable[[], T]) -> T:
    """Again and again: nodes that stood still think for a while that the others are down."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return act()
        except Transient:
            assert time.monotonic() < deadline, "the nodes do not find together"
            time.sleep(0.2)


def resolve(store: CassandraEventStore, commit: Commit) -> None:
    """As a handler does: the same commit, until it is known to be in the history."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            store.commit(commit)
            return
        except Fenced:
            assert store.landed(commit)
            return
        except Transient:
            assert time.monotonic() < deadline, "the outcome stays unknown"
            time.sleep(0.2)


def test_a_coordinator_that_gives_up_leaves_the_outcome_unknown_and_one_commit(
    cluster: CassandraCluster, session: CassandraSession
) -> None:
    shard = shard_of_first_node(session, cluster.nodes[0].host)
    author = Author(shard=shard)
    store = CassandraEventStore(session)
    resolve(store, author.commit("a", "b"))  # also prepares the statements
    commit = author.commit("a", "b")

    def give_up() -> None:
        with pytest.raises(OutcomeUnknown, match="WriteTimeout"):
            store.commit(commit)

    only_first(cluster, give_up)
    resolve(store, commit)
    assert patiently(lambda: store.landed(commit))
    assert patiently(lambda: [event.version for event in store.history("a")]) == [1, 2]
    with closing(CassandraEventStore(session)) as other:
        resumed = patiently(lambda: other.resume(shard))
        assert resumed.unpublished[1:] == ((2, commit.events),)


def test_accounts_that_are_not_on_every_node_are_indexed_by_the_node_that_has_them(
    cluster: CassandraCluster,
) -> None:
    author = Author()
    account_ids = [f"account {n}" for n in range(200)]
    with closing(CassandraSession(f"{address(cluster)}/two?replication=2")) as session:
        store = CassandraEventStore(session)
        patiently(lambda: store.lay_out(None, SHARDS))
        primary = session.primary_of_accounts()
        assert primary is not None
        assert len({primary(account_id) for account_id in account_ids}) == 3
        resolve(store, author.commit(*account_ids))
        resolve(store, author.commit(*account_ids))
        loaded = patiently(lambda: store.load(account_ids, "f1"))
    assert {len(loaded[account_id].events) for account_id in account_ids} == {2}


def test_replicas_everywhere_need_no_grouping(session: CassandraSession) -> None:
    assert session.primary_of_accounts() is None
