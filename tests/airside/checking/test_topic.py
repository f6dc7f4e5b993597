"""The events topic against the store, fault by fault, and what a repair makes of it."""

import pytest

from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_log import MemoryLog, MemorySource
from airside.checking.found import Found
from airside.checking.reading import records
from airside.checking.topic import Ranges
from commands.event_store import Commit
from schemas.errors import Unavailable
from schemas.record import EVENTS_TOPIC, Record
from tests.kit.counter import NOW
from tests.kit.estate import Estate


@pytest.mark.parametrize(
    ("seqs", "place"),
    [
        ((2, 3, 4, 5), "seq 1"),
        ((1, 2, 5), "seq 3 to 4"),
        ((1, 2, 3), "seq 4 to 5"),
        ((), "seq 1 to 5"),
    ],
)
def test_what_is_missing_is_named(seqs: tuple[int, ...], place: str) -> None:
    estate = Estate()
    estate.on_topic(*seqs)
    assert estate.faults("topic") == [
        f"topic, {place}: missing on the topic. --repair publishes it."
    ]


def test_several_gaps_are_named_each() -> None:
    estate = Estate()
    estate.on_topic(1, 3, 5)
    places = [one.place for one in estate.check("topic")[0].faults]
    assert places == ["seq 2", "seq 4"]


def test_repeats_are_counted_and_no_fault() -> None:
    estate = Estate()
    estate.on_topic(1, 2, 3, 2, 3, 4, 5, 1)
    (found,) = estate.check("topic")
    assert (found.fault_count, found.repeats) == (0, 3)
    assert found.said == ["3 records are repeats"]


def test_what_is_published_only_before_its_turn_is_named() -> None:
    estate = Estate()
    estate.on_topic(1, 2, 4, 3, 5)
    (fault,) = estate.faults("topic")
    assert fault.startswith("topic, seq 4 to 5: published only before what comes ahead of it.")


def test_what_is_published_again_in_its_turn_is_no_fault_but_counted() -> None:
    estate = Estate()
    estate.on_topic(1, 2, 4, 5, 3, 4, 5)
    (found,) = estate.check("topic")
    assert (found.fault_count, found.early) == (0, 2)
    assert found.said == ["2 records came before their turn"]


def test_junk_is_named_with_its_offset() -> None:
    estate = Estate()
    estate.append(b"a", b"stray")
    estate.append(b"a", None)
    assert estate.faults("topic") == [
        "topic, offset 5: no event (73 74 72 61 79). Find the producer that wrote it.",
        "topic, offset 6: no event (no value). Find the producer that wrote it.",
    ]


def test_an_event_that_was_never_stored_is_named() -> None:
    estate = Estate()
    events = tuple(estate.shard.store._history[0][:3])
    other = MemoryEventStore()
    other.commit(Commit(0, 1, "other", first_seq=1, next_offset=6, settled=0, events=events))
    estate.store = other
    assert estate.faults("topic") == [
        "topic, offset 3: seq 4 is not in the store. Find its producer.",
        "topic, offset 4: seq 5 is not in the store. Find its producer.",
    ]


def test_other_bytes_and_another_key_are_named() -> None:
    estate = Estate()
    topic = estate.shard.log.records(EVENTS_TOPIC, 0)
    value = topic[1][3] or b""
    estate.append(b"a", value)
    estate.append(b"b", value + b"\x00")
    assert estate.faults("topic") == [
        "topic, offset 5: seq 2 has another key in the store. Find its producer.",
        "topic, offset 6: seq 2 has another bytes in the store. Find its producer.",
    ]


@pytest.mark.parametrize(
    ("seqs", "again"),
    [
        ((2, 3, 4, 5), [1, 2, 3, 4, 5]),
        ((1, 2, 5), [3, 4, 5]),
        ((), [1, 2, 3, 4, 5]),
        ((1, 2, 4, 3, 5), [4, 5]),
        ((1, 3, 5), [2, 3, 4, 5]),
    ],
)
def test_a_repair_publishes_from_the_first_missing_one_on(
    seqs: tuple[int, ...], again: list[int]
) -> None:
    estate = Estate()
    estate.on_topic(*seqs)
    assert estate.faults("topic") != []
    (done,) = estate.repair()
    assert done.startswith(f"shard 0: published seq {again[0]} to 5 again")
    assert estate.shard.published() == [*seqs, *again]
    assert estate.faults("topic") == []


def test_a_repair_leaves_alone_what_its_handler_has_not_settled() -> None:
    estate = Estate()
    estate.on_topic(1, 2, 4, 5)
    estate.shard.store._settled[0] = 0
    commits = estate.shard.store._commits[0]
    assert [commit.settled for commit in commits[-1:]] == [0]
    assert estate.faults("topic") == []
    assert estate.repair() == []


def retained(estate: Estate, *seqs: int) -> list[Found]:
    """What is found where the topic holds these and retention has taken the first two."""
    estate.on_topic(*seqs)
    estate.shard.log.delete(EVENTS_TOPIC, 0, before=2)
    return estate.check("topic")


def test_what_retention_has_taken_is_said_and_no_fault() -> None:
    (found,) = retained(Estate(), 1, 2, 3, 4, 5)
    assert (found.fault_count, found.compared) == (0, 3)
    assert found.said == ["records before offset 2 are gone by retention"]


def test_what_is_missing_behind_the_begin_is_named() -> None:
    (found,) = retained(Estate(), 1, 2, 3, 5)
    assert [fault.place for fault in found.faults] == ["seq 4"]


def test_a_topic_of_which_nothing_is_left_is_no_fault_and_not_repaired() -> None:
    estate = Estate()
    (found,) = retained(estate, 1, 2)
    assert (found.fault_count, found.compared) == (0, 0)
    assert estate.repair() == []


class SilentSource(MemorySource):
    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        return []


class SilentLog(MemoryLog):
    def source(self, topic: str, partition: int) -> MemorySource:
        return SilentSource(self, topic, partition, self.records(topic, partition))


def test_a_topic_that_says_nothing_is_not_taken_for_an_empty_one() -> None:
    log = SilentLog(lambda: NOW)
    log.create_topic(EVENTS_TOPIC, 1)
    log.append(EVENTS_TOPIC, 0, [(b"a", b"1")])
    with pytest.raises(Unavailable, match="nothing comes from offset 0"):
        list(records(log, EVENTS_TOPIC, 0, end=1))


def numbers_of(*numbers: int) -> Ranges:
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    return ranges


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ((), [(1, 9)]),
        ((3, 4, 5), [(1, 2), (6, 9)]),
        ((5, 3, 4), [(1, 2), (6, 9)]),
        ((4, 3, 4, 3), [(1, 2), (5, 9)]),
        ((1, 9, 5), [(2, 4), (6, 8)]),
        (tuple(range(12)), []),
        ((12, 20), [(1, 9)]),
        ((2, 4, 3), [(1, 1), (5, 9)]),
    ],
)
def test_ranges_know_what_they_lack(
    numbers: tuple[int, ...], missing: list[tuple[int, int]]
) -> None:
    assert numbers_of(*numbers).lacks(1, 9) == missing


def test_ranges_forget_what_is_behind() -> None:
    ranges = numbers_of(2, 3, 5)
    ranges.forget(3)
    assert ranges.lacks(1, 6) == [(1, 4), (6, 6)]
