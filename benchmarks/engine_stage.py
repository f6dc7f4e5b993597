"""Topics and a keyspace of a benchmark's own on engines that run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import redis

from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_log import KafkaLog
from airside.settings import Settings
from airside.wiring import open_deployment
from benchmarks.catalog import records
from schemas.record import CATALOG_TOPIC
from stack.engines import Stack


@dataclass(frozen=True, slots=True)
class Engines:
    """The addresses of one benchmark's part."""

    events: str
    log: str
    views: str

    @property
    def settings(self) -> Settings:
        """For roles and verbs."""
        return Settings(events=self.events, log=self.log, views=self.views)

    @contextmanager
    def opened_log(self) -> Iterator[KafkaLog]:
        """Kafka."""
        with closing(KafkaLog(self.log)) as log:
            yield log

    @contextmanager
    def session(self) -> Iterator[CassandraSession]:
        """Cassandra."""
        with closing(CassandraSession(self.events)) as session:
            yield session


def laid_out(stack: Stack, name: str, *, shards: int) -> Engines:
    """Fresh topics, a fresh keyspace, an empty view store, with the catalog of the load."""
    events = stack.events_url.rpartition("/")[0]
    engines = Engines(f"{events}/{name}", f"{stack.log_url}/{name}", stack.views_url)
    with closing(redis.Redis.from_url(engines.views)) as client:
        client.flushall()
    settings = Settings(
        events=engines.events, log=engines.log, views=engines.views, shards=shards
    )
    with open_deployment(settings) as deployment:
        deployment.lay_out()
        with deployment.log() as log:
            log.append(CATALOG_TOPIC, 0, [(key.encode(), value) for key, value in records()])
    return engines
