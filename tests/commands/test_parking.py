"""Nothing is skipped: parking, redriving and discarding, through a whole handler."""

import pytest

from commands.stream import RECENT_MAX
from schemas.codec import CODEC
from schemas.errors import Unavailable
from tests.kit.counter import NOW, TOLERANCE_MS, add, discard, redrive, suspend
from tests.kit.shard import JUNK, FaultyEventStore, Shard

ABSURD_AT = NOW + TOLERANCE_MS + 1


@pytest.fixture
def shard() -> Shard:
    return Shard()


@pytest.fixture
def poisoned() -> Shard:
    return Shard.poisoned()


# parking


def test_poison_parks_its_key_in_order_and_others_go_on(poisoned: Shard) -> None:
    assert poisoned.parked() == ["0 a UNREADABLE", "1 a BEHIND", "3 a BEHIND"]
    assert poisoned.outcomes() == ["2: AllowanceGranted"]


def test_what_is_parked_is_still_held_by_a_successor(poisoned: Shard) -> None:
    poisoned.send(add(4))
    poisoned.drain()
    assert poisoned.parked()[-1] == "4 a BEHIND"


def test_bytes_and_time_of_what_is_parked_are_kept(poisoned: Shard) -> None:
    first = next(poisoned.store.parked(0))
    assert (first.value, first.at) == (JUNK, NOW)
    assert first.reason.startswith("UNREADABLE: ")


def test_every_kind_of_bad_record_is_parked_and_the_rest_goes_on(shard: Shard) -> None:
    shard.send_raw(None, CODEC.encode(add(1)))
    shard.send_raw(b"\xff", CODEC.encode(add(1)))
    shard.send_raw(b"x" * 10_000, CODEC.encode(add(1)))
    shard.send_raw(b"c", CODEC.encode(add(1)))
    shard.send_raw(b"d", None)
    shard.send_raw(b"e", CODEC.encode(add(1, account="e", issued_at=-1)))
    shard.send(add(2))
    worker = shard.drain()
    assert shard.parked() == [
        "0  BAD_KEY",
        "1  BAD_KEY",
        "2  BAD_KEY",
        "3 c KEY_MISMATCH",
        "4 d UNREADABLE",
        "5 e INVALID",
    ]
    assert shard.outcomes() == ["2: AllowanceGranted"]
    assert (worker.counts.accepted, worker.counts.parked) == (1, 6)


# redriving


def test_a_redrive_handles_in_order_what_can_be_handled_now(poisoned: Shard) -> None:
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.send(redrive(10))
    worker = poisoned.drain()
    assert poisoned.outcomes()[1:] == [
        "9: AllowanceGranted",
        "1: AllowanceGranted",
        "3: AllowanceGranted",
        "10: CommandNoted",
    ]
    assert poisoned.parked() == []
    assert worker.counts.redriven == 3
    assert poisoned.notes() == ["all that was parked is handled"]


def test_after_a_redrive_the_key_is_free(poisoned: Shard) -> None:
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.send(redrive(10), add(11))
    poisoned.drain()
    assert poisoned.outcomes()[-1] == "11: AllowanceGranted"


def test_a_redrive_stops_at_the_first_that_still_cannot_be_handled(poisoned: Shard) -> None:
    poisoned.mend(1, JUNK)
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.send(redrive(10), add(11))
    poisoned.drain()
    assert poisoned.outcomes()[1:] == ["9: AllowanceGranted", "10: CommandNoted"]
    assert poisoned.parked() == ["1 a UNREADABLE", "3 a BEHIND", "5 a BEHIND"]
    assert poisoned.notes()[0].startswith("2 left, from offset 1: UNREADABLE: ")


def test_a_redrive_of_nothing_says_so(shard: Shard) -> None:
    shard.send(redrive(1))
    shard.drain()
    assert shard.notes() == ["nothing is parked"]


def test_a_redriven_command_happens_when_it_is_redriven(poisoned: Shard) -> None:
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.now_at += 3_600_000
    poisoned.send(redrive(10, issued_at=poisoned.now_at))
    poisoned.drain()
    assert [event.at for event in poisoned.events()[1:]] == [NOW + 3_600_000] * 4
    assert [event.issued_at for event in poisoned.events()[1:4]] == [NOW] * 3


