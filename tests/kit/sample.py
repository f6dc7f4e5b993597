"""A small history in memory, decided and folded by the very code that serves: the examples of
the OpenAPI document are what its resources answer about it.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_log import MemoryLog
from airside.adapters.memory_view_store import MemoryViewStore
from airside.producer import Producer
from airside.serving.parameters import COMMAND_ID
from commands.catalog_file import parse_catalog
from commands.catalog_follower import CatalogFollower
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving
from projectors.read_side import ReadSide
from schemas.codec import CODEC
from schemas.commands import AcquireLicense, OpenAccount, RegisterDevice
from schemas.envelope import Command, derived_id
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

BEGAN_AT = 1_763_985_600_000  # 2025-11-24 12:00 UTC
MINUTE_MS = 60_000
SHARDS = 2
CATALOG = b"""{
  "policies": {"standard": {"title.max_downloads": 2}},
  "service": {"policy": "standard"},
  "plans": {"standard": {"name": "Standard", "policy": {"plan.max_download_devices": 2}}},
  "studios": {"s1": {"name": "Northlight Pictures"}},
  "titles": {
    "t1": {"name": "The Lantern Keeper", "studio_id": "s1"},
    "t2": {"name": "The Rust Parade", "studio_id": "s1", "downloadable": false}
  }
}"""


class Sample:
    """A deployment in memory, as far as questions go. A clock that stands still at the end."""

    def __init__(self) -> None:
        self.now_at = BEGAN_AT
        self.shards = SHARDS
        self.views = MemoryViewStore()
        self._store = MemoryEventStore()
        self._log = MemoryLog(self.clock)
        for topic in (COMMANDS_TOPIC, EVENTS_TOPIC):
            self._log.create_topic(topic, SHARDS)
        self._log.create_topic(CATALOG_TOPIC, 1, is_compacted=True)
        records = [(key.encode(), value) for key, value in parse_catalog(CATALOG)]
        self._log.append(CATALOG_TOPIC, 0, records)
        for command in _story():
            self.now_at = command.issued_at
            Producer(self._log, SHARDS).send([command])
            self._handle()
        self._project()
        self.now_at += MINUTE_MS

    def clock(self) -> int:
        """The instant of the questions, in ms."""
        return self.now_at

    @contextmanager
    def log(self) -> Iterator[MemoryLog]:
        """All topics."""
        yield self._log

    @contextmanager
    def event_store(self) -> Iterator[MemoryEventStore]:
        """The history."""
        yield self._store

    @contextmanager
    def view_store(self) -> Iterator[MemoryViewStore]:
        """The read models."""
        yield self.views

    def _handle(self) -> None:
        for shard in range(SHARDS):
            handler = ShardHandler(
                shard=shard,
                shards=SHARDS,
                decider=DECIDER,
                codec=CODEC,
                store=self._store,
                source=self._log.source(COMMANDS_TOPIC, shard),
                open_publisher=partial(self._log.publisher, EVENTS_TOPIC, shard),
                context=CatalogFollower(self._log.source(CATALOG_TOPIC, 0)).catch_up,
            )
            with closing(handler):
                while handler.step().polled:
                    pass

    def _project(self) -> None:
        side = ReadSide(
            codec=CODEC,
            store=self.views,
            shards=SHARDS,
            source=lambda shard: self._log.source(EVENTS_TOPIC, shard),
            clock=self.clock,
            sleep=lambda _: None,
        )
        for projection in PROJECTIONS:
            fingerprint = fold_fingerprint(projection, CODEC)
            registry = ensure_serving(
                self.views,
                projection.name,
                fingerprint=fingerprint,
                now_at=self.now_at,
                shards=SHARDS,
            )
            for shard in range(SHARDS):
                worker = side.projector(projection, registry.generations[0], shard, fingerprint)
                with closing(worker):
                    while worker.step():
                        pass


def _story() -> list[Command]:
    """A member's first quarter of an hour: a download, and one that is refused."""
    steps: tuple[tuple[type[Command], dict[str, Any]], ...] = (
        (OpenAccount, {"plan_id": "standard", "country": "DE"}),
        (RegisterDevice, {"device_id": "d1", "model": "Tablet 11", "security_level": 1}),
        (AcquireLicense, {"device_id": "d1", "title_id": "t1", "command_id": COMMAND_ID}),
        (AcquireLicense, {"device_id": "d1", "title_id": "t2"}),
    )
    return [
        cls(
            **{"command_id": derived_id(COMMAND_ID, number), **fields},
            account_id="a1",
            issued_at=BEGAN_AT + number * MINUTE_MS,
        )
        for number, (cls, fields) in enumerate(steps)
    ]
