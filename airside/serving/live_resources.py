"""The resource of an account's event stream, and how a stream is sent."""

import asyncio
import math
import time
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from airside.serving.live import Stream
from airside.serving.parameters import OfAccount
from airside.serving.service import Service
from airside.web.resource import Call, Resource
from airside.web.tokens import LEEWAY_SECONDS

SEND_SECONDS_MAX = 60.0  # that a client may take for one piece

MEDIA_TYPE = "text/event-stream"


class Resume(Struct, frozen=True):
    """Where the client was."""

    last_event_id: (
        Annotated[
            str,
            Meta(
                pattern="^[0-9]{1,18}$",
                description="The id of the last event that the client had: only what came "
                "later follows. Without it the state comes first.",
                extra={"header": "Last-Event-ID"},
            ),
        ]
        | None
    ) = None


async def account_events(service: Service, call: Call) -> Response:
    """First the state, then each change as it happens."""
    last = call.of(Resume).last_event_id
    after = None if last is None else int(last)
    stream = await service.live.open(call.of(OfAccount).account_id, after)
    return EventStream(stream, until=call.caller.expires_at + LEEWAY_SECONDS)


class EventStream(Response):
    """Sends a stream, piece by piece: the next is made when the client has room for it.

    No piece is sent after `until`, in seconds since 1970: the stream ends instead, and the
    client resumes it with a token that is still good.
    """

    media_type = MEDIA_TYPE

    def __init__(self, stream: Stream, *, until: float = math.inf) -> None:
        super().__init__(
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            media_type=MEDIA_TYPE,
        )
        del self.headers["content-length"]
        self._stream, self.until = stream, until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it ends, or the client is gone. Raises: TimeoutError where it takes nothing."""
        sending = asyncio.ensure_future(self._send(scope, send))
        going = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, going), return_when=asyncio.FIRST_COMPLETED)
        finally:
            going.cancel()
            is_done = sending.done()
            sending.cancel()
            await asyncio.gather(sending, going, return_exceptions=True)
            self._stream.close()
        if is_done:
            sending.result()

    async def _send(self, scope: Scope, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await _sent(send, start)
        async for piece in self._stream:
            if scope.get("method") == "HEAD" or time.time() >= self.until:
                break
            more = {"type": "http.response.body", "body": piece, "more_body": True}
            await _sent(send, more)
        await _sent(send, {"type": "http.response.body", "body": b""})


async def _sent(send: Send, message: Message) -> None:
    async with asyncio.timeout(SEND_SECONDS_MAX):
        await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


LIVE_RESOURCES: tuple[Resource[Service], ...] = (
    Resource(
        "/v1/accounts/{account_id}/events",
        account_events,
        "The account's state, and then every change as it happens (server-sent events).",
        scope="member",
        owner="account_id",
        parameters=(OfAccount, Resume),
        media_type=MEDIA_TYPE,
        example={"account_id": "a1"},
        description="`event: state` comes first, unless the client resumes with Last-Event-ID; "
        "then one `event: change` for each entry of the timeline, whose version is its id; "
        "`event: end` where the account was erased. A line with a colon is a sign of life. The "
        "stream ends when its token expires.",
        tag="accounts",
    ),
)
