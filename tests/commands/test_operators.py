"""What operators do about parked commands besides redriving: discarding, and its limits."""

import pytest
from msgspec.structs import replace

from commands.stream import RECENT_MAX
from tests.kit.counter import add, discard, redrive
from tests.kit.shard import JUNK, Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


@pytest.fixture
def poisoned() -> Shard:
    return Shard.poisoned()


# discarding


def test_a_discarded_record_is_gone_and_what_is_behind_it_waits_for_a_redrive(
    poisoned: Shard,
) -> None:
    poisoned.send(discard(10, 0), add(11))
    poisoned.drain()
    assert poisoned.parked() == ["1 a BEHIND", "3 a BEHIND", "5 a BEHIND"]
    assert poisoned.notes() == ["offset 0 discarded: spam"]


def test_after_discarding_the_poison_a_redrive_handles_the_rest(poisoned: Shard) -> None:
    poisoned.send(discard(10, 0), redrive(11))
    poisoned.drain()
    assert poisoned.outcomes()[1:] == [
        "10: CommandNoted",
        "1: AllowanceGranted",
        "3: AllowanceGranted",
        "11: CommandNoted",
    ]


def test_after_discarding_the_only_one_the_key_is_free(shard: Shard) -> None:
    shard.send_raw(b"a", JUNK)
    shard.send(discard(1, 0), add(2))
    shard.drain()
    assert shard.outcomes() == ["1: CommandNoted", "2: AllowanceGranted"]


def test_discarding_what_is_not_parked_says_so(poisoned: Shard) -> None:
    poisoned.send(discard(10, 2), discard(11, 0, account="b"))
    poisoned.drain()
    assert poisoned.notes() == [
        "nothing is parked at offset 2",
        "nothing is parked at offset 0",
    ]
    assert len(poisoned.parked()) == 3


def test_a_record_that_no_account_can_claim_is_discarded_through_any(shard: Shard) -> None:
    shard.send_raw(None, JUNK)
    shard.send_raw(b"\xff", JUNK)
    shard.send(discard(1, 1, account="operator"))
    shard.drain()
    assert shard.parked() == ["0  BAD_KEY"]


# operators without a readable history


def break_history(shard: Shard) -> None:
    events = shard.store._accounts["a"]
    events[1] = replace(events[1], data=b"?" + events[1].data[1:])


def repair_history(shard: Shard, good: bytes) -> None:
    events = shard.store._accounts["a"]
    events[1] = replace(events[1], data=good)


def test_without_a_readable_history_an_operators_command_is_parked_in_its_turn(
    shard: Shard,
) -> None:
    shard.send(add(1))
    shard.drain()
    break_history(shard)
    shard.send(add(2), redrive(3), discard(4, 1))
    shard.drain()
    assert shard.parked() == ["1 a HISTORY", "2 a HISTORY", "3 a HISTORY"]


def test_once_the_history_is_readable_parked_operators_commands_are_redriven_too(
    shard: Shard,
) -> None:
    shard.send(add(1))
    shard.drain()
    good = shard.store._accounts["a"][1].data
    break_history(shard)
    shard.send(add(2), redrive(3), discard(4, 5), add(5), add(6))
    shard.drain()
    repair_history(shard, good)
    shard.send(redrive(7))
    shard.drain()
    assert shard.parked() == []
    assert shard.outcomes() == [
        "1: AllowanceGranted",
        "2: AllowanceGranted",
        "3: CommandNoted",
        "6: CommandNoted",
        "4: CommandNoted",
        "5: AllowanceGranted",
        "7: CommandNoted",
    ]


def test_a_discarded_command_has_an_outcome_and_no_copy_of_it_is_handled(shard: Shard) -> None:
    shard = Shard.poisoned()
    given_up = add(4)
    shard.send(given_up, given_up)
    shard.drain()
    shard.send(discard(20, 4), discard(21, 0), redrive(22))
    shard.drain()
    assert "4: CommandNoted" in shard.outcomes()
    assert "4: AllowanceGranted" not in shard.outcomes()
    assert shard.parked() == []


def test_operators_commands_do_not_make_what_waits_stale() -> None:
    shard = Shard.poisoned()
    shard.send(*(redrive(n) for n in range(100, 101 + RECENT_MAX)))
    shard.drain()
    shard.send(discard(50, 0), redrive(51))
    shard.drain()
    assert shard.parked() == []
    assert not [one for one in shard.outcomes() if one.endswith("CommandRefused")]
