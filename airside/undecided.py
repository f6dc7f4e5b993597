"""Commands that came up to an instant and are not decided yet: events of then may come."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from airside.log import Log
from airside.wiring import Deployment
from commands.event_store import EventStore
from commands.log import CommandSource
from schemas.record import COMMANDS_TOPIC

CLOCKS_MS = 1_000  # how far the clock of a broker may be behind ours
POLLS_MAX = 10
POLL_SECONDS = 0.5


@contextmanager
def deciding(deployment: Deployment, as_of: int) -> Iterator[Callable[[int], bool]]:
    """`is_over` of an instant, for shards of a deployment."""
    with deployment.event_store() as store, deployment.log() as topics:
        yield partial(is_over, store, topics, deployment.clock, as_of)


def is_over(
    store: EventStore,
    topics: Log,
    clock: Callable[[], int],
    as_of: int,
    shard: int,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether each event of the shard up to an instant, in ms, is in the event store by now.

    Waits until the instant is CLOCKS_MS past: no command gets a time up to it any more. What is
    parked counts as decided. Raises: Unavailable.
    """
    early_ms = as_of + CLOCKS_MS - clock()
    if early_ms > 0:
        sleep(min(early_ms, CLOCKS_MS) / 1_000)
    next_offset = store.resume(shard).position.next_offset
    with closing(topics.source(COMMANDS_TOPIC, shard)) as source:
        return _is_later_or_none(source, next_offset, as_of)


def _is_later_or_none(source: CommandSource, offset: int, as_of: int) -> bool:
    """Whether the first command from an offset on came after the instant, or there is none."""
    source.seek(offset)
    for _ in range(POLLS_MAX):
        if source.end() <= offset:
            return True
        if found := source.poll(1, POLL_SECONDS):
            return found[0][1] > as_of
    return False  # deleted before it was decided: the handler halts there, too
