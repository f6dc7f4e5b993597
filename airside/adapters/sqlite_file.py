"""One SQLite file, shared by every process of a data directory: how it is opened and locked.

WAL lets readers go on while one writes; `synchronous=FULL` makes a commit durable when it
returns. Never take a connection across a fork.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import Invalid, Unavailable

CHECKPOINT_PAGES = 4_000  # 16 MB instead of 4: pages that many commits touch are copied once
BUSY_SECONDS_MAX = 10.0  # how long a writer waits for the others
PAUSE_SECONDS = 0.005  # between two tries to switch a new file to WAL


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, for one thread at a time.

    Raises: Invalid where the file is something else; Unavailable where it cannot be opened.
    """
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS_MAX, isolation_level=None, check_same_thread=False
        )
    except sqlite3.OperationalError as error:
        raise Unavailable(f"{path}: {error}. Is its directory there, and writable?") from error
    try:
        with answering(path):
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. Of several that do so at once, SQLite lets only one wait."""
    deadline = time.monotonic() + BUSY_SECONDS_MAX
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """SQLite's errors as ours. Raises: Unavailable, Invalid."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"{path}: {error}. Nothing was changed: try again.") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise Invalid(
            f"{path}: {error}. Choose another data directory, or bring back a copy of it."
        ) from error


@contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction that holds the file's write lock from its start: all of it or nothing.

    Raises: Unavailable where the lock is not to be had in BUSY_SECONDS_MAX, or the disk fails.
    """
    with answering(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
