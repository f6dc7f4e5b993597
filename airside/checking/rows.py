"""Read models against the store: rows equal a fold of the history at the shard's checkpoint.

The fold is the projector's own, into memory; the comparison is the one of a replay. Memory: the
rows of one shard of one projection at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from airside.adapters.memory_view_store import MemoryViewStore
from airside.checking.found import FAULTS_MAX, Found, Meter, Sides
from airside.history_source import HistorySource
from projectors.fingerprint import fold_fingerprint
from projectors.generations import followed
from projectors.parking import NO_ROW
from projectors.projection import Projection
from projectors.verification import NOT_ROWS, Verification, verify_shard
from projectors.view_store import Generation, ParkedEvent, Registry, Rows, ViewStore
from projectors.worker import ShardProjector
from schemas.errors import Moved, Overtaken, Permanent

ATTEMPTS_MAX = 3  # where the read models fell back to an older state meanwhile
NUMBER = 0  # of the generation in memory; stored ones begin at 1

Living = tuple[Projection[Any], Generation]


class Beside:
    """The live view store, with the generation in memory beside the stored ones.

    Seen through it there are only these rows, where `only` names some.
    """

    def __init__(
        self, views: ViewStore, memory: ViewStore, only: Sequence[str] | None = None
    ) -> None:
        self._views, self._memory, self._only = views, memory, only

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and checkpoint of either."""
        return self._of(generation).rows(generation, shard, keys)

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Keys of either; those that were named are looked at once, with the live one."""
        if self._only is not None:
            return iter(() if generation.number == NUMBER else self._only)
        return self._of(generation).keys(generation, shard)

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events of either."""
        return self._of(generation).parked(generation, shard)

    def _of(self, generation: Generation) -> ViewStore:
        return self._memory if generation.number == NUMBER else self._views


class ShardRows:
    """One shard of one live generation, and the same rows folded anew from the store.

    Compared are the rows with these keys; None: all.
    """

    def __init__(
        self, sides: Sides, living: Living, shard: int, keys: Sequence[str] | None
    ) -> None:
        projection, self.live = living
        self._keys = keys
        self.views, self.memory, self.shard = sides.views, MemoryViewStore(), shard
        fingerprint = self.live.fingerprint
        self.rebuilt = Generation(projection.name, NUMBER, fingerprint, 0, 0)
        registry = Registry(serving=NUMBER, generations=(self.rebuilt,))
        self.memory.change_registry(projection.name, 0, registry)
        self.builder: ShardProjector[Any] = ShardProjector(
            projection,
            self.rebuilt,
            shard,
            codec=sides.codec,
            store=self.memory,
            source=HistorySource(sides.store, shard),
            clock=lambda: 0,  # it paces looks at a store that nobody else moves
            fingerprint=fingerprint,
        )

    def live_seq(self) -> int:
        """Where the live one stands."""
        return self.views.rows(self.live, self.shard, ()).checkpoint.seq

    def build(self, seq: int, told: Callable[[int], None]) -> None:
        """Fold the history up to a seq; `told` hears of every batch how many events it had."""
        before = self.builder.checkpoint.seq
        done = False
        while not done:
            done = self.builder.advance(seq)
            told(self.builder.checkpoint.seq - before)
            before = self.builder.checkpoint.seq

    def verify(self) -> Verification:
        """Compare all rows. Raises: Overtaken where the live one fell back meanwhile."""
        return verify_shard(
            Beside(self.views, self.memory, self._keys),
            self.live,
            self.builder,
            lambda rows: None,
            differences_max=FAULTS_MAX,
        )

    def is_asked_for(self, key: str) -> bool:
        """Whether it is a row's key at all, and one of those that are compared."""
        return key not in (NO_ROW, *NOT_ROWS) if self._keys is None else key in self._keys

    def held(self) -> set[str]:
        """Rows that an event is parked for, in either."""
        parked = self.views.parked(self.live, self.shard)
        parked += self.memory.parked(self.rebuilt, self.shard)
        return {event.key for event in parked}


@contextmanager
def shard_rows(
    sides: Sides, living: Living, shard: int, keys: Sequence[str] | None = None
) -> Iterator[ShardRows]:
    """Both, and the builder closed behind them."""
    both = ShardRows(sides, living, shard, keys)
    try:
        yield both
    finally:
        both.builder.close()


def check_rows(sides: Sides, shard: int, meter: Meter) -> Iterator[Found]:
    """Every generation that workers keep up to date, one after the other."""
    for projection in sides.projections:
        registry = sides.views.registry(projection.name)
        if not followed(registry):
            yield Found("rows", shard, projection.name, said=["nothing is built yet"])
        for generation in followed(registry):
            found = Found("rows", shard, generation.name)
            if generation.fingerprint != fold_fingerprint(projection, sides.codec):
                step = f"airside replay {projection.name}"
                found.said.append(f"built by other code, so not compared. Run: {step}")
            else:
                _check_one(sides, (projection, generation), found, meter)
            yield found


def _check_one(sides: Sides, living: Living, found: Found, meter: Meter) -> None:
    for attempt in range(ATTEMPTS_MAX):
        try:
            with shard_rows(sides, living, found.shard) as both:
                if _is_ahead(sides, both, found):
                    return
                both.build(both.live_seq(), meter.add)
                _tell(found, both.verify())
            return
        except Overtaken:
            if attempt == ATTEMPTS_MAX - 1:
                raise
        except Moved:
            raise
        except Permanent as why:
            found.fault(found.generation, f"cannot be compared: {why}")
            return


def _is_ahead(sides: Sides, both: ShardRows, found: Found) -> bool:
    """Whether the rows hold more than the history has."""
    live = both.live_seq()
    seq = sides.store.resume(both.shard).position.seq
    if live <= seq:
        return False
    what = f"the rows stand at seq {live}, the history ends at {seq}: they are of another one."
    found.fault(found.generation, f"{what} Name the stores that belong together.")
    return True


def _tell(found: Found, verification: Verification) -> None:
    found.compared = verification.rows
    for one in verification.differences:
        place = f"{found.generation}, row {one.key}"
        is_held = one.key in verification.parked
        step = "An event of it is parked: replay it." if is_held else "--repair rewrites it."
        what = f"differs from the history. {step}"
        found.fault(place, what, _text(one.live), _text(one.rebuilt))
    found.fault_count = verification.different
    if verification.newly_parked:
        what = f"{verification.newly_parked:,} events that it folded cannot be folded now."
        found.fault(found.generation, what)
    for key in verification.parked:
        found.said.append(f"incomplete, since an event of it is parked: {key}")


def _text(row: bytes | None) -> str | None:
    return None if row is None else row.decode(errors="replace")
