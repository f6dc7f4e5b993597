"""What every test may ask for; and a loud word about what could not be tested."""

import os
import shutil
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from airside.adapters.embedded_valkey import EmbeddedValkey, find_server
from airside.adapters.redis_servers import connect
from schemas.errors import AirsideError, NotFound
from stack import ports
from stack.cassandra import CassandraNode
from stack.jars import POMS, fetch, find_java
from stack.kafka import KafkaBroker

NO_ENGINE = "no engine"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHARING = 2  # processes that share the tests
MEMORY_BYTES = 7 * 1024**3  # of each, with the most engines
EAGER = {"log.cleaner.backoff.ms": "200"}  # looks for what to compact every 15 s by default

# A busy machine is no finding: nothing here is judged by how long it takes.
settings.register_profile(
    "airside", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("airside")

pytest.register_assert_rewrite("tests.contracts", "tests.kit")


def pytest_configure(config: pytest.Config) -> None:
    """Processes that share the tests find ports apart: a killed server's stays its own."""
    shared = getattr(config, "workerinput", None)
    if shared is not None:
        number = int(shared["workerid"].removeprefix("gw"))
        ports.PORTS = ports.PORTS[number :: shared["workercount"]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes `-n auto` means; 0: the tests run in this one.

    Half of the time one waits for engines. Each has some of its own, three of each at most.
    """
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    is_enough = (os.cpu_count() or 1) >= SHARING and memory_bytes >= SHARING * MEMORY_BYTES
    return SHARING if is_enough else 0


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where there is no Valkey server; fail instead where CI=true."""
    try:
        find_server()
    except NotFound as error:
        _leave_out(error)


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


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. Skip where there is none; fail instead where CI=true."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        names = ", ".join(BROWSERS)
        _leave_out(NotFound(f"none of {names} is on the PATH. Install Debian's chromium."))
    return found


@pytest.fixture(scope="session")
def jars() -> None:
    """Fetch Kafka and Cassandra if they are not there. Skip without Java, Maven or a way."""
    try:
        find_java()
        for pom in POMS:
            fetch(pom)
    except AirsideError as error:
        _leave_out(error)


@pytest.fixture(scope="session")
def kafka(jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """One broker for the whole session. Who kills it, starts it again."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"), properties=EAGER)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def cassandra(jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CassandraNode]:
    """One node for the whole session. Who kills it, starts it again."""
    node = CassandraNode(tmp_path_factory.mktemp("cassandra"))
    node.start()
    yield node
    node.kill()  # nobody needs its data: no reason to wait until it has drained


@pytest.fixture
def kafka_url(kafka: KafkaBroker) -> str:
    """The broker's address; choose topics and groups that nobody else has."""
    return kafka.url


@pytest.fixture
def cassandra_url(cassandra: CassandraNode) -> str:
    """The node's address without a keyspace; choose one that nobody else has."""
    return f"cassandra://{cassandra.address}"


@pytest.fixture
def views_url(valkey: EmbeddedValkey) -> Iterator[str]:
    """The address of an empty view store."""
    with connect(valkey.url, timeout_seconds=5.0) as client:
        client.flushall()
        yield valkey.url
        client.connection_pool.disconnect()


def _leave_out(error: AirsideError) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true and {error}", pytrace=False)
    pytest.skip(f"{NO_ENGINE}: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what a green run has not shown."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [report for report in skipped if NO_ENGINE in str(report.longrepr)]
    if missing:
        terminalreporter.section("NOT TESTED", sep="!", red=True)
        terminalreporter.write_line(f"{len(missing)} tests need a real engine, or a browser.")
        for reason in sorted({str(report.longrepr[2]) for report in missing}):
            terminalreporter.write_line(reason)
