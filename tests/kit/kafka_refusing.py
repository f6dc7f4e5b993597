"""A proxy before a Kafka broker that refuses one Produce request as a broker would.

    with RefusingProxy((host, port)) as proxy:       the broker advertises `proxy.port`
        proxy.refuse_next(topic)

The broker never sees that request. Its client is told NOT_ENOUGH_REPLICAS as soon as another
Produce request has come behind it, or after a moment: so what it sent ahead gets through.
"""

import contextlib
import socket
import struct
import threading

PRODUCE = 0  # the request's kind
FLEXIBLE_FROM = 9  # its version; the answer below has the form of versions 9 to 12
NOT_ENOUGH_REPLICAS = 19
ALONE_SECONDS = 0.5  # long enough to see whether anything was sent ahead


class RefusingProxy:
    """Passes everything on but that one request."""

    def __init__(self, broker: tuple[str, int]) -> None:
        self._broker = broker
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._topic = b""  # of the request to refuse; none where this is empty
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.refused = 0
        self.ahead = 0  # Produce requests that came before the refusal was told

    def refuse_next(self, topic: str) -> None:
        """The next records for this topic (its name on the cluster) are refused."""
        self._topic = topic.encode()

    def __enter__(self) -> "RefusingProxy":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._broker)
                self._sockets += (client, server)
                link = Link(client, server)
                for run in (self._upwards, self._downwards):
                    self._threads.append(threading.Thread(target=run, args=(link,)))
                    self._threads[-1].start()

    def _upwards(self, link: "Link") -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                request = frame(link.client)
                kind, version, number = struct.unpack(">hhi", request[:8])
                if kind == PRODUCE and self._topic and self._topic in request:
                    assert version >= FLEXIBLE_FROM
                    self.refused += 1
                    link.refusal = refusal_of(number, self._topic)
                    self._topic = b""
                    link.timer = threading.Timer(ALONE_SECONDS, link.refuse)
                    link.timer.start()
                    continue
                if kind == PRODUCE and link.refusal:
                    self.ahead += 1
                    link.refuse()
                link.server.sendall(struct.pack(">i", len(request)) + request)
        link.cut()

    def _downwards(self, link: "Link") -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                link.answer(frame(link.server))
        link.cut()


class Link:
    """One client's connection, and its other half."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.refusal = b""  # not told yet
        self.timer: threading.Timer | None = None
        self._lock = threading.Lock()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def refuse(self) -> None:
        """Tell it, once."""
        refusal, self.refusal = self.refusal, b""
        if refusal:
            with contextlib.suppress(OSError):
                self.answer(refusal)

    def answer(self, answer: bytes) -> None:
        """To the client, whole."""
        with self._lock:
            self.client.sendall(struct.pack(">i", len(answer)) + answer)

    def cut(self) -> None:
        """Both halves are gone."""
        if self.timer is not None:
            self.timer.cancel()
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def frame(end: socket.socket) -> bytes:
    """The next request or answer. Raises: EOFError."""
    (size,) = struct.unpack(">i", exactly(end, 4))
    return exactly(end, size)


def exactly(end: socket.socket, size: int) -> bytes:
    """So many bytes. Raises: EOFError."""
    found = bytearray()
    while len(found) < size:
        some = end.recv(size - len(found))
        if not some:
            raise EOFError
        found += some
    return bytes(found)


def refusal_of(number: int, topic: bytes) -> bytes:
    """The answer to Produce request `number`, for partition 0 of the topic."""
    head = struct.pack(">ibb", number, 0, 2)  # no tags; one topic (all counts are + 1)
    name = bytes([len(topic) + 1]) + topic
    refused = struct.pack(">bihqqq", 2, 0, NOT_ENOUGH_REPLICAS, -1, -1, -1)  # one partition
    rest = bytes([1, 0, 0, 0])  # no record errors, no message; no tags, twice
    return head + name + refused + rest + struct.pack(">ib", 0, 0)  # not throttled, no tags
