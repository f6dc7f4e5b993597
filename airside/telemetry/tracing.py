"""Traces: from the request over the commands topic, the handler and the events topic to a row.

Only where OpenTelemetry is told where to send them: OTEL_EXPORTER_OTLP_ENDPOINT, or the same
for traces alone. Else nothing here is even imported, and no record's header is looked at.

OpenTelemetry's own environment variables say the rest: OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER
(`parentbased_traceidratio` for a busy gateway), OTEL_RESOURCE_ATTRIBUTES.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span
from starlette.types import ASGIApp, Receive, Scope, Send

from airside.log import TRACEPARENT
from airside.telemetry.command_traces import CommandTraces
from airside.telemetry.context import any_context_of, traceparent
from airside.telemetry.event_traces import EventTraces
from projectors.view_store import Generation

SERVER_ERROR = 500

log = logging.getLogger("airside.telemetry")


class Tracing:
    """Makes the spans of one process; the provider is shut down by whoever made it."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("airside")

    def commands(self, shard: int) -> CommandTraces:
        """Of the commands of a shard that a handler has."""
        return CommandTraces(self.tracer, shard)

    def events(
        self, generation: Generation, shard: int, clock: Callable[[], int]
    ) -> EventTraces:
        """Of the events of a shard, as one worker saves them."""
        return EventTraces(self.tracer, generation, shard, clock)

    def requests(self, app: ASGIApp) -> ASGIApp:
        """The application, each of its HTTP requests in a span, part of the caller's trace."""
        return TracedRequests(app, self.tracer)

    def answered(self, route: str, status: int) -> None:
        """What the request under way came to."""
        span = get_current_span()
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        method = getattr(span, "name", "").partition(" ")[0]
        span.update_name(f"{method} {route}")
        if status >= SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))

    @contextmanager
    def sending(self, topic: str) -> Iterator[str]:
        """A span around an append, part of what is under way; the traceparent for its records.

        Empty where it is not recorded.
        """
        attributes = {"messaging.destination.name": topic, "messaging.operation.type": "send"}
        with self.tracer.start_as_current_span(
            f"send {topic}", kind=SpanKind.PRODUCER, attributes=attributes
        ) as span:
            yield traceparent(span)


class TracedRequests:
    """An ASGI application. A path may name an account, so no span tells it."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, within a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = next((v for n, v in scope["headers"] if n == TRACEPARENT.encode()), b"")
        with self._tracer.start_as_current_span(
            scope["method"],
            context=any_context_of(sent.decode("latin-1")),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"], "url.scheme": scope["scheme"]},
        ):
            await self._app(scope, receive, send)


@contextmanager
def exporting(environment: Mapping[str, str]) -> Iterator[Tracing]:
    """Traces to where the environment says; what is not sent yet is sent at the end."""
    resource = Resource.create()
    if "OTEL_SERVICE_NAME" not in environment:
        resource = resource.merge(Resource({SERVICE_NAME: "airside"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    log.info("traces are exported as OpenTelemetry's environment variables say")
    try:
        yield Tracing(provider)
    finally:
        provider.shutdown()
