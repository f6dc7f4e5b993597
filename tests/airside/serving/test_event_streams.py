"""How a stream is sent: at the client's pace, until it is gone or the process stops."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from airside.serving import live_resources
from airside.serving.live import Live
from airside.serving.live_resources import EventStream
from airside.serving.reads import Reads
from schemas import events
from tests.kit.happenings import NOW, happened, history, issued
from tests.kit.in_loop import in_loop, until
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served

SCOPE: dict[str, Any] = {"type": "http"}


class Client:
    """One that takes what it is sent only while it has room."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.is_gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Nothing, until it goes."""
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """One piece."""
        await self.has_room.wait()
        self.sent.append(message)

    @property
    def text(self) -> bytes:
        """All that it was sent."""
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.fixture
def served() -> Served:
    served = Served()
    served.happened(history(happened(events.AccountOpened), issued(1)))
    return served


@pytest.fixture
def reads(served: Served) -> Iterator[Reads]:
    with closing(Reads(MemoryLooks(served.store), 4)) as reads:
        yield reads


@pytest.fixture
def live(reads: Reads) -> Live:
    return Live(lambda: reads, lambda: NOW)


async def connected(live: Live, after: int | None) -> tuple[Client, "asyncio.Task[None]"]:
    client = Client()
    stream = EventStream(await live.open("a1", after))
    return client, asyncio.create_task(stream(SCOPE, client.receive, client.send))


@in_loop
async def test_a_stream_begins_with_its_headers(live: Live) -> None:
    client, sending = await connected(live, None)
    await until(lambda: b"event: state" in client.text)
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert (headers[b"cache-control"], b"content-length" in headers) == (b"no-store", False)
    client.is_gone.set()
    await sending


@in_loop
async def test_a_client_that_goes_frees_everything(live: Live) -> None:
    client, sending = await connected(live, 2)
    await until(lambda: live._heads.watching == 1)
    client.is_gone.set()
    await sending
    assert (live.streams, live._heads.watching) == (0, 0)


@in_loop
async def test_a_slow_client_is_not_read_for(served: Served, live: Live) -> None:
    client, sending = await connected(live, 2)
    await until(lambda: live._heads.watching == 1)
    client.has_room.clear()
    served.happened([issued(3, version=3)])
    await until(lambda: live._heads.watching == 0)
    served.happened(issued(n, version=n) for n in range(4, 104))
    assert len(client.sent) == 2
    client.has_room.set()
    await until(lambda: client.text.count(b"event: change") == 101)
    assert client.text.count(b"\nid: ") + 1 >= 101
    client.is_gone.set()
    await sending


@in_loop
async def test_a_client_that_takes_nothing_is_let_go(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_resources, "SEND_SECONDS_MAX", 0.02)
    client, sending = await connected(live, None)
    client.has_room.clear()
    with pytest.raises(TimeoutError):
        await sending
    assert live.streams == 0


@in_loop
async def test_streams_end_when_the_process_stops(live: Live) -> None:
    client, sending = await connected(live, 2)
    await until(lambda: live._heads.watching == 1)
    live.stop()
    await sending
    assert client.sent[-1] == {"type": "http.response.body", "body": b""}
    assert live.streams == 0


@in_loop
async def test_no_piece_is_sent_when_the_token_has_expired(served: Served, live: Live) -> None:
    client, stream = Client(), await live.open("a1", 2)
    response = EventStream(stream, until=time.time() + 3_600)
    sending = asyncio.create_task(response(SCOPE, client.receive, client.send))
    await until(lambda: live._heads.watching == 1)
    response.until = time.time()
    served.happened([issued(3, version=3)])
    await sending
    assert client.sent[-1] == {"type": "http.response.body", "body": b""}
    assert b"event: change" not in client.text
    assert live.streams == 0


@in_loop
async def test_who_asks_for_the_headers_alone_gets_no_stream(live: Live) -> None:
    client, stream = Client(), await live.open("a1", None)
    await EventStream(stream)({"type": "http", "method": "HEAD"}, client.receive, client.send)
    assert client.text == b""
    assert client.sent[0]["status"] == 200
    assert live.streams == 0
