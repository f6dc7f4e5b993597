"""Archiving: old commits go into files, and out of the event store. Resumed where it stopped.

For each file, in this order; a crash between any two leaves a state in which every read is
right, and from which the next run goes on:

    write the file, read it back     then nothing is known of it yet
    note it in the event store       from here on it is what commits are read from
    take the commits' payloads       the numbers stay taken
    note its accounts                from here on they are read from it where rows are missing
    save snapshots of them           by today's fold code
    delete their rows                up to the snapshot; never an account's newest event
    note that it is cleared          and by which fold code the snapshots are

With other fold code all files are gone through again, so that there are snapshots by it too:
without them every account would be folded from the archive, whenever it is loaded.
Only what is settled is archived: indexed, and on the topic (PROTOCOL W8, W9).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from msgspec import Struct

from airside.archive import Archive, ArchiveFile
from airside.wiring import Deployment
from commands.event_store import Commit, EventStore
from commands.license_decider import DECIDER
from commands.snapshots import StreamReader
from schemas.codec import CODEC
from schemas.errors import Contradiction, Invalid, Permanent, Unreadable

FILE_EVENTS = 50_000  # of one file, and the rest of a commit
FILE_BYTES = 64 * 1024 * 1024  # of event data in one file, and the rest of a commit
FILE_COMMITS = 20_000
ACCOUNTS_MAX = 2_000  # folded at once

AtOf = Callable[[bytes], int | None]
Report = Callable[[int], None]
"""So many more events are archived."""


class Archivable(Protocol):
    """What an event store does for whoever archives. Every call may be repeated."""

    def files(self, shard: int) -> Sequence[ArchiveFile]:
        """All that are noted, by number."""

    def commits(self, shard: int, first: int, last: int) -> Iterator[Commit]:
        """All of a stretch, none of it archived."""

    def note(self, file: ArchiveFile) -> ArchiveFile:
        """Remember where its commits are; the file that has them, if another was first."""

    def clear_commits(self, commits: Sequence[Commit]) -> None:
        """Take their payloads; their numbers stay taken."""

    def note_accounts(self, file: ArchiveFile, spans: Mapping[str, tuple[int, int]]) -> None:
        """Remember that it has these versions of them, first to last."""

    def snapshot_versions(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Mapping[str, int]:
        """Up to where the accounts have a snapshot; 0 where they have none."""

    def clear_events(self, through: Mapping[str, int]) -> None:
        """Delete the accounts' rows up to these versions."""

    def finish(self, file: ArchiveFile, fingerprint: str) -> None:
        """Remember that it is cleared, and that snapshots of this code stand in for it."""


class Done(Struct):
    """What a run did with one shard."""

    shard: int
    files: int = 0
    commits: int = 0
    events: int = 0
    accounts: int = 0  # whose rows were deleted
    kept: int = 0  # accounts whose rows stay, since their history cannot be folded
    again: int = 0  # files of earlier runs, half done or with snapshots of other code


