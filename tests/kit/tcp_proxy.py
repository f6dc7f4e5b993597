"""A TCP proxy between a client and its server that breaks connections at a chosen moment.

    with TcpProxy("127.0.0.1", 9042) as proxy:
        connect(proxy.host, proxy.port)
        proxy.arm("before", after=3)     the third request from now never arrives
        proxy.arm("after", holding=b"x") one that holds x arrives, its answer does not
        proxy.arm("late", …)             it arrives when the client has given up waiting
        proxy.refuse()                   all connections are cut, and new ones too

A request is what one read from a socket brings: a request, several, or a part of one.
"""

import contextlib
import socket
import threading
from typing import Literal

Fate = Literal["before", "after", "late"]

READ_BYTES = 1024 * 1024
LATE_SECONDS = 2.5


class TcpProxy:
    """See the module. A fate strikes once."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._lock = threading.Lock()
        self._fate: Fate | None = None
        self._after, self._holding = 1, b""
        self.requests = 0  # seen in all
        self._is_refusing = False
        self._links: list[Link] = []
        self._threads = [threading.Thread(target=self._accept)]

    def arm(self, fate: Fate, *, after: int = 1, holding: bytes = b"") -> None:
        """What happens to the n-th request from now on that holds these bytes."""
        with self._lock:
            self._fate, self._after, self._holding = fate, after, holding

    @property
    def has_struck(self) -> bool:
        """Whether the last fate has come true."""
        return self._fate is None

    def refuse(self) -> None:
        """Nobody gets through, until `accept`."""
        self._is_refusing = True
        for link in self._links:
            link.cut()

    def accept(self) -> None:
        """The server is to be reached again."""
        self._is_refusing = False

    def __enter__(self) -> "TcpProxy":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_refusing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            if self._is_refusing:
                client.close()
                continue
            try:
                link = Link(client, socket.create_connection(self._server))
            except OSError:
                client.close()
                continue
            self._links.append(link)
            for run in (self._upwards, self._downwards):
                thread = threading.Thread(target=run, args=(link,))
                self._threads.append(thread)
                thread.start()

    def _upwards(self, link: "Link") -> None:
        while data := link.read(link.client):
            fate = self._fate_of(data)
            if fate == "before":
                break
            if fate == "late":
                threading.Event().wait(LATE_SECONDS)
            link.is_mute = link.is_mute or fate == "after"
            link.write(link.server, data)
        link.cut()

    def _downwards(self, link: "Link") -> None:
        while data := link.read(link.server):
            if link.is_mute:
                break
            link.write(link.client, data)
        link.cut()

    def _fate_of(self, data: bytes) -> Fate | None:
        with self._lock:
            self.requests += 1
            if self._fate is None or self._holding not in data:
                return None
            self._after -= 1
            if self._after:
                return None
            fate, self._fate = self._fate, None
            return fate


class Link:
    """One client's connection, and its other half."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.is_mute = False
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, end: socket.socket) -> bytes:
        """What has come; nothing once the connection is gone."""
        with contextlib.suppress(OSError):
            return end.recv(READ_BYTES)
        return b""

    def write(self, end: socket.socket, data: bytes) -> None:
        """Pass it on, where there is still somebody."""
        with contextlib.suppress(OSError):
            end.sendall(data)

    def cut(self) -> None:
        """Both halves are gone; closed once nobody can be reading from them."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
