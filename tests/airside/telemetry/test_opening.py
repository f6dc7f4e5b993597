"""Metrics and traces are there where they are asked for, and nowhere else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airside.telemetry import opening
from airside.telemetry.endpoint import Address, parse_address, serving
from airside.telemetry.metrics import Metrics
from airside.telemetry.opening import telemetry
from airside.telemetry.port import UNWATCHED
from airside.telemetry.watching import Watching
from schemas.errors import Invalid
from tests.kit.cli import Shell, at_work
from tests.kit.exposed import fetched, has, value
from tests.kit.witness import wait_until

OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464)),
        ("9464", Address("127.0.0.1", 9464)),
        (":0", Address("127.0.0.1", 0)),
        ("[::1]:80", Address("::1", 80)),
        ("0.0.0.0:9464", Address("0.0.0.0", 9464)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "here", "127.0.0.1:", "127.0.0.1:x", "1:65536", "h:-1", "h:²"]
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match=r"Write 127\.0\.0\.1:9464"):
        parse_address(text)


def test_without_being_asked_nothing_is_watched() -> None:
    with telemetry(None, {}, lambda: 0) as found:
        assert found is UNWATCHED


def test_metrics_are_served_where_it_is_asked_for() -> None:
    metrics = Metrics(lambda: 0)
    metrics.handler.events.inc(7)
    with serving(metrics, Address("127.0.0.1", 0)) as bound:
        page = fetched(f"http://{bound}/metrics")
    assert value(page, "airside_events_stored_total") == 7


def test_two_processes_cannot_have_one_port() -> None:
    metrics = Metrics(lambda: 0)
    with (
        serving(metrics, Address("127.0.0.1", 0)) as bound,
        pytest.raises(Invalid, match="Name another HOST:PORT"),
        serving(metrics, bound),
    ):
        pass


def test_traces_are_made_where_they_can_be_sent() -> None:
    with telemetry(None, OTLP, lambda: 0) as found:
        assert isinstance(found, Watching)
        assert found.tracing is not None


def test_without_opentelemetry_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "PARTS", ("opentelemetry.not_there", "nowhere.at_all"))
    with telemetry(None, OTLP, lambda: 0) as found:
        assert found is UNWATCHED
    assert "pip install 'airside[traces]'" in caplog.text


def test_a_role_that_nobody_watches_loads_no_library_for_it() -> None:
    program = (
        "import sys, airside.cli.work, airside.cli.replay\n"
        "print([name for name in sys.modules"
        " if name.startswith(('prometheus_client', 'opentelemetry.exporter'))])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.strip() == b"[]"


@contextmanager
def role_at_work(data: Path) -> Iterator[str]:
    """`airside up` with metrics; where they are."""
    shell = Shell(data)
    worker = shell.start("up", "--metrics", "127.0.0.1:0")
    try:
        words = worker.text.split()
        yield next(word for word in words if word.endswith("/metrics"))
    finally:
        assert worker.stop() == 0


@pytest.mark.engines
def test_every_role_of_airside_up_is_on_its_page(tmp_path: Path) -> None:
    with role_at_work(tmp_path) as url:
        Shell(tmp_path).send("OpenAccount", "account_id=a1", "plan_id=ads", "country=US")
        wait_until("it is counted", lambda: value(fetched(url), "airside_commands_total") >= 1)
        page = fetched(url)
    roles = ("handler", "projector", "timekeeper")
    told = [has(page, "airside_role_last_turn_timestamp_seconds", role=one) for one in roles]
    assert told == [True, True, True]
    assert value(page, "process_resident_memory_bytes") > 0


@pytest.mark.engines
def test_a_port_that_is_taken_is_bad_input(tmp_path: Path) -> None:
    with serving(Metrics(lambda: 0), Address("127.0.0.1", 0)) as taken:
        ran = Shell(tmp_path)("handle", "--metrics", str(taken))
    assert ran.code == 2
    assert "AIRSIDE_METRICS; each process needs its own" in ran.err


@pytest.mark.engines
def test_a_replay_beside_them_does_not_want_their_port(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with at_work(shell, "up"), serving(Metrics(lambda: 0), Address("127.0.0.1", 0)) as taken:
        ran = subprocess.run(
            [sys.executable, "-m", "airside", "replay", "downloads"],
            env=shell.environment | {"AIRSIDE_METRICS": str(taken)},
            capture_output=True,
            timeout=100,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr.decode()
