"""Metrics say what happened, under labels that are bounded, on a page that Prometheus reads."""

import re

import pytest

from airside.telemetry.metrics import ROUTES_MAX, Metrics
from schemas.errors import Fenced, Unavailable
from tests.kit.exposed import has, page_of, parsed, value

UNITS = (
    "_requests",
    "_streams",
    "_seconds",
    "_bytes",
    "_commands",
    "_events",
    "_accounts",
    "_commits",
    "_offset",
)
PLAIN = {
    "airside_handler_seq",
    "airside_projection_seq",
    "airside_generations",
    "airside_generation_differences",
    "airside_replay_done",
    "airside_replay_goal",
    "airside_role_halted_shards",
}
"""Numbers without a unit but what they count."""


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: 0)


def test_requests_are_counted_by_route_and_status(metrics: Metrics) -> None:
    metrics.observe_http("/v1/titles/{title_id}", 200, 0.25)
    metrics.observe_http("/v1/titles/{title_id}", 200, 0.5)
    metrics.observe_http("/v1/titles/{title_id}", 404, 0.5)
    page = page_of(metrics.registry)
    name, labels = "airside_http_request_seconds", {"route": "/v1/titles/{title_id}"}
    assert value(page, f"{name}_count", status="200", **labels) == 2
    assert value(page, f"{name}_sum", status="200", **labels) == 0.75
    assert value(page, f"{name}_count", status="404", **labels) == 1


def test_routes_that_are_paths_do_not_fill_the_memory(metrics: Metrics) -> None:
    for n in range(3 * ROUTES_MAX):
        metrics.observe_http(f"/v1/titles/{n}", 200, 0.1)
    page = page_of(metrics.registry)
    name = "airside_http_request_seconds_count"
    assert value(page, name) == 3 * ROUTES_MAX
    assert value(page, name, route="other") == 2 * ROUTES_MAX


def test_a_call_that_fails_is_counted_by_its_error_and_not_timed(metrics: Metrics) -> None:
    with pytest.raises(Fenced), metrics.handler.store.call("commit"):
        raise Fenced("somebody else")
    with metrics.handler.store.call("commit"):
        pass
    page = page_of(metrics.registry)
    errors = "airside_event_store_errors_total"
    assert value(page, errors, operation="commit", error="Fenced") == 1
    assert value(page, "airside_event_store_seconds_count", operation="commit") == 1


def test_an_error_that_is_not_ours_passes_through(metrics: Metrics) -> None:
    with pytest.raises(ZeroDivisionError), metrics.projector.store.call("rows"):
        raise ZeroDivisionError
    assert not has(page_of(metrics.registry), "airside_view_store_errors_total")


def test_the_page_is_of_the_kind_that_was_asked_for(metrics: Metrics) -> None:
    metrics.handler.events.inc(3)
    body, content_type = metrics.page("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    plain, content_type = metrics.page()
    assert content_type.startswith("text/plain")
    assert value(parsed(plain.decode()), "airside_events_stored_total") == 3


def test_two_registries_of_one_process_know_nothing_of_each_other(metrics: Metrics) -> None:
    metrics.roles.errors.labels("handler", Unavailable.__name__).inc()
    assert not has(page_of(Metrics(lambda: 0).registry), "airside_role_retries_total")


def test_names_follow_the_conventions_of_prometheus(metrics: Metrics) -> None:
    ours = [one for one in metrics.registry.collect() if one.name.startswith("airside_")]
    gauges = {one.name for one in ours if one.type in ("gauge", "histogram")}
    assert gauges
    assert not {name for name in gauges if not name.endswith(UNITS)} - PLAIN
    assert all(re.fullmatch(r"[a-z_]+", one.name) for one in ours)
    assert all(one.documentation.endswith(".") for one in ours)
