"""What every event store guarantees. An adapter's test provides `open_store` and inherits."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from commands.event_store import (
    COMMIT_BYTES_MAX,
    Commit,
    EventStore,
    Parked,
    Position,
    Snapshot,
    StoredEvent,
)
from schemas.envelope import new_id
from schemas.errors import Fenced, TooLarge

OpenStore = Callable[[], EventStore]
"""Opens the same data once more, as another worker or a later process would."""


@dataclass
class Author:
    """Writes commits that fit: seq and versions go on where the last one ended."""

    shard: int = 0
    seq: int = 0
    number: int = 0
    versions: Counter[str] = field(default_factory=Counter)

    def commit(
        self,
        *account_ids: str,
        settled: int = 0,
        next_offset: int | None = None,
        parked: tuple[Parked, ...] = (),
        unparked: tuple[int, ...] = (),
        data: bytes = b"",
    ) -> Commit:
        self.number += 1
        first_seq = self.seq + 1
        events = tuple(self._event(account_id, data) for account_id in account_ids)
        return Commit(
            shard=self.shard,
            number=self.number,
            commit_id=new_id(),
            first_seq=first_seq,
            next_offset=10 * self.number if next_offset is None else next_offset,
            settled=settled,
            events=events,
            parked=parked,
            unparked=unparked,
        )

    def _event(self, account_id: str, data: bytes) -> StoredEvent:
        self.seq += 1
        self.versions[account_id] += 1
        version = self.versions[account_id]
        return StoredEvent(
            self.seq, account_id, version, data or f"{account_id} {version}".encode()
        )


def parked(offset: int, account_id: str = "a", reason: str = "UNREADABLE: ?") -> Parked:
    return Parked(offset, account_id, 1_000 + offset, reason, b"\x00\xff")


def snapshot(account_id: str, version: int, fingerprint: str = "f1") -> Snapshot:
    data = f"{account_id} at {version} by {fingerprint}".encode()
    return Snapshot(account_id, version, fingerprint, data)


def written(store: EventStore, *commits: Commit) -> EventStore:
    for commit in commits:
        store.commit(commit)
    return store


def race(open_store: OpenStore, commits: list[Commit]) -> list[str]:
    """Each commit by a thread with a store of its own, all at once; what each was told."""
    told: list[str] = []
    ready = threading.Barrier(len(commits))

    def contend(commit: Commit) -> None:
        store = open_store()
        ready.wait()
        try:
            store.commit(commit)
            told.append("committed")
        except Fenced:
            told.append("fenced")

    threads = [threading.Thread(target=contend, args=(commit,)) for commit in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


class EventStoreContract:
    @pytest.fixture
    def store(self, open_store: OpenStore) -> EventStore:
        return open_store()

    @pytest.fixture
    def author(self) -> Author:
        return Author()

    # resume, commit

    def test_a_shard_without_history_begins_at_nothing(self, store: EventStore) -> None:
        resumed = store.resume(0)
        assert resumed.position == Position(0, 0, 0, 0)
        assert resumed.unpublished == ()

    def test_the_position_is_what_the_last_commit_says(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "b"), author.commit("a", next_offset=77, settled=1))
        assert store.resume(0).position == Position(number=2, seq=3, next_offset=77, settled=1)

    def test_a_commit_without_events_moves_the_position(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"), author.commit(next_offset=42))
        assert store.resume(0).position == Position(number=2, seq=1, next_offset=42, settled=0)

    def test_what_lies_behind_settled_is_to_be_published_again_in_order(
        self, store: EventStore, author: Author
    ) -> None:
        first, second, third = author.commit("a"), author.commit(), author.commit("b", "a")
        written(store, first, second, third)
        expected = ((1, first.events), (2, ()), (3, third.events))
        assert store.resume(0).unpublished == expected

    def test_what_is_settled_is_not_published_again(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"), author.commit("b", settled=1))
        assert [number for number, _ in store.resume(0).unpublished] == [2]

    def test_shards_do_not_know_each_other(self, store: EventStore) -> None:
        one, two = Author(shard=0), Author(shard=1)
        written(store, one.commit("a"), two.commit("b"), two.commit("b"))
        assert store.resume(0).position.seq == 1
        assert store.resume(1).position.seq == 2

    # the fence

    def test_a_number_that_is_taken_is_refused_and_changes_nothing(
        self, store: EventStore, author: Author
    ) -> None:
        mine = author.commit("a", parked=(parked(1),))
        written(store, mine)
        other = Author().commit("b", "c", parked=(parked(2),), unparked=(1,))
        with pytest.raises(Fenced, match="resume"):
            store.commit(other)
        assert store.resume(0).unpublished == ((1, mine.events),)
        assert list(store.history("b")) == []
        assert [p.offset for p in store.parked(0)] == [1]

    def test_a_number_that_was_taken_long_ago_is_refused(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"), author.commit("a"), author.commit("a"))
        store.settle(0, 3)
        with pytest.raises(Fenced):
            store.commit(Author().commit("b"))

    def test_a_number_beyond_the_next_is_refused(self, store: EventStore) -> None:
        with pytest.raises(Fenced):
            store.commit(Author(number=1).commit("a"))

    def test_a_seq_that_does_not_follow_is_refused(self, store: EventStore) -> None:
        with pytest.raises(Fenced):
            store.commit(Author(seq=5).commit("a"))

    def test_the_same_commit_twice_is_refused_and_had_landed(
        self, store: EventStore, author: Author
    ) -> None:
        commit = author.commit("a")
        written(store, commit)
        with pytest.raises(Fenced):
            store.commit(commit)
        assert store.landed(commit)

    def test_of_two_workers_at_one_number_exactly_one_wins(self, open_store: OpenStore) -> None:
        told = race(open_store, [Author().commit("a", "b"), Author().commit("c", "d", "e")])
        assert told == ["committed", "fenced"]

    def test_of_eight_workers_the_one_that_won_left_all_of_its_events(
        self, open_store: OpenStore
    ) -> None:
        told = race(open_store, [Author().commit(*[f"a{n}"] * 9) for n in range(8)])
        events = open_store().read(0, after_seq=0, count_max=100)
        assert told == ["committed"] + ["fenced"] * 7
        assert len({event.account_id for event in events}) == 1
        assert [event.seq for event in events] == list(range(1, 10))

    def test_workers_of_different_shards_do_not_fence_each_other(
        self, open_store: OpenStore
    ) -> None:
        told = race(open_store, [Author(shard=n).commit(f"a{n}") for n in range(4)])
        assert told == ["committed"] * 4

    def test_a_commit_over_its_bound_is_refused_and_changes_nothing(
        self, store: EventStore, author: Author
    ) -> None:
        half = bytes(COMMIT_BYTES_MAX // 2 + 1)
        with pytest.raises(TooLarge, match="smaller"):
            store.commit(author.commit("a", "a", data=half))
        assert store.resume(0).position == Position()

    # landed, indexed, settle

    def test_a_commit_has_landed_by_its_id_and_not_by_its_number(
        self, store: EventStore
    ) -> None:
        mine, other = Author().commit("a"), Author().commit("a")
        written(store, mine)
        assert store.landed(mine)
        assert not store.landed(other)

    def test_a_commit_that_was_never_sent_has_not_landed(
        self, store: EventStore, author: Author
    ) -> None:
        assert not store.landed(author.commit("a"))

    def test_what_has_landed_is_seen_by_another_worker(
        self, open_store: OpenStore, author: Author
    ) -> None:
        commit = author.commit("a")
        written(open_store(), commit)
        assert open_store().landed(commit)

    def test_after_resuming_every_commit_is_indexed(
        self, open_store: OpenStore, author: Author
    ) -> None:
        written(open_store(), author.commit("a"), author.commit("b"))
        successor = open_store()
        successor.resume(0)
        assert successor.indexed(0) == 2

    def test_a_settled_commit_is_not_to_be_published_again(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"), author.commit("b"))
        store.settle(0, 2)
        assert store.resume(0).unpublished == ()

    def test_settling_never_goes_backwards(self, store: EventStore, author: Author) -> None:
        written(store, author.commit("a"), author.commit("b"))
        store.settle(0, 2)
        store.settle(0, 1)
        assert store.resume(0).position.settled == 2
