"""Whether events up to an instant may still come: what the commands topic and the store say."""

import pytest

from airside.undecided import CLOCKS_MS, is_over
from schemas.record import COMMANDS_TOPIC
from tests.kit.counter import add
from tests.kit.shard import Shard

LONG_AFTER_MS = 3_600_000


@pytest.fixture
def shard() -> Shard:
    return Shard()


def over(shard: Shard, as_of: int) -> bool:
    """Asked long after the instant."""
    return is_over(shard.store, shard.log, lambda: as_of + LONG_AFTER_MS, as_of, 0)


def send_at(shard: Shard, at: int) -> None:
    """A command that the broker takes at that instant."""
    shard.now_at = at
    shard.send(add(at))


def test_an_idle_shard_is_over(shard: Shard) -> None:
    before_all = over(shard, shard.now_at)
    shard.send(add(1), add(2))
    shard.drain()
    assert (before_all, over(shard, shard.now_at)) == (True, True)


def test_a_command_of_then_that_waits_for_its_handler_keeps_it_open(shard: Shard) -> None:
    shard.send(add(1))
    shard.drain()
    send_at(shard, shard.now_at + 5)
    assert not over(shard, shard.now_at)
    shard.drain()
    assert over(shard, shard.now_at)


def test_commands_that_came_later_do_not_matter(shard: Shard) -> None:
    as_of = shard.now_at
    send_at(shard, as_of + 1)
    assert over(shard, as_of)


def test_a_parked_command_is_decided(shard: Shard) -> None:
    shard.send_raw(b"a", b"junk")
    shard.drain()
    assert over(shard, shard.now_at)


def test_commands_that_were_deleted_before_they_were_decided_keep_it_open(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.undecided.POLL_SECONDS", 0.0)
    shard.send(add(1))
    shard.log.delete(COMMANDS_TOPIC, 0, before=1)
    assert not over(shard, shard.now_at)


@pytest.mark.parametrize(
    ("past_ms", "waits"), [(0, [CLOCKS_MS / 1_000]), (CLOCKS_MS - 5, [0.005]), (CLOCKS_MS, [])]
)
def test_it_waits_until_no_clock_can_say_that_instant_any_more(
    shard: Shard, past_ms: int, waits: list[float]
) -> None:
    waited: list[float] = []
    as_of = shard.now_at
    assert is_over(
        shard.store, shard.log, lambda: as_of + past_ms, as_of, 0, sleep=waited.append
    )
    assert waited == waits


def test_a_command_that_comes_while_it_waits_is_seen(shard: Shard) -> None:
    as_of = shard.now_at

    def sleep(seconds: float) -> None:
        shard.send(add(1))

    assert not is_over(shard.store, shard.log, lambda: as_of, as_of, 0, sleep=sleep)
