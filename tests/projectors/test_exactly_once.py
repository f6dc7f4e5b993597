"""Whatever happens to workers, records and the store: each event counts once, in order.

Two workers believe that they own the shard. Their steps, crashes, lost and late saves, repeated
records, poison and a store that falls back come in any order that hypothesis can think of.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.world.engines import Crash
from projectors.digest import digest_of
from projectors.projection import Projection
from projectors.worker import LOOK_MS, ShardProjector
from schemas.envelope import Event
from tests.kit.faults import FaultyViewStore, PipelinedViewStore
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import (
    MOVES,
    POISON,
    TALLIES,
    erasure,
    plan_changed,
    reinstatement,
    suspension,
)

FAULTS = ["", "", "", "lost", "unanswered", "late", "crash", "crash after"]
PLANS = ["ads", "basic", "premium"]

accounts = st.sampled_from("abc")
happenings = st.one_of(
    st.builds(plan_changed, accounts, st.sampled_from(PLANS), st.sampled_from(PLANS)),
    st.builds(suspension, accounts, st.sampled_from(["", "", POISON])),
    st.builds(reinstatement, accounts),
    st.builds(erasure, accounts),
)
moves = st.one_of(
    st.tuples(st.just("publish"), st.lists(happenings, min_size=1, max_size=4)),
    st.tuples(st.just("repeat"), st.integers(1, 5)),
    st.tuples(st.just("rubbish"), st.sampled_from([b"", b"rubbish", None])),
    st.tuples(st.just("step"), st.integers(0, 1), st.sampled_from(FAULTS)),
    st.tuples(st.just("step"), st.integers(0, 1), st.just("")),
    st.tuples(st.just("step into"), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 1)),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("remember")),
    st.tuples(st.just("fall back")),
    st.tuples(st.just("wait"), st.just(LOOK_MS)),
)


class Run:
    """Two workers on one shard, and what happens to them."""

    def __init__(
        self,
        projection: Projection[Any],
        store: type[FaultyViewStore],
        batch_max: int,
        piece: int,
    ) -> None:
        self.bench = Bench(projection, store=store)
        self.batch_max, self.piece = batch_max, piece
        self.workers = [self.fresh(), self.fresh()]
        self.restore: Callable[[], None] = self.bench.store.backup()
        self.rubbish: list[int] = []

    def fresh(self) -> ShardProjector[Any]:
        return self.bench.worker(batch_max=self.batch_max, piece=self.piece, rows_max=4)

    def play(self, story: list[tuple[Any, ...]]) -> None:
        for move in story:
            self.make(move)
        self.settle()

    def make(self, move: tuple[Any, ...]) -> None:
        bench = self.bench
        match move:
            case ("publish", events):
                bench.publish(*events)
            case ("repeat", count):
                bench.append(*bench.history[0][-count:])
            case ("rubbish", value):
                self.rubbish.append(len(bench.log.records("events", 0)))
                bench.append_raw((b"a", value))
            case ("step", worker, fault):
                self.step(worker, fault)
            case ("step into", worker):
                bench.store.before_rows = self.workers[1 - worker].step
                self.step(worker, "")
                bench.store.before_rows = None
            case ("restart", worker):
                self.workers[worker] = self.fresh()
            case ("deliver",):
                bench.store.deliver()
            case ("remember",):
                self.restore = bench.store.backup()
            case ("fall back",):
                self.restore()
            case ("wait", duration_ms):
                bench.now_at += duration_ms

    def step(self, worker: int, fault: str) -> None:
        self.bench.store.faults = [fault]
        with contextlib.suppress(Crash):
            self.workers[worker].step()
        if self.bench.store.faults != [fault] and fault.startswith("crash"):
            self.workers[worker] = self.fresh()
        self.bench.store.faults = []

    def settle(self) -> None:
        """Everything calms down: both workers see the end."""
        self.bench.store.deliver()
        for worker in self.workers * 2:
            self.bench.now_at += LOOK_MS
            drain(worker)


def expected(
    projection: Projection[Any], history: list[Event]
) -> tuple[dict[str, bytes], list[tuple[int, str]]]:
    """The rows and the parked (seq, key) that a history means."""
    rows: dict[str, Any] = {}
    held: set[str] = set()
    parked: list[tuple[int, str]] = []
    for event in history:
        if type(event) not in projection.folds:
            continue
        for key in projection.keys(event):
            is_poison = getattr(event, "reason", "") == POISON
            if key in held or is_poison:
                held.add(key)
                parked.append((event.seq, key))
            else:
                row = rows.get(key) or projection.initial(key)
                rows[key] = projection.folds[type(event)](row, event)
    found = {key: msgspec.json.encode(row) for key, row in rows.items() if row is not None}
    return found, parked


@settings(max_examples=300, deadline=None)
@given(
    projection=st.sampled_from([TALLIES, MOVES]),
    store=st.sampled_from([FaultyViewStore, PipelinedViewStore]),
    batch_max=st.sampled_from([1, 2, 3, 100]),
    piece=st.sampled_from([1, 3, 100]),
    story=st.lists(moves, max_size=40),
)
def test_rows_equal_a_plain_fold_of_the_history(
    projection: Projection[Any],
    store: type[FaultyViewStore],
    batch_max: int,
    piece: int,
    story: list[tuple[Any, ...]],
) -> None:
    run = Run(projection, store, batch_max, piece)
    run.play(story)
    rows, parked = expected(projection, run.bench.history[0])
    found = run.bench.parked()
    assert run.bench.rows() == rows
    assert sorted((p.seq, p.key) for p in found if p.seq) == sorted(parked)
    assert sorted(p.offset for p in found if not p.seq) == run.rubbish
    checkpoint = run.bench.checkpoint()
    assert (checkpoint.seq, checkpoint.digest) == (len(run.bench.history[0]), digest_of(rows))
