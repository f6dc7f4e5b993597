"""A whole small system in memory, to damage and to check: topics, store and one read model.

offset  command                      seq  account, version
     0  1: add to a                    1  a 1
     1  2: add to b                    2  b 1
     2  3: suspend a, two events   3 and 4  a 2, a 3
     3  1 again, a repeat
     4  junk of account c, parked
     5  4: add to b                    5  b 2
"""

from typing import Any

from airside.adapters.memory_view_store import MemoryViewStore
from airside.checking.checking import Asked, check
from airside.checking.found import CHECKS, Check, Found, Sides
from airside.checking.repair import repair
from commands.event_store import EventStore
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, serving
from projectors.projection import Projection
from projectors.view_store import Checkpoint
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.events import AccountSuspended, AllowanceGranted
from schemas.record import EVENTS_TOPIC, Record
from tests.kit.counter import NOW, add, suspend
from tests.kit.read_side import drain
from tests.kit.shard import JUNK, Shard
from tests.kit.tallies import POISON, Tally, counted, empty, merged, of_account, suspended

EVENTS = 5


def of_kind(event: Any) -> tuple[str, ...]:
    return (event.event_type.__name__,)


TOTALS = Projection(
    name="totals",
    row_type=Tally,
    initial=empty,
    keys=of_account,
    folds={AllowanceGranted: counted, AccountSuspended: suspended},
    reads=("account_id", "reason"),
)
KINDS = Projection(
    name="kinds",
    row_type=Tally,
    initial=empty,
    keys=of_kind,
    folds={AllowanceGranted: counted, AccountSuspended: suspended},
    merge=merged,
)


class Estate:
    """One shard, handled and projected. KINDS is a fan-in over its accounts."""

    def __init__(self, reason: str = "", projection: Projection[Any] = TOTALS) -> None:
        self.projection = projection
        self.shard = Shard()
        self.shard.send(add(1), add(2, account="b"), suspend(3, reason), add(1))
        self.shard.send_raw(b"c", JUNK)
        self.shard.send(add(4, account="b"))
        self.shard.drain()
        self.store: EventStore = self.shard.store
        self.views = MemoryViewStore()
        self.fingerprint = fold_fingerprint(projection, CODEC)
        registry = ensure_serving(
            self.views, projection.name, fingerprint=self.fingerprint, now_at=NOW
        )
        self.live = serving(registry)
        drain(self.worker())

    @classmethod
    def poisoned(cls, projection: Projection[Any] = TOTALS) -> "Estate":
        """The suspension cannot be folded."""
        return cls(POISON, projection)

    def worker(self) -> ShardProjector[Any]:
        """A projector of the one read model."""
        return ShardProjector(
            self.projection,
            self.live,
            0,
            codec=CODEC,
            store=self.views,
            source=self.shard.log.source(EVENTS_TOPIC, 0),
            clock=lambda: NOW,
            fingerprint=self.fingerprint,
        )

    @property
    def sides(self) -> Sides:
        """What is compared."""
        return Sides(self.store, self.shard.log, self.views, 1, CODEC, (self.projection,))

    def check(self, *checks: Check, sample: int | None = None) -> list[Found]:
        """What these checks find; all of them, where none is named."""
        asked = Asked((0,), frozenset(checks or CHECKS), sample)
        return check(self.sides, asked)

    def faults(self, *checks: Check) -> list[str]:
        """The faults, each as `topic, offset 3: what`."""
        founds = self.check(*checks)
        return [f"{f.check}, {f.place}: {f.what}" for found in founds for f in found.faults]

    def repair(self) -> list[str]:
        """What a repair does."""
        return repair(self.sides, self.check())

    def on_topic(self, *seqs: int) -> None:
        """The events topic holds exactly these events, in this order."""
        topic = self.shard.log.records(EVENTS_TOPIC, 0)
        by_seq = {CODEC.seq_of(record[3] or b""): record for record in topic}
        topic[:] = [at_offset(n, by_seq[seq]) for n, seq in enumerate(seqs)]

    def append(self, key: bytes | None, value: bytes | None) -> None:
        """Somebody else writes onto the events topic."""
        self.shard.log.append(EVENTS_TOPIC, 0, [(key, value)])

    def spoil(self, key: str, row: bytes | None) -> None:
        """A row is written over, or deleted, with nobody told."""
        now = self.checkpoint
        self.views.save(self.live, 0, expected=now, checkpoint=now, rows={key: row})

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the rows stand."""
        return self.views.rows(self.live, 0, ()).checkpoint

    def rows(self) -> dict[str, bytes | None]:
        """Every row."""
        keys = list(self.views.keys(self.live, 0))
        return dict(self.views.rows(self.live, 0, keys).rows)


def at_offset(offset: int, record: Record) -> Record:
    """The same record, elsewhere."""
    return (offset, *record[1:])
