"""The digest of rows: what it depends on, and how it is kept while rows change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projectors.digest import MODULUS, RowDigests, digest_of, row_digest
from projectors.verification import DIGEST
from projectors.view_store import Checkpoint
from tests.kit.read_side import Bench, drain, two_shards
from tests.kit.tallies import TALLIES, plan_changed

rows = st.dictionaries(st.text(max_size=3), st.none() | st.binary(max_size=8), max_size=6)


def test_no_rows_have_the_digest_zero() -> None:
    assert digest_of({}) == digest_of({"a": None}) == 0


@given(rows)
def test_the_order_of_rows_does_not_matter(rows: dict[str, bytes | None]) -> None:
    assert digest_of(rows) == digest_of(dict(reversed(rows.items()))) < MODULUS


@pytest.mark.parametrize(
    "other",
    [
        {"a": b"1", "b": b"3"},
        {"a": b"2", "b": b"1"},
        {"a": b"1"},
        {"a": b"1", "b": b"2", "c": b""},
        {"a": b"1", "c": b"2"},
    ],
    ids=["a byte", "exchanged", "one less", "an empty one more", "another key"],
)
def test_any_change_of_rows_changes_the_digest(other: dict[str, bytes | None]) -> None:
    assert digest_of(other) != digest_of({"a": b"1", "b": b"2"})


def test_a_digest_is_the_same_everywhere_and_always() -> None:
    # stored in checkpoints: another number here means that all of them have to be built anew
    assert row_digest("account-1", b'{"version":1}') == 0xFF336EF643B963B2C5D929E23E3967B3


@given(rows, rows)
def test_rows_that_are_replaced_leave_the_sum(
    before: dict[str, bytes | None], written: dict[str, bytes | None]
) -> None:
    read = {key: before.get(key) for key in written}
    digest = RowDigests().replaced(digest_of(before), read, written)
    assert digest == digest_of(before | written)


def test_rows_in_memory_are_not_read_for_it() -> None:
    digests = RowDigests()
    first = digests.replaced(0, {"a": None}, {"a": b"1"})
    digests.age()
    second = digests.replaced(first, {}, {"a": b"2"})
    assert digests.replaced(second, {}, {"a": b"3"}) == digest_of({"a": b"3"})


def test_no_more_digests_are_kept_than_rows() -> None:
    bench = Bench(TALLIES)
    bench.publish(*(plan_changed(f"a{n}") for n in range(200)))
    worker = bench.worker(batch_max=10, rows_max=20)
    drain(worker)
    assert len(worker._fold._digests) == worker.rows_in_memory <= 30


def test_what_is_not_known_stays_unknown() -> None:
    bench = Bench(TALLIES)
    bench.publish(plan_changed("a"), plan_changed("b"))
    unknown = Checkpoint(1, 1, digest=None)
    row = {"a": b'{"count":1,"seqs":[1]}'}
    bench.store.save(bench.live, 0, expected=Checkpoint(), checkpoint=unknown, rows=row)
    drain(bench.worker())
    assert (bench.checkpoint().seq, bench.checkpoint().digest) == (2, None)


def test_a_build_beside_an_unknown_digest_is_promoted_and_knows_its_own() -> None:
    bench = two_shards()
    forge(bench, None)
    done = bench.replay()
    assert (done.promoted, done.verification.different) == (True, 0)
    assert bench.checkpoint(done.rebuilt).digest == digest_of(bench.rows(done.rebuilt))


def test_a_digest_that_differs_though_no_row_does_is_a_difference_of_its_own() -> None:
    bench = two_shards()
    right = bench.checkpoint().digest
    forge(bench, 5)
    done = bench.replay()
    (difference,) = done.verification.differences
    assert not done.promoted
    assert (difference.shard, difference.key) == (0, DIGEST)
    assert (difference.live, difference.rebuilt) == (f"{5:032x}".encode(), hexed(right))


def hexed(digest: int | None) -> bytes:
    return f"{digest:032x}".encode()


def forge(bench: Bench, digest: int | None) -> None:
    """Somebody writes another digest into the checkpoint."""
    found = bench.checkpoint()
    forged = Checkpoint(found.seq, found.offset, found.at, digest)
    bench.store.save(bench.live, 0, expected=found, checkpoint=forged, rows={})
