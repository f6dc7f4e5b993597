"""Idempotency keys: version 7 UUIDs (RFC 9562), each with a later time than the one before.

The gateway takes a command's `issued_at` from its key. An account remembers its last 128
commands, and refuses as stale what is not issued after all that it has forgotten; so commands
of one client carry different times, even when many are made within a millisecond.
"""

import secrets
import threading
import time
from collections.abc import Callable
from uuid import UUID

RANDOM_BITS = 74
VERSION, VARIANT = 7 << 76, 0b10 << 62


def wall_ms() -> int:
    """Now, in ms."""
    return time.time_ns() // 1_000_000


class Keys:
    """Threads may share one."""

    def __init__(self, clock: Callable[[], int] = wall_ms) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> str:
        """A key that nobody else has, with a later time than all before."""
        with self._lock:
            self._last = max(self._clock(), self._last + 1)
            at = self._last
        random = secrets.randbits(RANDOM_BITS)
        high, low = random >> 62, random & ((1 << 62) - 1)
        return str(UUID(int=at << 80 | VERSION | high << 64 | VARIANT | low))
