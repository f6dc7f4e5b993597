"""What every test may ask for; and a loud word about what could not be tested."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from airside.adapters.embedded_valkey import EmbeddedValkey, find_server
from airside.adapters.redis_script import connect
from schemas.errors import NotFound

NO_ENGINE = "no engine"

# A busy machine is no finding: nothing here is judged by how long it takes.
settings.register_profile(
    "airside", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("airside")

pytest.register_assert_rewrite("tests.contracts", "tests.kit")


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where there is no Valkey server; fail instead where CI=true."""
    try:
        find_server()
    except NotFound as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true and {error}", pytrace=False)
        pytest.skip(f"{NO_ENGINE}: {error}")


@pytest.fixture(autouse=True)
def engine_if_marked(request: pytest.FixtureRequest) -> None:
    """`@pytest.mark.engines` is enough for a test to say that it needs a server."""
    if request.node.get_closest_marker("engines") is not None:
        request.getfixturevalue("engine")


@pytest.fixture(scope="session")
def valkey(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One server for the whole session."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def views_url(valkey: EmbeddedValkey) -> Iterator[str]:
    """The address of an empty view store."""
    with connect(valkey.url, timeout_seconds=5.0) as client:
        client.flushall()
        yield valkey.url
        client.connection_pool.disconnect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what a green run has not shown."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [report for report in skipped if NO_ENGINE in str(report.longrepr)]
    if missing:
        terminalreporter.section("NOT TESTED", sep="!", red=True)
        terminalreporter.write_line(
            f"{len(missing)} tests need a real engine. {missing[0].longrepr[2]}"
        )
