"""What every log must do with the traces that records carry. Has a fixture `log`."""

import pytest

from airside.log import Log
from tests.kit.log_traffic import acknowledged_by, read_traced, read_until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01"
RECORDS = [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]


class LogTracesContract:
    @pytest.fixture
    def topic(self, log: Log) -> Log:
        log.create_topic("t", 2)
        return log

    def test_whoever_looks_is_told_the_traces_of_the_last_poll(self, topic: Log) -> None:
        topic.append("t", 0, RECORDS)
        topic.append("t", 0, RECORDS, {0: TRACE, 2: OTHER})
        source = topic.source("t", 0)
        source.traces = {}
        source.seek(3)
        assert read_traced(source, 3) == (RECORDS, {3: TRACE, 5: OTHER})
        source.poll(9, 0)
        assert source.traces == {}

    def test_whoever_does_not_look_is_told_nothing(self, topic: Log) -> None:
        topic.append("t", 0, RECORDS, {0: TRACE})
        source = topic.source("t", 0)
        found = read_until(source, 3)
        assert [(key, value) for _, _, key, value in found] == RECORDS
        assert source.traces is None

    def test_traces_are_of_one_partition(self, topic: Log) -> None:
        topic.append("t", 0, RECORDS, {1: TRACE})
        topic.append("t", 1, RECORDS)
        source = topic.source("t", 1)
        source.traces = {}
        assert read_traced(source, 3) == (RECORDS, {})

    def test_a_publisher_keeps_the_order_of_records_with_and_without(self, topic: Log) -> None:
        publisher = topic.publisher("t", 0)
        publisher.send(RECORDS)
        publisher.send(RECORDS, {1: TRACE})
        publisher.send(RECORDS, {0: OTHER, 2: TRACE})
        source = topic.source("t", 0)
        source.traces = {}
        assert acknowledged_by(publisher, 9) == 9
        publisher.close()
        assert read_traced(source, 9) == (RECORDS * 3, {4: TRACE, 6: OTHER, 8: TRACE})
