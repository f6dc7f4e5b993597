"""Script calls to Valkey or Redis, as one packed request whose reply may be fetched later."""

import hashlib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hiredis
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from schemas.errors import Invalid, OutcomeUnknown, Unavailable

RETRIES_MAX = 2  # of reads, and of connecting; never of a script
RETRY_PAUSE_SECONDS = 0.1
SEND_BUFFER_BYTES = 2 * 1024 * 1024  # as far as the system allows; TCP finds its own size


class Script:
    """A Lua script, known to the server by its digest once it has run there."""

    def __init__(self, name: str) -> None:
        self.text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Reply:
    """A script call that was sent, on a connection of its own until its reply is there.

    Beneath redis-py's command layer: one packed request, and no retries, since a second attempt
    would be refused by the success of the first.
    """

    def __init__(
        self, client: redis.Redis, script: Script, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        self._where = where(client)
        self._script = script
        self._arguments = (len(keys), *keys, *arguments)
        self._pool = client.connection_pool
        self._connection: Any = None
        with self._releasing(only_on_error=True):
            self._connection = self._pool.get_connection()
            self._send("EVALSHA", script.digest)

    def wait(self) -> Any:
        """The script's answer. Raises: OutcomeUnknown; Unavailable where the server refused."""
        with self._releasing():
            try:
                return self._connection.read_response()
            except redis.exceptions.NoScriptError:
                self._send("EVAL", self._script.text)
                return self._connection.read_response()

    def _send(self, command: str, script: str) -> None:
        packed = hiredis.pack_command((command, script, *self._arguments))
        self._connection.send_packed_command([packed])

    @contextmanager
    def _releasing(self, *, only_on_error: bool = False) -> Iterator[None]:
        """The connection back to the pool; redis-py has closed it where a reply may follow."""
        is_kept = False
        try:
            yield
            is_kept = only_on_error
        except (redis.ResponseError, redis.exceptions.BusyLoadingError) as error:
            raise Unavailable(
                f"{self._where} refused to write, and nothing was changed: {error}"
            ) from error
        except redis.RedisError as error:
            raise OutcomeUnknown(
                f"{self._where}: {error}. What was sent may have been done: load again."
            ) from error
        finally:
            if self._connection is not None and not is_kept:
                self._pool.release(self._connection)


class RoomyConnection(redis.UnixDomainSocketConnection):
    """Its socket takes a whole save, so that who sends it goes on while the server reads.

    Measured: with the system's 208 KiB a projection took a sixth longer.
    """

    def _connect(self) -> socket.socket:
        connected: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return connected


def connect(url: str, timeout_seconds: float) -> redis.Redis:
    """A client that has not connected yet. Raises: Invalid."""
    own = {"connection_class": RoomyConnection} if url.startswith("unix://") else {}
    try:
        return redis.Redis.from_url(
            url,
            **own,
            protocol=2,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(ConstantBackoff(RETRY_PAUSE_SECONDS), RETRIES_MAX),
        )
    except ValueError as error:
        raise Invalid(
            f"the address of the view store: {error} "
            "Use redis://host:6379/0, rediss://… or unix:///path/to/socket."
        ) from error


def where(client: redis.Redis) -> str:
    """Which server, for messages: never with its password."""
    arguments = client.connection_pool.connection_kwargs
    if "path" in arguments:
        return f"the view store at {arguments['path']}"
    host, port = arguments.get("host", "localhost"), arguments.get("port", 6379)
    return f"the view store at {host}:{port}"
