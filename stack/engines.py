"""Kafka, Cassandra and Valkey together, as one thing that is started and stopped."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from stack.cassandra import (
    PERIODIC,
    QUICK_START,
    ROOMY,
    ROOMY_JVM,
    CassandraCluster,
    CassandraNode,
)
from stack.kafka import KafkaBroker, KafkaCluster
from stack.processes import ServerProcess, start_together, stop_together
from stack.valkey import ValkeyCluster, ValkeyServer


class Stack:
    """The three engines, for as long as the `with` block lasts.

        with Stack(tmp_path) as stack:
            ... stack.log_url, stack.events_url, stack.views_url
            stack.log.kill()

    With `cluster`, three of each, and everything is kept by three. A node of Cassandra that is
    alone syncs every write, so that `kill -9` loses nothing; in the cluster that is the
    replicas' work. With `for_speed` it is as it is usually run: for measurements.
    """

    def __init__(
        self, directory: Path, *, cluster: bool = False, for_speed: bool = False
    ) -> None:
        names = ("kafka", "cassandra", "valkey")
        log, events, views = (directory.resolve() / name for name in names)
        self.log: KafkaBroker | KafkaCluster
        self.events: CassandraNode | CassandraCluster
        self.views: ValkeyServer | ValkeyCluster
        settings = ROOMY if for_speed else PERIODIC if cluster else {}
        jvm = ROOMY_JVM if for_speed else QUICK_START
        if cluster:
            self.log = KafkaCluster(log)
            self.events = CassandraCluster(events, settings=settings, jvm=jvm)
            self.views = ValkeyCluster(views)
        else:
            self.log = KafkaBroker(log)
            self.events = CassandraNode(events, settings=settings, jvm=jvm)
            self.views = ValkeyServer(views)

    @property
    def log_url(self) -> str:
        """`kafka://…`."""
        return self.log.url

    @property
    def events_url(self) -> str:
        """`cassandra://…/airside`."""
        return self.events.url

    @property
    def views_url(self) -> str:
        """`redis://…` or `redis+cluster://…`."""
        return self.views.url

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes airside use it."""
        return {
            "AIRSIDE_EVENTS": self.events_url,
            "AIRSIDE_LOG": self.log_url,
            "AIRSIDE_VIEWS": self.views_url,
        }

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Every server's."""
        return (*self.log.processes, *self.events.processes, *self.views.processes)

    def __enter__(self) -> "Stack":
        """Start all at once. Raises: Unavailable; nothing runs then."""
        start_together((self.log, self.events, self.views))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all; the data stay."""
        stop_together((self.log, self.events, self.views))