def test_a_redrive_that_is_delivered_twice_redrives_once(poisoned: Shard) -> None:
    poisoned.send(redrive(10))
    poisoned.drain()
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.send(redrive(10))
    poisoned.drain()
    assert len(poisoned.parked()) == 3
    assert len(poisoned.notes()) == 1


def test_the_clock_of_an_operator_does_not_matter(poisoned: Shard) -> None:
    poisoned.mend(0, CODEC.encode(add(9)))
    poisoned.send(redrive(10, issued_at=ABSURD_AT))
    poisoned.drain()
    assert poisoned.parked() == []


def test_a_repeat_among_what_is_redriven_yields_nothing(poisoned: Shard) -> None:
    poisoned.mend(0, CODEC.encode(add(3)))
    poisoned.send(redrive(10))
    poisoned.drain()
    assert [o for o in poisoned.outcomes() if o.startswith("3:")] == ["3: AllowanceGranted"]
    assert poisoned.parked() == []


def test_a_redrive_of_more_than_one_commit_holds_goes_on_in_the_next(shard: Shard) -> None:
    shard.send_raw(b"a", JUNK)
    shard.send(*[add(n) for n in range(1, 45)])
    shard.drain()
    shard.mend(0, CODEC.encode(add(100)))
    shard.send(redrive(101), add(102))
    worker = shard.drain(shard.worker(redrive_records_max=10))
    assert [int(o.split(":")[0]) for o in shard.outcomes()] == [100, *range(1, 45), 101, 102]
    assert worker.counts.redriven == 45
    assert worker.position is not None
    assert worker.position.number == 1 + 5


def test_a_long_redrive_makes_none_of_what_it_redrives_stale(shard: Shard) -> None:
    shard.send_raw(b"a", JUNK)
    shard.send(*[add(n, issued_at=NOW + n) for n in range(1, 4 * RECENT_MAX)])
    shard.drain()
    shard.mend(0, CODEC.encode(add(1_000)))
    shard.now_at += 10_000
    shard.send(redrive(1_001, issued_at=shard.now_at))
    shard.drain(shard.worker(redrive_records_max=50))
    assert shard.count().total == 4 * RECENT_MAX
    assert shard.parked() == []


def test_a_crash_between_two_commits_of_a_redrive_loses_nothing(shard: Shard) -> None:
    shard.send_raw(b"a", JUNK)
    shard.send(*[add(n) for n in range(1, 30)])
    shard.drain()
    shard.mend(0, CODEC.encode(add(100)))
    shard.send(redrive(101))
    shard.worker(redrive_records_max=10).step()
    assert len(shard.parked()) == 20
    shard.drain()
    assert shard.count().total == 30
    assert shard.parked() == []


# order of effects


def test_an_operators_command_waits_until_what_is_parked_is_indexed(shard: Shard) -> None:
    shard.store.is_late = True
    shard.send_raw(b"a", JUNK)
    shard.send(discard(1, 0))
    worker = shard.worker()
    worker.step()
    assert worker.step().blocked
    shard.store.index_all()
    shard.drain(worker)
    assert shard.parked() == []
    assert shard.notes() == ["offset 0 discarded: spam"]


def test_a_command_that_was_parked_while_its_bug_lived_is_redriven_later(shard: Shard) -> None:
    shard.send(suspend(1, "decide"), add(2))
    shard.drain()
    shard.mend(0, CODEC.encode(suspend(1)))
    shard.send(redrive(3))
    shard.drain()
    assert shard.outcomes() == [
        "1: AllowanceGranted",
        "1: AccountSuspended",
        "2: AllowanceGranted",
        "3: CommandNoted",
    ]


def test_an_engine_that_is_away_parks_nothing(shard: Shard) -> None:
    shard.store = Away()
    shard.send(add(1))
    worker = shard.worker()
    with pytest.raises(Unavailable):
        worker.step()
    assert shard.parked() == []


class Away(FaultyEventStore):
    def load(self, account_ids: object, fingerprint: str) -> dict[str, object]:  # type: ignore[override]
        raise Unavailable("nobody there.")
