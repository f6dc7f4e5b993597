"""A publisher of one shard whose wire a test holds in its hands."""

from collections import deque
from collections.abc import Sequence

from airside.adapters.memory_log import MemoryLog
from schemas.errors import PublishFailed
from schemas.record import EVENTS_TOPIC


class SlowPublisher:
    """Records lie on the wire until `deliver`; a crashed owner's still may arrive."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._wire: deque[tuple[bytes, bytes]] = deque()
        self._acknowledged = 0
        self._has_failed = False

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        if not self._has_failed:
            self._wire.extend(records)

    def acknowledged(self) -> int:
        if self._has_failed:
            raise PublishFailed("a record timed out.")
        return self._acknowledged

    def close(self) -> None:
        self.fail()

    @property
    def is_busy(self) -> bool:
        """Whether anything is on the wire."""
        return bool(self._wire)

    def deliver(self, count: int, *, acknowledge: bool = True) -> None:
        """So many records reach the topic."""
        for _ in range(min(count, len(self._wire))):
            self._log.append(EVENTS_TOPIC, 0, [self._wire.popleft()])
            self._acknowledged += acknowledge

    def fail(self) -> None:
        """What is on the wire is lost, and nothing more is sent."""
        self._wire.clear()
        self._has_failed = True
