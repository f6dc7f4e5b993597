"""uvicorn's HTTP/1.1 connection, with a bound on how long and how large a request's head
is, and on how long a client may keep a connection without reading."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from airside.web.problems import HEAD_TOO_LARGE, INVALID, MEDIA_TYPE, Problem

HEAD_BYTES_MAX = 32_768  # request line and headers
LINGER_SECONDS = 2.0  # for a refused client to stop sending; reset, it would lose the answer
WRITE_SECONDS = 60.0  # that a client may read nothing, while so much waits for it
HEAD_SECONDS = 10.0  # from the first byte, or from the connection, to the end of the head


class BoundedHttp(HttpToolsProtocol):
    """A client that sends its head without an end, or reads nothing, is let go."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._in_head = True
        self._is_refused = False
        self._head_ends: asyncio.TimerHandle | None = None
        self._write_ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from here on."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._forget_head()
        self._forget_write()
        self._unset_keepalive_if_required()  # uvicorn does so only where the client closed
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_url(self, url: bytes) -> None:
        """Part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._forget_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of the head only so many."""
        if self._is_refused:
            return
        super().data_received(data)
        if self._is_refused or self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("")
            elif self._head_ends is None:  # most heads come whole, and need no timer
                self._await_head()
        elif self.cycle.response_complete and self.timeout_keep_alive_task is None:
            self._stay_idle()  # line ends, or what is left of a body: uvicorn forgot its timer

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, take nothing more, and close."""
        self._is_refused = True
        if self._head_bytes > HEAD_BYTES_MAX:
            detail = f"request line and headers are over {HEAD_BYTES_MAX} bytes: send less."
            problem = Problem(HEAD_TOO_LARGE, detail)
        else:
            problem = Problem(INVALID, "this is no HTTP/1.1 request.")
        body = problem.body("")
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[problem.kind.status] + head.encode() + body)
        self._forget_head()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._head_ends = self.loop.call_later(LINGER_SECONDS, self._too_late)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """The client does not read: it has so long to go on."""
        super().pause_writing()
        self._write_ends = self.loop.call_later(WRITE_SECONDS, self._cut_off)

    def resume_writing(self) -> None:
        """It has read."""
        self._forget_write()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came any more. A client that does not read either is not waited for."""
        if self.transport.get_write_buffer_size():
            self._cut_off()
        else:
            super().timeout_keep_alive_handler()

    def _stay_idle(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _cut_off(self) -> None:
        """Close, and have the kernel drop at once what the client did not take."""
        own: socket.socket = self.transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _forget_write(self) -> None:
        if self._write_ends is not None:
            self._write_ends.cancel()
            self._write_ends = None

    def _count(self, some: int) -> None:
        self._head_bytes += some
        if self._head_bytes > HEAD_BYTES_MAX:
            raise ValueError("too large")  # the parser stops, and `send_400_response` is called

    def _await_head(self) -> None:
        self._head_ends = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _forget_head(self) -> None:
        if self._head_ends is not None:
            self._head_ends.cancel()
            self._head_ends = None

    def _too_late(self) -> None:
        self._head_ends = None
        if self.cycle is not None and not self.cycle.response_complete and not self._is_refused:
            self._await_head()  # the one before is still being answered
        else:
            self.transport.abort()
