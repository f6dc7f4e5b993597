"""A publisher of one shard whose wire somebody else holds in their hands."""

from collections import deque
from collections.abc import Sequence

from airside.adapters.memory_log import MemoryLog
from schemas.errors import PublishFailed
from schemas.record import EVENTS_TOPIC


class SlowPublisher:
    """Records lie on the wire until `deliver`; a crashed owner's still may arrive."""

    def __init__(self, log: MemoryLog, shard: int = 0) -> None:
        self.shard = shard
        self._log = log
        self._wire: deque[tuple[bytes, bytes]] = deque()
        self._acknowledged = 0
        self._has_failed = False

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Put records onto the wire."""
        if not self._has_failed:
            self._wire.extend(records)

    def acknowledged(self) -> int:
        """How many are surely on the topic. Raises: PublishFailed."""
        if self._has_failed:
            raise PublishFailed("a record timed out.")
        return self._acknowledged

    def close(self) -> None:
        """Send nothing more."""
        self.fail()

    @property
    def is_busy(self) -> bool:
        """Whether anything is on the wire."""
        return bool(self._wire)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is sent."""
        return self._has_failed

    def deliver(self, count: int, *, acknowledge: bool = True) -> None:
        """So many records reach the topic."""
        for _ in range(min(count, len(self._wire))):
            self._log.append(EVENTS_TOPIC, self.shard, [self._wire.popleft()])
            self._acknowledged += acknowledge

    def fail(self) -> None:
        """What is on the wire is lost, and nothing more is sent."""
        self._wire.clear()
        self._has_failed = True
