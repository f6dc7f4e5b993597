"""A deployment that is traced into memory: a request comes in, and roles take turns."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid1

import httpx
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from airside.gateway.app import open_app
from airside.gateway.topic import CommandsTopic
from airside.handling import handling
from airside.projecting import projecting
from airside.running import Role
from airside.settings import Settings
from airside.telemetry.http import HttpWatch
from airside.telemetry.producing import WatchedTopic
from airside.telemetry.tracing import Tracing
from airside.telemetry.watching import Watching
from airside.web.handler import Edge
from airside.wiring import Deployment, open_deployment, wall_clock
from tests.kit.witness import wait_until

ROUTE = "/v1/accounts/{account_id}/commands"
OURS = "0af7651916cd43dd8448eb211c80319c"  # the trace of whoever sends the request
TRACEPARENT = f"00-{OURS}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{OURS}-b7ad6b7169203331-00"
SENT = ["POST " + ROUTE, "send commands", "decide", "send events"]


@dataclass
class Traced:
    """What was traced, and who makes it."""

    deployment: Deployment
    watching: Watching
    exporter: InMemorySpanExporter

    async def request(self, traceparent: str) -> None:
        """A device opens an account, over HTTP: the gateway takes it."""
        metrics, tracing = self.watching.metrics, self.watching.tracing
        watch = HttpWatch(metrics, tracing)

        def watched(topic: CommandsTopic) -> CommandsTopic:
            return WatchedTopic(topic, metrics.log, tracing)

        edge, stopping = Edge(observe=watch.observe), asyncio.Event()
        async with (
            open_app(self.deployment, edge, stopping, watched=watched) as app,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=watch.around(app)),
                base_url="http://localhost",
            ) as client,
        ):
            answer = await client.post(
                "/v1/accounts/a1/commands",
                headers={"traceparent": traceparent, "Idempotency-Key": str(uuid1())},
                json={"type": "OpenAccount", "plan_id": "standard", "country": "DE"},
            )
        assert answer.status_code == 202, answer.text

    def work(self, *, until: str) -> None:
        """Handler and projector take turns until there is a span of this name."""
        with handling(self.deployment) as handler, projecting(self.deployment) as projector:
            wait_until(f"a span {until}", lambda: self._turns(until, handler, projector))

    def handle(self) -> None:
        """The handler alone, until everything is on the events topic."""
        with handling(self.deployment) as handler:
            wait_until("it is idle", lambda: not handler.turn())

    def spans(self, name: str) -> list[ReadableSpan]:
        """The finished ones of this name."""
        return [one for one in self.exporter.get_finished_spans() if one.name == name]

    def chain(self, last: str) -> list[str]:
        """The names of a span and of its parents, the first one first."""
        by_id = {one.context.span_id: one for one in self.exporter.get_finished_spans()}
        names, one = [], self.spans(last)[0]
        while True:
            names.append(one.name)
            if one.parent is None or one.parent.span_id not in by_id:
                return names[::-1]
            one = by_id[one.parent.span_id]

    def traces(self, *names: str) -> set[str]:
        """The traces that spans of these names are in."""
        found = [one for name in names for one in self.spans(name)]
        return {format_trace_id(one.context.trace_id) for one in found}

    def _turns(self, name: str, *roles: Role) -> bool:
        for role in roles:
            role.turn()
        return bool(self.spans(name))


@contextmanager
def traced(settings: Settings) -> Iterator[Traced]:
    """Every span is kept."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    watching = Watching(wall_clock, Tracing(provider))
    with open_deployment(settings, telemetry=watching) as deployment:
        yield Traced(deployment, watching, exporter)
    provider.shutdown()
