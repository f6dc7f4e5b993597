"""What is parked, as far as an operator's command may be about it."""

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct

from commands.event_store import EventStore, Parked
from commands.receive import OPERATOR_COMMANDS, Received, is_operators
from schemas.commands import DiscardParked
from schemas.record import shard_of

REDRIVE_BYTES_MAX = 16 * 1024 * 1024  # of parked records at once, besides the first

_command = attrgetter("command")


class Waiting(Struct, frozen=True):
    """Empty unless the batch begins with an operator's command."""

    records: tuple[Parked, ...] = ()  # of the account: the first ones
    offsets: tuple[int, ...] = ()  # of the account: all of them
    homeless: tuple[int, ...] = ()  # of the shard: those that no account can claim


def is_operator(item: Received) -> bool:
    """Whether it is an operator's command."""
    return is_operators(item.command)


def until_operator(items: Sequence[Received]) -> Sequence[Received]:
    """What comes before the next operator's command, which has to begin a batch.

    It is about what is parked, and so needs all before it committed and indexed.
    """
    if OPERATOR_COMMANDS.isdisjoint(map(type, map(_command, items))):
        return items
    return next((items[:n] for n, item in enumerate(items) if n and is_operator(item)), items)


def load_waiting(
    store: EventStore, shard: int, shards: int, item: Received, records_max: int
) -> Waiting:
    """What is parked for the account of an operator's command. Raises: Unavailable.

    A record that no account of the shard can claim may be discarded through any of them.
    """
    if not is_operator(item):
        return Waiting()
    offsets: list[int] = []
    records: list[Parked] = []
    size = 0
    for parked in store.parked(shard, item.account_id):
        offsets.append(parked.offset)
        size += len(parked.value)
        if not records or (len(records) < records_max and size <= REDRIVE_BYTES_MAX):
            records.append(parked)
    homeless: list[int] = []
    if isinstance(item.command, DiscardParked) and item.command.offset not in offsets:
        homeless = [p.offset for p in store.parked(shard) if _is_homeless(p, shard, shards)]
    return Waiting(tuple(records), tuple(offsets), tuple(homeless))


def _is_homeless(parked: Parked, shard: int, shards: int) -> bool:
    return not parked.account_id or shard_of(parked.account_id, shards) != shard
