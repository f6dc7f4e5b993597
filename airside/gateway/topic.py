"""The port through which the gateway writes: records of commands, acknowledged, awaited.

    partitions()               how many there are                  NotFound, Unavailable
    append(partition, records, traces)   surely on the topic       TooLarge, Unavailable
    close()                    send nothing more

Adapters: `airside/adapters/kafka_commands_topic.py`, `airside/adapters/log_commands_topic.py`.
"""

from collections.abc import Sequence
from typing import Protocol

from airside.log import KeyValue, Traces

APPEND_SECONDS = 5.0  # until every record is acknowledged, or the client is told to try again


class CommandsTopic(Protocol):
    """The commands topic, for the one event loop that made it. It never blocks the loop."""

    async def partitions(self) -> int:
        """How many partitions it has. Raises: NotFound, Unavailable within APPEND_SECONDS."""

    async def append(
        self, partition: int, records: Sequence[KeyValue], traces: Traces | None = None
    ) -> None:
        """Put (key, value) records there in this order, some with a trace.

        When it returns all of them are on the topic. Raises: TooLarge, where none is;
        Unavailable within APPEND_SECONDS, and then some of the first may be there.
        """

    async def close(self) -> None:
        """Let go of the connections. What was not acknowledged may be there or not."""
