"""What a log without servers promises beyond the others: it is there at once, all or nothing.

The fixture `log` is made with the fixture `clock`, which dates the records.
"""

import threading

import pytest

from airside.log import Log, Source
from schemas.errors import PublishFailed, TooLarge
from schemas.record import RECORD_BYTES_MAX, Record
from tests.contracts.log import LogContract, offsets, pairs
from tests.kit.clock import HandClock


class EmbeddedLogContract(LogContract):
    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock(1_000)

    def read(self, source: Source, count: int) -> list[Record]:
        """Everything there is: it does not have to be waited for."""
        return source.poll(1_000_000, 0)

    def test_the_append_time_is_the_clock_s(self, topics: Log, clock: HandClock) -> None:
        topics.append("t", 0, pairs(0, 2))
        clock.now = 2_000
        topics.append("t", 0, pairs(2, 3))
        assert [at for _, at, _, _ in topics.source("t", 0).poll(9, 0)] == [1_000, 1_000, 2_000]

    def test_time_never_runs_backwards_in_a_partition(
        self, topics: Log, clock: HandClock
    ) -> None:
        topics.append("t", 0, pairs(0, 1))
        clock.now = 500
        topics.append("t", 0, pairs(1, 2))
        topics.append("t", 1, pairs(0, 1))
        assert [at for _, at, _, _ in topics.source("t", 0).poll(9, 0)] == [1_000, 1_000]
        assert [at for _, at, _, _ in topics.source("t", 1).poll(9, 0)] == [500]

    def test_a_record_of_just_the_bound_is_kept_among_others(self, topics: Log) -> None:
        topics.append("t", 0, [*pairs(0, 1), (b"", bytes(RECORD_BYTES_MAX)), *pairs(2, 3)])
        assert [len(r[3] or b"") for r in topics.source("t", 0).poll(9, 0)] == [
            2,
            RECORD_BYTES_MAX,
            2,
        ]

    def test_what_was_refused_has_taken_no_offset(self, topics: Log) -> None:
        with pytest.raises(TooLarge):
            topics.append("t", 0, [*pairs(0, 2), (b"k", bytes(RECORD_BYTES_MAX))])
        assert topics.append("t", 0, pairs(0, 1)) == 0

    @pytest.mark.parametrize("count_max", [1, 3, 4, 1_000, 5_000])
    def test_a_poll_yields_as_much_as_is_asked_for(self, topics: Log, count_max: int) -> None:
        for n in (1, 2, 1_500, 7):
            topics.append("t", 0, pairs(0, n))
        source = topics.source("t", 0)
        portions = [source.poll(count_max, 0) for _ in range(1_511)]
        assert max(map(len, portions)) == min(count_max, 1_510)
        assert [r[0] for portion in portions for r in portion] == list(range(1_510))

    @pytest.mark.parametrize("offset", [0, 1, 2, 4, 1_503, 1_509])
    def test_a_source_is_where_it_seeks_at_once(self, topics: Log, offset: int) -> None:
        for n in (1, 2, 1_500, 7):
            topics.append("t", 0, pairs(0, n))
        source = topics.source("t", 0)
        source.poll(5, 0)
        source.seek(offset)
        assert offsets(source.poll(4, 0)) == list(range(offset, min(offset + 4, 1_510)))

    def test_two_sources_of_a_partition_each_have_their_place(self, topics: Log) -> None:
        topics.append("t", 0, pairs(0, 3))
        one, other = topics.source("t", 0), topics.source("t", 0)
        one.poll(2, 0)
        assert [offsets(other.poll(1, 0)), offsets(one.poll(9, 0))] == [[0], [2]]

    def test_a_waiting_poll_sees_an_append_whole(self, topics: Log) -> None:
        later = threading.Timer(0.05, topics.append, ("t", 0, pairs(0, 2)))
        later.start()
        found = topics.source("t", 0).poll(9, 30)
        later.join()
        assert offsets(found) == [0, 1]

    def test_what_was_sent_is_acknowledged_at_once(self, topics: Log) -> None:
        publisher = topics.publisher("t", 1)
        publisher.send(pairs(0, 2))
        publisher.send(pairs(2, 3))
        assert publisher.acknowledged() == 3

    def test_a_refused_record_is_told_at_once(self, topics: Log) -> None:
        publisher = topics.publisher("t", 0)
        publisher.send(pairs(0, 2))
        publisher.send([(b"k", bytes(RECORD_BYTES_MAX))])
        publisher.send(pairs(2, 3))
        with pytest.raises(PublishFailed, match=r"the bound is .* Acknowledged before: 2 rec"):
            publisher.acknowledged()
        assert topics.source("t", 0).end() == 2

    def test_the_one_worker_has_every_shard(self, topics: Log) -> None:
        member = topics.membership("handlers", "t")
        assert member.shards(leave=lambda _: None) == frozenset({0, 1})
        member.close()
