"""What the file of the embedded engines is like, for people who look after it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from airside.adapters.sqlite_file import answering, connect


class FileFacts(Struct, frozen=True):
    """One SQLite file, when it was looked at."""

    name: str
    version: str  # of the library
    journal_mode: str
    file_bytes: int  # with what is not yet copied into it
    free_bytes: int  # of the disk, for us


def file_facts(path: Path) -> FileFacts:
    """Look at a file. Raises: Unavailable, Invalid."""
    with closing(connect(path)) as connection, answering(path):
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
        beside = (path, path.with_name(f"{path.name}-wal"))
        size = sum(one.stat().st_size for one in beside if one.exists())
        free = shutil.disk_usage(path.parent).free
    return FileFacts(str(path), sqlite3.sqlite_version, mode, size, free)
