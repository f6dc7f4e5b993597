"""A poison event parks its row, in order, with its successors; other rows go on."""

from dataclasses import replace
from typing import Any

import pytest

from projectors.folding import ShardFold
from projectors.view_store import Checkpoint, ParkedEvent
from schemas.codec import CODEC
from schemas.errors import Unavailable
from tests.kit.read_side import START_AT, Bench, drain
from tests.kit.tallies import (
    MOVES,
    PLANS,
    POISON,
    TALLIES,
    Tally,
    plain_fold,
    plan_changed,
    suspension,
)

UNKNOWN_SCHEMA = b"\xc3\x01" + b"\x07" * 8


@pytest.fixture
def bench() -> Bench:
    return Bench(TALLIES)


def summary(parked: list[ParkedEvent]) -> list[tuple[int, int, str, str]]:
    return [(p.seq, p.offset, p.key, p.reason) for p in parked]


def unreadable(seq: int) -> bytes:
    """An event written by a schema of the future."""
    return UNKNOWN_SCHEMA + bytes([seq * 2]) + b"whatever"


def test_a_fold_that_raises_parks_its_row_and_what_comes_behind_it(bench: Bench) -> None:
    bench.publish(
        plan_changed("a"), suspension("a", POISON), plan_changed("b"), plan_changed("a")
    )
    drain(bench.worker())
    assert summary(bench.parked()) == [
        (2, 1, "a", "FOLD_FAILED: ValueError: a poisonous suspension"),
        (4, 3, "a", "BEHIND: seq 2"),
    ]
    assert bench.rows() == {
        "a": b'{"count":1,"seqs":[1]}',
        "b": b'{"count":1,"seqs":[3]}',
    }
    assert bench.checkpoint().seq == 4


def test_parked_events_keep_their_bytes(bench: Bench) -> None:
    (stored,) = bench.publish(suspension("a", POISON))
    drain(bench.worker())
    assert bench.parked()[0].value == CODEC.encode(stored)


@pytest.mark.parametrize("batch_max", [1, 2, 3])
def test_later_batches_park_behind_a_held_row(bench: Bench, batch_max: int) -> None:
    bench.publish(suspension("a", POISON), plan_changed("b"))
    worker = bench.worker(batch_max=batch_max)
    drain(worker)
    bench.publish(plan_changed("a"), plan_changed("b"), plan_changed("a"))
    drain(worker)
    assert [(p.seq, p.reason[:6]) for p in bench.parked()] == [
        (1, "FOLD_F"),
        (3, "BEHIND"),
        (5, "BEHIND"),
    ]
    assert bench.rows() == {"b": b'{"count":2,"seqs":[2,4]}'}


def test_a_held_row_is_still_held_after_a_restart(bench: Bench) -> None:
    bench.publish(suspension("a", POISON))
    drain(bench.worker())
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    assert summary(bench.parked())[1:] == [(2, 1, "a", "BEHIND: seq 1")]


def test_a_load_that_failed_half_way_is_not_believed(bench: Bench) -> None:
    def fail() -> None:
        raise Unavailable("gone before the parked events were read.")

    bench.publish(suspension("a", POISON))
    drain(bench.worker())
    bench.store.before_parked = fail
    worker = bench.worker()
    with pytest.raises(Unavailable):
        worker.checkpoint  # noqa: B018
    bench.publish(plan_changed("a"))
    drain(worker)
    assert summary(bench.parked())[1:] == [(2, 1, "a", "BEHIND: seq 1")]


def test_a_row_is_free_again_when_the_store_falls_back_behind_the_poison(bench: Bench) -> None:
    restore = bench.store.backup()
    bench.publish(plan_changed("a"), suspension("a", POISON))
    worker = bench.worker()
    drain(worker)
    restore()
    bench.publish(plan_changed("b"))
    drain(worker)
    assert [p.seq for p in bench.parked()] == [2]
    assert bench.rows() == {
        "a": b'{"count":1,"seqs":[1]}',
        "b": b'{"count":1,"seqs":[3]}',
    }


def test_what_another_worker_parked_beyond_the_checkpoint_holds_nothing(bench: Bench) -> None:
    restore = bench.store.backup()
    bench.publish(plan_changed("a"), suspension("a", POISON))
    bench.store.before_parked = bench.worker().step  # after our checkpoint was read
    worker = bench.worker()
    assert worker.checkpoint.seq == 0
    restore()
    drain(worker)
    assert [p.seq for p in bench.parked()] == [2]
    assert bench.rows() == {"a": b'{"count":1,"seqs":[1]}'}


def test_a_hole_behind_poison_is_a_hole(bench: Bench) -> None:
    bench.publish(suspension("a", POISON))
    bench.store_events(plan_changed("b"))
    bench.publish(plan_changed("b"))
    worker = bench.worker()
    drain(worker)
    assert worker.halted is not None
    assert bench.checkpoint() == Checkpoint(seq=1, offset=1, at=START_AT + 1)


def test_a_record_that_is_no_event_is_parked_once_though_the_log_is_read_anew(
    bench: Bench,
) -> None:
    bench.append_raw((b"a", b"rubbish"))
    bench.publish(plan_changed("a"))
    fold = ShardFold(TALLIES, CODEC, 100)
    fold.begin((), 0, is_empty=True)
    records = bench.log.source("events", 0).poll(10, 0.0)
    folded = fold.fold([records], Checkpoint(0, 900), lambda keys: {})
    assert folded is not None
    assert folded.parked == []
    assert folded.rows == plain_fold(TALLIES, bench.history[0])


def test_a_refused_save_parks_nothing_twice(bench: Bench) -> None:
    bench.publish(suspension("a", POISON), plan_changed("a"))
    bench.store.faults = ["unanswered"]
    drain(bench.worker())
    assert [p.seq for p in bench.parked()] == [1, 2]


