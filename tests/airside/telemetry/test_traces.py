"""One trace leads from a request over both topics to the rows, and costs nothing when off."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.settings import Settings
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC, shard_of
from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from tests.kit.engines import on_engines
from tests.kit.log_traffic import read_traced
from tests.kit.traced import OURS, SENT, TRACEPARENT, UNSAMPLED, Traced, traced

SAVED = "save timeline"


@pytest.fixture
def embedded(tmp_path: Path, engine: None) -> Iterator[Traced]:
    with traced(Settings(data=tmp_path)) as found:
        yield found


def test_one_trace_leads_from_the_request_to_the_row(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    embedded.work(until=SAVED)
    assert embedded.chain(SAVED) == [*SENT, SAVED]
    assert embedded.traces(*SENT, SAVED) == {OURS}


def test_every_projection_tells_its_save(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    embedded.work(until=SAVED)
    embedded.work(until="save outcomes")
    assert embedded.traces("save outcomes") == {OURS}


def test_the_batch_links_to_its_commands_and_holds_the_commit(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    asyncio.run(embedded.request(TRACEPARENT))
    embedded.handle()
    [batch] = embedded.spans("process commands")
    sent = {one.context.span_id for one in embedded.spans("send commands")}
    assert {link.context.span_id for link in batch.links} == sent
    assert embedded.chain("commit") == ["process commands", "commit"]
    [[to_batch], _] = [one.links for one in embedded.spans("decide")]
    assert to_batch.context.span_id == batch.context.span_id


def test_no_span_tells_whose_it_is(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    embedded.work(until=SAVED)
    told = [value for one in embedded.exporter.get_finished_spans() for value in said(one)]
    assert told
    assert "a1" not in told
    assert not [value for value in told if "/a1" in value]


def said(span: object) -> list[str]:
    attributes = getattr(span, "attributes", None) or {}
    return [getattr(span, "name", ""), *map(str, attributes.values())]


def test_what_the_caller_does_not_record_is_recorded_nowhere(embedded: Traced) -> None:
    asyncio.run(embedded.request(UNSAMPLED))
    embedded.handle()
    assert embedded.exporter.get_finished_spans() == ()
    assert carried(embedded, EVENTS_TOPIC) == {}


def test_records_on_both_topics_carry_the_trace(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    embedded.handle()
    traces = [*carried(embedded, COMMANDS_TOPIC).values()]
    traces += carried(embedded, EVENTS_TOPIC).values()
    assert [trace.split("-")[1] for trace in traces] == [OURS, OURS]


def carried(found: Traced, topic: str) -> dict[int, str]:
    shard = shard_of("a1", found.deployment.shards)
    with found.deployment.log() as log, closing(log.source(topic, shard)) as source:
        source.traces = {}
        return read_traced(source, 1)[1]


@pytest.mark.engines
@pytest.mark.timeout(300)
def test_on_kafka_and_cassandra_it_is_one_trace_too(
    tmp_path: Path, cassandra: CassandraNode, kafka: KafkaBroker, views_url: str
) -> None:
    shell = on_engines(
        tmp_path,
        events=f"cassandra://{cassandra.address}",
        log=kafka.url,
        views=views_url,
        shards=2,
    )
    with traced(shell.settings) as found:
        asyncio.run(found.request(TRACEPARENT))
        found.work(until=SAVED)
        assert found.chain(SAVED) == [*SENT, SAVED]
        assert found.traces(*SENT, SAVED) == {OURS}