class Archiver:
    """Archives shards of one event store, one after the other."""

    def __init__(
        self,
        *,
        store: EventStore,
        archivable: Archivable,
        archive: Archive,
        history: str,
        reader: StreamReader[Any, Any],
        at_of: AtOf,
    ) -> None:
        self._store, self._archivable, self._archive = store, archivable, archive
        self._history, self._reader, self._at_of = history, reader, at_of

    def run(self, shard: int, *, before_at: int, report: Report) -> Done:
        """Archive the commits of a shard that are older than that instant, in ms.

        Raises: Unavailable, also where another archiver is at work; Hole where a file that is
        half done is missing; Contradiction, Unreadable.
        """
        done = Done(shard)
        with self._archive.exclusive(self._history, shard):
            files = self._archivable.files(shard)
            for file in files:
                if file.folded_by != self._reader.fingerprint:
                    self._clear(file, done)
                    done.again += 1
            first = files[-1].last_number + 1 if files else 1
            last = self._store.resume(shard).position.settled
            old = self._older(self._archivable.commits(shard, first, last), before_at)
            for commits in portions(old):
                file = self._archivable.note(self._written(commits))
                self._clear(file, done)
                done.files += 1
                done.commits += file.last_number - file.first_number + 1
                done.events += file.events
                report(file.events)
        return done

    def left(self, shard: int) -> int:
        """How many events may be archived at most, however old. Raises: Hole, Unavailable."""
        files = self._archivable.files(shard)
        archived = files[-1].last_seq if files else 0
        return self._store.resume(shard).position.seq - archived

    def _older(self, commits: Iterator[Commit], before_at: int) -> Iterator[Commit]:
        """Up to the first that is not; one without events is as old as the one before it."""
        for commit in commits:
            for event in commit.events:
                at = self._at_of(event.data)
                if at is None:
                    raise Unreadable(
                        f"shard {commit.shard}, seq {event.seq}: its bytes are no event, so "
                        "nobody knows how old it is. Use the airside that wrote it."
                    )
                if at >= before_at:
                    return
            yield commit

    def _written(self, commits: Sequence[Commit]) -> ArchiveFile:
        """Nothing is cleared that was not read back. Raises: Contradiction, Unavailable."""
        file = self._archive.write(self._history, commits)
        if list(self._archive.commits(file).values()) != list(commits):
            raise Contradiction(
                f"shard {file.shard}: {file.file} does not say what was written into it. "
                "Nothing was cleared. Check the disk and the file system."
            )
        return file

    def _clear(self, file: ArchiveFile, done: Done) -> None:
        commits = list(self._archive.commits(file).values())
        self._archivable.clear_commits(commits)
        spans = spans_of(commits)
        self._archivable.note_accounts(file, spans)
        account_ids = list(spans)
        for first in range(0, len(account_ids), ACCOUNTS_MAX):
            some = account_ids[first : first + ACCOUNTS_MAX]
            self._clear_accounts({a: spans[a][1] for a in some}, done)
        self._archivable.finish(file, self._reader.fingerprint)

    def _clear_accounts(self, archived: Mapping[str, int], done: Done) -> None:
        """Delete rows of these accounts, up to the versions that are archived at most."""
        streams = {
            account_id: stream
            for account_id, stream in self._reader.load(self._store, list(archived)).items()
            if not isinstance(stream, Permanent)
        }
        self._store.save_snapshots(
            self._reader.snapshot(stream)
            for account_id, stream in streams.items()
            if stream.snapshot_version < archived[account_id]
        )
        saved = self._archivable.snapshot_versions(list(streams), self._reader.fingerprint)
        through = {
            account_id: min(archived[account_id], saved[account_id], stream.version - 1)
            for account_id, stream in streams.items()
        }
        through = {account_id: version for account_id, version in through.items() if version}
        self._archivable.clear_events(through)
        done.accounts += len(through)
        done.kept += len(archived) - len(streams)


@contextmanager
def archiving(deployment: Deployment) -> Iterator[Archiver]:
    """An archiver of the deployment's event store, in the license domain.

    Raises: Invalid where that store has no archive, or none is named.
    """
    if deployment.settings.events is None:
        raise Invalid(
            "the event store is a SQLite file, which is its own archive: nothing is moved out "
            "of it. Archiving is for a Cassandra event store (AIRSIDE_EVENTS)."
        )
    archive = deployment.archive()
    if archive is None:
        raise Invalid(
            "no archive is named. Name a directory with AIRSIDE_ARCHIVE or --archive, the same "
            "one for every role."
        )
    from airside.adapters.cassandra_event_store import CassandraEventStore  # noqa: PLC0415

    with deployment.event_store() as store:
        assert isinstance(store, CassandraEventStore)
        yield Archiver(
            store=store,
            archivable=store.archiving(),
            archive=archive,
            history=store.history_id(),
            reader=StreamReader(DECIDER, CODEC),
            at_of=CODEC.at_of,
        )


def portions(commits: Iterator[Commit]) -> Iterator[list[Commit]]:
    """As many as one file is to have; at the end none that would have no event."""
    portion: list[Commit] = []
    events = size = 0
    for commit in commits:
        portion.append(commit)
        events += len(commit.events)
        size += sum(len(event.data) for event in commit.events)
        if events >= FILE_EVENTS or size >= FILE_BYTES or len(portion) >= FILE_COMMITS:
            yield portion
            portion, events, size = [], 0, 0
    if events:
        yield portion


def spans_of(commits: Sequence[Commit]) -> dict[str, tuple[int, int]]:
    """First and last version of each account in them."""
    spans: dict[str, tuple[int, int]] = {}
    for commit in commits:
        for event in commit.events:
            first, _ = spans.get(event.account_id, (event.version, 0))
            spans[event.account_id] = (first, event.version)
    return spans
