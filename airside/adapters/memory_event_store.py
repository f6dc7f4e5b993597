"""The event store as plain dicts. Read me first: every other one must behave like this.

Two things are kept apart here, as the real ones keep them: the commits of a shard, which are
the truth, and the index that accounts are loaded from, which follows them.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from commands.event_store import (
    COMMIT_BYTES_MAX,
    Commit,
    Loaded,
    Parked,
    Position,
    Resumed,
    Snapshot,
    StoredEvent,
)
from schemas.errors import Fenced, TooLarge

SNAPSHOTS_KEPT = 2  # the newest, per account and fingerprint


class MemoryEventStore:
    """The history of one process, gone with it. One lock makes every call atomic."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._commits: defaultdict[int, list[Commit]] = defaultdict(list)
        self._history: defaultdict[int, list[StoredEvent]] = defaultdict(list)
        self._settled: defaultdict[int, int] = defaultdict(int)
        self._accounts: defaultdict[str, dict[int, StoredEvent]] = defaultdict(dict)
        self._parked: defaultdict[int, dict[int, Parked]] = defaultdict(dict)
        self._snapshots: defaultdict[tuple[str, str], dict[int, Snapshot]] = defaultdict(dict)

    def resume(self, shard: int) -> Resumed:
        """Where the history ends; what is not settled is indexed again and returned."""
        with self._lock:
            last = self._last(shard)
            settled = max(last.settled, self._settled[shard])
            unsettled = self._commits[shard][settled:]
            for commit in unsettled:
                self._index(commit)
            position = msgspec.structs.replace(last, settled=settled)
            return Resumed(position, tuple((c.number, c.events) for c in unsettled))

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """Snapshot and later events of every asked account."""
        with self._lock:
            return {
                account_id: self._load(account_id, fingerprint) for account_id in account_ids
            }

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """As of now, the earliest moment: whoever uses it too late finds out."""
        found = self.load(account_ids, fingerprint)
        return lambda: found

    def begin_commit(self, commit: Commit) -> None:
        """Nothing is gained by a head start."""

    def commit(self, commit: Commit) -> None:
        """Append all of it, or raise. Raises: Fenced, TooLarge."""
        check_size(commit)
        with self._lock:
            last = self._last(commit.shard)
            if (commit.number, commit.first_seq) != (last.number + 1, last.seq + 1):
                raise Fenced(commit_refused(commit, last.number, last.seq))
            self._commits[commit.shard].append(commit)
            self._history[commit.shard].extend(commit.events)
            self._index(commit)

    def landed(self, commit: Commit) -> bool:
        """Whether the commit at that number is this very one."""
        with self._lock:
            found = self._commits[commit.shard][commit.number - 1 : commit.number]
            return [c.commit_id for c in found] == [commit.commit_id]

    def indexed(self, shard: int) -> int:
        """All of them: the index is written with the commit."""
        with self._lock:
            return self._last(shard).number

    def settle(self, shard: int, number: int) -> None:
        """Note what is settled; never backwards."""
        with self._lock:
            self._settled[shard] = max(self._settled[shard], number)

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The next events of the shard."""
        with self._lock:
            return self._history[shard][after_seq : after_seq + count_max]

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """The account's events, by version."""
        with self._lock:
            events = self._accounts[account_id]
            return iter([events[version] for version in sorted(events)])

    def parked_accounts(self, shard: int) -> dict[str, int]:
        """Accounts with parked commands, and the offset of the first of each."""
        first: dict[str, int] = {}
        for parked in self.parked(shard):
            first.setdefault(parked.account_id, parked.offset)
        return first

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        """Parked commands by offset."""
        with self._lock:
            found = [p for _, p in sorted(self._parked[shard].items())]
        return (p for p in found if account_id in (None, p.account_id))

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep the newest two of each account and fingerprint."""
        with self._lock:
            for snapshot in snapshots:
                kept = self._snapshots[snapshot.account_id, snapshot.fingerprint]
                kept[snapshot.version] = snapshot
                for version in sorted(kept)[:-SNAPSHOTS_KEPT]:
                    del kept[version]

    def close(self) -> None:
        """Nothing to let go of."""

    def _last(self, shard: int) -> Position:
        commits = self._commits[shard]
        return commits[-1].position if commits else Position()

    def _index(self, commit: Commit) -> None:
        """Idempotent: a late or repeated insert carries the same bytes."""
        for event in commit.events:
            self._accounts[event.account_id][event.version] = event
        parked = self._parked[commit.shard]
        for offset in commit.unparked:
            parked.pop(offset, None)
        parked.update((p.offset, p) for p in commit.parked)

    def _load(self, account_id: str, fingerprint: str) -> Loaded:
        snapshots = self._snapshots.get((account_id, fingerprint), {})
        newest = max(snapshots, default=0)
        events = self._accounts.get(account_id, {})
        later = tuple(events[version] for version in sorted(events) if version > newest)
        return Loaded(snapshots[newest].data if newest else None, newest, later)


def check_size(commit: Commit) -> None:
    """Raises: TooLarge for a commit over its bound."""
    size = sum(len(event.data) for event in commit.events)
    if size > COMMIT_BYTES_MAX:
        raise TooLarge(
            f"shard {commit.shard}, commit {commit.number}: {size} bytes of events, at most "
            f"{COMMIT_BYTES_MAX}. Commit a smaller batch."
        )


def commit_refused(commit: Commit, number: int, seq: int) -> str:
    """What a fenced commit says."""
    return (
        f"shard {commit.shard}: commit {commit.number} from seq {commit.first_seq} is refused: "
        f"the shard is at commit {number}, seq {seq}. Another worker has it: resume."
    )
