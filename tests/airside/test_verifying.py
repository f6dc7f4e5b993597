"""Rows against the digest that is kept beside them, and against the history where need be."""

from contextlib import closing

import pytest
from msgspec.structs import replace

from airside.adapters.redis_view_store import RedisViewStore
from airside.verifying import READING, TRIES, Asked, ShardVerified, verify
from projectors.builds import note_verified, start_build
from projectors.digest import digest_of
from projectors.verification import DIGEST
from projectors.view_store import Verified
from schemas.errors import NotFound
from tests.kit.busy import BusyEstate, LateStore, LoadedEstate
from tests.kit.counter import NOW, add
from tests.kit.estate import TOTALS, Estate
from tests.kit.read_side import drain

WRONG = b'{"count":99,"seqs":[]}'
RIGHT = b'{"count":3,"seqs":[1,3,4]}'


def verified(estate: Estate, asked: Asked | None = None) -> list[ShardVerified]:
    return verify(estate.sides, asked or Asked((TOTALS,)), now_at=NOW)


def noted(estate: Estate) -> Verified | None:
    """What the registry says of the live generation."""
    found = estate.views.registry(TOTALS.name).generation(estate.live.number)
    return None if found is None else found.verified


def forge(estate: Estate, digest: int | None) -> None:
    """Somebody writes another digest beside the rows."""
    now = estate.checkpoint
    forged = replace(now, digest=digest)
    estate.views.save(estate.live, 0, expected=now, checkpoint=forged, rows={})


def of_other_code(estate: Estate) -> None:
    """The generation says that code which is not here has built it."""
    registry = estate.views.registry(TOTALS.name)
    other = replace(estate.live, fingerprint="other")
    changed = replace(registry, generations=(other,))
    estate.views.change_registry(TOTALS.name, registry.revision, changed)


def test_rows_that_nobody_touched_are_what_their_digest_says() -> None:
    estate = Estate()
    (found,) = verified(estate)
    assert (found.rows, found.different, found.unverified) == (2, 0, "")
    assert not found.by_history
    assert noted(estate) == Verified(NOW, 2, 0)


@pytest.mark.parametrize(("key", "row", "right"), [("a", WRONG, RIGHT), ("zz", WRONG, None)])
def test_a_row_that_was_changed_by_hand_is_named_with_what_it_should_be(
    key: str, row: bytes, right: bytes | None
) -> None:
    estate = Estate()
    estate.spoil(key, row)
    (found,) = verified(estate)
    (difference,) = found.differences
    assert (difference.key, difference.live, difference.rebuilt) == (key, row, right)
    assert (found.by_history, found.different) == (True, 1)
    assert noted(estate) == Verified(NOW, found.rows, 1)


def test_a_row_that_was_deleted_by_hand_is_named() -> None:
    estate = Estate()
    estate.spoil("a", None)
    (found,) = verified(estate)
    assert [one.key for one in found.differences] == ["a"]


def test_a_row_that_a_worker_took_for_true_and_folded_on_is_found_all_the_same() -> None:
    estate = Estate()
    estate.spoil("a", WRONG)
    estate.shard.send(add(70))
    estate.shard.drain()
    drain(estate.worker())
    (found,) = verified(estate)
    (difference,) = found.differences
    assert difference.live == b'{"count":100,"seqs":[6]}'


def test_a_forged_digest_is_found() -> None:
    estate = Estate()
    right = estate.checkpoint.digest
    forge(estate, 5)
    (found,) = verified(estate)
    (difference,) = found.differences
    assert difference.key == DIGEST
    assert difference.rebuilt == f"{right:032x}".encode()


def test_where_no_digest_is_kept_rows_are_compared_with_the_history() -> None:
    estate = Estate()
    forge(estate, None)
    (found,) = verified(estate)
    assert (found.by_history, found.rows, found.different) == (True, 2, 0)
    assert found.said == [
        "an older version kept no digest of its rows. Run: airside replay totals"
    ]


def test_a_shard_that_moves_all_the_time_is_compared_with_the_history_as_it_goes() -> None:
    estate = BusyEstate()
    (found,) = verified(estate)
    assert (found.moved, found.by_history) == (TRIES, True)
    assert (found.rows, found.different, found.unverified) == (2, 0, "")
    assert estate.checkpoint.seq > 5


def test_in_a_shard_that_moves_all_the_time_a_spoiled_row_is_named() -> None:
    estate = BusyEstate()
    estate.spoil("b", WRONG)
    (found,) = verified(estate)
    assert [one.key for one in found.differences] == ["b"]


@pytest.mark.engines
def test_rows_on_a_server_are_verified_while_a_worker_folds_into_them(views_url: str) -> None:
    with closing(RedisViewStore(views_url)) as store:
        estate = LoadedEstate(views_url, store)
        with estate.working():
            rounds = [found for _ in range(20) for found in verified(estate)]
            estate.spoil_on_server("b", WRONG)
            spoiled = [found for _ in range(5) for found in verified(estate)]
    assert {(found.rows, found.different, found.unverified) for found in rounds} == {(2, 0, "")}
    assert [one.key for found in spoiled for one in found.differences] == ["b"] * 5


def test_rows_of_other_code_are_verified_by_their_digest_alone() -> None:
    estate = Estate()
    of_other_code(estate)
    (found,) = verified(estate)
    assert (found.rows, found.different, found.by_history) == (2, 0, False)


