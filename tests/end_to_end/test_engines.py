"""Every verb of the README on Cassandra, Kafka and Valkey, each role a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.contracts.parking import ParkingContract
from tests.contracts.verbs import VerbsContract
from tests.kit.cli import Shell, at_work
from tests.kit.engines import on_engines, running

ROLES = ("handle", "project", "timekeeper")


@contextmanager
def working(
    directory: Path,
    cassandra: CassandraNode,
    kafka: KafkaBroker,
    views: ValkeyServer,
    *roles: str,
) -> Iterator[Shell]:
    """These roles on a deployment of their own."""
    shell = on_engines(
        directory / "data",
        events=f"cassandra://{cassandra.address}",
        log=kafka.url,
        views=views.url,
    )
    with at_work(shell, *roles):
        yield shell


@pytest.mark.engines
@pytest.mark.timeout(300)
class TestVerbsOnEngines(VerbsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def shell(
        cls,
        cassandra: CassandraNode,
        kafka: KafkaBroker,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Shell]:
        directory = tmp_path_factory.mktemp("engines")
        with (
            running(ValkeyServer(directory / "valkey")) as views,
            working(directory, cassandra, kafka, views, *ROLES, *ROLES) as shell,
        ):
            yield shell

    def test_init_again_makes_nothing(self, shell: Shell) -> None:
        ran = shell("init", "--json")
        assert (ran.code, ran.json["made"], len(ran.json["all"])) == (0, [], 5)

    def test_another_number_of_shards_is_refused(self, shell: Shell) -> None:
        ran = shell("--shards", "5", "init")
        assert ran.code == 2
        assert "has 4 shards, 5 were asked for" in ran.err

    def test_without_a_data_directory_nothing_is_written_into_one(self, shell: Shell) -> None:
        assert [path.suffix for path in shell.data.iterdir()] == [".log"] * 6


@pytest.mark.engines
@pytest.mark.timeout(300)
class TestParkingOnEngines(ParkingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def shell(
        cls,
        cassandra: CassandraNode,
        kafka: KafkaBroker,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Shell]:
        directory = tmp_path_factory.mktemp("parking")
        with (
            running(ValkeyServer(directory / "valkey")) as views,
            working(directory, cassandra, kafka, views, "up") as shell,
        ):
            yield shell


@pytest.mark.engines
def test_what_is_not_laid_out_is_said_with_the_next_step(
    cassandra_url: str, kafka_url: str, tmp_path: Path
) -> None:
    nowhere = Shell(
        tmp_path,
        events=f"{cassandra_url}/nowhere",
        log=f"{kafka_url}/nowhere",
        views="redis://127.0.0.1:1/0",
    )
    ran = nowhere("send", "OpenAccount", "account_id=a1", "plan_id=ads", "country=US")
    assert ran.code == 1
    assert "airside init" in ran.err
