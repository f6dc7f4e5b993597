"""An HTTP service that answers from a list, and remembers what it was asked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from airside.client import Airside

Reply = httpx.Response | Exception


class Answers:
    """The next reply to each request; the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def client(self, **options: Any) -> Airside:
        """A client that asks here."""
        return Airside(
            "http://query",
            gateway_url="http://gateway",
            transport=httpx.MockTransport(self),
            **options,
        )

    def header(self, name: str) -> list[str | None]:
        """What each request said in it."""
        return [request.headers.get(name) for request in self.requests]


def accepted(**more: Any) -> httpx.Response:
    """A command that was decided."""
    outcome = {"status": "accepted", "account_id": "a1", "seq": 42, "version": 3}
    answer = {
        "command_id": "1" * 32,
        "account_id": "a1",
        "issued_at": 1,
        "outcome": outcome,
        "token": "3:42",
    }
    return httpx.Response(200, json={**answer, **more})


def problem(status: int, **more: Any) -> httpx.Response:
    """A problem document."""
    headers = more.pop("headers", {})
    return httpx.Response(
        status,
        json={"type": f"urn:airside:problem:p{status}", "status": status, **more},
        headers={"Content-Type": "application/problem+json", **headers},
    )


def streamed(*lines: str, then: Exception | None = None) -> httpx.Response:
    """A stream of server-sent events that ends, or breaks."""

    def body() -> Iterator[bytes]:
        for line in lines:
            yield f"{line}\n".encode()
        if then is not None:
            raise then

    return httpx.Response(200, content=body(), headers={"Content-Type": "text/event-stream"})


def event(kind: str, number: int) -> Sequence[str]:
    """The lines of one event."""
    return (f"event: {kind}", f"id: {number}", f'data: {{"version": {number}}}', "")


NoSleep = Callable[[float], None]
