"""The traces of a shard's commands: from their records to the records of their events.

    process commands   of a batch: from when it was polled until its commit stood; it has links
                       to the commands that carry a trace, and `commit` within it
    decide             of one such command, in its own trace; a link leads to the batch
    send events        of each of its events, until it is acknowledged; that record carries on

A command without a trace costs nothing. An event that is published by whoever resumes the shard
after a crash has no trace: only the store knows it by then.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from airside.log import Traces
from airside.telemetry.context import Context, context_of, span_context, traceparent
from commands.event_store import Commit
from schemas.codec import CODEC
from schemas.errors import AirsideError
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC, Record


class Polled(Struct, frozen=True):
    """A command that carries a trace and is not committed yet."""

    since: int  # ns
    context: Context
    value: bytes


class Sent(Struct, frozen=True):
    """An event that was handed over and is not acknowledged yet."""

    number: int  # among all records of this publisher
    span: Span
    data: bytes
    cause: Context


class CommandTraces:
    """Of one shard, for one thread."""

    def __init__(self, tracer: Tracer, shard: int) -> None:
        self._tracer = tracer
        self._where = {
            "messaging.destination.name": COMMANDS_TOPIC,
            "messaging.destination.partition.id": str(shard),
            "messaging.operation.type": "process",
        }
        self._polled: dict[int, Polled] = {}  # by offset
        self._commit_id = ""
        self._batch: tuple[Span, Span] | None = None  # the batch, and its commit, under way
        self._causes: dict[bytes, Context] = {}  # of events that are to be sent
        self._sent: deque[Sent] = deque()
        self._handed = 0

    def polled(self, records: Sequence[Record], traces: Mapping[int, str]) -> None:
        """Some of these carry a trace."""
        now = time.time_ns()
        for offset, _, _, value in records:
            context = context_of(traces.get(offset))
            if context is not None and value is not None:
                self._polled[offset] = Polled(now, context, value)

    def begun(self, commit: Commit) -> None:
        """A batch is decided, and its commit under way."""
        found = self._of(commit)
        if not found or commit.commit_id == self._commit_id:
            return
        self._commit_id = commit.commit_id
        batch = self._tracer.start_span(
            f"process {COMMANDS_TOPIC}",
            kind=SpanKind.CONSUMER,
            links=[Link(span_context(one.context)) for one in found.values()],
            attributes={**self._where, "airside.commit_number": commit.number},
            start_time=min(one.since for one in found.values()),
        )
        within = context_of(traceparent(batch))
        attributes = {"airside.events": len(commit.events)}
        self._batch = (
            batch,
            self._tracer.start_span("commit", context=within, attributes=attributes),
        )

    def failed(self, error: AirsideError) -> None:
        """The commit was refused, or nobody knows yet."""
        if self._batch is not None:
            self._batch[1].record_exception(error)

    def committed(self, commit: Commit) -> None:
        """It stands."""
        batch, self._batch = self._batch, None
        found = self._of(commit)
        if not found:
            return
        links = [] if batch is None else [Link(batch[0].get_span_context())]
        causes: dict[tuple[str, str], Context] = {}  # by account and command
        for offset, one in found.items():
            del self._polled[offset]
            span = self._tracer.start_span(
                "decide",
                context=one.context,
                kind=SpanKind.CONSUMER,
                links=links,
                attributes={**self._where, "messaging.kafka.offset": offset},
                start_time=one.since,
            )
            self._name(span, one.value, causes)
            span.end()
        accounts = {account_id for account_id, _ in causes}
        for event in commit.events:
            if event.account_id in accounts:
                command_id = CODEC.decode_event(event.data).command_id
                cause = causes.get((event.account_id, command_id))
                if cause is not None:
                    self._causes[event.data] = cause
        if batch is not None:
            batch[1].end()
            batch[0].end()

    def sending(self, records: Sequence[tuple[bytes, bytes]]) -> Traces | None:
        """These events are handed over now: what some of them carry."""
        first = self._handed
        self._handed += len(records)
        if not self._causes:
            return None
        traces: dict[int, str] = {}
        for n, (_, data) in enumerate(records):
            cause = self._causes.pop(data, None)
            if cause is not None:
                span = self._tracer.start_span(
                    f"send {EVENTS_TOPIC}",
                    context=cause,
                    kind=SpanKind.PRODUCER,
                    attributes={
                        **self._where,
                        "messaging.destination.name": EVENTS_TOPIC,
                        "messaging.operation.type": "send",
                    },
                )
                if trace := traceparent(span):
                    traces[n] = trace
                self._sent.append(Sent(first + n, span, data, cause))
        return traces

    def acknowledged(self, count: int) -> None:
        """So many of all records handed over are on the topic."""
        while self._sent and self._sent[0].number < count:
            self._sent.popleft().span.end()

    def closed(self) -> None:
        """The publisher is: what was not acknowledged will be sent again."""
        for one in self._sent:
            one.span.set_status(Status(StatusCode.ERROR, "not acknowledged"))
            one.span.end()
            self._causes[one.data] = one.cause
        self._sent.clear()
        self._handed = 0

    def dropped(self) -> None:
        """The shard is taken up anew: nothing that is under way counts."""
        self._polled.clear()
        self._causes.clear()
        batch, self._batch = self._batch, None
        for span in reversed(batch or ()):
            span.set_status(Status(StatusCode.ERROR, "the shard was lost"))
            span.end()

    def _name(self, span: Span, value: bytes, causes: dict[tuple[str, str], Context]) -> None:
        """Say which command it is (never whose), and remember what its events come from."""
        try:
            command = CODEC.decode_command(value)
        except AirsideError as error:  # it is parked; the message may quote what is in it
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            return
        span.set_attribute("messaging.message.id", command.command_id)
        span.set_attribute("airside.command_type", type(command).__name__)
        context = context_of(traceparent(span))
        if context is not None:
            causes[command.account_id, command.command_id] = context

    def _of(self, commit: Commit) -> dict[int, Polled]:
        return {o: one for o, one in self._polled.items() if o < commit.next_offset}
