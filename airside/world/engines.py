"""The memory engines, with a fate at every effect: what a crash, a pause or a lost answer does.

Each effect is one call of `Effects.do(step, effect)`. All that may happen to it is there.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from airside.adapters.memory_log import MemoryLog, MemorySource
from airside.log import KeyValue
from airside.world.falling_back import FallingBackViewStore
from airside.world.fate import Fate
from airside.world.late_index import LateIndexStore
from airside.world.slow_publisher import SlowPublisher
from commands.event_store import Commit, Loaded, Parked, Resumed, Snapshot, StoredEvent
from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, Rows
from schemas.errors import AirsideError, Moved, OutcomeUnknown, Unavailable
from schemas.record import Record

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone: no `except` of its own code sees it."""


class Effects:
    """Where fate strikes. `others` lets the others work while the caller stands still."""

    def __init__(self, fate: Fate, others: Callable[[], None]) -> None:
        self.fate = fate
        self._others = others
        self._under_way: list[Callable[[], object]] = []

    def do(self, step: str, effect: Callable[[], T], *, conditional: bool = False) -> T:
        """What the effect returns. Raises: Crash, Unavailable, OutcomeUnknown, its own."""
        match self.fate.at(step):
            case "crash before":
                raise Crash
            case "paused before":
                self._others()
                return effect()
            case "unavailable":
                raise Unavailable(f"{step}: nobody there.")
            case "lost":
                raise OutcomeUnknown(f"{step}: no answer.")
            case "late":
                self._under_way.append(effect)
                raise OutcomeUnknown(f"{step}: no answer yet.")
            case "crash after":
                effect()
                raise Crash
            case "paused after":
                found = effect()
                self._others()
                return found
            case "unanswered":
                effect()
                if conditional:
                    raise OutcomeUnknown(f"{step}: no answer.")
                raise Unavailable(f"{step}: no answer.")
            case _:
                return effect()

    def arrive(self) -> None:
        """What is under way lands, or is refused with nobody there to hear of it."""
        under_way, self._under_way = self._under_way, []
        for effect in under_way:
            with contextlib.suppress(Moved):
                effect()


class WorldEventStore(LateIndexStore):
    """The event store."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self.is_late = True
        self._do = effects.do

    def resume(self, shard: int) -> Resumed:
        """Where the history ends."""
        return self._do("resume", lambda: LateIndexStore.resume(self, shard))

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """Accounts, as of the moment before a pause."""
        load = super().load
        return self._do("load accounts", lambda: load(account_ids, fingerprint))

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """As of now."""
        load = super().load
        found = self._do("look ahead", lambda: load(account_ids, fingerprint))
        return lambda: found

    def commit(self, commit: Commit) -> None:
        """All or nothing, perhaps unheard of."""
        land = super().commit
        self._do("commit", lambda: land(commit), conditional=True)

    def landed(self, commit: Commit) -> bool:
        """Whether it is there."""
        landed = super().landed
        return self._do("was it applied", lambda: landed(commit))

    def settle(self, shard: int, number: int) -> None:
        """The note of what is settled."""
        settle = super().settle
        self._do("settle", lambda: settle(shard, number))

    def parked(self, shard: int, account_id: str | None = None) -> Iterator[Parked]:
        """Parked commands."""
        parked = super().parked
        return self._do("read parked commands", lambda: parked(shard, account_id))

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        """The history."""
        read = super().read
        return self._do(
            "read history", lambda: read(shard, after_seq=after_seq, count_max=count_max)
        )

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Some more snapshots."""
        save, kept = super().save_snapshots, list(snapshots)
        self._do("save snapshots", lambda: save(kept))


