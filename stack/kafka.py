"""Apache Kafka (KRaft) as child processes: one broker, or a cluster of three."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import Unavailable
from stack.jars import KAFKA, fetch, find_java
from stack.ports import answers, ports_of
from stack.processes import ServerProcess, start_together, stop_together

HOST = "127.0.0.1"
JVM = (
    *("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
    "-XX:TieredStopAtLevel=1",  # starts faster; the broker's work is mostly the system's
)
FORMAT_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 5.0
# What a test of zombies and rebalances gives, so that a member is declared dead soon.
SHORT_SESSIONS = {
    "group.consumer.session.timeout.ms": "2000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "300",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.min.session.timeout.ms": "1000",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one broker listens."""

    node: int
    client: int  # ports
    internal: int
    controller: int


class KafkaBroker:
    """One broker, its own controller unless it is given others to vote with.

    `properties` are added to the server's own and win over them. `users` (name: password)
    closes the door: clients then log in by SASL/PLAIN, and what they may do is by ACLs;
    the first user may do everything.
    """

    def __init__(
        self,
        directory: Path,
        *,
        properties: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        place: Place | None = None,
        voters: tuple[Place, ...] = (),
        cluster_id: str = "",
    ) -> None:
        self._directory = directory.resolve()
        self._place = place or places(directory, 1)[0]
        self._voters = voters or (self._place,)
        self._cluster_id = cluster_id or new_cluster_id()
        self._users = dict(users or {})
        self._properties = dict(properties or {})
        self._jars = fetch(KAFKA)
        self._java = find_java()
        name = f"kafka-{self._place.node}"
        self._config = self._directory / "server.properties"
        self.process = ServerProcess(
            name,
            self._command("kafka.Kafka", str(self._config)),
            log=self._directory / f"{name}.log",
            listens=[
                (HOST, port)
                for port in (self._place.client, self._place.internal, self._place.controller)
            ],
        )

    @property
    def address(self) -> str:
        """host:port, as clients write it."""
        return f"{HOST}:{self._place.client}"

    @property
    def url(self) -> str:
        """As airside writes it; with users, the first one's."""
        for user, password in self._users.items():
            return f"kafka://{user}:{password}@{self.address}"
        return f"kafka://{self.address}"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Its one."""
        return (self.process,)

    def start(self) -> None:
        """Return when it answers as a member of its cluster. Raises: Unavailable."""
        self._format()
        self.process.start(self._is_ready)

    def stop(self) -> None:
        """Stop it in good order; the data stay."""
        self.process.stop()

    def kill(self) -> None:
        """End it with `kill -9`; the data stay."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it."""
        self.process.pause()

    def go_on(self) -> None:
        """Let it go on after a pause."""
        self.process.go_on()

    def client(self) -> dict[str, str | int]:
        """The settings of a client that may do everything."""
        settings: dict[str, str | int] = {"bootstrap.servers": self.address}
        for user, password in self._users.items():
            return settings | {
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": user,
                "sasl.password": password,
            }
        return settings

    def _command(self, *words: str) -> list[str]:
        logging = ("-Dorg.slf4j.simpleLogger.showDateTime=true",)
        return [str(self._java), *JVM, *logging, "-cp", f"{self._jars}/*", *words]

    def _format(self) -> None:
        """Write the settings; prepare the directory where that is not done."""
        self._directory.mkdir(parents=True, exist_ok=True)
        settings = self._settings()
        self._config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        if (self._directory / "data" / "meta.properties").exists():
            return
        words = ("--ignore-formatted", "-t", self._cluster_id, "-c", str(self._config))
        done = run(
            self._command("kafka.tools.StorageTool", "format", *words),
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_SECONDS_MAX,
        )
        if done.returncode != 0:
            raise Unavailable(
                f"{self.process.name} refuses its directory or settings ({self._config}): "
                f"{done.stdout}{done.stderr}"
            )

    def _settings(self) -> dict[str, str]:
        own, size = self._place, len(self._voters)
        copies, safe = ("3", "2") if size >= 3 else ("1", "1")
        door = "SASL_PLAINTEXT" if self._users else "PLAINTEXT"
        return {
            "process.roles": "broker,controller",
            "node.id": str(own.node),
            "controller.quorum.voters": ",".join(
                f"{voter.node}@{HOST}:{voter.controller}" for voter in self._voters
            ),
            "listeners": f"CLIENT://{HOST}:{own.client},INTERNAL://{HOST}:{own.internal},"
            f"CONTROLLER://{HOST}:{own.controller}",
            "listener.security.protocol.map": f"CLIENT:{door},INTERNAL:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "INTERNAL",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._directory / "data"),
            "default.replication.factor": copies,
            "min.insync.replicas": safe,
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.min.isr": safe,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.num.partitions": "4",
            "share.coordinator.state.topic.min.isr": safe,
            "group.initial.rebalance.delay.ms": "0",
            # After `kill -9` a broker is not let in again before its old session has ended.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "auto.create.topics.enable": "false",
            "log.segment.bytes": str(64 * 1024 * 1024),
            **(_closed_door(self._users) if self._users else {}),
            **self._properties,
        }

    def _is_ready(self) -> bool:
        if not answers(HOST, self._place.client):
            return False
        try:
            brokers = AdminClient({**self.client(), "log_level": 0}).list_topics(
                timeout=ANSWER_SECONDS_MAX
            )
        except KafkaException:
            return False
        return self._place.node in brokers.brokers


class KafkaCluster:
    """Brokers that are controllers too; every topic has three replicas if there are three."""

    def __init__(
        self, directory: Path, *, size: int = 3, properties: Mapping[str, str] | None = None
    ) -> None:
        own, cluster_id = places(directory, size), new_cluster_id()
        self.brokers = tuple(
            KafkaBroker(
                directory / f"kafka-{place.node}",
                properties=properties,
                place=place,
                voters=own,
                cluster_id=cluster_id,
            )
            for place in own
        )

    @property
    def address(self) -> str:
        """Every broker's host:port, with commas between."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def url(self) -> str:
        """As airside writes it."""
        return f"kafka://{self.address}?replication={len(self.brokers)}"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Every server's."""
        return tuple(server.process for server in self.brokers)

    def start(self) -> None:
        """Return when all are members. Raises: Unavailable; none runs then."""
        start_together(self.brokers)

    def stop(self) -> None:
        """Stop all; the data stay."""
        stop_together(self.brokers)

    def kill(self) -> None:
        """End all with `kill -9`."""
        for broker in self.brokers:
            broker.kill()


def places(directory: Path, size: int) -> tuple[Place, ...]:
    """Where so many brokers with their data in this directory listen."""
    ports = ports_of(directory, 3 * size)
    return tuple(Place(n + 1, *ports[3 * n : 3 * n + 3]) for n in range(size))


def new_cluster_id() -> str:
    """A random id as Kafka writes it. (Its own tool would be one more JVM to start.)"""
    return base64.urlsafe_b64encode(b"\x01" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _closed_door(users: Mapping[str, str]) -> dict[str, str]:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    logins = " ".join(f'user_{user}="{password}"' for user, password in users.items())
    return {
        "listener.name.client.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": f"{module} required {logins};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The inner listeners know nobody by name; only this machine reaches them.
        "super.users": f"User:ANONYMOUS;User:{next(iter(users))}",
    }
