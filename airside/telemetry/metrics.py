"""Metrics of one process: what is counted and timed, and the page that Prometheus reads.

Names follow Prometheus: the unit is in the name, counters end in _total. Labels are bounded:
shards, projections, operations, errors of our tree, routes; never accounts, titles or ids.
What is not counted but stands somewhere (positions, lag) is in `standing.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from airside.telemetry.standing import Standing
from schemas.errors import AirsideError

ROUTES_MAX = 200  # in labels; whatever comes after them is "other"
CALL_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
AGE_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0,
)  # fmt: skip
BATCH_EVENTS = (0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)


class Metrics:
    """One registry and everything in it. Threads may share it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` tells ms; it is compared with the times that records and events carry."""
        self.registry = own = CollectorRegistry()
        ProcessCollector(registry=own)
        PlatformCollector(registry=own)
        GCCollector(registry=own)
        self.standing = Standing(clock)
        own.register(self.standing)
        self.roles = RoleMetrics(own)
        self.handler = HandlerMetrics(own)
        self.projector = ProjectorMetrics(own)
        self.log = LogMetrics(own)
        self.http = HttpMetrics(own)

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """What /metrics answers to this Accept header: the body and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def observe_http(self, route: str, status: int, seconds: float) -> None:
        """One request is answered. `route` is a template, such as /v1/titles/{title_id}."""
        self.http.observe(route, status, seconds)


class Timed:
    """Calls of one engine: how long they took, and how they failed."""

    def __init__(self, seconds: Histogram, errors: Counter) -> None:
        self._seconds, self._errors = seconds, errors
        self._known: dict[str, Histogram] = {}  # by operation: looking one up costs as much

    @contextmanager
    def call(self, operation: str) -> Iterator[None]:
        """Time what is done inside; what it raises is counted, and raised on."""
        began = perf_counter()
        try:
            yield
        except AirsideError as error:
            self.failed(operation, error)
            raise
        self.took(operation, perf_counter() - began)

    def took(self, operation: str, seconds: float) -> None:
        """One that succeeded."""
        known = self._known.get(operation)
        if known is None:
            known = self._known[operation] = self._seconds.labels(operation)
        known.observe(seconds)

    def failed(self, operation: str, error: AirsideError) -> None:
        """One that did not."""
        self._errors.labels(operation, type(error).__name__).inc()


class RoleMetrics:
    """The turns of handler, projector and timekeeper."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.turns = Counter(
            "airside_role_turns_total",
            "Turns that found something to do.",
            ["role"],
            registry=registry,
        )
        self.records = Counter(
            "airside_role_records_total",
            "Records taken by handlers and projectors, commands sent by timekeepers.",
            ["role"],
            registry=registry,
        )
        self.busy = Counter(
            "airside_role_busy_seconds_total",
            "Time spent in turns, waiting for engines included.",
            ["role"],
            registry=registry,
        )
        self.errors = Counter(
            "airside_role_retries_total",
            "Turns, and openings, that failed with an error that may go away.",
            ["role", "error"],
            registry=registry,
        )
        self.turned = Gauge(
            "airside_role_last_turn_timestamp_seconds",
            "When the last turn ended.",
            ["role"],
            registry=registry,
        )
        self.halted = Gauge(
            "airside_role_halted_shards",
            "Shards, of any generation, that stand still until a person mends something.",
            ["role"],
            registry=registry,
        )


class HandlerMetrics:
    """The write side: commands decided, commits, calls of the event store."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.commands = Counter(
            "airside_commands_total",
            "Commands handled, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.events = Counter(
            "airside_events_stored_total", "Events committed.", registry=registry
        )
        self.commit_events = Histogram(
            "airside_commit_events",
            "Events in a commit.",
            buckets=BATCH_EVENTS,
            registry=registry,
        )
        self.age = Histogram(
            "airside_command_age_seconds",
            "From when the oldest command of a batch was on the topic until its commit stood.",
            buckets=AGE_SECONDS,
            registry=registry,
        )
        self.loaded = Counter(
            "airside_accounts_loaded_total",
            "Accounts that had to be asked of the event store, since they were not in memory.",
            registry=registry,
        )
        self.store = Timed(
            Histogram(
                "airside_event_store_seconds",
                "Calls of the event store. `commit` is from its begin until it stands.",
                ["operation"],
                buckets=CALL_SECONDS,
                registry=registry,
            ),
            Counter(
                "airside_event_store_errors_total",
                "Calls of the event store that failed. Fenced: another handler has the shard.",
                ["operation", "error"],
                registry=registry,
            ),
        )


class ProjectorMetrics:
    """The read side: events folded, rows, calls of the view store."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_projection = ["projection"]
        self.folded = Counter(
            "airside_events_folded_total",
            "Events folded and saved, by any generation, replays included.",
            by_projection,
            registry=registry,
        )
        self.saved = Counter(
            "airside_rows_saved_total", "Rows written.", by_projection, registry=registry
        )
        self.read = Counter(
            "airside_rows_read_total",
            "Rows that had to be asked of the view store, since they were not in memory.",
            by_projection,
            registry=registry,
        )
        self.parked = Counter(
            "airside_events_parked_total",
            "Events that could not be folded, or wait behind one that could not.",
            by_projection,
            registry=registry,
        )
        self.age = Histogram(
            "airside_event_age_seconds",
            "From when the last event of a batch was decided until it was in its row.",
            by_projection,
            buckets=AGE_SECONDS,
            registry=registry,
        )
        self.store = Timed(
            Histogram(
                "airside_view_store_seconds",
                "Calls of the view store. `save` is from when it is sent until it is heard of.",
                ["operation"],
                buckets=CALL_SECONDS,
                registry=registry,
            ),
            Counter(
                "airside_view_store_errors_total",
                "Calls of the view store that failed. Fenced: another projector was faster.",
                ["operation", "error"],
                registry=registry,
            ),
        )


class LogMetrics:
    """The topics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.appends = Histogram(
            "airside_log_append_seconds",
            "Appends of producers, until they were acknowledged.",
            ["topic"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self.errors = Counter(
            "airside_log_errors_total",
            "Polls, appends and publications that failed.",
            ["topic", "operation", "error"],
            registry=registry,
        )


class HttpMetrics:
    """Requests of a service, by route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "airside_http_request_seconds",
            "Requests answered; a stream counts when it ends.",
            ["route", "status"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "airside_http_in_flight_requests",
            "Requests that are not answered yet, streams included.",
            registry=registry,
        )
        self.streams = Gauge(
            "airside_http_open_streams",
            "Event streams of accounts that are open.",
            registry=registry,
        )
        self._routes: set[str] = set()
        self._known: dict[tuple[str, int], Histogram] = {}

    def observe(self, route: str, status: int, seconds: float) -> None:
        """One request. More than ROUTES_MAX routes can only be paths, and become "other"."""
        known = self._known.get((route, status))
        if known is None:
            if route not in self._routes and len(self._routes) >= ROUTES_MAX:
                route = "other"
            self._routes.add(route)
            known = self._seconds.labels(route, str(status))
            self._known[route, status] = known
        known.observe(seconds)
