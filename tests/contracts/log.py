"""What every log must do. A subclass has a fixture `log` without topics."""

import threading
import time
from functools import partial
from itertools import pairwise

import pytest

from airside.log import Log, Source
from schemas.errors import Contradiction, NotFound, PublishFailed, TooLarge
from schemas.record import RECORD_BYTES_MAX, Record
from tests.kit.log_traffic import (
    acknowledged_by,
    append_batches,
    order_of,
    portions_of,
    read_until,
)
from tests.kit.together import together


def pairs(first: int, beyond: int) -> list[tuple[bytes, bytes]]:
    return [(f"k{i}".encode(), f"v{i}".encode()) for i in range(first, beyond)]


def offsets(records: list[Record]) -> list[int]:
    return [offset for offset, _, _, _ in records]


class LogContract:
    @pytest.fixture
    def topics(self, log: Log) -> Log:
        log.create_topic("t", 2)
        log.create_topic("other", 1)
        return log

    def read(self, source: Source, count: int) -> list[Record]:
        """So many records, and what else comes with them; a cluster needs a moment for it."""
        return read_until(source, count) + source.poll(1_000, 0)

    # topics

    def test_a_topic_has_the_partitions_it_was_created_with(self, topics: Log) -> None:
        assert topics.partitions("t") == 2

    def test_whether_a_topic_was_missing_is_said(self, log: Log) -> None:
        assert [log.create_topic("t", 2), log.create_topic("t", 2)] == [True, False]

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_creating_a_topic_again_changes_nothing(self, log: Log, is_compacted: bool) -> None:
        log.create_topic("t", 2, is_compacted=is_compacted)
        log.append("t", 0, pairs(0, 3))
        log.create_topic("t", 2, is_compacted=is_compacted)
        assert len(self.read(log.source("t", 0), 3)) == 3

    def test_a_topic_may_be_created_by_many_at_once(self, log: Log) -> None:
        made = together([partial(log.create_topic, "t", 2)] * 4)
        assert (sorted(made), log.partitions("t")) == ([False, False, False, True], 2)

    def test_another_partition_count_is_a_contradiction(self, topics: Log) -> None:
        with pytest.raises(Contradiction, match="topic t has 2 partitions, 3 were asked for"):
            topics.create_topic("t", 3)

    def test_a_topic_without_partitions_is_a_contradiction(self, log: Log) -> None:
        with pytest.raises(Contradiction, match=r"keep the count \(at least 1\)"):
            log.create_topic("none", 0)
        with pytest.raises(NotFound):
            log.partitions("none")

    @pytest.mark.parametrize("verb", ["source", "publisher"])
    def test_an_unknown_topic_is_not_found(self, topics: Log, verb: str) -> None:
        with pytest.raises(NotFound, match="nowhere has not been created: create it first"):
            getattr(topics, verb)("nowhere", 0)

    def test_a_partition_beyond_the_last_is_not_found(self, topics: Log) -> None:
        with pytest.raises(NotFound, match="topic t has partitions 0 to 1, not 2"):
            topics.append("t", 2, pairs(0, 1))

    # append

    def test_offsets_begin_at_0_and_have_no_gap(self, topics: Log) -> None:
        assert [topics.append("t", 0, pairs(0, n)) for n in (3, 1, 2)] == [0, 3, 4]

    def test_nothing_appended_is_no_offset_taken(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        assert [topics.append("t", 0, []), topics.append("t", 0, pairs(0, 1))] == [3, 3]

    def test_partitions_and_topics_are_separate(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        assert [topics.append("t", 1, pairs(0, 1)), topics.append("other", 0, [])] == [0, 0]

    def test_the_append_time_is_never_before_that_of_the_record_ahead(
        self, topics: Log
    ) -> None:
        together([partial(append_batches, topics, w, 10, 3) for w in "ab"])
        stamps = [at for _, at, _, _ in self.read(topics.source("t", 0), 60)]
        assert (len(stamps), stamps) == (60, sorted(stamps))

    def test_a_record_over_the_bound_is_refused_and_nothing_is_half_appended(
        self, topics: Log
    ) -> None:
        large = (b"k", bytes(RECORD_BYTES_MAX))
        with pytest.raises(TooLarge, match=r"1048577 bytes for topic t: the bound is 1048576"):
            topics.append("t", 0, [*pairs(0, 2), large])
        assert topics.source("t", 0).end() == 0

    def test_a_record_of_just_the_bound_is_kept(self, topics: Log) -> None:
        topics.append("t", 0, [(b"", bytes(RECORD_BYTES_MAX))])
        found = self.read(topics.source("t", 0), 1)
        assert [(key, len(value or b"")) for _, _, key, value in found] == [
            (b"", RECORD_BYTES_MAX)
        ]

    # sources

    def test_records_come_as_offset_time_key_and_value(self, topics: Log) -> None:
        topics.append("t", 0, [(b"k", b"v"), (None, b"w"), (b"x", None), (b"", b"")])
        found = self.read(topics.source("t", 0), 4)
        assert [(offset, key, value) for offset, _, key, value in found] == [
            (0, b"k", b"v"),
            (1, None, b"w"),
            (2, b"x", None),
            (3, b"", b""),
        ]

    @pytest.mark.parametrize("count_max", [1, 3, 4, 1_000, 5_000])
    def test_a_source_polled_in_any_portions_yields_everything_once(
        self, topics: Log, count_max: int
    ) -> None:
        for n in (1, 2, 1_500, 7):
            topics.append("t", 0, pairs(0, n))
        portions = portions_of(topics.source("t", 0), count_max, 1_510)
        assert max(map(len, portions)) <= count_max
        assert [r[0] for portion in portions for r in portion] == list(range(1_510))

    @pytest.mark.parametrize("offset", [0, 1, 2, 4, 1_503, 1_509])
    def test_a_source_goes_on_from_where_it_seeks(self, topics: Log, offset: int) -> None:
        for n in (1, 2, 1_500, 7):
            topics.append("t", 0, pairs(0, n))
        source = topics.source("t", 0)
        self.read(source, 5)
        source.seek(offset)
        found = self.read(source, min(4, 1_510 - offset))
        assert offsets(found)[:4] == list(range(offset, min(offset + 4, 1_510)))

    def test_seeking_beyond_the_end_waits_for_that_offset(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 2))
        source = topics.source("t", 0)
        source.seek(4)
        before = source.poll(9, 0.2)
        topics.append("t", 0, pairs(2, 4))
        topics.append("t", 0, pairs(4, 6))
        assert (before, offsets(self.read(source, 2))) == ([], [4, 5])

    def test_two_sources_of_a_partition_do_not_disturb_each_other(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        one, other = topics.source("t", 0), topics.source("t", 0)
        first = one.poll(2, 30)
        assert offsets(self.read(other, 3)) == [0, 1, 2]
        assert offsets(first + self.read(one, 3 - len(first))) == [0, 1, 2]

    def test_sources_of_several_partitions_each_get_their_own(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 500))
        topics.append("t", 1, pairs(500, 1_000))
        first, second = topics.source("t", 0), topics.source("t", 1)
        found = [self.read(first, 500), self.read(second, 500)]
        assert [[r[2] for r in records] for records in found] == [
            [key for key, _ in pairs(0, 500)],
            [key for key, _ in pairs(500, 1_000)],
        ]

    def test_a_closed_source_leaves_the_others_alone(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        topics.append("t", 1, pairs(0, 3))
        one, other = topics.source("t", 0), topics.source("t", 1)
        one.poll(1, 30)
        one.close()
        assert offsets(self.read(other, 3)) == [0, 1, 2]

    def test_a_poll_without_patience_returns_at_once(self, topics: Log) -> None:
        assert topics.source("t", 0).poll(9, 0) == []

    def test_a_poll_gives_up_when_its_time_is_over(self, topics: Log) -> None:
        began = time.monotonic()
        assert topics.source("t", 0).poll(9, 0.05) == []
        assert 0.05 <= time.monotonic() - began < 30

    def test_a_waiting_poll_sees_what_arrives(self, topics: Log) -> None:
        source = topics.source("t", 0)
        later = threading.Timer(0.05, topics.append, ("t", 0, pairs(0, 2)))
        later.start()
        found = source.poll(9, 30)
        later.join()
        assert offsets(found)[:1] == [0]

    def test_the_end_is_the_next_offset(self, topics: Log) -> None:
        ends = [topics.source("t", 0).end()]
        topics.append("t", 0, pairs(0, 1_200))
        assert [*ends, topics.source("t", 0).end(), topics.source("t", 1).end()] == [
            0,
            1_200,
            0,
        ]

    def test_the_end_is_the_next_offset_for_whoever_has_read_everything(
        self, topics: Log
    ) -> None:
        source = topics.source("t", 0)
        topics.append("t", 0, pairs(0, 3))
        self.read(source, 3)
        read_everything = source.end(), source.poll(9, 0.2), source.end()
        topics.append("t", 0, pairs(3, 5))
        assert (read_everything, source.end()) == ((3, [], 3), 5)

    def test_the_begin_is_the_oldest_record_kept(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        assert [topics.source("t", p).begin() for p in (0, 1)] == [0, 0]

    def test_what_a_source_noted_can_be_read(self, topics: Log) -> None:
        source = topics.source("t", 1)
        source.note(17)
        source.note(18)
        source.close()
        assert (topics.noted("t", 1), topics.noted("t", 0)) == (18, 0)

    # publishers

    def test_what_a_publisher_sent_is_on_the_topic_in_order(self, topics: Log) -> None:
        publisher = topics.publisher("t", 1)
        publisher.send(pairs(0, 2))
        publisher.send(pairs(2, 3))
        assert acknowledged_by(publisher, 3) == 3
        publisher.close()
        found = self.read(topics.source("t", 1), 3)
        assert [r[2] for r in found] == [b"k0", b"k1", b"k2"]

    def test_a_publisher_sends_nothing_more_once_a_record_was_refused(
        self, topics: Log
    ) -> None:
        publisher = topics.publisher("t", 0)
        publisher.send(pairs(0, 2))
        acknowledged_by(publisher, 2)
        publisher.send([(b"k", bytes(RECORD_BYTES_MAX))])
        publisher.send(pairs(2, 3))
        with pytest.raises(PublishFailed, match=r"the bound is .* Acknowledged before: 2 rec"):
            publisher.acknowledged()
        publisher.close()
        assert topics.source("t", 0).end() == 2

    def test_a_closed_publisher_sends_nothing_more(self, topics: Log) -> None:
        publisher = topics.publisher("t", 0)
        publisher.close()
        publisher.send(pairs(0, 1))
        with pytest.raises(PublishFailed, match="this publisher is closed"):
            publisher.acknowledged()
        publisher.close()
        assert topics.source("t", 0).end() == 0

    # membership

    def test_a_group_of_an_unknown_topic_is_not_found(self, topics: Log) -> None:
        with pytest.raises(NotFound, match="nowhere has not been created: create it first"):
            topics.membership("handlers", "nowhere")

    # at the same time

    def test_writers_at_the_same_time_lose_nothing_and_leave_no_gap(self, topics: Log) -> None:
        together([partial(append_batches, topics, w, 20, 3) for w in "abc"])
        records = read_until(topics.source("t", 0), 180)
        assert offsets(records) == list(range(180))
        assert [order_of(w, records) for w in "abc"] == [list(range(60))] * 3

    def test_a_reader_sees_a_gapless_prefix_while_others_append(self, topics: Log) -> None:
        writers = [
            threading.Thread(target=append_batches, args=(topics, w, 20, 3)) for w in "ab"
        ]
        source = topics.source("t", 0)
        list(map(threading.Thread.start, writers))
        records = read_until(source, 120)
        list(map(threading.Thread.join, writers))
        assert {b[0] - a[0] for a, b in pairwise(records)} == {1}
        assert [order_of(w, records) for w in "ab"] == [list(range(60))] * 2