class WorldViewStore(FallingBackViewStore):
    """The view store."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self._do = effects.do

    def registry(self, projection: str) -> Registry:
        """Which generations there are."""
        registry = super().registry
        return self._do("read registry", lambda: registry(projection))

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """Compare and set."""
        change = super().change_registry
        self._do("change registry", lambda: change(projection, expected, registry))

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and checkpoint."""
        rows = super().rows
        return self._do("read rows", lambda: rows(generation, shard, keys))

    def save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> None:
        """Rows and checkpoint together."""
        save, kept = super().save, dict(rows)
        self._do(
            "save rows",
            lambda: save(
                generation,
                shard,
                expected=expected,
                checkpoint=checkpoint,
                rows=kept,
                parked=parked,
            ),
            conditional=True,
        )

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events."""
        parked = super().parked
        return self._do("read parked events", lambda: parked(generation, shard))

    def drop(self, generation: Generation) -> None:
        """All of a generation."""
        drop = super().drop
        self._do("drop rows", lambda: drop(generation))

    def arrive(self) -> None:
        """Nothing is ever on its way."""


class Begun:
    """A save under way: it lands when it is waited for, or before."""

    def __init__(self, save: Callable[[], None]) -> None:
        self._save: Callable[[], None] | None = save
        self._outcome: BaseException | None = None

    def land(self) -> None:
        """It reaches the store; its owner has not heard of it yet."""
        save, self._save = self._save, None
        if save is not None:
            try:
                save()
            except (AirsideError, Crash) as outcome:
                self._outcome = outcome

    def wait(self) -> None:
        """Hear of it. Raises: what became of it."""
        self.land()
        if self._outcome is not None:
            raise self._outcome


class PipelinedViewStore(WorldViewStore):
    """A view store whose saves are sent first and waited for later."""

    def __init__(self, effects: Effects) -> None:
        super().__init__(effects)
        self._begun: list[Begun] = []

    def begin_save(self, generation: Generation, shard: int, **save: Any) -> Begun:
        """A save that is on its way."""
        kept = {**save, "rows": dict(save["rows"])}
        begun = Begun(lambda: self.save(generation, shard, **kept))
        self._begun.append(begun)
        return begun

    def arrive(self) -> None:
        """What is on its way lands, also that of the dead."""
        begun, self._begun = self._begun, []
        for one in begun:
            one.land()


class WorldSource:
    """A reader of a partition. It never waits for real: the world goes on meanwhile."""

    def __init__(
        self, inner: MemorySource, effects: Effects, step: str, sleep: Callable[[float], None]
    ) -> None:
        self._inner, self._effects, self._step, self._sleep = inner, effects, step, sleep
        self._next = 0
        self.seek, self.begin, self.end = self._seek, inner.begin, inner.end
        self.note, self.close = inner.note, inner.close

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived; nothing where the broker answers late."""
        fate = self._effects.fate
        if wait_seconds and self._inner.end() <= self._next:
            self._sleep(wait_seconds)
        if fate.random.random() < LATE_SHARE and fate.strikes("answers late", self._step):
            return []
        found = self._effects.do(self._step, lambda: self._inner.poll(count_max, 0.0))
        if found:
            self._next = found[-1][0] + 1
        return found

    def _seek(self, offset: int) -> None:
        self._next = offset
        self._inner.seek(offset)


LATE_SHARE = 0.01  # of the polls


class WorldPublisher(SlowPublisher):
    """A publisher whose owner may crash before or after it has handed records over."""

    def __init__(self, log: MemoryLog, shard: int, effects: Effects) -> None:
        super().__init__(log, shard)
        self._effects = effects

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Put records onto the wire."""
        put = super().send
        self._effects.do("hand over events", lambda: put(records))


class WorldProducer:
    """Where the timekeeper sends to: an append that may be doubled or unheard of."""

    def __init__(self, effects: Effects, append: Callable[[Sequence[KeyValue]], None]) -> None:
        self._effects, self._append = effects, append

    def send(self, records: Sequence[KeyValue]) -> None:
        """Append. Raises: Unavailable."""
        self._effects.do("send expiries", lambda: self._append(records))
