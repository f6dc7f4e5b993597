"""A handler looks whether its topic still has what comes next."""

from typing import Any

import pytest

from commands.event_store import Position
from commands.log import CommandSource
from schemas.errors import Contradiction, Hole
from tests.kit.counter import add
from tests.kit.shard import Shard, Worker


class ShortSource:
    """A topic that has lost its beginning, or its end."""

    def __init__(self, source: CommandSource, *, begin: int = 0, end: int = 9) -> None:
        self._source, self._begin, self._end = source, begin, end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def begin(self) -> int:
        return self._begin

    def end(self) -> int:
        return self._end


def short(shard: Shard, *, begin: int = 0, end: int = 9, **limits: Any) -> Worker:
    worker = shard.worker(**limits)
    worker._source = ShortSource(worker._source, begin=begin, end=end)
    return worker


def test_commands_that_are_gone_before_they_were_handled_halt_the_shard() -> None:
    shard = Shard()
    shard.send(add(1), add(2))
    with pytest.raises(Hole, match="from offset 0 to 1 were not handled and are gone"):
        short(shard, begin=2).resume()


def test_commands_that_are_gone_may_be_accepted_as_lost() -> None:
    shard = Shard()
    shard.send(add(1), add(2))
    worker = short(shard, begin=1, accept_lost=True)
    worker.resume()
    assert worker.position == Position()


def test_commands_that_are_gone_after_they_were_handled_are_no_loss() -> None:
    shard = Shard()
    shard.send(add(1), add(2))
    shard.drain()
    worker = short(shard, begin=2)
    worker.resume()
    assert worker.position == Position(number=1, seq=2, next_offset=2, settled=1)


def test_a_topic_that_ends_before_the_history_is_another_one() -> None:
    shard = Shard()
    shard.send(add(1), add(2))
    shard.drain()
    with pytest.raises(Contradiction, match=r"goes on at offset 2 .* which ends at 1"):
        short(shard, end=1).resume()
