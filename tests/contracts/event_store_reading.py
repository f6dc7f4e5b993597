"""What every event store guarantees to those who read it."""

import pytest

from commands.event_store import EventStore
from tests.contracts.event_store import Author, OpenStore, parked, snapshot, written


class EventStoreReadingContract:
    @pytest.fixture
    def store(self, open_store: OpenStore) -> EventStore:
        return open_store()

    @pytest.fixture
    def author(self) -> Author:
        return Author()

    # load

    def test_an_account_without_history_is_loaded_as_nothing(self, store: EventStore) -> None:
        loaded = store.load(["nobody"], "f1")["nobody"]
        assert (loaded.snapshot, loaded.snapshot_version, loaded.events) == (None, 0, ())

    def test_an_account_is_loaded_with_its_events_and_no_others(
        self, store: EventStore, author: Author
    ) -> None:
        commit = author.commit("a", "b", "a", "b", "a")
        loaded = written(store, commit).load(["a"], "f1")
        assert loaded["a"].events == commit.events[::2]
        assert set(loaded) == {"a"}

    def test_events_are_loaded_by_version_across_commits(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"), author.commit("b", "a"), author.commit("a"))
        assert [event.version for event in store.load(["a"], "f1")["a"].events] == [1, 2, 3]

    def test_a_snapshot_stands_for_the_events_up_to_its_version(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "a", "a", "a", "a"))
        store.save_snapshots([snapshot("a", 3)])
        loaded = store.load(["a"], "f1")["a"]
        assert (loaded.snapshot, loaded.snapshot_version) == (b"a at 3 by f1", 3)
        assert [event.version for event in loaded.events] == [4, 5]

    def test_the_newest_snapshot_is_taken_whatever_the_order_of_saving(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit(*["a"] * 6))
        store.save_snapshots([snapshot("a", 5), snapshot("a", 2)])
        store.save_snapshots([snapshot("a", 3)])
        assert store.load(["a"], "f1")["a"].snapshot_version == 5

    def test_a_snapshot_of_other_code_is_ignored(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "a"))
        store.save_snapshots([snapshot("a", 2, "f2")])
        loaded = store.load(["a"], "f1")["a"]
        assert loaded.snapshot is None
        assert [event.version for event in loaded.events] == [1, 2]

    def test_snapshots_of_two_versions_of_the_code_live_side_by_side(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit(*["a"] * 9))
        store.save_snapshots([snapshot("a", 4, "f1")])
        store.save_snapshots([snapshot("a", n, "f2") for n in (5, 6, 7)])
        assert store.load(["a"], "f1")["a"].snapshot_version == 4
        assert store.load(["a"], "f2")["a"].snapshot_version == 7

    def test_a_snapshot_of_the_whole_history_leaves_no_event_to_fold(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "a"))
        store.save_snapshots([snapshot("a", 2)])
        assert store.load(["a"], "f1")["a"].events == ()

    def test_five_thousand_accounts_are_loaded_at_once(
        self, store: EventStore, author: Author
    ) -> None:
        account_ids = [f"account-{n}" for n in range(5_000)]
        written(store, author.commit(*account_ids), author.commit(*account_ids))
        loaded = store.load(account_ids, "f1")
        assert [len(loaded[account_id].events) for account_id in account_ids] == [2] * 5_000

    def test_an_account_asked_for_twice_is_loaded_once(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"))
        assert len(store.load(["a", "a"], "f1")["a"].events) == 1

    def test_ids_are_not_mistaken_for_patterns_or_quotes(self, store: EventStore) -> None:
        ids = ["a%", "a'", 'a"', "a\\", "ä €", "[1, 2]", "1", "a\0b", "a", "\U0001f389"]
        loaded = written(store, Author().commit(*ids)).load(ids, "f1")
        assert [len(loaded[account_id].events) for account_id in ids] == [1] * len(ids)

    # read, history

    def test_the_history_of_a_shard_is_gapless_across_commits(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a", "b"), author.commit(), author.commit("c", "a"))
        events = store.read(0, after_seq=0, count_max=100)
        assert [event.seq for event in events] == [1, 2, 3, 4]
        assert [event.account_id for event in events] == ["a", "b", "c", "a"]

    def test_a_history_is_read_on_from_any_seq_and_in_any_portion(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit(*"abcde"), author.commit(*"fghij"))
        events = store.read(0, after_seq=3, count_max=4)
        assert "".join(event.account_id for event in events) == "defg"

    def test_behind_the_end_there_is_nothing_to_read(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("a"))
        assert list(store.read(0, after_seq=1, count_max=10)) == []

    def test_the_end_of_one_shard_is_not_the_beginning_of_the_next(
        self, store: EventStore
    ) -> None:
        written(store, Author(shard=1).commit("a"), Author(shard=2).commit("b"))
        assert list(store.read(0, after_seq=0, count_max=10)) == []
        assert [e.account_id for e in store.read(1, after_seq=0, count_max=10)] == ["a"]

    def test_the_history_of_an_account_is_by_version_and_whole(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, *[author.commit(*["a", "b"] * 600) for _ in range(3)])
        store.save_snapshots([snapshot("a", 100)])
        assert [event.version for event in store.history("a")] == list(range(1, 1_801))

    def test_bytes_come_back_as_they_were(self, store: EventStore, author: Author) -> None:
        data = bytes(range(256))
        written(store, author.commit("a", data=data))
        assert [event.data for event in store.history("a")] == [data]

    # parked

    def test_parked_records_come_with_the_commit(
        self, store: EventStore, author: Author
    ) -> None:
        written(store, author.commit("b", parked=(parked(7, "a"), parked(9, "c"))))
        assert list(store.parked(0)) == [parked(7, "a"), parked(9, "c")]
        assert store.parked_accounts(0) == {"a": 7, "c": 9}

    def test_parked_records_are_by_offset_and_by_account(
        self, store: EventStore, author: Author
    ) -> None:
        written(
            store,
            author.commit(parked=tuple(parked(n, "ab"[n % 2]) for n in range(120))),
            author.commit(parked=(parked(200, "a"),)),
        )
        assert [p.offset for p in store.parked(0)] == [*range(120), 200]
        assert [p.offset for p in store.parked(0, "a")] == [*range(0, 120, 2), 200]
        assert store.parked_accounts(0) == {"a": 0, "b": 1}

    def test_an_unparked_record_is_gone_with_the_commit_that_handles_it(
        self, store: EventStore, author: Author
    ) -> None:
        written(
            store,
            author.commit(parked=(parked(7), parked(8))),
            author.commit("a", unparked=(7,)),
        )
        assert [p.offset for p in store.parked(0)] == [8]
        assert store.parked_accounts(0) == {"a": 8}

    def test_a_record_parked_again_has_the_new_reason(
        self, store: EventStore, author: Author
    ) -> None:
        again = parked(7, reason="INVALID: later known")
        written(store, author.commit(parked=(parked(7),)), author.commit(parked=(again,)))
        assert list(store.parked(0)) == [again]

    def test_parked_records_of_another_shard_are_not_ours(self, store: EventStore) -> None:
        written(store, Author(shard=1).commit(parked=(parked(7),)))
        assert list(store.parked(0)) == []
        assert store.parked_accounts(0) == {}
