"""What HTTP services tell: /metrics, routes by template, and spans that carry on a trace."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from airside.settings import Settings
from airside.telemetry.http import HttpWatch
from airside.telemetry.metrics import Metrics
from schemas.envelope import new_id
from schemas.record import COMMANDS_TOPIC
from tests.kit.exposed import page_of, parsed, value
from tests.kit.log_traffic import read_traced
from tests.kit.traced import OURS, ROUTE, TRACEPARENT, Traced, traced


@pytest.fixture
def embedded(tmp_path: Path, engine: None) -> Iterator[Traced]:
    with traced(Settings(data=tmp_path, shards=1)) as found:
        yield found


async def asked(watch: HttpWatch, accept: str) -> httpx.Response:
    app = watch.around(Starlette(routes=[watch.route()]))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/metrics", headers={"Accept": accept})


def test_metrics_are_a_resource_of_the_service() -> None:
    watch = HttpWatch(Metrics(lambda: 0))
    watch.observe("/livez", 200, 0.5)
    answer = asyncio.run(asked(watch, "text/plain"))
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert value(parsed(answer.text), "airside_http_request_seconds_sum", route="/livez") == 0.5


def test_openmetrics_is_answered_to_whoever_asks_for_it() -> None:
    answer = asyncio.run(asked(HttpWatch(Metrics(lambda: 0)), "application/openmetrics-text"))
    assert answer.headers["content-type"].startswith("application/openmetrics-text")


def test_requests_and_streams_under_way_are_told_as_they_are_now() -> None:
    metrics, open_now = Metrics(lambda: 0), [3, 2]
    HttpWatch(metrics).follow(lambda: open_now[0], lambda: open_now[1])
    open_now[:] = [5, 4]
    page = page_of(metrics.registry)
    found = "airside_http_in_flight_requests", "airside_http_open_streams"
    assert [value(page, name) for name in found] == [5, 4]


def test_an_application_that_is_not_traced_stays_the_very_same() -> None:
    app = Starlette()
    assert HttpWatch(Metrics(lambda: 0)).around(app) is app


def test_a_request_is_counted_by_its_template_and_tells_no_account(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    page = page_of(embedded.watching.metrics.registry)
    name = "airside_http_request_seconds_count"
    assert value(page, name, route=ROUTE, status="202") == 1
    assert value(page, "airside_log_append_seconds_count", topic=COMMANDS_TOPIC) == 1
    assert not [labels for _, labels in page if "a1" in str(labels)]


def test_the_span_of_a_request_has_its_route_and_status(embedded: Traced) -> None:
    asyncio.run(embedded.request(TRACEPARENT))
    [span] = embedded.spans(f"POST {ROUTE}")
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.response.status_code": 202,
        "http.route": ROUTE,
        "url.scheme": "http",
    }
    assert embedded.traces(f"POST {ROUTE}") == {OURS}


def test_a_watched_log_carries_on_the_trace_that_an_append_is_part_of(embedded: Traced) -> None:
    tracing, topic = embedded.watching.tracing, new_id()
    assert tracing is not None
    with embedded.deployment.log() as log:
        log.create_topic(topic, 1)
        watched = embedded.watching.appending(log)
        with tracing.tracer.start_as_current_span("around"):
            watched.append(topic, 0, [(b"a", b"1"), (b"b", b"2")])
        source = watched.source(topic, 0)
        source.traces = {}
        _, found = read_traced(source, 2)
    [around] = embedded.traces("around")
    assert [trace.split("-")[1] for trace in found.values()] == [around, around]
