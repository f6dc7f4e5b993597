"""Replay: rebuild a projection from the topic beside the served one, compare, cut over.

    building     a new generation, from offset 0 to where the live one stands; all shards
    verifying    every row against the live one, at equal positions, while that moves on
    (promoted)   in one atomic step, if they are equal
    following    to the end of the topic

Queries are answered by the old generation until the step, and can be again after it. Until
then the new one is never ahead of the live one, so a replay that was interrupted goes on where
it stopped; it begins anew where the topic is an older copy that ends before that. Each shard's
progress is its checkpoint: nothing else has to be remembered.

What was folded into the live one before the step is in the new one, but for what comes in the
moment between the last look at a shard and the step: a busy shard may be seen that much behind
until the first poll of `following`. Who asks with `min_version` waits for it.
"""

from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from projectors.fingerprint import fold_fingerprint
from projectors.generations import (
    abandon,
    ensure_serving,
    promote,
    serving,
    start_build,
)
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.verification import Verification, verify_shard
from projectors.view_store import Generation
from projectors.worker import STALL_WAIT_SECONDS, STALLS_MAX, ShardProjector

V = TypeVar("V")

CATCH_UPS = 2  # right before the step

Phase = Literal["building", "verifying", "following"]


class Progress(Struct, frozen=True):
    """How far a phase is."""

    phase: Phase
    done: int  # events; rows while verifying
    total: int
    rate: float  # per second, in this phase
    eta_seconds: float | None  # None: cannot be told yet


class Replayed(Struct, frozen=True):
    """What a replay came to."""

    replaced: Generation  # the live one, until now
    rebuilt: Generation
    verification: Verification
    promoted: bool
    is_other_code: bool  # the live one was built by other code: differences are expected
    events: int  # in the rebuilt generation
    halted: tuple[str, ...] = ()  # shards that could not be followed to the end, and why
    refused: str = ""  # why it was not promoted


Report = Callable[[Progress], None]


def replay(
    projection: Projection[V],
    read_side: ReadSide,
    *,
    report: Report = lambda progress: None,
    accept: bool = False,
) -> Replayed:
    """Rebuild, verify and promote one projection; `report` hears of every batch.

    Without `accept` it is not promoted where it parked events that the live one has folded, nor
    where rows differ, unless the live one was built by other code: then they are expected to.
    The build stays: the same call compares it again.

    Raises: Hole where events cannot be had; Contradiction if the read models are of another
    history; Moved if others are at it, or the live generation
    fell back; Unavailable. The same call goes on from there.
    """
    fingerprint = fold_fingerprint(projection, read_side.codec)
    run = _Replay(projection, read_side, fingerprint, report)
    try:
        return run.all_phases(accept=accept)
    finally:
        for builder in run.builders:
            builder.close()


