"""What each engine says of itself, asked for the doctor; nothing is judged here."""

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airside import handling, projecting, timekeeping
from airside.adapters.redis_facts import ServerFacts
from airside.adapters.sqlite_facts import FileFacts, file_facts
from airside.wiring import Deployment
from commands.catalog_follower import CatalogFollower
from commands.license_decider import clock_tolerance_ms
from projectors.all import PROJECTIONS
from projectors.view_store import Registry
from schemas.errors import NotFound
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

if TYPE_CHECKING:
    from airside.adapters.cassandra_facts import ClusterFacts as CassandraFacts
    from airside.adapters.kafka_facts import ClusterFacts as KafkaFacts
    from airside.adapters.kafka_topics import TopicFacts

GROUPS = (handling.GROUP, projecting.GROUP, timekeeping.GROUP)
TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, CATALOG_TOPIC)
VIEWS_SECONDS = 3.0  # of one attempt; there are three


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The event store: a file, or a keyspace."""

    shards: int | None  # None: nothing is laid out
    history: str
    file: FileFacts | None = None
    keyspace: "CassandraFacts | None" = None


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The log: a file, or a cluster and what it says of each topic."""

    partitions: dict[str, int]  # of the topics that are there
    file: FileFacts | None = None
    cluster: "KafkaFacts | None" = None
    topics: "dict[str, TopicFacts]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ViewsFacts:
    """The read models: servers, and what was built on them."""

    servers: list[ServerFacts]
    registries: dict[str, Registry]


def store_facts(deployment: Deployment) -> StoreFacts:
    """Ask the event store. Raises: AirsideError."""
    file = keyspace = None
    with deployment.event_store() as store:
        if deployment.settings.events is None:
            file = file_facts(deployment.settings.database)
        else:
            from airside.adapters.cassandra_event_store import (  # noqa: PLC0415
                CassandraEventStore,
            )

            assert isinstance(store, CassandraEventStore)
            keyspace = store.facts()
        try:
            shards, history = store.shards(), store.history_id()
        except NotFound:
            return StoreFacts(None, "", file, keyspace)
    return StoreFacts(shards, history, file, keyspace)


def log_facts(deployment: Deployment) -> LogFacts:
    """Ask the log. Raises: AirsideError."""
    url = deployment.settings.log
    if url is None:
        return _embedded_log(deployment)
    from airside.adapters.kafka_facts import cluster_facts  # noqa: PLC0415
    from airside.adapters.kafka_log import KafkaLog  # noqa: PLC0415

    cluster = cluster_facts(url, groups=GROUPS, topics=(COMMANDS_TOPIC, EVENTS_TOPIC))
    topics = {}
    with deployment.log() as log:
        assert isinstance(log, KafkaLog)
        for topic in TOPICS:
            try:
                topics[topic] = log.topic_facts(topic)
            except NotFound:
                continue
    partitions = {topic: facts.partitions for topic, facts in topics.items()}
    return LogFacts(partitions, cluster=cluster, topics=topics)


def views_facts(deployment: Deployment) -> ViewsFacts:
    """Ask the servers of the read models. Raises: AirsideError."""
    with deployment.view_store(VIEWS_SECONDS) as views:
        servers = views.facts()
        registries = {one.name: views.registry(one.name) for one in PROJECTIONS}
    return ViewsFacts(servers, registries)


def tolerance_ms(deployment: Deployment) -> int:
    """How far apart clocks may be, by the policy in force. Raises: AirsideError."""
    with deployment.log() as log, closing(log.source(CATALOG_TOPIC, 0)) as source:
        return clock_tolerance_ms(CatalogFollower(source).catch_up())


def _embedded_log(deployment: Deployment) -> LogFacts:
    partitions = {}
    with deployment.log() as log:
        for topic in TOPICS:
            try:
                partitions[topic] = log.partitions(topic)
            except NotFound:
                continue
    return LogFacts(partitions, file=file_facts(deployment.settings.database))
