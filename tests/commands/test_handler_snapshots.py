"""When a handler snapshots accounts."""

import pytest

from tests.kit.counter import add
from tests.kit.shard import FaultyEventStore, Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


def snapshots_of(store: FaultyEventStore) -> list[tuple[str, int]]:
    return sorted((a, v) for (a, _), kept in store._snapshots.items() for v in kept)


def test_an_account_is_snapshotted_every_so_many_events(shard: Shard) -> None:
    shard.send(*[add(n) for n in range(1, 13)], add(20, account="b"))
    shard.drain(shard.worker(batch_records_max=1, snapshot_every=5))
    assert snapshots_of(shard.store) == [("a", 5), ("a", 10)]


def test_a_successor_begins_with_the_snapshot_and_counts_from_there(shard: Shard) -> None:
    shard.send(*[add(n) for n in range(1, 8)])
    shard.drain(shard.worker(snapshot_every=5))
    shard.send(*[add(n) for n in range(8, 12)])
    shard.drain(shard.worker(snapshot_every=5))
    assert snapshots_of(shard.store) == [("a", 7)]
    assert shard.count().total == 11


def test_an_account_that_took_many_events_to_load_is_snapshotted_with_its_next_commit(
    shard: Shard,
) -> None:
    shard.send(*[add(n) for n in range(1, 8)], add(30, account="b"))
    shard.drain()
    shard.send(add(8), add(31, account="b"))
    shard.drain(shard.worker(snapshot_loaded=7))
    assert snapshots_of(shard.store) == [("a", 8)]


def test_a_snapshot_waits_for_the_index(shard: Shard) -> None:
    shard.store.is_late = True
    shard.send(*[add(n) for n in range(1, 8)])
    worker = shard.worker(snapshot_every=5)
    worker.step()
    assert snapshots_of(shard.store) == []
    shard.store.index_all()
    worker.save_snapshots()
    assert snapshots_of(shard.store) == [("a", 7)]
