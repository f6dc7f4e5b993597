"""The laws, checked on what a deployment has stored: events, topic and read models."""

from typing import Any

from airside.checking.checking import Asked, check, sides
from airside.checking.found import Sides
from airside.projecting import reading
from airside.wiring import Deployment
from projectors.all import PROJECTIONS
from projectors.replay import replay
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.events import CommandRefused

COUNT_MAX = 100_000


def stored(deployment: Deployment, shard: int) -> list[Event]:
    """A shard's history."""
    with deployment.event_store() as store:
        found = store.read(shard, after_seq=0, count_max=COUNT_MAX)
    return [CODEC.decode_event(event.data) for event in found]


def check_history_is_gapless(events: list[Event]) -> None:
    """Law 3: seq 1, 2, 3 … in the shard, version 1, 2, 3 … in each account."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event.account_id, []).append(event.version)
    for found in versions.values():
        assert found == list(range(1, len(found) + 1))


def check_every_event_is_published_in_order(events: list[Event], records: list[bytes]) -> None:
    """Law 4: all of them, and the first publication of each seq in order."""
    seqs = [CODEC.seq_of(record) for record in records]
    first: list[Any] = list(dict.fromkeys(seqs))
    assert first == [event.seq for event in events]


def check_each_command_was_decided_once(events: list[Event]) -> None:
    """Laws 1 and 2: one decision made a command's events, so they stand together.

    Only a repeat that came too late to be recognized may be refused behind them.
    """
    decided = [event.command_id for event in events if not is_stale(event)]
    runs = [id for n, id in enumerate(decided) if n == 0 or decided[n - 1] != id]
    assert len(runs) == len(set(runs))


def is_stale(event: Event) -> bool:
    """Whether it refuses a command that cannot be told from a repeat."""
    return isinstance(event, CommandRefused) and event.code == "COMMAND_STALE"


def check_replay_equals_live(deployment: Deployment) -> int:
    """Law 7, for every projection; how many rows were compared."""
    rows = 0
    with reading(deployment) as read_side:
        for projection in PROJECTIONS:
            done = replay(projection, read_side)
            assert done.verification.differences == ()
            assert done.promoted
            rows += done.verification.rows
    return rows


def check_sides(compared: Sides) -> int:
    """What `airside check` checks, in every shard, and no first publication out of order.

    For a shard that is drained and settled; how many events there are.
    """
    found = check(compared, Asked(tuple(range(compared.shards))))
    assert [fault for one in found for fault in one.faults] == []
    assert [
        (one.shard, one.early, one.waiting) for one in found if one.early or one.waiting
    ] == []
    return sum(one.compared for one in found if one.check == "store")


def check_all(deployment: Deployment) -> int:
    """All of it, and every read model rebuilt from the topic; how many events there are."""
    with sides(deployment) as compared:
        total = check_sides(compared)
    assert check_replay_equals_live(deployment) > 0
    return total
