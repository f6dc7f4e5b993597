"""What every view store must do. A subclass has a fixture `store`, which begins empty."""

import threading
from functools import partial

import msgspec
import pytest

from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, ViewStore
from schemas.errors import Fenced, Moved
from tests.kit.together import outcome, together

START = Checkpoint()
ONE = Checkpoint(seq=1, offset=10, at=1_700_000_000_000)
TWO = Checkpoint(seq=2, offset=20, at=1_700_000_000_500)


def generation(number: int, projection: str = "downloads") -> Generation:
    return Generation(projection=projection, number=number, fingerprint="f", created_at=5)


def parked(seq: int, key: str, value: bytes = b"\x00\xff") -> ParkedEvent:
    return ParkedEvent(seq=seq, offset=seq * 10, key=key, reason="POISON: really", value=value)


G = generation(3)


class ViewStoreContract:
    # the registry

    def test_a_projection_that_was_never_built_has_an_empty_registry(
        self, store: ViewStore
    ) -> None:
        assert store.registry("downloads") == Registry()

    def test_a_changed_registry_is_read_with_the_next_revision(self, store: ViewStore) -> None:
        store.change_registry("downloads", 0, Registry(serving=3, generations=(G,)))
        store.change_registry("downloads", 1, Registry(serving=4, generations=(G,)))
        assert store.registry("downloads") == Registry(2, 4, (G,))
        assert store.registry("licenses") == Registry()

    def test_a_registry_that_moved_is_not_replaced(self, store: ViewStore) -> None:
        store.change_registry("downloads", 0, Registry(serving=3))
        with pytest.raises(Moved, match=r"downloads: expected revision 0 .* found 1"):
            store.change_registry("downloads", 0, Registry(serving=4))
        assert store.registry("downloads").serving == 3

    def test_of_many_changes_from_one_revision_one_happens(self, store: ViewStore) -> None:
        changes = [
            partial(store.change_registry, "downloads", 0, Registry(serving=n))
            for n in range(6)
        ]
        outcomes = together([partial(outcome, change) for change in changes])
        assert sorted(outcomes) == ["Moved"] * 5 + ["done"]
        assert store.registry("downloads").serving == outcomes.index("done")

    # rows and checkpoint

    def test_a_shard_begins_without_rows_and_at_the_start(self, store: ViewStore) -> None:
        found = store.rows(G, 0, ["a", "b"])
        assert (found.checkpoint, found.rows) == (START, {"a": None, "b": None})
        assert found.row_count == 0

    def test_saved_rows_come_back_with_their_checkpoint(self, store: ViewStore) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b'{"n":1}', "b": b"{}"})
        found = store.rows(G, 0, ["a", "c"])
        assert (found.checkpoint, found.rows) == (ONE, {"a": b'{"n":1}', "c": None})
        assert found.row_count == 2

    def test_the_checkpoint_can_be_read_without_rows(self, store: ViewStore) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={})
        assert store.rows(G, 0, []).checkpoint == ONE

    @pytest.mark.parametrize("digest", [0, 1, 2**128 - 1, None])
    def test_the_digest_comes_back_known_or_not(
        self, store: ViewStore, digest: int | None
    ) -> None:
        saved = msgspec.structs.replace(ONE, digest=digest)
        store.save(G, 0, expected=START, checkpoint=saved, rows={})
        assert store.rows(G, 0, []).checkpoint == saved

    def test_only_seq_and_offset_of_the_expected_checkpoint_are_compared(
        self, store: ViewStore
    ) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={})
        believed = Checkpoint(ONE.seq, ONE.offset, at=5, digest=7)
        store.save(G, 0, expected=believed, checkpoint=TWO, rows={})
        assert store.rows(G, 0, []).checkpoint == TWO

    def test_a_row_saved_as_none_is_deleted(self, store: ViewStore) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1", "b": b"2"})
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={"a": None, "never": None})
        found = store.rows(G, 0, ["a", "b"])
        assert (found.rows, found.row_count) == ({"a": None, "b": b"2"}, 1)

    def test_keys_and_rows_may_be_any_text(self, store: ViewStore) -> None:
        rows = {"": b"1", "ein Häuschen 🏠": '"é"'.encode(), "a b\n{c}": b"3"}
        store.save(G, 0, expected=START, checkpoint=ONE, rows=rows)
        assert store.rows(G, 0, list(rows)).rows == rows
        assert sorted(store.keys(G, 0)) == sorted(rows)

    def test_a_save_may_be_large(self, store: ViewStore) -> None:
        rows = {f"account-{n}": str(n).encode() for n in range(10_000)}
        gone: dict[str, bytes | None] = dict.fromkeys(list(rows)[:9_001])
        many = [parked(n, "k") for n in range(9_000)]
        store.save(G, 0, expected=START, checkpoint=ONE, rows=rows, parked=many)
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={**gone, "account-9999": b"new"})
        found = store.rows(G, 0, list(rows))
        assert found.rows == {**rows, **gone, "account-9999": b"new"}
        assert (found.row_count, len(store.parked(G, 0))) == (999, 9_000)

    def test_shards_and_generations_are_separate(self, store: ViewStore) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        others = [(G, 1), (generation(31), 0), (generation(3, "licenses"), 0)]
        assert {store.rows(g, shard, ["a"]).row_count for g, shard in others} == {0}

    def test_every_key_is_listed_once(self, store: ViewStore) -> None:
        rows = {f"account-{n}": b"1" for n in range(3_000)}
        store.save(G, 0, expected=START, checkpoint=ONE, rows=rows)
        assert sorted(store.keys(G, 0)) == sorted(rows)
        assert list(store.keys(G, 1)) == []

    # fencing

    @pytest.mark.parametrize("stale", [START, Checkpoint(1, 11), Checkpoint(2, 10), TWO])
    def test_a_save_from_another_checkpoint_changes_nothing(
        self, store: ViewStore, stale: Checkpoint
    ) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        with pytest.raises(Fenced):
            store.save(
                G,
                0,
                expected=stale,
                checkpoint=TWO,
                rows={"a": None, "b": b"2"},
                parked=[parked(2, "b")],
            )
        found = store.rows(G, 0, ["a", "b"])
        assert (found.checkpoint, found.rows) == (ONE, {"a": b"1", "b": None})
        assert store.parked(G, 0) == []

    def test_a_refused_save_says_what_was_found(self, store: ViewStore) -> None:
        store.save(G, 7, expected=START, checkpoint=ONE, rows={})
        with pytest.raises(
            Fenced,
            match=r"downloads.3, shard 7: expected the checkpoint at seq 0, offset 0; "
            r"found seq 1, offset 10. .* load and seek again",
        ):
            store.save(G, 7, expected=START, checkpoint=TWO, rows={})

    def test_the_same_save_again_is_refused(self, store: ViewStore) -> None:
        save = partial(store.save, G, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        assert [outcome(save), outcome(save)] == ["done", "Fenced"]

    def test_of_many_saves_from_one_checkpoint_one_happens(self, store: ViewStore) -> None:
        saves = [
            partial(
                store.save,
                G,
                0,
                expected=START,
                checkpoint=Checkpoint(1 + n, 1, 0),
                rows={"winner": str(n).encode(), f"only-{n}": b"1"},
            )
            for n in range(6)
        ]
        outcomes = together([partial(outcome, save) for save in saves])
        winner = outcomes.index("done")
        found = store.rows(G, 0, ["winner", f"only-{winner}"])
        assert sorted(outcomes) == ["Fenced"] * 5 + ["done"]
        assert (found.checkpoint.seq, found.row_count) == (1 + winner, 2)
        assert found.rows == {"winner": str(winner).encode(), f"only-{winner}": b"1"}

    def test_rows_always_belong_to_the_checkpoint_they_come_with(
        self, store: ViewStore
    ) -> None:
        keys = [f"k{n}" for n in range(50)]
        saver = threading.Thread(target=save_numbered, args=(store, keys, 150))
        saver.start()
        seen = [store.rows(G, 0, keys) for _ in range(150)]
        saver.join()
        seen.append(store.rows(G, 0, keys))
        torn = [
            found
            for found in seen
            if {int(row or 0) for row in found.rows.values()} != {found.checkpoint.seq}
        ]
        assert torn == []
        assert seen[-1].checkpoint.seq == 150

    # parked events

    def test_parked_events_come_by_seq(self, store: ViewStore) -> None:
        store.save(G, 0, expected=START, checkpoint=ONE, rows={}, parked=[parked(9, "b")])
        more = [parked(7, "a", b""), parked(8, "é", b'"\\')]
        store.save(G, 0, expected=ONE, checkpoint=TWO, rows={}, parked=more)
        assert store.parked(G, 0) == [*more, parked(9, "b")]
        assert store.parked(G, 1) == []

    # dropping

    def test_a_dropped_generation_is_gone_and_others_are_not(self, store: ViewStore) -> None:
        other = generation(31)
        store.change_registry("downloads", 0, Registry(serving=31, generations=(G, other)))
        kept = {"a": b"1"}
        store.save(other, 0, expected=START, checkpoint=ONE, rows=kept)
        store.save(G, 0, expected=START, checkpoint=ONE, rows=kept, parked=[parked(1, "a")])
        store.save(G, 12, expected=START, checkpoint=ONE, rows=kept)
        store.drop(G)
        gone = [store.rows(G, shard, ["a"]) for shard in (0, 12)]
        assert [(found.checkpoint, found.row_count) for found in gone] == [(START, 0)] * 2
        assert store.parked(G, 0) == []
        assert store.rows(other, 0, ["a"]).rows == kept
        assert store.registry("downloads").serving == 31

    def test_a_label_that_comes_again_is_another_generation(self, store: ViewStore) -> None:
        first, second = (
            msgspec.structs.replace(generation(number), label="scratch", as_of=7)
            for number in (8, 9)
        )
        store.save(first, 0, expected=START, checkpoint=ONE, rows={"a": b"1"})
        assert store.rows(second, 0, ["a"]).rows == {"a": None}
        store.save(second, 0, expected=START, checkpoint=ONE, rows={"a": b"2"})
        store.drop(first)
        assert store.rows(second, 0, ["a"]).rows == {"a": b"2"}
        store.change_registry("downloads", 0, Registry(generations=(second,)))
        assert store.registry("downloads").called("scratch") == second

    def test_dropping_what_is_not_there_is_no_error(self, store: ViewStore) -> None:
        store.drop(G)
        assert store.rows(G, 0, []).row_count == 0


def save_numbered(store: ViewStore, keys: list[str], saves: int) -> None:
    """Save after save; the rows of each carry its number, and so does its checkpoint."""
    for n in range(1, saves + 1):
        row = msgspec.json.encode(n)
        store.save(
            G,
            0,
            expected=Checkpoint(n - 1, n - 1),
            checkpoint=Checkpoint(n, n),
            rows=dict.fromkeys(keys, row),
        )
