"""The digest kept in a checkpoint is that of the rows, through any view store.

A subclass has a fixture `store`. Two workers with next to no memory take turns; they die, begin
again, meet repeats and events that cannot be folded.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from airside.adapters.memory_log import MemoryLog
from projectors.digest import digest_of
from projectors.fingerprint import fold_fingerprint
from projectors.pace import SAVE_BYTES, Bounds
from projectors.projection import Projection
from projectors.view_store import Checkpoint, Generation, Registry, ViewStore
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.record import EVENTS_TOPIC
from tests.kit.read_side import COMMAND_ID, START_AT, drain
from tests.kit.tallies import (
    MOVES,
    POISON,
    TALLIES,
    erasure,
    plan_changed,
    reinstatement,
    suspension,
)

PLANS = ["ads", "basic", "premium"]

accounts = st.sampled_from("abcdefgh")
happenings = st.one_of(
    st.builds(plan_changed, accounts, st.sampled_from(PLANS), st.sampled_from(PLANS)),
    st.builds(suspension, accounts, st.sampled_from(["", "", "", POISON])),
    st.builds(reinstatement, accounts),
    st.builds(erasure, accounts),
)
moves = st.one_of(
    st.tuples(st.just("publish"), st.lists(happenings, min_size=1, max_size=12)),
    st.tuples(st.just("repeat"), st.integers(1, 5)),
    st.tuples(st.just("rubbish"), st.sampled_from([b"", b"rubbish", None])),
    st.tuples(st.just("step"), st.integers(0, 1)),
    st.tuples(st.just("step"), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 1)),
)


class Shelf:
    """One shard of a new generation in a store, and its workers."""

    def __init__(
        self, store: ViewStore, projection: Projection[Any], batch_max: int, rows_max: int
    ) -> None:
        self.store, self.projection = store, projection
        self._batch_max, self._rows_max = batch_max, rows_max
        self._fingerprint = fold_fingerprint(projection, CODEC)
        before = store.registry(projection.name)
        number = before.revision + 1
        self.generation = Generation(projection.name, number, self._fingerprint, START_AT)
        registry = Registry(serving=number, generations=(self.generation,))
        store.change_registry(projection.name, before.revision, registry)
        self._log = MemoryLog(lambda: START_AT)
        self._log.create_topic(EVENTS_TOPIC, 1)
        self._history: list[Event] = []
        self._workers = [self.fresh(), self.fresh()]

    def fresh(self) -> ShardProjector[Any]:
        return ShardProjector(
            self.projection,
            self.generation,
            0,
            codec=CODEC,
            store=self.store,
            source=self._log.source(EVENTS_TOPIC, 0),
            clock=lambda: START_AT,
            fingerprint=self._fingerprint,
            bounds=Bounds(self._batch_max, SAVE_BYTES),
            rows_max=self._rows_max,
        )

    def make(self, move: tuple[Any, ...]) -> None:
        match move:
            case ("publish", events):
                self.publish(*events)
            case ("repeat", count):
                self._append(self._history[-count:])
            case ("rubbish", value):
                self._log.append(EVENTS_TOPIC, 0, [(b"a", value)])
            case ("step", worker):
                self._workers[worker].step()
            case ("restart", worker):
                self._workers[worker].close()
                self._workers[worker] = self.fresh()

    def publish(self, *events: Event) -> None:
        stored = [
            structs.replace(event, seq=seq, at=START_AT + seq, command_id=COMMAND_ID)
            for seq, event in enumerate(events, len(self._history) + 1)
        ]
        self._history += stored
        self._append(stored)

    def _append(self, stored: list[Event]) -> None:
        records = [(event.account_id.encode(), CODEC.encode(event)) for event in stored]
        self._log.append(EVENTS_TOPIC, 0, records)

    def settle(self) -> None:
        """One worker sees the end."""
        for worker in self._workers:
            worker.close()
        self._workers = [self.fresh()]
        drain(self._workers[0])

    def rows(self) -> dict[str, bytes | None]:
        keys = list(self.store.keys(self.generation, 0))
        return dict(self.store.rows(self.generation, 0, keys).rows)

    def checkpoint(self) -> Checkpoint:
        return self.store.rows(self.generation, 0, ()).checkpoint

    def alter(self, key: str, row: bytes | None) -> None:
        """A row is changed by hand; nobody is told."""
        now = self.checkpoint()
        self.store.save(self.generation, 0, expected=now, checkpoint=now, rows={key: row})

    def is_true(self) -> bool:
        """Whether the digest in the checkpoint is that of the rows."""
        return self.checkpoint().digest == digest_of(self.rows())


class DigestContract:
    def test_the_digest_kept_step_by_step_is_that_of_all_rows(self, store: ViewStore) -> None:
        @settings(max_examples=60, deadline=None)
        @given(
            projection=st.sampled_from([TALLIES, MOVES]),
            batch_max=st.sampled_from([1, 3, 100]),
            rows_max=st.sampled_from([2, 4, 100]),
            story=st.lists(moves, max_size=30),
        )
        def check(
            projection: Projection[Any],
            batch_max: int,
            rows_max: int,
            story: list[tuple[Any, ...]],
        ) -> None:
            shelf = Shelf(store, projection, batch_max, rows_max)
            for move in story:
                shelf.make(move)
            shelf.settle()
            assert shelf.is_true()

        check()

    @pytest.mark.parametrize("row", [b'{"count":7,"seqs":[]}', None], ids=["other", "gone"])
    @pytest.mark.parametrize("is_read", [True, False], ids=["read", "in memory"])
    def test_a_row_altered_by_hand_stays_known_until_it_is_what_it_should_be(
        self, store: ViewStore, row: bytes | None, is_read: bool
    ) -> None:
        shelf = Shelf(store, TALLIES, batch_max=100, rows_max=100)
        shelf.publish(*(plan_changed(name) for name in "abab"))
        shelf.settle()
        shelf.alter("a", row)
        moves: list[tuple[Any, ...]] = [("restart", 0)] if is_read else []
        shelf.publish(plan_changed("a"), plan_changed("b"), erasure("b"))
        for move in [*moves, ("step", 0), ("step", 0)]:
            shelf.make(move)
        # who still has the row in memory writes what it should be, whoever reads it does not
        assert shelf.is_true() is not is_read
