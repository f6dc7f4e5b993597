"""The write side's ports, watched: what is refused, unknown or sent again is told as it is."""

import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from airside.adapters.memory_log import MemoryLog
from airside.telemetry.command_traces import CommandTraces
from airside.telemetry.tracing import Tracing
from airside.telemetry.watching import Watching
from commands.event_store import Commit, StoredEvent
from commands.writing import write
from schemas.codec import CODEC
from schemas.errors import Fenced
from schemas.events import AccountSuspended
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC
from tests.kit.counter import NOW, add
from tests.kit.exposed import page_of, value
from tests.kit.shard import FaultyEventStore

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Desk:
    """One shard: its store, commands and publisher, watched and traced."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.watching = Watching(lambda: NOW, Tracing(provider))
        self.log = MemoryLog(lambda: NOW)
        self.log.create_topic(COMMANDS_TOPIC, 1)
        self.log.create_topic(EVENTS_TOPIC, 1)
        self.inner = FaultyEventStore()
        self.store = self.watching.event_store(self.inner)
        self.source = self.watching.commands(0, self.log.source(COMMANDS_TOPIC, 0))
        self.open = self.watching.publisher(0, lambda: self.log.publisher(EVENTS_TOPIC, 0))

    def take(self) -> list[tuple[bytes, bytes]]:
        """A command that carries a trace is committed; its event, as it is to be sent."""
        command = add(1)
        self.log.append(COMMANDS_TOPIC, 0, [(b"a", CODEC.encode(command))], {0: TRACE})
        self.source.poll(10, 0)
        event = AccountSuspended(
            seq=1, version=1, account_id="a", command_id=command.command_id, reason=""
        )
        data = CODEC.encode(event)
        commit = commit_of(StoredEvent(1, "a", 1, data))
        self.store.begin_commit(commit)
        write(self.store, commit)
        return [(b"a", data)]

    def traces_on_topic(self) -> list[str]:
        return [trace for (topic, *_), trace in self.log.traces.items() if topic == "events"]

    def spans(self, name: str) -> list[Any]:
        return [one for one in self.exporter.get_finished_spans() if one.name == name]


def commit_of(*events: StoredEvent) -> Commit:
    return Commit(0, 1, "c1", 1, next_offset=1, settled=0, events=events)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_commit_that_landed_unheard_counts_once(desk: Desk) -> None:
    desk.inner.faults = ["unanswered"]
    desk.take()
    page = page_of(desk.watching.metrics.registry)
    errors = "airside_event_store_errors_total"
    assert value(page, errors, operation="commit", error="OutcomeUnknown") == 1
    assert value(page, "airside_events_stored_total") == 1
    assert value(page, "airside_handler_seq", shard="0") == 1
    assert value(page, "airside_command_age_seconds_count") == 1


def test_a_commit_that_somebody_else_made_is_a_fence(desk: Desk) -> None:
    desk.inner.commit(commit_of())
    other = Commit(0, 1, "c2", 1, next_offset=1, settled=0)
    with pytest.raises(Fenced):
        write(desk.store, other)
    page = page_of(desk.watching.metrics.registry)
    errors = "airside_event_store_errors_total"
    assert value(page, errors, operation="commit", error="Fenced") == 1
    assert value(page, "airside_commit_events_count") == 0


def test_unsettled_commits_are_told_until_they_are_settled(desk: Desk) -> None:
    desk.take()
    before = page_of(desk.watching.metrics.registry)
    desk.store.settle(0, 1)
    after = page_of(desk.watching.metrics.registry)
    told = [value(page, "airside_handler_unsettled_commits") for page in (before, after)]
    assert told == [1, 0]


def test_an_event_that_is_sent_again_carries_its_trace_again(desk: Desk) -> None:
    events = desk.take()
    lost = desk.open()
    lost.send(events)
    lost.close()  # before anybody heard of an acknowledgement
    again = desk.open()
    again.send(events)
    again.acknowledged()
    first, second = desk.spans("send events")
    assert len(desk.traces_on_topic()) == 2
    assert first.status.status_code is StatusCode.ERROR
    assert second.status.status_code is StatusCode.UNSET


def test_whoever_resumes_publishes_without_a_trace(desk: Desk) -> None:
    events = desk.take()
    desk.store.resume(0)
    desk.open().send(events)
    assert desk.traces_on_topic() == []
    assert desk.log.source(EVENTS_TOPIC, 0).end() == 1


def test_a_command_that_cannot_be_read_ends_its_trace_with_an_error(desk: Desk) -> None:
    desk.log.append(COMMANDS_TOPIC, 0, [(b"a", b"junk")], {0: TRACE})
    desk.source.poll(10, 0)
    desk.store.begin_commit(commit_of())
    write(desk.store, commit_of())
    [decided] = desk.spans("decide")
    assert decided.status.status_code is StatusCode.ERROR
    assert decided.status.description == "Unreadable"


def test_a_batch_without_traced_commands_makes_no_span(desk: Desk) -> None:
    desk.log.append(COMMANDS_TOPIC, 0, [(b"a", CODEC.encode(add(1)))])
    desk.source.poll(10, 0)
    desk.store.begin_commit(commit_of())
    write(desk.store, commit_of())
    assert desk.exporter.get_finished_spans() == ()


@pytest.mark.parametrize(
    "trace", ["", "nonsense", TRACE[:-2] + "00", "ff" + TRACE[2:], "0" * 55]
)
def test_what_is_no_trace_to_be_recorded_is_ignored(
    desk: Desk, trace: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    traces: CommandTraces = desk.watching._desk(0).traces  # type: ignore[assignment]
    traces.polled([(0, NOW, b"a", CODEC.encode(add(1)))], {0: trace})
    traces.begun(commit_of())
    traces.committed(commit_of())
    assert desk.exporter.get_finished_spans() == ()
