"""A TCP address that leads to one server, and later to another: what a failover looks like.

with Switch(primary.port) as switch:
    store = RedisViewStore(f"redis://127.0.0.1:{switch.port}/0")
    switch.lead_to(replica.port)        # every connection is cut; new ones go there
"""

import contextlib
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
PAUSE_SECONDS = 0.05


class Switch:
    """Listens on a free port for as long as the `with` block lasts."""

    def __init__(self, target_port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """With `tls`, what comes in is encrypted, and what goes out is not."""
        self._target = target_port
        self._tls = tls
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.swallows_replies_to: bytes | None = None  # requests that contain this; they arrive
        self._is_closed = threading.Event()
        self._cut = threading.Event()  # of the connections there are now
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "Switch":
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closed.set()
        self._cut.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def lead_next_to(self, target_port: int) -> None:
        """The next connections lead there; those that there are stay as they are."""
        self._target = target_port

    def lead_to(self, target_port: int) -> None:
        """Cut every connection; the next ones lead there, and all replies come back."""
        self.swallows_replies_to = None
        self._target = target_port
        self._cut.set()
        self._cut = threading.Event()

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            if select.select([self._listening], [], [], PAUSE_SECONDS)[0]:
                incoming, _ = self._listening.accept()
                thread = threading.Thread(target=self._join, args=(incoming, self._cut))
                thread.start()
                self._threads.append(thread)

    def _join(self, accepted: socket.socket, cut: threading.Event) -> None:
        with (
            contextlib.suppress(OSError),
            accepted,
            self._decrypted(accepted) as incoming,
            socket.create_connection((HOST, self._target)) as outgoing,
        ):
            other = {incoming: outgoing, outgoing: incoming}
            for one in other:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            is_deaf = False
            while not cut.is_set():
                for one in select.select(list(other), [], [], PAUSE_SECONDS)[0]:
                    data = _received(one)
                    if not data:
                        return
                    marker = self.swallows_replies_to
                    if one is incoming and marker is not None and marker in data:
                        is_deaf = True
                    if one is incoming or not is_deaf:
                        other[one].sendall(data)

    def _decrypted(self, accepted: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted


def _received(one: socket.socket) -> bytes:
    """What is there; of TLS also what was decrypted already, which no select would tell."""
    data = one.recv(CHUNK_BYTES)
    while isinstance(one, ssl.SSLSocket) and one.pending():
        data += one.recv(CHUNK_BYTES)
    return data


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate that 127.0.0.1 signed for itself, and a server's side of it."""
    file, key = directory / "certificate.pem", directory / "key.pem"
    about = ["-subj", "/CN=airside tests", "-addext", f"subjectAltName=IP:{HOST}"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(file)]
    subprocess.run([*new, *about, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
