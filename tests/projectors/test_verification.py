"""A difference between live and rebuilt is found, shown, counted, and blocks the cut-over."""

from dataclasses import replace
from typing import Any

import pytest

from projectors.builds import start_build
from projectors.digest import digest_of
from projectors.progress import Progress
from projectors.replay import Wish, replay
from projectors.verification import verify_shard
from projectors.view_store import Checkpoint
from schemas.errors import Overtaken
from schemas.events import AccountSuspended
from tests.kit.read_side import Bench, drain, two_shards
from tests.kit.tallies import (
    POISON,
    TALLIES,
    Tally,
    plain_fold,
    plan_changed,
    suspension,
)


@pytest.fixture
def bench() -> Bench:
    return two_shards()


def change_by_hand(bench: Bench, rows: dict[str, bytes | None]) -> None:
    """Write rows of the live shard 0 past all rules."""
    found = bench.checkpoint()
    bench.store.save(bench.live, 0, expected=found, checkpoint=found, rows=rows)


def counted_twice(row: Tally, event: Any) -> Tally:
    """A fold with a bug."""
    row.count += 2
    row.seqs.append(event.seq)
    return row


def raising(row: Tally, event: Any) -> Tally:
    """A fold that cannot do what the one before could."""
    raise KeyError(event.account_id)


BROKEN = replace(TALLIES, folds=dict.fromkeys(TALLIES.folds, counted_twice))
RAISING = replace(TALLIES, folds=dict.fromkeys(TALLIES.folds, raising))


def test_a_difference_that_the_fingerprint_does_not_show_is_caught_and_not_promoted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the same fingerprint: a difference that the digest of the code does not show
    monkeypatch.setattr("projectors.replay.fold_fingerprint", lambda *_: bench.fingerprint)
    monkeypatch.setattr("projectors.build.fold_fingerprint", lambda *_: bench.fingerprint)
    done = replay(BROKEN, bench.read_side)
    assert not done.promoted
    assert done.refused == "42 rows differ, though the same code built both"
    assert bench.served() == bench.live
    assert done.verification.different == 42
    first = done.verification.differences[0]
    assert first.live == bench.rows()[first.key]
    assert first.rebuilt is not None
    assert first.rebuilt != first.live


def test_differences_are_expected_and_told_when_the_code_is_another(bench: Bench) -> None:
    done = replay(BROKEN, bench.read_side)
    assert done.is_other_code
    assert done.promoted
    assert done.verification.different == 42
    assert bench.served() == done.rebuilt


def test_other_code_that_parks_what_the_live_one_folded_is_not_promoted(bench: Bench) -> None:
    done = replay(RAISING, bench.read_side)
    assert done.is_other_code
    assert not done.promoted
    assert done.refused == "it parked 303 events that the live one has folded"
    assert bench.served() == bench.live


def test_other_code_that_parks_events_is_promoted_where_that_is_accepted(bench: Bench) -> None:
    done = replay(RAISING, bench.read_side, wish=Wish(accept=True))
    assert done.promoted
    assert done.verification.newly_parked == 303
    assert bench.served() == done.rebuilt


def test_other_code_that_parks_no_more_than_the_live_one_is_promoted(bench: Bench) -> None:
    bench.publish(suspension("a3", POISON))
    bench.append_raw((None, b"rubbish"))
    bench.publish(plan_changed("a3"))
    drain(bench.worker())
    folds = dict(BROKEN.folds)
    folds[AccountSuspended] = TALLIES.folds[AccountSuspended]
    done = replay(replace(BROKEN, folds=folds), bench.read_side)
    assert done.promoted
    assert len(bench.parked(done.rebuilt)) == 3
    assert (done.refused, done.verification.newly_parked) == ("", 0)


def test_a_record_that_is_no_event_lacks_in_no_row_and_blocks_nothing() -> None:
    bench = Bench(TALLIES)
    bench.append_raw((None, b"rubbish"))
    (stored,) = bench.publish(plan_changed("a"))
    rows: dict[str, bytes | None] = dict(plain_fold(TALLIES, [stored]))
    stands = Checkpoint(1, 2, stored.at, digest_of(rows))
    bench.store.save(bench.live, 0, expected=Checkpoint(), checkpoint=stands, rows=rows)
    done = bench.replay()
    assert done.verification.parked == ("offset 0",)
    assert done.promoted


def test_a_row_that_was_changed_by_hand_is_found_and_blocks_the_cut_over(
    bench: Bench,
) -> None:
    change_by_hand(bench, {"a7": b'{"count":99,"seqs":[]}'})
    done = bench.replay()
    assert not done.promoted
    assert bench.served() == bench.live
    (difference,) = done.verification.differences
    assert (difference.shard, difference.key) == (0, "a7")
    assert difference.live == b'{"count":99,"seqs":[]}'
    assert difference.rebuilt == plain_fold(TALLIES, bench.history[0])["a7"]


def test_a_difference_that_is_accepted_is_promoted(bench: Bench) -> None:
    change_by_hand(bench, {"a7": b'{"count":99,"seqs":[]}'})
    blocked = bench.replay()
    accepted = bench.replay(wish=Wish(accept=True))
    assert accepted.promoted
    assert accepted.rebuilt.number == blocked.rebuilt.number
    assert bench.rows(bench.served()) == plain_fold(TALLIES, bench.history[0])


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ({"ghost": b"{}"}, {"ghost"}),
        ({"a7": None}, {"a7"}),
        ({"ghost": b"{}", "a7": None}, {"ghost", "a7"}),
    ],
    ids=["only live", "only rebuilt", "as many of both"],
)
def test_a_row_that_only_one_generation_has_is_found(
    bench: Bench, rows: dict[str, bytes | None], named: set[str]
) -> None:
    change_by_hand(bench, rows)
    done = bench.replay()
    assert not done.promoted
    assert {difference.key for difference in done.verification.differences} == named
    assert done.verification.different == len(named)


def test_every_difference_is_counted_and_a_bounded_number_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projectors.verification.DIFFERENCES_MAX", 5)
    change_by_hand(bench, dict.fromkeys(bench.rows(), b"{}"))
    done = bench.replay()
    assert done.verification.different == 40
    assert len(done.verification.differences) == 5


def test_rows_are_compared_in_chunks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projectors.verification.CHUNK_ROWS", 7)
    seen: list[Progress] = []
    done = bench.replay(report=seen.append)
    assert done.verification.rows == 41
    verifying = {p.done for p in seen if p.phase == "verifying"}
    assert verifying == {0, 7, 14, 21, 28, 35, 40, 41}


def test_parked_rows_are_mentioned(bench: Bench) -> None:
    bench.publish(suspension("a3", POISON))
    bench.append_raw((None, b"rubbish"))
    drain(bench.worker())
    assert bench.replay().verification.parked == ("a3", "offset 301")


def test_rows_of_a_build_that_somebody_else_moves_are_not_compared(bench: Bench) -> None:
    began = start_build(bench.store, "tallies", fingerprint=bench.fingerprint, now_at=1)
    bench.publish(plan_changed("a1"))
    builder, rival = bench.worker(began), bench.worker(began)
    builder.run_until(300)
    bench.store.before_rows_of = began.name
    bench.store.before_rows = rival.step
    with pytest.raises(Overtaken, match="at seq 301, where 300 was compared"):
        verify_shard(bench.store, bench.live, builder, lambda rows: None)