class _Replay(Generic[V]):
    def __init__(
        self,
        projection: Projection[V],
        read_side: ReadSide,
        fingerprint: str,
        report: Report,
    ) -> None:
        self._store, self._clock = read_side.store, read_side.clock
        self._report = report
        self.builders: Sequence[ShardProjector[V]] = ()
        name, now_at = projection.name, read_side.clock()
        registry = ensure_serving(
            self._store,
            name,
            fingerprint=fingerprint,
            history=read_side.history,
            shards=read_side.shards,
            now_at=now_at,
        )
        self._live = serving(registry)
        self._rebuilt = start_build(self._store, name, fingerprint=fingerprint, now_at=now_at)
        self.builders = self._begin(projection, read_side, fingerprint)
        if not all(builder.is_within_log for builder in self.builders):
            abandon(self._store, name)
            self._rebuilt = start_build(
                self._store, name, fingerprint=fingerprint, now_at=now_at
            )
            self.builders = self._begin(projection, read_side, fingerprint)

    def _begin(
        self, projection: Projection[V], read_side: ReadSide, fingerprint: str
    ) -> Sequence[ShardProjector[V]]:
        for builder in self.builders:
            builder.close()
        return [
            read_side.projector(projection, self._rebuilt, shard, fingerprint)
            for shard in range(read_side.shards)
        ]

    def all_phases(self, *, accept: bool) -> Replayed:
        """The whole of it."""
        self._build()
        verification = self._verify()
        is_other_code = self._live.fingerprint != self._rebuilt.fingerprint
        refused = "" if accept else _why_not(verification, is_other_code=is_other_code)
        halted: tuple[str, ...] = ()
        if not refused:
            self._promote()
            halted = self._follow()
        return Replayed(
            self._live,
            self._rebuilt,
            verification,
            not refused,
            is_other_code,
            sum(builder.checkpoint.seq for builder in self.builders),
            halted,
            refused,
        )

    def _build(self) -> None:
        """Bring every shard to where the live one stands."""
        goals = [self._live_rows(builder.shard)[0] for builder in self.builders]
        done = [builder.checkpoint.seq for builder in self.builders]
        meter = _Meter("building", self._clock, self._report, sum(goals), sum(done))
        for i, builder in enumerate(self.builders):
            while not builder.advance(goals[i]):
                done[i] = builder.checkpoint.seq
                meter.tell(sum(done))
            done[i] = goals[i]
        meter.tell(sum(done))

    def _verify(self) -> Verification:
        total = sum(self._live_rows(builder.shard)[1] for builder in self.builders)
        meter = _Meter("verifying", self._clock, self._report, total)
        found = Verification()
        for builder in self.builders:
            found += verify_shard(self._store, self._live, builder, meter.add)
        meter.tell(found.rows)
        return found

    def _promote(self) -> None:
        for _ in range(CATCH_UPS):  # the second time round there is next to nothing to do
            for builder in self.builders:
                builder.run_until(self._live_rows(builder.shard)[0])
        rebuilt, now_at = self._rebuilt, self._clock()
        registry = promote(self._store, rebuilt, serving=self._live.number, now_at=now_at)
        self._rebuilt = registry.generation(rebuilt.number) or rebuilt

    def _follow(self) -> tuple[str, ...]:
        """To the end of the topic as it is now. Other workers may be at it too."""
        lags = [builder.lag for builder in self.builders]
        meter = _Meter("following", self._clock, self._report, sum(lags))
        meter.tell(0)
        for builder, left in zip(self.builders, lags, strict=True):
            stalls = 0
            while left > 0 and stalls < STALLS_MAX and builder.halted is None:
                polled = builder.step(STALL_WAIT_SECONDS)
                stalls = 0 if polled else stalls + 1
                left -= polled
                meter.add(polled)
        return tuple(b.halted for b in self.builders if b.halted is not None)

    def _live_rows(self, shard: int) -> tuple[int, int]:
        """The live shard's seq and number of rows."""
        rows = self._store.rows(self._live, shard, ())
        return rows.checkpoint.seq, rows.row_count


def _why_not(found: Verification, *, is_other_code: bool) -> str:
    """Why what was found forbids to promote; empty if it does not."""
    if found.newly_parked:
        return f"it parked {found.newly_parked:,} events that the live one has folded"
    if found.different and not is_other_code:
        return f"{found.different:,} rows differ, though the same code built both"
    return ""


class _Meter:
    """Tells how far a phase is, how fast, and how long it will take."""

    def __init__(
        self,
        phase: Phase,
        clock: Callable[[], int],
        report: Report,
        total: int,
        done: int = 0,
    ) -> None:
        self._phase, self._clock, self._report = phase, clock, report
        self._total, self._done = total, done
        self._start, self._start_at = done, clock()

    def add(self, count: int) -> None:
        """So many more are done."""
        self.tell(self._done + count)

    def tell(self, done: int) -> None:
        """So many are done in all."""
        self._done = done
        self._total = max(self._total, done)
        elapsed_ms = self._clock() - self._start_at
        rate = (done - self._start) * 1_000 / elapsed_ms if elapsed_ms > 0 else 0.0
        left = self._total - done
        eta_seconds = left / rate if rate > 0 else None
        self._report(Progress(self._phase, done, self._total, rate, eta_seconds))
