"""Opens the telemetry of a process: what its options and its environment ask for."""

import importlib.util
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from airside.telemetry.endpoint import Address, serving
from airside.telemetry.port import UNWATCHED, Telemetry

if TYPE_CHECKING:
    from airside.telemetry.tracing import Tracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PARTS = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

log = logging.getLogger("airside.telemetry")


@contextmanager
def telemetry(
    metrics: Address | None, environment: Mapping[str, str], clock: Callable[[], int]
) -> Iterator[Telemetry]:
    """Metrics served where an address is given, traces exported where the environment says so.

    Without either nothing is watched. Raises: Invalid where the address cannot be served.
    """
    with ExitStack() as held:
        tracing = held.enter_context(traces(environment))
        if metrics is None and tracing is None:
            yield UNWATCHED
            return
        from airside.telemetry.watching import Watching  # noqa: PLC0415

        watching = Watching(clock, tracing)
        if metrics is not None:
            held.enter_context(serving(watching.metrics, metrics))
        yield watching


@contextmanager
def traces(environment: Mapping[str, str]) -> Iterator["Tracing | None"]:
    """Traces, if the environment says where to, and OpenTelemetry is installed."""
    named = next((name for name in ENDPOINTS if environment.get(name)), None)
    if named is None:
        yield None
    elif not all(map(_is_installed, PARTS)):
        log.warning("%s is set, but no trace is sent: pip install 'airside[traces]'", named)
        yield None
    else:
        from airside.telemetry.tracing import exporting  # noqa: PLC0415

        with exporting(environment) as tracing:
            yield tracing


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package around it
        return False
