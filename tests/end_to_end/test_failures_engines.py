"""An engine is killed and started again under load; the workers go on by themselves."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from stack.cassandra import CassandraCluster, CassandraNode
from stack.engines import Stack
from stack.kafka import KafkaBroker, KafkaCluster
from stack.processes import start_together
from stack.valkey import ValkeyCluster, ValkeyServer
from tests.kit.cli import CATALOG, Shell
from tests.kit.crew import Crew, crew_at_work
from tests.kit.engines import on_engines, running
from tests.kit.load import under_load

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]


class Killable(Protocol):
    """Any of `stack`'s."""

    def start(self) -> None:
        """Return when it answers."""

    def kill(self) -> None:
        """`kill -9`."""


class Forgetful:
    """A server that comes back empty."""

    def __init__(self, server: ValkeyServer) -> None:
        self.files_lost = 0
        self._server = server

    def kill(self) -> None:
        self._server.kill()
        directory = self._server.process.log.parent / "appendonlydir"
        self.files_lost = len(list(directory.iterdir()))
        shutil.rmtree(directory)

    def start(self) -> None:
        self._server.start()


@pytest.fixture(scope="module")
def views(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with running(ValkeyServer(tmp_path_factory.mktemp("views"))) as server:
        yield server


@pytest.fixture(scope="module")
def crew(
    cassandra: CassandraNode,
    impatient_kafka: KafkaBroker,
    views: ValkeyServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Crew]:
    shell = on_engines(
        tmp_path_factory.mktemp("crew"),
        events=f"cassandra://{cassandra.address}",
        log=impatient_kafka.url,
        views=views.url,
    )
    with crew_at_work(shell) as crew:
        yield crew


def check_restart(crew: Crew, server: Killable, words: str) -> None:
    """Kill it while all work, start it again when somebody has noticed; then all goes on."""
    with crew.quoted(), under_load(crew.shell) as load:
        with load.running():
            load.seen.sees_progress()
            crew.listens()
            server.kill()
            try:
                crew.notices(words)
            finally:
                server.start()
            load.seen.sees_progress()
        load.finish()
    assert crew.is_whole()


def test_the_broker_is_killed_and_comes_back(crew: Crew, impatient_kafka: KafkaBroker) -> None:
    check_restart(crew, impatient_kafka, "brokers are down")


def test_cassandra_is_killed_and_comes_back(crew: Crew, cassandra: CassandraNode) -> None:
    check_restart(crew, cassandra, "trying again role=handler")


def test_the_read_models_are_killed_and_come_back_from_their_file(
    crew: Crew, views: ValkeyServer
) -> None:
    check_restart(crew, views, "trying again role=projector")


def test_the_read_models_are_killed_and_come_back_empty(
    crew: Crew, views: ValkeyServer
) -> None:
    server = Forgetful(views)
    check_restart(crew, server, "trying again role=projector")
    assert server.files_lost > 0


@pytest.mark.timeout(600)
def test_one_of_three_of_each_engine_is_killed_and_comes_back(
    jars: None, tmp_path: Path
) -> None:
    with Stack(tmp_path / "stack", cluster=True) as stack, ExitStack() as held:
        assert isinstance(stack.log, KafkaCluster)
        assert isinstance(stack.events, CassandraCluster)
        assert isinstance(stack.views, ValkeyCluster)
        three = stack.log.brokers[0], stack.events.nodes[0], stack.views.servers[0]
        shell = Shell(tmp_path / "data", stack.events_url, stack.log_url, stack.views_url)
        assert shell("--shards", "4", "init").code == 0
        assert shell("catalog", "load", str(CATALOG)).code == 0
        crew, load = (
            held.enter_context(crew_at_work(shell)),
            held.enter_context(under_load(shell)),
        )
        with load.running():
            load.seen.sees_progress()
            crew.listens()
            kill_all(three)
            load.seen.sees_more_stored()
            crew.notices("trying again role=projector")
            start_together(three)
            load.seen.sees_progress()
        load.finish()
        assert crew.is_whole()


def kill_all(servers: Sequence[Killable]) -> None:
    for server in servers:
        server.kill()
