"""What was archived, found again: Cassandra knows the file, the archive has it."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from airside.adapters.cassandra_session import CassandraSession
from airside.archive import Archive, ArchiveFile
from commands.event_store import Commit, Loaded, StoredEvent
from schemas.errors import Hole, NotFound

ACCOUNTS_MAX = 40  # asked for in one request


class Span(Struct, frozen=True, order=True):
    """Versions of an account that one file has."""

    shard: int
    first_number: int  # of the file's commits
    account_id: str
    first_version: int
    last_version: int


class Archived:
    """For one thread at a time, like the archive."""

    def __init__(self, session: CassandraSession, archive: Archive | None) -> None:
        self._session, self._archive = session, archive
        self._last: ArchiveFile | None = None  # where a commit was found: the next is there too

    def commit(self, shard: int, number: int) -> Commit:
        """A commit whose payload is gone. Raises: Hole, NotFound, Unavailable."""
        file = self._file(shard, number)
        return self._named(file).commits(file)[number]

    def events(self, account_id: str, first: int, last: int) -> Iterator[StoredEvent]:
        """Those of its versions, from the first to the last, that are archived.

        Raises: Hole, NotFound, Unavailable.
        """
        for span in self._spans([account_id]):
            if span.first_version <= last and span.last_version >= first:
                for event in self._events_of(span):
                    if first <= event.version <= last:
                        yield event

    def filled(self, loaded: Mapping[str, Loaded]) -> dict[str, Loaded]:
        """These accounts, with the versions that they lack as far as those are archived.

        Each file is opened once for all of them. Raises: Hole, NotFound, Unavailable.
        """
        lacking = {account_id: lacking_of(one) for account_id, one in loaded.items()}
        found: dict[str, list[StoredEvent]] = {}
        for span in self._spans(list(loaded)):
            missing = lacking[span.account_id]
            if not missing.isdisjoint(range(span.first_version, span.last_version + 1)):
                events = (e for e in self._events_of(span) if e.version in missing)
                found.setdefault(span.account_id, []).extend(events)
        return {
            account_id: Loaded(
                loaded[account_id].snapshot,
                loaded[account_id].snapshot_version,
                tuple(sorted((*events, *loaded[account_id].events), key=version_of)),
            )
            for account_id, events in found.items()
        }

    def _spans(self, account_ids: Sequence[str]) -> list[Span]:
        """In the order of the files."""
        asked = (
            self._session.bound("archived_accounts", (some,)) for some in chunks_of(account_ids)
        )
        return sorted(
            Span(shard, number, account_id, first, last)
            for account_id, first, last, shard, number in self._session.each(asked)
        )

    def _events_of(self, span: Span) -> Sequence[StoredEvent]:
        file = self._file(span.shard, span.first_number)
        return self._named(file).events(file, span.account_id)

    def _file(self, shard: int, number: int) -> ArchiveFile:
        """The file that has a commit; the one found last is known already."""
        last = self._last
        if last is not None and last.shard == shard and last.holds(number):
            return last
        rows = self._session.rows("archive_of", shard, number, profile="serial")
        file = ArchiveFile(*rows[0]) if rows else None
        if file is None or not file.holds(number):
            raise Hole(
                f"{self._session.address}, shard {shard}: commit {number} has no events any "
                "more, and no archive file is noted for it. Bring back a copy."
            )
        self._last = file
        return file

    def _named(self, file: ArchiveFile) -> Archive:
        if self._archive is None:
            raise NotFound(
                f"{self._session.address}, shard {file.shard}: commits {file.first_number} to "
                f"{file.last_number} are archived, in {file.file}, and no archive is named. "
                "Name its directory with AIRSIDE_ARCHIVE or --archive."
            )
        return self._archive


def lacking_of(loaded: Loaded) -> frozenset[int]:
    """The versions that should be there and are not."""
    if not loaded.events:
        return frozenset()
    wanted = range(loaded.snapshot_version + 1, loaded.events[-1].version)
    return frozenset(wanted) - {event.version for event in loaded.events}


def version_of(event: StoredEvent) -> int:
    """To sort by."""
    return event.version


def chunks_of(account_ids: Sequence[str]) -> list[Sequence[str]]:
    """As many at a time as one request asks for."""
    step = ACCOUNTS_MAX
    return [account_ids[first : first + step] for first in range(0, len(account_ids), step)]
