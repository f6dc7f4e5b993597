"""Streams from a store, with and without snapshots, and which snapshots are believed."""

from dataclasses import replace

import pytest

from commands import decider as another_module
from commands.event_store import Snapshot
from commands.snapshots import StreamReader, fingerprint_of, load_stream
from commands.stream import RECENT_MAX, Stream
from schemas.codec import CODEC
from schemas.errors import Hole, Overtaken, Unreadable
from tests.contracts.event_store import Author
from tests.kit.counter import COUNTER, NOW, Count, Rules, add, suspend
from tests.kit.shard import FaultyEventStore, Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


@pytest.fixture
def reader() -> StreamReader[Count, Rules]:
    return StreamReader(COUNTER, CODEC)


def loaded(shard: Shard, account_id: str = "a") -> Stream[Count]:
    return load_stream(shard.store, COUNTER, CODEC, account_id)


def test_an_account_without_history_is_in_its_initial_state(shard: Shard) -> None:
    assert loaded(shard) == Stream("a", Count("a"))


def test_a_history_is_folded_with_ring_and_time(shard: Shard) -> None:
    shard.send(*[add(n, issued_at=NOW + n) for n in range(1, RECENT_MAX + 11)])
    shard.drain(shard.worker(snapshot_every=1_000_000))
    stream = loaded(shard)
    assert (stream.version, stream.state.total) == (RECENT_MAX + 10, RECENT_MAX + 10)
    assert stream.forgotten_until == NOW + 10
    assert stream.snapshot_version == 0


def test_a_snapshot_and_the_rest_are_the_whole_history(
    shard: Shard, reader: StreamReader[Count, Rules]
) -> None:
    shard.send(*[add(n, issued_at=NOW + n) for n in range(1, 200)])
    shard.drain(shard.worker(snapshot_every=1_000_000))
    folded = loaded(shard)
    shard.store.save_snapshots([reader.snapshot(folded)])
    shard.send(*[add(n, issued_at=NOW + n) for n in range(200, 210)])
    shard.drain(shard.worker(snapshot_every=1_000_000))
    stream = loaded(shard)
    assert stream.snapshot_version == 199
    whole = reader.load(unsnapshot(shard), ["a"])["a"]
    assert isinstance(whole, Stream)
    assert reader.snapshot(stream) == reader.snapshot(whole)


def unsnapshot(shard: Shard) -> FaultyEventStore:
    shard.store._snapshots.clear()
    return shard.store


def test_a_snapshot_that_cannot_be_read_is_as_good_as_none(
    shard: Shard, reader: StreamReader[Count, Rules]
) -> None:
    shard.send(add(1), add(2))
    shard.drain()
    shard.store.save_snapshots([Snapshot("a", 2, reader.fingerprint, b"\xc1 not ours")])
    assert loaded(shard).state.total == 2


def test_other_fold_code_has_another_fingerprint() -> None:
    changed = replace(COUNTER, fold_modules=(*COUNTER.fold_modules, another_module))
    assert fingerprint_of(changed, CODEC) != fingerprint_of(COUNTER, CODEC)


def test_a_rule_that_is_no_fold_leaves_the_fingerprint() -> None:
    changed = replace(COUNTER, decide=lambda state, command, context, at: [])
    assert fingerprint_of(changed, CODEC) == fingerprint_of(COUNTER, CODEC)


def test_a_snapshot_by_other_fold_code_is_ignored(shard: Shard) -> None:
    shard.send(add(1), add(2))
    shard.drain()
    changed = replace(COUNTER, fold_modules=(another_module,))
    stale = replace(COUNTER, evolve=lambda state, event: state)
    wrong = StreamReader(changed, CODEC).snapshot(load_stream(shard.store, stale, CODEC, "a"))
    shard.store.save_snapshots([wrong])
    assert loaded(shard).state.total == 2


def test_bytes_that_are_no_event_are_said_so(shard: Shard) -> None:
    shard.store.commit(Author().commit("a"))
    with pytest.raises(Unreadable):
        loaded(shard)


def test_one_account_that_cannot_be_folded_leaves_the_others(
    shard: Shard, reader: StreamReader[Count, Rules]
) -> None:
    shard.store.commit(Author().commit("a"))
    streams = reader.load(shard.store, ["a", "b"])
    assert isinstance(streams["a"], Unreadable)
    assert isinstance(streams["b"], Stream)


def test_an_event_that_evolve_cannot_fold_is_told_with_its_place(shard: Shard) -> None:
    shard.send(add(1), suspend(2))
    shard.drain()

    def broken(state: Count, event: object) -> Count:
        raise KeyError("gone")

    with pytest.raises(Unreadable, match=r"KeyError: 'gone' \(test_snapshots.py:"):
        load_stream(shard.store, replace(COUNTER, evolve=broken), CODEC, "a")


def test_an_event_from_beyond_the_known_end_means_that_somebody_else_was_here(
    shard: Shard, reader: StreamReader[Count, Rules]
) -> None:
    shard.send(add(1), add(2))
    shard.drain()
    with pytest.raises(Overtaken, match="found seq 2"):
        reader.load(shard.store, ["a"], seq_max=1)


def test_a_missing_version_is_a_hole(shard: Shard, reader: StreamReader[Count, Rules]) -> None:
    shard.send(add(1), add(2), add(3))
    shard.drain()
    del shard.store._accounts["a"][2]
    assert isinstance(reader.load(shard.store, ["a"])["a"], Hole)
