"""Calls to Valkey or Redis, each one packed request whose answer may be fetched later.

Beneath redis-py's command layer, which takes longer than the server does, has no request ahead
of the reply, and sends no transaction after a slot that is moving.

    MOVED      nothing was done; the key's slot has a new owner: ask there from now on
    ASK        nothing was done; the key may be at the slot's next owner: ask there this once
    TRYAGAIN   nothing was done; the keys of a shard are on two servers: wait for the rest
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hiredis
import redis
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    TryAgainError,
)

from airside.adapters.redis_servers import (
    FAILURES,
    RETRIES_MAX,
    RETRY_PAUSE_SECONDS,
    Servers,
)
from schemas.errors import OutcomeUnknown, Unavailable

Command = Sequence[Any]

HOPS_MAX = 16  # from server to server, of one request
HOP_PAUSE_SECONDS = 0.05  # where waiting is what helps


class Script:
    """A Lua script, known to the server by its digest once it has run there."""

    def __init__(self, name: str) -> None:
        self.text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Call:
    """Commands sent together to the owner of their key, on a connection of their own.

    Never sent again where they may have been done. Raises: FAILURES.
    """

    def __init__(
        self,
        servers: Servers,
        key: str,
        commands: Sequence[Command],
        otherwise: Sequence[Command] = (),
    ) -> None:
        """`otherwise`: what to send where the server does not know the script."""
        self._servers, self._key = servers, key
        self._commands, self._otherwise = commands, otherwise
        self._hops = 0
        self._connection: Any = None
        self._send(servers.owner(key).connection_pool)

    def wait(self) -> Any:
        """The last command's answer; the first error, where there is one. Exactly once."""
        while True:
            try:
                return self._read()
            except NoScriptError:
                self._commands = self._otherwise
                self._send(self._pool)
            except (AskError, TryAgainError, ClusterDownError) as error:
                self._follow(error)

    def _follow(self, error: redis.RedisError) -> None:
        """Send it where it belongs; nothing was done here."""
        self._hops += 1
        if self._hops > HOPS_MAX or not self._servers.is_cluster:
            raise error
        match error:
            case MovedError():
                self._servers.moved(error)
            case AskError():
                self._send(self._servers.importing(error).connection_pool, is_asking=True)
                return
            case _:
                self._servers.lost()
                time.sleep(HOP_PAUSE_SECONDS)
        self._send(self._servers.owner(self._key).connection_pool)

    def _send(self, pool: Any, *, is_asking: bool = False) -> None:
        self._pool, self._is_asking = pool, is_asking
        with self._releasing(only_on_error=True):
            self._connection = pool.get_connection()
            asking: list[Command] = [("ASKING",)] if is_asking else []
            self._connection.send_packed_command(
                [hiredis.pack_command(tuple(command)) for command in (*asking, *self._commands)]
            )

    def _read(self) -> Any:
        first: redis.ResponseError | None = None
        reply: Any = None
        with self._releasing():
            for _ in range(len(self._commands) + self._is_asking):
                try:
                    reply = self._connection.read_response(disconnect_on_error=True)
                except redis.ResponseError as error:
                    first = first or error
        if isinstance(first, ReadOnlyError):  # the address leads elsewhere now: look again
            self._pool.disconnect(inuse_connections=False)
        if first is not None:
            raise first
        return reply

    @contextmanager
    def _releasing(self, *, only_on_error: bool = False) -> Iterator[None]:
        """The connection back to the pool; closed where a reply may still follow."""
        is_kept = False
        try:
            yield
            is_kept = only_on_error
        except BaseException:
            self._servers.lost()
            if self._connection is not None:
                self._connection.disconnect()
            raise
        finally:
            if self._connection is not None and not is_kept:
                self._pool.release(self._connection)
                self._connection = None


class Reply:
    """A script call that was sent. Wait for it exactly once."""

    def __init__(
        self, servers: Servers, script: Script, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        """Raises: OutcomeUnknown; Unavailable where nothing was sent."""
        self._where = servers.name
        rest = (len(keys), *keys, *arguments)
        with self._translated():
            self._call = Call(
                servers,
                keys[0],
                [("EVALSHA", script.digest, *rest)],
                [("EVAL", script.text, *rest)],
            )

    def wait(self) -> Any:
        """The script's answer. Raises: OutcomeUnknown; Unavailable where it was refused."""
        with self._translated():
            return self._call.wait()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (redis.ResponseError, BusyLoadingError) as error:
            raise Unavailable(
                f"{self._where} refused to write, and nothing was changed: {error}"
            ) from error
        except FAILURES as error:
            raise OutcomeUnknown(
                f"{self._where}: {error}. What was sent may have been done: load again."
            ) from error


def read(servers: Servers, key: str, *commands: Command) -> Any:
    """The last command's answer, asked for again where none came. Raises: Unavailable."""
    for left in reversed(range(RETRIES_MAX + 1)):
        try:
            return Call(servers, key, commands).wait()
        except FAILURES as error:
            if not left or isinstance(error, redis.ResponseError):
                servers.unavailable(error)
            time.sleep(RETRY_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def scan(servers: Servers, key: str, count: int) -> Iterator[Sequence[bytes]]:
    """A hash, page by page: field, value, field, value …, some perhaps again.

    On one connection, since a cursor means nothing to another server: where it is lost in
    between, so is the scan. Raises: Unavailable.
    """
    read(servers, key, ("EXISTS", key))  # finds the owner
    cursor = b"0"
    try:
        pool = servers.owner(key).connection_pool
        with _held(pool) as connection:
            while True:
                connection.send_command("HSCAN", key, cursor, "COUNT", count)
                cursor, page = connection.read_response(disconnect_on_error=True)
                yield page
                if cursor == b"0":
                    return
    except FAILURES as error:
        servers.unavailable(error)


@contextmanager
def _held(pool: Any) -> Iterator[Any]:
    connection = pool.get_connection()
    try:
        yield connection
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)
