"""The real servers: they answer, are killed, come back with their data, and form clusters.

That three brokers and three nodes go on by two is shown with all workers on them, in
tests/end_to_end/test_failures_engines.py.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from cassandra.cluster import Cluster, NoHostAvailable, Session
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.errors import Unavailable
from stack.cassandra import CassandraNode
from stack.kafka import SHORT_SESSIONS, KafkaBroker
from stack.ports import answers
from stack.valkey import ValkeyCluster, ValkeyPair, ValkeyServer

pytestmark = pytest.mark.engines
QUIET: dict[str, str | int] = {"log_level": 0}
ANSWER_SECONDS_MAX = 30.0


def create_topic(broker: KafkaBroker, name: str) -> None:
    admin = AdminClient({**broker.client(), **QUIET})
    for created in admin.create_topics([NewTopic(name, 1, 1)]).values():
        created.result(ANSWER_SECONDS_MAX)


def send(address: str, topic: str, value: bytes) -> int:
    """How many messages are not acknowledged: 0, or 1."""
    producer = Producer({"bootstrap.servers": address, "acks": "all", **QUIET})
    producer.produce(topic, value)
    return producer.flush(ANSWER_SECONDS_MAX)


def values(address: str, topic: str) -> list[bytes]:
    """The first message of the topic."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "test", **QUIET})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [value for m in consumer.consume(1, ANSWER_SECONDS_MAX) if (value := m.value())]
    finally:
        consumer.close()


@contextmanager
def session(node: CassandraNode) -> Iterator[Session]:
    with Cluster([node.host], port=node.port, protocol_version=5) as cluster:
        yield cluster.connect()


def create_numbers(cql: Session) -> None:
    replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
    cql.execute(f"CREATE KEYSPACE numbers WITH replication = {replication}")
    cql.execute("CREATE TABLE numbers.seen (number int PRIMARY KEY)")


def insert_until_it_dies(cql: Session) -> list[int]:
    """The numbers whose insert was acknowledged."""
    insert = cql.prepare("INSERT INTO numbers.seen (number) VALUES (?)")
    acknowledged: list[int] = []
    try:
        for number in range(1_000_000):
            cql.execute(insert, (number,))
            acknowledged.append(number)
    except NoHostAvailable:
        return acknowledged
    raise AssertionError("it did not die")


def test_a_killed_broker_comes_back_with_what_it_acknowledged(kafka: KafkaBroker) -> None:
    create_topic(kafka, "kept")
    assert send(kafka.address, "kept", b"one") == 0

    kafka.kill()
    kafka.start()

    assert values(kafka.address, "kept") == [b"one"]


def test_with_users_only_who_logs_in_gets_in_and_only_the_first_may_do_everything(
    jars: None, tmp_path: Path
) -> None:
    broker = KafkaBroker(
        tmp_path, users={"admin": "first", "device": "second"}, properties=SHORT_SESSIONS
    )
    broker.start()
    create_topic(broker, "commands")
    device = {**broker.client(), **QUIET, "sasl.username": "device", "sasl.password": "second"}
    producer = Producer(device)
    refused: list[KafkaError | None] = []

    producer.produce("commands", b"", on_delivery=lambda error, _: refused.append(error))
    producer.flush(ANSWER_SECONDS_MAX)

    assert [error.code() for error in refused if error] == [
        KafkaError.TOPIC_AUTHORIZATION_FAILED
    ]
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": broker.address, **QUIET}).list_topics(timeout=1.0)
    broker.kill()


def test_a_broker_that_does_not_take_its_settings_says_which(
    jars: None, tmp_path: Path
) -> None:
    broker = KafkaBroker(tmp_path, properties={"log.segment.bytes": "many"})

    with pytest.raises(Unavailable, match=r"log\.segment\.bytes"):
        broker.start()


def test_a_killed_node_comes_back_with_every_row_it_acknowledged(
    cassandra: CassandraNode,
) -> None:
    with session(cassandra) as cql:
        create_numbers(cql)
        killer = threading.Timer(1.0, cassandra.kill)
        killer.start()
        acknowledged = insert_until_it_dies(cql)
        killer.join()

    cassandra.start()

    with session(cassandra) as cql:
        kept = {row.number for row in cql.execute("SELECT number FROM numbers.seen")}
    assert acknowledged
    assert set(acknowledged) <= kept


def test_a_killed_server_comes_back_with_its_rows(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path, options={"appendfsync": "always"})
    server.start()
    with server.client() as client:
        client.set("row", "1")

    server.kill()
    server.start()

    with server.client() as client:
        assert client.get("row") == "1"
    server.stop()


def test_a_server_without_persistence_comes_back_empty(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path, options={"appendonly": "no"})
    server.start()
    with server.client() as client:
        client.set("row", "1")

    server.stop()
    server.start()

    with server.client() as client:
        assert client.get("row") is None
    server.stop()


def test_a_promoted_replica_has_the_rows_and_takes_more(tmp_path: Path) -> None:
    pair = ValkeyPair(tmp_path)
    pair.start()
    with pair.primary.client() as client:
        client.set("row", "1")
        assert client.wait(1, 10_000) == 1
    with pair.replica.client() as client, pytest.raises(redis.ReadOnlyError):
        client.set("row", "2")

    pair.primary.kill()
    pair.promote()

    with pair.replica.client() as client:
        assert client.get("row") == "1"
        assert client.set("row", "2")
    pair.stop()


def test_a_cluster_serves_every_slot_again_after_a_restart(tmp_path: Path) -> None:
    servers = ValkeyCluster(tmp_path)
    names = [f"{{{number}}}" for number in range(100)]
    first = servers.servers[0].port
    servers.start()
    with redis.RedisCluster("127.0.0.1", first, decode_responses=True) as client:
        client.mset_nonatomic(dict.fromkeys(names, "1"))

    servers.stop()
    servers.start()

    with redis.RedisCluster("127.0.0.1", first, decode_responses=True) as client:
        assert client.mget_nonatomic(names) == ["1"] * 100
    servers.stop()


def test_the_command_starts_all_three_says_where_and_ends_them_on_term(
    jars: None, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "stack", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engines:
        assert engines.stdout is not None
        lines = [engines.stdout.readline() for _ in range(3)]
        assert (tmp_path / "stack.env").read_text() == "".join(lines)
        second = subprocess.run(command, capture_output=True, text=True, check=False)

        engines.terminate()

        assert engines.wait(60.0) == 0
    said = dict(line.removeprefix("export ").strip().split("=") for line in lines)
    ports = [int(url.rpartition(":")[2].partition("/")[0]) for url in said.values()]
    assert list(said) == ["AIRSIDE_EVENTS", "AIRSIDE_LOG", "AIRSIDE_VIEWS"]
    assert "another stack runs" in second.stderr
    assert [answers("127.0.0.1", port) for port in ports] == [False] * 3
    assert not (tmp_path / "stack.env").exists()
