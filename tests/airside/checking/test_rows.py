"""Rows against a fold of the history; how they are healed under a worker that believes them."""

import pytest
from msgspec.structs import replace

from airside.adapters.memory_view_store import MemoryViewStore
from projectors.builds import start_build
from projectors.digest import digest_of
from projectors.generations import promote
from projectors.view_store import Checkpoint
from tests.kit.counter import NOW, add
from tests.kit.estate import TOTALS, Estate
from tests.kit.read_side import drain

WRONG = b'{"count":99,"seqs":[]}'


@pytest.mark.parametrize(
    ("key", "row"), [("a", WRONG), ("b", None), ("zz", WRONG)], ids=["other", "gone", "extra"]
)
def test_a_row_that_differs_is_named_with_both_values_and_healed(
    key: str, row: bytes | None
) -> None:
    estate = Estate()
    right = estate.rows()
    estate.spoil(key, row)
    (found,) = estate.check("rows")
    (fault,) = found.faults
    assert fault.place == f"totals.1, row {key}"
    assert (fault.found, fault.wanted) == (text(row), text(right.get(key)))
    assert estate.repair() == ["totals.1, shard 0: 1 rows rewritten"]
    assert estate.rows() == right
    assert estate.faults() == []


def text(row: bytes | None) -> str | None:
    return None if row is None else row.decode()


def test_a_worker_with_the_old_rows_in_memory_does_not_bring_them_back() -> None:
    estate = Estate()
    worker = estate.worker()
    estate.spoil("a", WRONG)
    estate.shard.send(add(70))
    estate.shard.drain()
    drain(worker)  # it has the spoiled row in memory now, one event further
    assert worker.rows_in_memory
    estate.repair()
    estate.shard.send(add(71))
    estate.shard.drain()
    drain(worker)
    assert worker.checkpoint.seq == 7
    assert estate.rows()["a"] == b'{"count":5,"seqs":[1,3,4,6,7]}'
    assert estate.faults() == []


def test_a_row_can_be_healed_again_and_again() -> None:
    estate = Estate()
    right = estate.rows()
    offsets = [heal(estate).offset for _ in range(3)]
    assert offsets == [4, 3, 2]
    assert estate.rows() == right
    drain(estate.worker())
    assert estate.faults() == []


def heal(estate: Estate) -> Checkpoint:
    estate.spoil("a", WRONG)
    estate.repair()
    return estate.checkpoint


def test_a_healed_row_leaves_the_digest_of_all_rows_beside_it() -> None:
    estate = Estate()
    estate.spoil("a", WRONG)
    estate.shard.send(add(70))
    estate.shard.drain()
    drain(estate.worker())  # it read the spoiled row and folded on from it
    assert estate.checkpoint.digest != digest_of(estate.rows())
    estate.repair()
    assert estate.checkpoint.digest == digest_of(estate.rows())


def test_a_forged_digest_is_named_and_set_right_under_a_worker_that_believes_it() -> None:
    estate = Estate()
    forged = replace(estate.checkpoint, digest=5)
    estate.views.save(estate.live, 0, expected=estate.checkpoint, checkpoint=forged, rows={})
    worker = estate.worker()
    drain(worker)
    (fault,) = estate.faults("rows")
    assert fault.startswith("rows, totals.1, row (the digest kept beside the rows): differs")
    done = "totals.1, shard 0: the digest kept beside the rows set right"
    assert estate.repair() == [done]
    estate.shard.send(add(71))
    estate.shard.drain()
    drain(worker)
    assert (worker.checkpoint.seq, estate.faults()) == (6, [])
    assert estate.checkpoint.digest == digest_of(estate.rows())


def test_a_row_is_not_healed_where_its_workers_could_not_be_told() -> None:
    estate = Estate()
    estate.append(b"a", b"junk that was parked")
    drain(estate.worker())
    estate.spoil("a", WRONG)
    (done,) = [text for text in estate.repair() if text.startswith("totals.1")]
    assert done.startswith("totals.1, shard 0: 0 rows rewritten, then given up")
    assert "airside replay totals" in done


def test_rows_of_a_parked_event_are_said_to_be_incomplete() -> None:
    estate = Estate.poisoned()
    (found,) = estate.check("rows")
    assert found.fault_count == 0
    assert found.said == ["incomplete, since an event of it is parked: a"]


def test_a_row_that_an_event_is_parked_for_is_left_to_a_replay() -> None:
    estate = Estate.poisoned()
    estate.spoil("a", WRONG)
    estate.spoil("b", WRONG)
    assert estate.repair() == [
        "totals.1, shard 0: 1 rows rewritten",
        "totals.1, shard 0: 1 rows left, since events are parked. Run: airside replay totals",
    ]
    assert estate.faults() == [
        "rows, totals.1, row a: differs from the history. An event of it is parked: replay it."
    ]


def test_the_standby_is_checked_too() -> None:
    estate = Estate()
    built = start_build(estate.views, "totals", fingerprint=estate.fingerprint, now_at=NOW)
    promote(estate.views, built, serving=estate.live.number, now_at=NOW)
    estate.spoil("a", WRONG)
    found = {one.generation: one.fault_count for one in estate.check("rows")}
    assert found == {"totals.1": 1, built.name: 0}


def test_rows_of_other_code_are_not_compared() -> None:
    estate = Estate()
    built = start_build(estate.views, "totals", fingerprint="other", now_at=NOW)
    promote(estate.views, built, serving=estate.live.number, now_at=NOW)
    said = {one.generation: one.said for one in estate.check("rows")}
    assert said[built.name] == [
        "built by other code, so not compared. Run: airside replay totals"
    ]


def test_rows_ahead_of_the_history_are_named() -> None:
    estate = Estate()
    ahead = Checkpoint(seq=50, offset=5, at=NOW)
    estate.views.save(estate.live, 0, expected=estate.checkpoint, checkpoint=ahead, rows={})
    (fault,) = estate.faults("rows")
    assert fault.startswith("rows, totals.1: the rows stand at seq 50, the history ends at 5")


def test_nothing_built_yet_is_said() -> None:
    estate = Estate()
    estate.views = MemoryViewStore()
    assert [one.said for one in estate.check("rows")] == [["nothing is built yet"]]
    assert TOTALS.name == estate.check("rows")[0].generation