def test_a_spoiled_row_of_other_code_is_found_but_cannot_be_named() -> None:
    estate = Estate()
    estate.spoil("a", WRONG)
    of_other_code(estate)
    (found,) = verified(estate)
    assert [one.key for one in found.differences] == [DIGEST]
    assert found.said == [
        "other code built it, so no row can be named. Run: airside replay totals"
    ]


def test_rows_of_other_code_that_move_all_the_time_cannot_be_verified() -> None:
    estate = BusyEstate()
    of_other_code(estate)
    estate.busy.before_rows = lambda: move(estate)
    (found,) = verified(estate)
    assert found.unverified.startswith(f"busy: it moved {TRIES} times while its rows were read")
    assert noted(estate) is None


def test_a_shard_that_has_moved_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projectors.verification.CHUNK_ROWS", 1)
    estate = BusyEstate()
    of_other_code(estate)
    reads: list[int] = []
    estate.busy.before_rows = lambda: reads.append(move(estate))
    verified(estate)
    assert len(reads) == TRIES  # it has two rows


def test_a_row_that_goes_while_keys_are_still_listed_is_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("projectors.verification.CHUNK_ROWS", 1)
    estate = Estate()
    late = LateStore(lambda: leave(estate, "b"))
    late.__dict__ |= estate.views.__dict__
    estate.views = late
    (found,) = verified(estate)
    assert (found.moved, found.rows, found.different, found.by_history) == (1, 1, 0, False)


def leave(estate: Estate, key: str) -> None:
    """A worker deletes a row."""
    now, rows = estate.checkpoint, {"a": RIGHT}
    after = replace(now, offset=now.offset + 1, digest=digest_of(rows))
    estate.views.save(estate.live, 0, expected=now, checkpoint=after, rows={key: None})


def move(estate: Estate) -> int:
    """The checkpoint goes on, to a seq."""
    now = estate.checkpoint
    after = replace(now, seq=now.seq + 1)
    estate.views.save(estate.live, 0, expected=now, checkpoint=after, rows={})
    return after.seq


def test_rows_of_other_code_without_a_digest_cannot_be_verified() -> None:
    estate = Estate()
    forge(estate, None)
    of_other_code(estate)
    (found,) = verified(estate)
    assert "kept no digest of its rows. Run: airside replay totals" in found.unverified


def test_rows_of_another_history_cannot_be_compared_and_are_different() -> None:
    estate = Estate()
    estate.spoil("a", WRONG)
    move(estate)
    (found,) = verified(estate)
    assert found.unverified.startswith("it cannot be compared with the history: ")
    assert [one.key for one in found.differences] == [DIGEST]


def test_rows_that_an_event_is_parked_for_are_named_as_incomplete() -> None:
    (found,) = verified(Estate.poisoned())
    assert (found.incomplete, found.different) == (["a"], 0)


def test_a_build_that_is_under_way_is_verified_and_nothing_is_noted() -> None:
    estate = Estate()
    start_build(estate.views, "totals", fingerprint=estate.fingerprint, now_at=NOW)
    assert [(one.role, one.different) for one in verified(estate)] == [
        ("serving", 0), ("building", 0)
    ]  # fmt: skip
    _, built = estate.views.registry("totals").generations
    assert built.verified is None


def test_what_a_replay_found_in_a_generation_that_waits_is_not_written_over() -> None:
    estate = Estate()
    built = start_build(estate.views, "totals", fingerprint=estate.fingerprint, now_at=NOW)
    ready = replace(built, followed_at=NOW)
    registry = estate.views.registry("totals")
    changed = replace(registry, generations=(estate.live, ready))
    estate.views.change_registry("totals", registry.revision, changed)
    compared = Verified(NOW - 1, 40, 7)
    note_verified(estate.views, ready, compared)
    assert [one.different for one in verified(estate)] == [0, 0]
    _, after = estate.views.registry("totals").generations
    assert after.verified == compared


def test_one_generation_and_one_shard_can_be_asked_for() -> None:
    estate = Estate()
    found = verified(estate, Asked((TOTALS,), generation="1", shard=0))
    assert [(one.generation.number, one.shard) for one in found] == [(1, 0)]
    assert noted(estate) is None  # not all of its shards were looked at


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked((TOTALS,), generation="9"), r"totals has no generation 9. There is: 1 \(serv"),
        (Asked((TOTALS,), shard=4), "shard 4: there are shards 0 to 0"),
    ],
    ids=["generation", "shard"],
)
def test_what_is_not_there_cannot_be_verified(asked: Asked, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        verified(Estate(), asked)


def told_of(estate: Estate) -> list[tuple[str, int, int]]:
    """How far it was said to be while it verified."""
    told: list[tuple[str, int, int]] = []
    verify(estate.sides, Asked((TOTALS,)), now_at=NOW, report=lambda *at: told.append(at))
    return told


def test_how_far_it_is_ends_with_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projectors.verification.CHUNK_ROWS", 1)
    assert told_of(Estate()) == [(READING, 1, 2), (READING, 2, 2)]


def test_a_history_that_has_to_be_folded_is_told_apart_and_no_total_grows() -> None:
    estate = Estate()
    estate.spoil("a", WRONG)
    folded = "totals.1, shard 0: folding its history"
    assert told_of(estate) == [(READING, 2, 2), (folded, 5, 5)]


def test_rows_that_are_read_again_are_not_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("projectors.verification.CHUNK_ROWS", 1)
    read = [at for at in told_of(BusyEstate()) if at[0] == READING]
    assert {total for _, _, total in read} == {2}
    assert max(done for _, done, _ in read) == 2
