"""What an HTTP service tells: /metrics, each answer, and a span around each request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from airside.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from airside.telemetry.tracing import Tracing

PATH = "/metrics"


class HttpWatch:
    """Watches the service of one process."""

    def __init__(self, metrics: Metrics, tracing: "Tracing | None" = None) -> None:
        self._metrics, self._tracing = metrics, tracing

    def observe(self, route: str, status: int, seconds: float) -> None:
        """One request is answered; called while its span is the current one."""
        self._metrics.observe_http(route, status, seconds)
        if self._tracing is not None:
            self._tracing.answered(route, status)

    def follow(
        self, in_flight: Callable[[], float], streams: Callable[[], float] = lambda: 0.0
    ) -> None:
        """How many requests and streams there are, asked whenever the page is."""
        self._metrics.http.in_flight.set_function(in_flight)
        self._metrics.http.streams.set_function(streams)

    def route(self) -> Route:
        """/metrics; no token, since nothing in it is about anybody."""

        async def metrics(request: Request) -> Response:
            body, content_type = self._metrics.page(request.headers.get("accept", ""))
            return Response(body, headers={"Content-Type": content_type})

        return Route(PATH, metrics, methods=["GET"])

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, each request in a span; the very same where nothing is traced."""
        return app if self._tracing is None else self._tracing.requests(app)
