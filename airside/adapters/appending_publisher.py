"""A publisher over a log that appends while you wait: the memory and the SQLite log."""

import threading
from collections.abc import Callable, Sequence

from airside.log import Traces
from schemas.errors import AirsideError, PublishFailed

Append = Callable[[Sequence[tuple[bytes, bytes]], Traces | None], int]


class AppendingPublisher:
    """Appends at once: what was handed over is acknowledged, or the publisher has failed."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._acknowledged = 0
        self._failure: str | None = None
        self._sending = threading.Lock()  # close() waits for a send that is under way

    def send(
        self, records: Sequence[tuple[bytes, bytes]], traces: Traces | None = None
    ) -> None:
        """Append them, unless an earlier record failed or the publisher is closed."""
        with self._sending:
            if self._failure is not None:
                return
            try:
                self._append(records, traces)
                self._acknowledged += len(records)
            except AirsideError as error:
                self._failure = f"the topic refused {len(records)} records: {error}"

    def acknowledged(self) -> int:
        """How many are surely on the topic. Raises: PublishFailed."""
        if self._failure is not None:
            raise PublishFailed(
                f"{self._failure} Acknowledged before: {self._acknowledged} records. "
                "Open another publisher and send the rest again, in order."
            )
        return self._acknowledged

    def close(self) -> None:
        """Send nothing more."""
        with self._sending:
            self._failure = self._failure or "this publisher is closed."
