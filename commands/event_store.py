"""The event store port: shard-shaped, batch-shaped, fenced by commit number.

    resume(shard)      where its history ends, and what may be unpublished     Hole, Unavailable
    load(accounts)     snapshot and later events of many accounts at once      Unavailable
    load_ahead(…)      the same, asked for now and heard later
    begin_commit(…)    a head start: sends what `commit` hears the answer of
    commit(commit)     all of it or nothing                     Fenced, OutcomeUnknown, TooLarge
    landed(commit)     whether that very attempt is in the history             Unavailable
    indexed(shard)     up to which commit `load` sees everything
    settle(shard, n)   a note that commits up to n are indexed and published   Unavailable
    read(shard, …)     the ordered history, for replay                         Hole
    history(account)   the events of one account, for people
    parked(shard, …)   commands that wait for a person

A writer that lost its shard is told (`Fenced`), never merged. Commit numbers are 1, 2, 3 … per
shard; a number once taken is taken for ever, whatever is archived.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

COMMIT_BYTES_MAX = 16 * 1024 * 1024  # of event data in one commit; a handler splits above it


class StoredEvent(Struct, frozen=True, gc=False):
    """One event as bytes, with the numbers that order it."""

    seq: int
    account_id: str
    version: int
    data: bytes


class Parked(Struct, frozen=True, gc=False):
    """A record of the commands topic that could not be handled, or waits behind one."""

    offset: int
    account_id: str  # the record's key as text; "" where it is none
    at: int  # append time, ms
    reason: str  # a code, a colon and the fact: "UNREADABLE: …"; "BEHIND: offset 17"
    value: bytes


class Position(Struct, frozen=True, gc=False):
    """Where a shard's history ends: what the last commit says."""

    number: int = 0  # of the last commit
    seq: int = 0  # of the last event
    next_offset: int = 0  # of the commands topic
    settled: int = 0  # every commit up to this number is indexed and published


class Commit(Struct, frozen=True):
    """One batch: its events and the position it brings the shard to, together or not at all.

    `commit_id` is fresh and random for every attempt, never derived: it is how a writer tells
    its own write from another's. A retry is byte-identical.
    """

    shard: int
    number: int  # the last commit's number + 1
    commit_id: str
    first_seq: int  # of the first event; the last commit's seq + 1, also where there is none
    next_offset: int
    settled: int
    events: tuple[StoredEvent, ...] = ()
    parked: tuple[Parked, ...] = ()  # to be kept; replaces one at the same offset
    unparked: tuple[int, ...] = ()  # offsets of parked records that are handled now

    @property
    def last_seq(self) -> int:
        """The shard's seq after this commit."""
        return self.first_seq + len(self.events) - 1

    @property
    def position(self) -> Position:
        """The shard's position after this commit."""
        return Position(self.number, self.last_seq, self.next_offset, self.settled)


class Resumed(Struct, frozen=True):
    """What a worker needs to take a shard up; what is `unpublished` is indexed already."""

    position: Position
    unpublished: tuple[tuple[int, tuple[StoredEvent, ...]], ...]  # (commit number, its events)


class Loaded(Struct, frozen=True):
    """What is known of one account: the newest fitting snapshot and the events after it."""

    snapshot: bytes | None
    snapshot_version: int  # 0 without one
    events: tuple[StoredEvent, ...]  # ascending versions, all above snapshot_version


class Snapshot(Struct, frozen=True):
    """A folded account, good for code and schemas with the same fingerprint only."""

    account_id: str
    version: int
    fingerprint: str
    data: bytes


class EventStore(Protocol):
    """The write side's truth. See the module for the methods at a glance."""

    def resume(self, shard: int) -> Resumed:
        """Take up a shard: finish indexing what a predecessor left, say where history ends.

        Raises: Hole where a commit after `settled` is missing; that is never "no events".
        """

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """Every asked account; one without history has no snapshot and no events.

        A snapshot with another fingerprint is ignored, and so is an event at or below the
        chosen snapshot's version.
        """

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """Ask for accounts now; calling what is returned gives what `load` would have given.

        As of some moment in between, and perhaps not of all of them: who is missing has to be
        loaded. What it returns raises what `load` raises. Raises: Unavailable.
        """

    def begin_commit(self, commit: Commit) -> None:
        """A head start for `commit`, which comes next for this shard and with the same one.

        The store may send it now, or do nothing. Never raises: `commit` tells what came of it.
        Until that returns the outcome is unknown, and the commit may be there.
        """

    def commit(self, commit: Commit) -> None:
        """Append one commit, durable when this returns, or raise and have changed nothing.

        Raises: Fenced if the shard's last commit is not `number - 1`; OutcomeUnknown if it may
        have landed; TooLarge above COMMIT_BYTES_MAX.
        """

    def landed(self, commit: Commit) -> bool:
        """Whether this very attempt (its commit_id) is in the history: a linearizable read.

        False means that it is not there *yet*; sending the same commit again decides it.
        """

    def indexed(self, shard: int) -> int:
        """Commits of this store object up to this number are seen by `load`.

        Raises: Unavailable where the index cannot be written; it is tried again by itself.
        """

    def settle(self, shard: int, number: int) -> None:
        """Note that commits up to `number` are indexed and published; never goes backwards.

        A courtesy to the successor, who publishes less again. It may be lost.
        """

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The next events of the ordered history, gapless from `after_seq + 1`."""

    def history(self, account_id: str) -> Iterator[StoredEvent]:
        """All events of one account, by version."""

    def parked_accounts(self, shard: int) -> dict[str, int]:
        """The accounts that have parked commands, and the offset of the first of each."""

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        """Parked commands by offset, of one account or of the shard, as far as indexed."""

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep these; per account and fingerprint the newest stays, older ones may go.

        `load` of this store object sees them. They may be lost: then more is folded.
        """
