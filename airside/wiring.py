"""The composition root: settings in, a working deployment out. Nothing else makes adapters.

The drivers of Kafka and Cassandra are imported where they are chosen: they take longer to load
than a question to the embedded engines takes to be answered.

SQLite connections belong to the thread that opened them, so each role opens its own.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from airside.adapters.avro_archive import AvroArchive
from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.log_commands_topic import LogCommandsTopic
from airside.adapters.redis_view_store import TIMEOUT_SECONDS, RedisViewStore
from airside.adapters.sqlite_event_store import SqliteEventStore
from airside.adapters.sqlite_log import SqliteLog
from airside.log import Log
from airside.mark import check_mark, mark
from airside.producer import Producer
from airside.settings import SHARDS_DEFAULT, Settings
from airside.store import Store
from airside.telemetry.port import UNWATCHED, Telemetry
from projectors.all import PROJECTIONS
from projectors.generations import check_history
from queries.reader import Reader, store_reader
from schemas.errors import Contradiction, NotFound, Unavailable
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

if TYPE_CHECKING:
    from airside.adapters.cassandra_session import CassandraSession
    from airside.gateway.topic import CommandsTopic
    from airside.serving.reads import Reads

Clock = Callable[[], int]


def wall_clock() -> int:
    """Now, in ms."""
    return time.time_ns() // 1_000_000


class Deployment:
    """One choice of engines. `clock` is the embedded log's: it dates every record."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        resources: ExitStack,
        telemetry: Telemetry = UNWATCHED,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.telemetry = telemetry
        self._resources = resources
        self._opening = threading.Lock()  # of what all threads share
        self._views_url: str | None = settings.views
        self._server: EmbeddedValkey | None = None
        self._cassandra: CassandraSession | None = None
        settings.check()
        if settings.needs_directory:
            try:
                settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise Unavailable(
                    f"{settings.data} cannot be made: {error.strerror}. "
                    "Choose another data directory."
                ) from error
        if settings.is_self_contained:
            self.lay_out()

    def lay_out(self) -> dict[str, bool]:
        """Make what is missing; by what is there now, whether it was made just now.

        Again, it changes nothing. Raises: Contradiction where something is there that differs.
        """
        with self.event_store() as store, self.log() as log:
            is_new = not _is_laid_out(store)
            shards = store.lay_out(self.settings.shards, SHARDS_DEFAULT)
            made = {f"event store, {shards} shards": is_new}
            for topic, partitions in topics(shards).items():
                text = f"topic {topic}, {partitions} partition{'s' * (partitions > 1)}"
                is_compacted = topic == CATALOG_TOPIC
                made[text] = log.create_topic(topic, partitions, is_compacted=is_compacted)
            if self.settings.log is not None:
                made["the log's mark of this event store"] = mark(log, store.history_id())
        return made

    @cached_property
    def shards(self) -> int:
        """How many shards the accounts are partitioned into: what the commands topic says."""
        with self.log() as log:
            try:
                return log.partitions(COMMANDS_TOPIC)
            except NotFound as error:
                raise NotFound(f"{error} Run: airside init") from error

    def check_layout(self) -> None:
        """Log and event store belong together. Raises: Contradiction, NotFound, Unavailable."""
        with self.event_store() as store, self.log() as log:
            shards = store.shards()
            for topic, wanted in topics(shards).items():
                found = log.partitions(topic)
                if found != wanted:
                    raise Contradiction(
                        f"topic {topic} has {found} partitions, the event store is laid out "
                        f"for {wanted}: accounts would be looked for where they are not. "
                        "Name the log and the event store that belong together."
                    )
            if self.settings.log is not None:
                check_mark(log, store.history_id())

    def check_views(self) -> None:
        """Read models and event store belong together. Raises: Contradiction, Unavailable."""
        with self.event_store() as store, self.view_store() as views:
            history, shards = store.history_id(), store.shards()
            for name in (projection.name for projection in PROJECTIONS):
                check_history(views.registry(name), name, history=history, shards=shards)

    @contextmanager
    def log(self) -> Iterator[Log]:
        """A log of this thread's own."""
        if self.settings.log is None:
            log: Log = SqliteLog(self.settings.database, self.clock)
        else:
            from airside.adapters.kafka_log import KafkaLog  # noqa: PLC0415

            log = KafkaLog(self.settings.log)
        with closing(log):
            yield log

    def commands_topic(self) -> "CommandsTopic":
        """The commands topic for one event loop. Its `close` is awaited there."""
        if self.settings.log is None:
            return LogCommandsTopic(lambda: SqliteLog(self.settings.database, self.clock))
        from airside.adapters.kafka_commands_topic import KafkaCommandsTopic  # noqa: PLC0415

        return KafkaCommandsTopic(self.settings.log)

    @contextmanager
    def event_store(self) -> Iterator[Store]:
        """An event store of this thread's own."""
        if self.settings.events is None:
            store: Store = SqliteEventStore(self.settings.database)
        else:
            from airside.adapters.cassandra_event_store import (  # noqa: PLC0415
                CassandraEventStore,
            )

            session = self._cassandra_session(self.settings.events)
            store = CassandraEventStore(session, self.archive())
        with closing(store):
            yield store

    def archive(self) -> AvroArchive | None:
        """Where old events of a Cassandra event store are; None where none is named."""
        directory = self.settings.archive
        return None if directory is None else AvroArchive(directory)

    @contextmanager
    def producer(self) -> Iterator[Producer]:
        """A producer onto the commands topic."""
        with self.log() as log:
            yield Producer(self.telemetry.appending(log), self.shards)

    @contextmanager
    def view_store(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[RedisViewStore]:
        """A connection to the read models; the embedded server is started by the first."""
        with closing(
            RedisViewStore(self.views_url(), timeout_seconds=timeout_seconds)
        ) as store:
            yield store

    @contextmanager
    def reader(self, generation: str | None = None) -> Iterator[Reader]:
        """The query layer's view of the read models: they know themselves how they are cut.

        `generation` is the number or label of the one to read; None: what is served.
        """
        with self.view_store() as store:
            yield store_reader(
                store,
                self._shards_of(store),
                monotonic=time.monotonic,
                sleep=time.sleep,
                generation=generation,
            )

    @contextmanager
    def reads(self) -> Iterator["Reads"]:
        """The same for one event loop and many askers, of what is served."""
        from airside.serving.reads import TIMEOUT_SECONDS, Reads  # noqa: PLC0415

        with (
            self.view_store(TIMEOUT_SECONDS) as store,
            closing(Reads(store, self._shards_of(store))) as reads,
        ):
            yield reads

    def _shards_of(self, store: RedisViewStore) -> int:
        registries = (store.registry(projection.name) for projection in PROJECTIONS)
        return next((r.shards for r in registries if r.shards), 0) or self.shards

    def said(self) -> str:
        """Which engines these are, for people: never with a password."""
        data = str(self.settings.data)
        parts = {
            "events": where(self.settings.events) or data,
            "log": where(self.settings.log) or data,
            "read models": where(self.settings.views) or data,
        }
        return ", ".join(f"{what} in {place}" for what, place in parts.items())

    def views_url(self) -> str:
        """Where the read models are served."""
        with self._opening:
            if self._views_url is None:
                server = self._resources.enter_context(EmbeddedValkey(self.settings.data))
                self._server, self._views_url = server, server.url
            return self._views_url

    def revive(self) -> None:
        """Start the embedded server again if it was killed. Raises: Unavailable."""
        if self._server is not None:
            self._server.ensure()

    def _cassandra_session(self, url: str) -> "CassandraSession":
        """Shared by all threads: it has connections and threads of its own."""
        from airside.adapters.cassandra_session import CassandraSession  # noqa: PLC0415

        with self._opening:
            if self._cassandra is None:
                session = CassandraSession(url)
                self._cassandra = self._resources.enter_context(closing(session))
            return self._cassandra


def where(url: str | None) -> str:
    """An engine's address without user, password and options; empty for an embedded one."""
    parts = urlsplit(url or "")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def topics(shards: int) -> dict[str, int]:
    """Every topic and its number of partitions."""
    return {COMMANDS_TOPIC: shards, EVENTS_TOPIC: shards, CATALOG_TOPIC: 1}


def _is_laid_out(store: Store) -> bool:
    try:
        store.shards()
    except NotFound:
        return False
    return True


@contextmanager
def open_deployment(
    settings: Settings, clock: Clock = wall_clock, telemetry: Telemetry = UNWATCHED
) -> Iterator[Deployment]:
    """Everything a verb needs, and all of it closed behind it.

    Raises: Contradiction where the settings do not fit what the data directory holds.
    """
    with ExitStack() as resources:
        yield Deployment(settings, clock, resources, telemetry)


@contextmanager
def open_existing(settings: Settings, telemetry: Telemetry = UNWATCHED) -> Iterator[Deployment]:
    """The same, for whoever only asks. Raises: NotFound where there is nothing to ask about."""
    if settings.is_self_contained and not settings.database.is_file():
        raise NotFound(
            f"no data in {settings.data}. Start `airside up` here, or name another directory "
            "with --data or AIRSIDE_DATA."
        )
    with open_deployment(settings, telemetry=telemetry) as deployment:
        yield deployment