def test_only_the_row_that_failed_is_held_by_an_event_of_several_rows() -> None:
    def refuses_ads(row: Tally, event: Any) -> Tally:
        row.count += 1
        if row.count > 1:
            raise ValueError("no second one")
        return row

    bench = Bench(replace(MOVES, folds=dict.fromkeys(MOVES.folds, refuses_ads)))
    bench.publish(plan_changed("x", "basic", "ads"), plan_changed("x", "ads", "premium"))
    drain(bench.worker())
    assert summary(bench.parked()) == [(2, 1, "ads", "FOLD_FAILED: ValueError: no second one")]
    assert sorted(bench.rows()) == ["ads", "basic", "premium"]


def test_an_event_of_several_rows_goes_on_to_those_that_are_free() -> None:
    bench = Bench(MOVES)
    held = ParkedEvent(1, 0, "ads", "FOLD_FAILED: …", b"")
    bench.publish(plan_changed("x", "basic", "ads"))
    bench.store.save(
        bench.live, 0, expected=Checkpoint(), checkpoint=Checkpoint(1, 1), rows={},
        parked=[held],
    )  # fmt: skip
    bench.publish(plan_changed("x", "basic", "ads"))
    drain(bench.worker())
    assert summary(bench.parked())[1:] == [(2, 1, "ads", "BEHIND: seq 1")]
    assert bench.rows() == {"basic": b'{"count":1,"seqs":[2]}'}


def test_an_unreadable_event_holds_the_account_that_its_record_names(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    bench.store_events(plan_changed("a"))
    bench.append_raw((b"a", unreadable(2)))
    bench.publish(plan_changed("a"), plan_changed("b"))
    drain(bench.worker())
    first, second = bench.parked()
    assert first.reason.startswith("UNREADABLE: Unreadable: unknown schema fingerprint 0707")
    assert summary([second]) == [(3, 2, "a", "BEHIND: seq 2")]
    assert bench.rows() == {
        "a": b'{"count":1,"seqs":[1]}',
        "b": b'{"count":1,"seqs":[4]}',
    }


def test_an_unreadable_event_of_a_fan_in_projection_is_listed_and_holds_nothing() -> None:
    bench = Bench(PLANS)
    bench.append_raw((b"a", unreadable(1)))
    bench.store_events(plan_changed("a"))
    bench.publish(plan_changed("a", "basic"))
    drain(bench.worker())
    assert [(p.seq, p.key) for p in bench.parked()] == [(1, "")]
    assert bench.rows() == {"basic": b'{"count":1,"seqs":[2]}'}


def test_a_repeated_unreadable_event_is_dropped(bench: Bench) -> None:
    bench.append_raw((b"a", unreadable(1)), (b"a", unreadable(1)))
    drain(bench.worker())
    assert [p.offset for p in bench.parked()] == [0]


@pytest.mark.parametrize("value", [None, b"", b"no Avro at all", b"\xc3", b"\xc3\x01", b"{}"])
def test_a_record_that_is_no_event_is_parked_and_shifts_nothing(
    bench: Bench, value: bytes | None
) -> None:
    bench.publish(plan_changed("a"))
    bench.append_raw((b"a", value), (None, value))
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    assert [(p.seq, p.offset, p.key) for p in bench.parked()] == [(0, 1, ""), (0, 2, "")]
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_record_that_is_no_event_is_parked_though_no_event_comes_with_it(
    bench: Bench,
) -> None:
    bench.append_raw((b"a", b"rubbish"))
    drain(bench.worker())
    drain(bench.worker())
    assert [p.offset for p in bench.parked()] == [0]
    assert bench.checkpoint() == Checkpoint(seq=0, offset=1)


def test_an_unreadable_record_beyond_the_history_is_no_event(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    bench.append_raw((b"a", unreadable(60)))
    bench.publish(plan_changed("b"))
    worker = bench.worker(fill=lambda after, n: bench.fill(after, n) if after != 1 else ())
    drain(worker)
    assert summary(bench.parked()) == [
        (0, 1, "", "NO_EVENT: claims seq 60, but the history ends at 1.")
    ]
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_row_that_is_damaged_in_the_store_holds_itself_and_no_other(bench: Bench) -> None:
    bench.publish(plan_changed("a"), plan_changed("b"))
    drain(bench.worker())
    found = bench.checkpoint()
    bench.store.save(
        bench.live, 0, expected=found, checkpoint=found, rows={"a": b'{"count":"many"}'}
    )
    bench.publish(plan_changed("a"), plan_changed("b"))
    drain(bench.worker())
    assert [(p.seq, p.key) for p in bench.parked()] == [(3, "a")]
    assert bench.rows()["b"] == b'{"count":2,"seqs":[2,4]}'


def test_keys_that_raise_park_the_event_under_its_account() -> None:
    def no_keys(event: Any) -> tuple[str, ...]:
        raise LookupError("nothing to go by")

    bench = Bench(replace(TALLIES, keys=no_keys))
    bench.publish(plan_changed("a"), plan_changed("b"))
    drain(bench.worker())
    assert summary(bench.parked()) == [
        (1, 0, "a", "NO_KEYS: LookupError: nothing to go by"),
        (2, 1, "b", "NO_KEYS: LookupError: nothing to go by"),
    ]


def test_a_fold_that_makes_what_json_cannot_say_is_poison() -> None:
    def complex_row(row: Tally, event: Any) -> Tally:
        row.count = object()  # type: ignore[assignment]
        return row

    bench = Bench(replace(TALLIES, folds=dict.fromkeys(TALLIES.folds, complex_row)))
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    assert [p.key for p in bench.parked()] == ["a"]
    assert bench.rows() == {}
