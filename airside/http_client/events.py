"""Server-sent events of an account: read as they come, and resumed where they broke off."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from airside.http_client.calls import TRY_AGAIN, Calls, unreachable
from airside.http_client.problems import Problem, Unreachable

CONNECT_SECONDS = 10.0
END = "end"
SILENCE_SECONDS_MAX = 60.0  # the service sends a comment more often: then the line is dead


class LiveEvent(Struct, frozen=True):
    """One event of the stream: `state` first, then `change` after `change`.

    `end` is the last one: the account was erased.
    """

    kind: str
    id: str  # the account's version after it: resume with the last one you have handled
    data: dict[str, Any]


class Parser:
    """Lines of a stream to events (WHATWG HTML, section 9.2); an unfinished one is none."""

    def __init__(self) -> None:
        self._kind, self._id = "message", ""
        self._data: list[str] = []

    def feed(self, line: str) -> LiveEvent | None:
        """The event that this line completes."""
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._kind = value
        elif field == "id":
            self._id = value
        elif field == "data":
            self._data.append(value)
        elif not line:
            kind, data = self._kind, "\n".join(self._data)
            self._kind, self._data = "message", []
            if data:
                return LiveEvent(kind, self._id, msgspec.json.decode(data))
        return None


class LiveEvents:
    """Events without end; after a break they go on behind the last one that was handed out.

    An error is raised after `failures_max` breaks without anything new between them.
    """

    def __init__(self, calls: Calls, url: str, last_id: str | None, failures_max: int) -> None:
        self._calls, self._url = calls, url
        self._last_id, self._failures_max = last_id, failures_max
        self._failures = 0
        self._timeout = httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS_MAX)

    def __iter__(self) -> Iterator[LiveEvent]:
        """Raises: Problem where the service says no; Unreachable."""
        while True:
            after = None
            try:
                for event in self._connection():
                    yield event
                    if event.kind == END:
                        return
                self._failed(Unreachable(f"{self._url}: the stream ends again and again."))
            except httpx.TransportError as error:
                self._failed(unreachable(self._url, error))
            except Problem as problem:
                if problem.status not in TRY_AGAIN:
                    raise
                self._failed(problem)
                after = problem.retry_after_seconds
            self._calls.pause(self._failures, after)

    def _connection(self) -> Iterator[LiveEvent]:
        headers = {"Accept": "text/event-stream"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        parser = Parser()
        with self._calls.stream(self._url, headers, self._timeout) as response:
            for line in response.iter_lines():
                if line.startswith(":"):
                    self._failures = 0  # a sign of life
                event = parser.feed(line)
                if event is not None:
                    self._failures = 0 if event.id != self._last_id else self._failures
                    self._last_id = event.id or self._last_id
                    yield event

    def _failed(self, error: Problem | Unreachable) -> None:
        self._failures += 1
        if self._failures > self._failures_max:
            raise error
