"""The composition root: settings in, a working deployment out. Nothing else makes adapters.

SQLite connections belong to the thread that opened them, so each role opens its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_view_store import RedisViewStore
from airside.adapters.sqlite_event_store import SqliteEventStore
from airside.adapters.sqlite_log import SqliteLog
from airside.producer import Producer
from airside.settings import SHARDS_DEFAULT, Settings
from queries.reader import Reader
from schemas.errors import NotFound, Unavailable
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

Clock = Callable[[], int]


def wall_clock() -> int:
    """Now, in ms."""
    return time.time_ns() // 1_000_000


class Deployment:
    """One data directory with its engines. `clock` is the log's: it dates every record."""

    def __init__(self, settings: Settings, clock: Clock, resources: ExitStack) -> None:
        self.settings = settings
        self.clock = clock
        self._resources = resources
        self._views_url: str | None = settings.views
        self._server: EmbeddedValkey | None = None
        try:
            settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(
                f"{settings.data} cannot be made: {error.strerror}. "
                "Choose another data directory."
            ) from error
        with self.event_store() as store:
            self.shards = store.layout(settings.shards, SHARDS_DEFAULT)
        with self.log() as log:
            log.create_topic(COMMANDS_TOPIC, self.shards)
            log.create_topic(EVENTS_TOPIC, self.shards)
            log.create_topic(CATALOG_TOPIC, 1)

    @contextmanager
    def log(self) -> Iterator[SqliteLog]:
        """A log of this thread's own."""
        log = SqliteLog(self.settings.database, self.clock)
        try:
            yield log
        finally:
            log.close()

    @contextmanager
    def event_store(self) -> Iterator[SqliteEventStore]:
        """An event store of this thread's own."""
        store = SqliteEventStore(self.settings.database)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def producer(self) -> Iterator[Producer]:
        """A producer onto the commands topic."""
        with self.log() as log:
            yield Producer(log, self.shards)

    @contextmanager
    def view_store(self) -> Iterator[RedisViewStore]:
        """A connection to the read models; the embedded server is started by the first."""
        store = RedisViewStore(self.views_url())
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The query layer's view of the read models."""
        with self.view_store() as store:
            yield Reader(store, self.shards, monotonic=time.monotonic, sleep=time.sleep)

    def views_url(self) -> str:
        """Where the read models are served."""
        if self._views_url is None:
            server = self._resources.enter_context(EmbeddedValkey(self.settings.data))
            self._server, self._views_url = server, server.url
        return self._views_url

    def revive(self) -> None:
        """Start the embedded server again if it was killed. Raises: Unavailable."""
        if self._server is not None:
            self._server.ensure()


@contextmanager
def open_deployment(settings: Settings, clock: Clock = wall_clock) -> Iterator[Deployment]:
    """Everything a verb needs, and all of it closed behind it.

    Raises: Contradiction where the settings do not fit what the data directory holds.
    """
    with ExitStack() as resources:
        yield Deployment(settings, clock, resources)


@contextmanager
def open_existing(settings: Settings) -> Iterator[Deployment]:
    """The same, for whoever only asks. Raises: NotFound where there is nothing to ask about."""
    if not settings.database.is_file():
        raise NotFound(
            f"no data in {settings.data}. Start `airside up` here, or name another directory "
            "with --data or AIRSIDE_DATA."
        )
    with open_deployment(settings) as deployment:
        yield deployment
