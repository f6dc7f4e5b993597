"""The producer: puts commands onto the commands topic, each in its account's partition."""

from collections import defaultdict
from collections.abc import Iterable

from airside.log import Log
from schemas.codec import CODEC
from schemas.envelope import Command
from schemas.record import COMMANDS_TOPIC, shard_of


class Producer:
    """Knows the partitions; keeps the order in which one account's commands are given."""

    def __init__(self, log: Log, shards: int) -> None:
        self._log = log
        self._shards = shards

    def send(self, commands: Iterable[Command]) -> dict[int, int]:
        """Append all of them, one append per shard; where each shard's first one landed.

        Shards are appended one after the other: where this raises, some may be on the topic and
        some not. Sending all again is safe, since a command id takes effect at most once.

        Raises: TooLarge, Unavailable.
        """
        by_shard: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        for command in commands:
            shard = shard_of(command.account_id, self._shards)
            by_shard[shard].append((command.account_id.encode(), CODEC.encode(command)))
        return {
            shard: self._log.append(COMMANDS_TOPIC, shard, records)
            for shard, records in by_shard.items()
        }
