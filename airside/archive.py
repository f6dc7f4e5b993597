"""The archive port: old commits of a shard, whole stretches of them, each in a file of its own.

    exclusive(history, shard)   nobody else archives there meanwhile           Unavailable
    write(history, commits)     a new file, durable when this returns          Unavailable
    commits(file)               everything that was written into it            Hole
    events(file, account_id)    of one account                                 Hole

A file never changes. What of it is deleted elsewhere is not known here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from commands.event_store import Commit, StoredEvent


class ArchiveFile(Struct, frozen=True):
    """A stretch of commits in one file, as the event store remembers it."""

    shard: int
    first_number: int
    last_number: int
    first_seq: int  # of the first commit
    last_seq: int
    events: int
    file: str  # its path inside the archive
    sha256: str  # of the whole file
    folded_by: str | None = None  # fingerprint of the code whose snapshots stand in for its
    # events; None: the event store is not cleared of it yet

    def holds(self, number: int) -> bool:
        """Whether it has that commit of its shard."""
        return self.first_number <= number <= self.last_number


class Archive(Protocol):
    """Where files are. For one thread at a time."""

    def exclusive(self, history: str, shard: int) -> AbstractContextManager[None]:
        """As long as it is held, nobody else holds it. Raises: Unavailable if somebody does."""

    def write(self, history: str, commits: Sequence[Commit]) -> ArchiveFile:
        """Put consecutive commits of one shard into a file, all of it or nothing.

        A file of the same commits is replaced. Raises: Unavailable where it cannot be written.
        """

    def commits(self, file: ArchiveFile) -> Mapping[int, Commit]:
        """By number, complete. Raises: Hole where the file is missing or is not the one."""

    def events(self, file: ArchiveFile, account_id: str) -> Sequence[StoredEvent]:
        """Those of the account, by version. Raises: Hole like `commits`."""
