"""What docker-compose.yml tells each engine, told to the same engine without Docker.

Only addresses, ports and directories are others.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from cassandra.cluster import Cluster
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from airside.adapters.embedded_valkey import find_server
from stack.cassandra import CassandraNode
from stack.jars import KAFKA, fetch, find_java
from stack.kafka import JVM
from stack.ports import free_ports
from stack.processes import ServerProcess
from tests.kit.containers import model

pytestmark = pytest.mark.engines

SETUP_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 5.0


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = model()["services"]
    return found


@contextmanager
def running(
    command: Sequence[str], log: Path, *ports: int, is_ready: Callable[[], bool]
) -> Iterator[None]:
    listens = [("127.0.0.1", port) for port in ports]
    server = ServerProcess(log.stem, command, log=log, listens=listens)
    server.start(is_ready)
    try:
        yield
    finally:
        server.stop()


def answers_valkey(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def brokers(address: str) -> list[tuple[str, int]]:
    """Where the broker at an address sends its clients, if it answers."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        found = client.list_topics(timeout=ANSWER_SECONDS_MAX).brokers.values()
    except KafkaException:
        return []
    return [(str(broker.host), broker.port) for broker in found]


def test_valkey_takes_its_options(services: dict[str, Any], tmp_path: Path) -> None:
    [port] = free_ports(1)
    _, *options = services["views"]["command"]
    ours = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path)]
    command = [str(find_server()), *options, *ours]
    log = tmp_path / "valkey.log"
    with (
        redis.Redis(port=port, decode_responses=True) as client,
        running(command, log, port, is_ready=lambda: answers_valkey(client)),
    ):
        told = client.config_get("maxmemory*", "append*", "save")
        client.connection_pool.disconnect()
    assert told["maxmemory-policy"] == "noeviction"
    assert 0 < int(told["maxmemory"]) <= int(services["views"]["mem_limit"]) // 2
    assert (told["appendonly"], told["appendfsync"], told["save"]) == ("yes", "everysec", "")


@pytest.mark.usefixtures("jars")
def test_kafka_runs_on_what_the_image_makes_of_its_environment(
    services: dict[str, Any], tmp_path: Path
) -> None:
    inside, host, controller = free_ports(3)
    places = {
        "INSIDE://:9092": f"INSIDE://127.0.0.1:{inside}",
        "INSIDE://kafka:9092": f"INSIDE://127.0.0.1:{inside}",
        "HOST://:19092": f"HOST://127.0.0.1:{host}",
        "HOST://127.0.0.1:9092": f"HOST://127.0.0.1:{host}",
        "127.0.0.1:9093": f"127.0.0.1:{controller}",
        "/var/lib/kafka/data": str(tmp_path / "data"),
    }
    environment = replaced(services["kafka"]["environment"], places)
    properties = written_by_the_image(environment, tmp_path)
    command = [str(find_java()), *JVM, "-cp", f"{fetch(KAFKA)}/*", "kafka.Kafka"]
    with running(
        [*command, str(properties)],
        tmp_path / "kafka.log",
        inside,
        host,
        controller,
        is_ready=lambda: bool(brokers(f"127.0.0.1:{inside}")),
    ):
        assert brokers(f"127.0.0.1:{inside}") == [("127.0.0.1", inside)]
        assert brokers(f"127.0.0.1:{host}") == [("127.0.0.1", host)]


def replaced(environment: dict[str, str], places: dict[str, str]) -> dict[str, str]:
    """The environment at other places; every place is named in it."""
    text = "\n".join(f"{name}={value}" for name, value in environment.items())
    for place, other in places.items():
        assert place in text, place
        text = text.replace(place, other)
    return dict(line.split("=", 1) for line in text.splitlines())


def written_by_the_image(environment: dict[str, str], directory: Path) -> Path:
    """The properties, by the program that the image itself starts with; formats the data."""
    folders = {name: directory / name for name in ("default", "mounted", "final")}
    for folder in folders.values():
        folder.mkdir()
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (folders["default"] / name).touch()
    words = [
        word for name, folder in folders.items() for word in (f"--{name}-configs-dir", folder)
    ]
    classes = (*JVM, "-cp", f"{fetch(KAFKA)}/*", "kafka.docker.KafkaDockerWrapper")
    done = subprocess.run(
        [find_java(), *classes, "setup", *words],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=SETUP_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folders["final"] / "server.properties"


@pytest.mark.usefixtures("jars")
def test_cassandra_runs_on_the_options_of_its_java(
    services: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = services["cassandra"]["environment"]["JVM_EXTRA_OPTS"]
    monkeypatch.setenv("JDK_JAVA_OPTIONS", options)  # what any `java` adds to its own
    port, storage_port = free_ports(2)
    node = CassandraNode(
        tmp_path,
        port=port,
        storage_port=storage_port,
        settings={
            "paxos_variant": "v1",  # as in the image, and the next two
            "commitlog_sync": "periodic",
            "commitlog_sync_period": "10000ms",
            "broadcast_rpc_address": "127.1.2.3",  # leads nowhere, as the image's from the host
        },
    )
    node.start()
    try:
        cluster = Cluster([node.host], port=node.port, protocol_version=5)
        try:
            rows = cluster.connect().execute("SELECT name, value FROM system_views.settings")
            told = {row.name: row.value for row in rows}
        finally:
            cluster.shutdown()
    finally:
        node.kill()
    assert (told["paxos_variant"], told["commitlog_sync"]) == ("v2", "batch")
