"""Clearing away in Cassandra what is in an archive file. Every step may be repeated.

commits   a conditional update takes the payload, the row stays: on a number that is free
          the insert of a worker that fell asleep would succeed
events    one range delete for each account, of versions that are noted in archived_accounts
archives  conditional, so that of two archives only one has a commit
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from cassandra.query import BoundStatement, PreparedStatement

from airside.adapters.cassandra_archived import chunks_of
from airside.adapters.cassandra_commits import Commits, segment_of
from airside.adapters.cassandra_errors import answering
from airside.adapters.cassandra_session import CQL, CassandraSession
from airside.archive import ArchiveFile
from commands.event_store import Commit
from schemas.errors import Contradiction

CLEARED_AT_ONCE = 32  # commits; the server warns of batches above 5 KiB …
ACCOUNTS_AT_ONCE = 10  # … and above this many partitions


class CassandraArchiving:
    """For one thread at a time."""

    def __init__(
        self, session: CassandraSession, commits: Commits, await_saved: Callable[[], None]
    ) -> None:
        self._await_saved = await_saved  # snapshots of this store
        self._session, self._commits = session, commits

    def files(self, shard: int) -> list[ArchiveFile]:
        """All that are noted, by number. Raises: Unavailable."""
        return [
            ArchiveFile(*row) for row in self._session.rows("archives", shard, profile="serial")
        ]

    def commits(self, shard: int, first: int, last: int) -> Iterator[Commit]:
        """All of a stretch, none of it archived. Raises: Contradiction, Hole, Unavailable."""
        for stored in self._commits.each(shard, first, last):
            if stored.content is None:
                raise Contradiction(
                    f"{self._session.address}, shard {shard}: commit {stored.number} has no "
                    "events any more, and its archive file is not noted. Bring back a copy of "
                    "the keyspace."
                )
            yield Commit(
                shard=shard,
                number=stored.number,
                commit_id=stored.commit_id,
                first_seq=stored.first_seq,
                next_offset=stored.next_offset,
                settled=stored.settled,
                events=stored.content.events,
                parked=stored.content.parked,
                unparked=stored.content.unparked,
            )

    def note(self, file: ArchiveFile) -> ArchiveFile:
        """Remember where its commits are; the file that has them, if another was first.

        Raises: Unavailable.
        """
        values = (
            file.shard,
            file.first_number,
            file.last_number,
            file.first_seq,
            file.last_seq,
            file.events,
            file.file,
            file.sha256,
        )
        self._conditional(self._session.bound("add_archive", values))
        key = (file.shard, file.first_number)
        return ArchiveFile(*self._session.rows("archive_of", *key, profile="serial")[0])

    def clear_commits(self, commits: Iterable[Commit]) -> None:
        """Take their payloads. Raises: Contradiction if it is another commit; Unavailable."""
        for _, group in groupby(commits, lambda commit: segment_of(commit.number)):
            some = list(group)
            for first in range(0, len(some), CLEARED_AT_ONCE):
                self._clear_at_once(some[first : first + CLEARED_AT_ONCE])

    def note_accounts(self, file: ArchiveFile, spans: Mapping[str, tuple[int, int]]) -> None:
        """Remember that it has these versions of them, first to last. Raises: Unavailable."""
        self._send(
            "add_archived_account",
            [
                (account_id, first, last, file.shard, file.first_number)
                for account_id, (first, last) in spans.items()
            ],
        )

    def snapshot_versions(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Mapping[str, int]:
        """Up to where the accounts have a snapshot; 0 where they have none."""
        self._await_saved()
        found = dict.fromkeys(account_ids, 0)
        asked = (
            self._session.bound("snapshot_versions", (some, fingerprint))
            for some in chunks_of(account_ids)
        )
        for account_id, version in self._session.each(asked):
            found[account_id] = version
        return found

    def clear_events(self, through: Mapping[str, int]) -> None:
        """Delete the accounts' rows up to these versions. Raises: Unavailable."""
        self._send("clear_events", list(through.items()))

    def finish(self, file: ArchiveFile, fingerprint: str) -> None:
        """Remember that it is cleared, with snapshots by this code. Raises: Unavailable."""
        key = (fingerprint, file.shard, file.first_number, file.sha256)
        self._conditional(self._session.bound("finish_archive", key))

    def _clear_at_once(self, commits: Sequence[Commit]) -> None:
        count = len(commits)
        statement = self._prepared("clear_commit", count, "BEGIN BATCH")
        values: list[object] = []
        for commit in commits:
            segment = segment_of(commit.number)
            values += (commit.shard, segment, commit.number, commit.commit_id)
        if not self._conditional(statement.bind(values)):
            raise Contradiction(
                f"{self._session.address}, shard {commits[0].shard}: among the commits "
                f"{commits[0].number} to {commits[-1].number} is one that is not the archived "
                "one. Nothing of them was cleared. Which of the two is a copy?"
            )

    def _conditional(self, statement: BoundStatement) -> bool:
        """Whether it was applied. An unknown outcome is an error, and may be repeated."""
        with answering(self._session.address):
            return bool(self._session.send(statement, "commit").result().one()[0])

    def _send(self, name: str, rows: Sequence[tuple[object, ...]]) -> None:
        """One statement for each row, several in a request: that costs more than a row."""
        for _ in self._session.each(self._grouped(name, rows)):
            pass

    def _grouped(
        self, name: str, rows: Sequence[tuple[object, ...]]
    ) -> Iterator[BoundStatement]:
        for first in range(0, len(rows), ACCOUNTS_AT_ONCE):
            group = rows[first : first + ACCOUNTS_AT_ONCE]
            statement = self._prepared(name, len(group), "BEGIN UNLOGGED BATCH")
            yield statement.bind([value for row in group for value in row])

    def _prepared(self, name: str, count: int, begin: str) -> PreparedStatement:
        """So many of a statement as one, under a name of its own."""
        one = CQL[name].strip()
        text = one if count == 1 else "\n".join([begin, *[f"{one};"] * count, "APPLY BATCH"])
        return self._session.prepared(f"{name} {count}", lambda: text)
