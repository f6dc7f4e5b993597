"""The event store in Cassandra: one conditional write per commit, all else follows from it.

    commits      the truth                   cassandra_commits.py
    index        follows, asynchronously     cassandra_index.py, cassandra_requests.py
    accounts     loaded from the index       cassandra_accounts.py
    parked       written with the index      cassandra_parked.py
    archive      files that are read through cassandra_archived.py, cassandra_archiving.py

The conditional write proves only that a number is free. That the number before it is taken, and
where its events end, is known from this object's own last commit or resume; where it is not, it
is read first.

`load`, `history` and `parked` see every commit of this store object: they wait for inserts that
are under way, which is rare, since a handler keeps such accounts in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from cassandra.cluster import ResponseFuture
from msgspec import Struct

from airside.adapters import cassandra_layout
from airside.adapters.cassandra_accounts import Accounts
from airside.adapters.cassandra_ahead import Ahead
from airside.adapters.cassandra_archived import Archived
from airside.adapters.cassandra_archiving import CassandraArchiving
from airside.adapters.cassandra_commits import Commits
from airside.adapters.cassandra_errors import ALL_FAILURES, told_by, translated
from airside.adapters.cassandra_facts import ClusterFacts, facts
from airside.adapters.cassandra_index import IndexWriter, Task
from airside.adapters.cassandra_parked import ParkedRecords
from airside.adapters.cassandra_payload import Content
from airside.adapters.cassandra_reading import ShardReader
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.memory_event_store import check_size, commit_refused
from airside.archive import Archive
from commands.event_store import (
    Commit,
    Loaded,
    Parked,
    Position,
    Resumed,
    Snapshot,
    StoredEvent,
)
from schemas.errors import Contradiction, Fenced, Hole, OutcomeUnknown, TooLarge


class UnderWay(Struct, frozen=True):
    """A conditional write that is sent, and what follows it."""

    commit_id: str
    answer: ResponseFuture
    task: Task | None  # None: it could not be planned, and has to be once more


class CassandraEventStore:
    """For one thread at a time; any number of them share the session."""

    def __init__(self, session: CassandraSession, archive: Archive | None = None) -> None:
        self._session = session
        self._commits = Commits(session)
        archived = Archived(session, archive)
        self._reader = ShardReader(self._commits, archived)
        self._index = IndexWriter(session)
        self._accounts = Accounts(session, archived)
        self._ahead = Ahead(session, archived)
        self._parked = ParkedRecords(session)
        self._known: dict[int, Position] = {}  # the last commit of each shard, as far as known
        self._under_way: dict[int, UnderWay] = {}  # by shard

    def lay_out(self, shards: int | None, default: int) -> int:
        """Make keyspace and tables; how many shards there are: as stored, else as asked for.

        Raises: Contradiction where another number is stored than asked for, a table lacks a
        column, or an existing keyspace has fewer replicas than asked for.
        """
        wanted = default if shards is None else shards
        found, _ = cassandra_layout.lay_out(self._session, wanted)
        if shards not in (None, found):
            raise Contradiction(
                f"{self._session.address} has {found} shards, {shards} were asked for. "
                "Accounts are partitioned once: keep the number, or use another keyspace."
            )
        return found

    def shards(self) -> int:
        """How many shards the accounts are partitioned into. Raises: NotFound, Unavailable."""
        return cassandra_layout.layout(self._session)[0]

    def history_id(self) -> str:
        """The random id that this history got when it was laid out."""
        return cassandra_layout.layout(self._session)[1]

    def facts(self) -> ClusterFacts:
        """What nodes and keyspace are like, for the doctor. Raises: Invalid, Unavailable."""
        return facts(self._session)

    def resume(self, shard: int) -> Resumed:
        """Where the history ends; what is not settled is indexed again, awaited and returned.

        Only what is settled is archived: an archived commit says that all before it is.
        Raises: Hole, Unavailable.
        """
        self._index.begin(shard)
        self._under_way.pop(shard, None)
        known = self._known.pop(shard, Position())
        noted = self._settled(shard)  # before the end, so that it cannot lie beyond it
        last = self._commits.end(shard, known=known.number)
        settled = max(last.settled, noted)
        if settled > last.number:
            raise Hole(
                f"{self._session.address}, shard {shard}: {settled} commits were settled, but "
                f"the history ends at {last.number}. Bring back a newer copy."
            )
        unpublished: list[tuple[int, tuple[StoredEvent, ...]]] = []
        for stored in self._commits.each(shard, settled + 1, last.number):
            if stored.content is None:
                settled = stored.number
                unpublished.clear()
                continue
            self._index.start(self._index.plan(shard, stored.number, stored.content))
            unpublished.append((stored.number, stored.content.events))
        self._index.wait_for_shard(shard)
        self._index.is_through(shard, last.number)
        position = Position(last.number, last.seq, last.next_offset, settled)
        self._known[shard] = position
        return Resumed(position, tuple(unpublished))

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """Snapshot and later events of every asked account, some forty in a request."""
        self._index.wait_for_accounts(account_ids)
        return self._accounts.load(account_ids, fingerprint)

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """The same on a thread of its own, without accounts whose events have a gap."""
        self._index.wait_for_accounts(account_ids)
        return self._ahead.load(account_ids, fingerprint, self._accounts.take_saving())

    def begin_commit(self, commit: Commit) -> None:
        """Send the lightweight transaction, and plan what follows while it is under way."""
        sent = self._under_way.get(commit.shard)
        if sent is not None and sent.commit_id == commit.commit_id:
            return
        # Where it cannot be sent, `commit` tries again, and says why.
        with suppress(*ALL_FAILURES):
            self._under_way[commit.shard] = self._send(commit)

    def commit(self, commit: Commit) -> None:
        """One lightweight transaction. Raises: Fenced, OutcomeUnknown, TooLarge, Unavailable.

        An error of the driver leaves the outcome unknown even where it says that nothing was
        done: the same commit, sent again, decides it.
        """
        shard = commit.shard
        sent = self._under_way.pop(shard, None)
        if sent is None or sent.commit_id != commit.commit_id:
            sent = self._send(commit)
        try:
            task = sent.task or self._plan(commit)
            holder = self._commits.holder(sent.answer)
        except ALL_FAILURES as error:
            told = translated(error, self._session.address)
            if isinstance(told, TooLarge):
                raise told from error
            raise OutcomeUnknown(
                f"{self._session.address}, shard {shard}, commit {commit.number}: "
                f"{told_by(error)} Ask whether it landed."
            ) from error
        if holder is not None:
            raise Fenced(commit_refused(commit, holder.number, holder.seq))
        self._applied(commit, task)

    def landed(self, commit: Commit) -> bool:
        """Whether that very attempt is in the history: a serial read. Raises: Unavailable."""
        is_there = self._commits.id_of(commit.shard, commit.number) == commit.commit_id
        if is_there and self._is_next(commit):
            self._applied(commit, self._plan(commit))  # by an attempt that was thought lost
        return is_there

    def indexed(self, shard: int) -> int:
        """Up to which commit the index is written. Raises: Unavailable while it fails."""
        return self._index.indexed(shard)

    def settle(self, shard: int, number: int) -> None:
        """Note what is settled; the highest note stays. Raises: Unavailable."""
        self._session.rows("settle", shard, number, number)

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The next events of the shard. Raises: Hole, Unavailable."""
        return self._reader.read(shard, after_seq=after_seq, count_max=count_max)

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """The account's events, by version, a page at a time."""
        self._index.wait_for_accounts([account_id])
        return self._accounts.history(account_id)

    def parked_accounts(self, shard: int) -> dict[str, int]:
        """Accounts with parked commands, and the offset of the first of each."""
        self._index.wait_for_shard(shard)
        return self._parked.accounts(shard)

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        """Parked commands by offset, a page at a time."""
        self._index.wait_for_shard(shard)
        return self._parked.records(shard, account_id)

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep the newest of each account and fingerprint; does not wait for these.

        Raises: Unavailable, of those before.
        """
        self._accounts.save(snapshots)

    def archiving(self) -> CassandraArchiving:
        """What whoever archives needs of this store besides the port."""
        return CassandraArchiving(self._session, self._commits, self._accounts.await_saved)

    def close(self) -> None:
        """Send nothing more; the session stays open for the others."""
        self._index.close()
        self._ahead.close()

    def _send(self, commit: Commit) -> UnderWay:
        """Raises: Fenced where it cannot be the next one, TooLarge, NotFound, Unavailable."""
        check_size(commit)
        shard = commit.shard
        last = self._known.get(shard)
        if last is None or last.number < commit.number - 1:
            last = self._known[shard] = self._commits.end(
                shard, known=last.number if last else 0
            )
        if (commit.number, commit.first_seq) != (last.number + 1, last.seq + 1):
            raise Fenced(commit_refused(commit, last.number, last.seq))
        answer = self._commits.send(commit)
        task = None
        with suppress(*ALL_FAILURES):
            task = self._plan(commit)  # while the answer is under way
        return UnderWay(commit.commit_id, answer, task)

    def _settled(self, shard: int) -> int:
        rows = self._session.rows("settled", shard)
        return rows[0][0] if rows else 0

    def _is_next(self, commit: Commit) -> bool:
        last = self._known.get(commit.shard)
        return last is not None and commit.number == last.number + 1

    def _plan(self, commit: Commit) -> Task:
        content = Content(commit.events, commit.parked, commit.unparked)
        return self._index.plan(commit.shard, commit.number, content)

    def _applied(self, commit: Commit, task: Task) -> None:
        self._known[commit.shard] = commit.position
        self._index.start(task)
