"""What every event store guarantees of a head start, and of accounts asked for ahead."""

import pytest

from commands.event_store import COMMIT_BYTES_MAX, Commit, EventStore, Loaded
from schemas.errors import Fenced, TooLarge
from tests.contracts.event_store import Author, OpenStore, snapshot, written


def told(store: EventStore, commit: Commit) -> str:
    """What came of a commit."""
    try:
        store.commit(commit)
    except Fenced:
        return "fenced"
    return "committed"


class EventStoreAheadContract:
    def test_a_commit_with_a_head_start_stands_when_commit_returns(
        self, store: EventStore, author: Author
    ) -> None:
        first, second = author.commit("a", "b"), author.commit("a")
        store.begin_commit(first)
        store.commit(first)
        store.begin_commit(second)
        store.commit(second)
        assert store.resume(0).position == second.position
        assert [event.version for event in store.history("a")] == [1, 2]

    def test_a_head_start_that_is_repeated_is_one_commit(
        self, store: EventStore, author: Author
    ) -> None:
        commit = author.commit("a")
        store.begin_commit(commit)
        store.begin_commit(commit)
        store.commit(commit)
        assert store.resume(0).unpublished == ((1, commit.events),)

    def test_a_head_start_at_a_number_that_is_taken_is_told_by_commit(
        self, open_store: OpenStore
    ) -> None:
        mine, late = Author().commit("a"), Author().commit("b")
        written(open_store(), mine)
        stale = open_store()
        stale.begin_commit(late)
        assert told(stale, late) == "fenced"
        assert stale.resume(0).unpublished == ((1, mine.events),)
        assert list(stale.history("b")) == []

    def test_of_two_workers_with_a_head_start_exactly_one_wins(
        self, open_store: OpenStore
    ) -> None:
        one, other = open_store(), open_store()
        a, b = Author().commit("a"), Author().commit("b")
        one.begin_commit(a)
        other.begin_commit(b)
        assert sorted([told(one, a), told(other, b)]) == ["committed", "fenced"]

    def test_head_starts_of_different_shards_do_not_know_each_other(
        self, store: EventStore
    ) -> None:
        one, two = Author(shard=0).commit("a"), Author(shard=1).commit("b", "c")
        store.begin_commit(one)
        store.begin_commit(two)
        store.commit(one)
        store.commit(two)
        assert (store.resume(0).position.seq, store.resume(1).position.seq) == (1, 2)

    def test_a_head_start_is_not_taken_for_another_commit(self, store: EventStore) -> None:
        begun, meant = Author().commit("a"), Author().commit("b")
        store.begin_commit(begun)
        is_committed = told(store, meant) == "committed"
        assert store.landed(meant) == is_committed
        assert store.landed(begun) == (not is_committed)

    def test_whoever_resumes_behind_a_head_start_decides_what_came_of_it(
        self, open_store: OpenStore
    ) -> None:
        begun = Author().commit("a")
        open_store().begin_commit(begun)
        successor = open_store()
        position = successor.resume(0).position
        after = Author(seq=position.seq, number=position.number).commit("b")
        is_committed = told(successor, after) == "committed"
        assert successor.landed(after) == is_committed
        assert successor.resume(0).position.number in (1, 2)

    def test_a_head_start_that_is_too_large_is_told_by_commit(
        self, store: EventStore, author: Author
    ) -> None:
        commit = author.commit("a", "a", data=bytes(COMMIT_BYTES_MAX // 2 + 1))
        store.begin_commit(commit)
        with pytest.raises(TooLarge, match="smaller"):
            store.commit(commit)

    def test_accounts_asked_for_ahead_are_what_load_would_have_given(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "b", "a"), author.commit("a"))
        store.save_snapshots([snapshot("a", 2)])
        answer = store.load_ahead(["a", "b", "c"], "f1")
        assert answer() == store.load(["a", "b", "c"], "f1")

    def test_an_account_without_history_is_nothing_ahead_too(self, store: EventStore) -> None:
        assert store.load_ahead(["a"], "f1")() == {"a": Loaded(None, 0, ())}

    def test_accounts_are_asked_for_ahead_while_a_commit_is_under_way(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "b"))
        commit = author.commit("a")
        store.begin_commit(commit)
        answer = store.load_ahead(["b"], "f1")
        store.commit(commit)
        assert [event.seq for event in answer()["b"].events] == [2]
