"""Replay: rebuild a projection from its events beside the served one, compare, cut over.

    building     a new generation, from the first event to where the live one stands
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

It is given a source of events and a store of rows, and nothing that could send a command or
publish an event: it cannot do either.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from projectors.build import BuildShards, Job, ShardProgress, build_here, live_rows
from projectors.builds import BEAT_MS, beat, follow, note_verified, release, take_up
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, promote, retire, serving
from projectors.progress import Meter, Progress, Report
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.verification import Verification
from projectors.view_store import Builder, Generation, Source, Verified
from projectors.worker import STALL_WAIT_SECONDS, STALLS_MAX, ShardProjector
from schemas.envelope import new_id
from schemas.errors import AirsideError, Moved

V = TypeVar("V")

CATCH_UPS = 2  # right before the step


class Wish(Struct, frozen=True):
    """What is wanted of a replay."""

    promote: bool = (
        True  # False: build and verify only; workers keep it up to date from then on
    )
    accept: bool = False  # promote although rows differ
    source: Source = "topic"  # what the read side's sources are
    lag_ms_max: int | None = None  # of the served rows, above which the builder waits
    name: str = "a replay"  # of the builder, for whoever wants to build as well
    if_missing: bool = False  # not where workers keep a generation of this code already


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
    folded: int = 0  # events, by this run
    seconds: float = 0.0  # of building


def replay(
    projection: Projection[V],
    read_side: ReadSide,
    *,
    wish: Wish | None = None,
    report: Report = lambda progress: None,
    build: BuildShards = build_here,
) -> Replayed:
    """Rebuild, verify and promote one projection; `report` hears of every batch.

    Unless the wish is to `accept`, it is not promoted where it parked events that the live one
    has folded, nor where rows differ, unless the live one was built by other code: then they
    are expected to. The build stays: the same call compares it again.

    Raises: Hole where events cannot be had; Contradiction if the read models are of another
    history; Moved if others are at it, or the live generation fell back; Unavailable. The same
    call goes on from there.
    """
    run = _Replay(projection, read_side, wish or Wish(), report)
    try:
        return run.all_phases(build)
    finally:
        run.close()


class _Replay(Generic[V]):
    def __init__(
        self,
        projection: Projection[V],
        read_side: ReadSide,
        wish: Wish,
        report: Report,
    ) -> None:
        self._projection, self._read_side, self._wish = projection, read_side, wish
        self._store, self._clock = read_side.store, read_side.clock
        self._report_to = report
        self._fingerprint = fold_fingerprint(projection, read_side.codec)
        self._builder = Builder(wish.name, new_id())
        self._beat_at = 0
        self._builders: Sequence[ShardProjector[V]] = ()
        self._live = serving(
            ensure_serving(
                self._store,
                projection.name,
                fingerprint=self._fingerprint,
                history=read_side.history,
                shards=read_side.shards,
                now_at=self._clock(),
            )
        )
        self._rebuilt = self._take_up()
        if not self._is_within_log():
            self._drop()
            self._rebuilt = self._take_up()

    def all_phases(self, build: BuildShards) -> Replayed:
        """The whole of it."""
        began_at, before = self._clock(), self._seqs(self._rebuilt)
        verification = self._build(build)
        seconds = (self._clock() - began_at) / 1_000
        folded = sum(self._seqs(self._rebuilt)) - sum(before)
        is_other_code = self._live.fingerprint != self._rebuilt.fingerprint
        accepted = self._wish.accept or is_other_code
        refused = "" if self._wish.accept else _why_not(verification, is_other_code)
        verified = Verified(self._clock(), verification.rows, verification.different, accepted)
        self._rebuilt = note_verified(self._store, self._rebuilt, verified)
        halted: tuple[str, ...] = ()
        promoted = self._wish.promote and not refused
        if not refused:
            self._builders = self._open_builders()
            self._cut_over()
            halted = self._follow()
        return Replayed(
            self._live,
            self._rebuilt,
            verification,
            promoted,
            is_other_code,
            sum(self._seqs(self._rebuilt)),
            halted,
            refused,
            folded,
            seconds,
        )

    def close(self) -> None:
        """Let go of everything; the build may be taken up at once."""
        for builder in self._builders:
            builder.close()
        try:
            release(self._store, self._rebuilt, self._builder)
        except AirsideError:
            return  # it is gone, or will be thought dead

    def _take_up(self) -> Generation:
        return take_up(
            self._store,
            self._projection.name,
            fingerprint=self._fingerprint,
            now_at=self._clock(),
            builder=self._builder,
            sleep=self._read_side.sleep,
            source=self._wish.source,
            if_missing=self._wish.if_missing,
        )

    def _drop(self) -> None:
        """Drop the build, if it is ours still. Raises: Moved."""
        self._builder = beat(self._store, self._rebuilt, self._builder)
        retire(self._store, self._rebuilt.projection, self._rebuilt.number)

    def _is_within_log(self) -> bool:
        self._builders = self._open_builders()
        try:
            return all(builder.is_within_log for builder in self._builders)
        finally:
            self._close_builders()

    def _open_builders(self) -> Sequence[ShardProjector[V]]:
        return [
            self._read_side.projector(self._projection, self._rebuilt, shard, self._fingerprint)
            for shard in range(self._read_side.shards)
        ]

    def _close_builders(self) -> None:
        for builder in self._builders:
            builder.close()
        self._builders = ()

    def _build(self, build: BuildShards) -> Verification:
        """Every shard, by whoever does it, and what all of them add up to on the way."""
        shards = tuple(range(self._read_side.shards))
        job = Job(self._live, self._rebuilt, shards, self._wish.lag_ms_max)
        told = [ShardProgress(s, 0, *live_rows(self._store, self._live, s)) for s in shards]
        for shard, seq in zip(shards, self._seqs(self._rebuilt), strict=True):
            told[shard] = ShardProgress(shard, seq, told[shard].goal, told[shard].rows)
        meter = self._meter("building", sum(t.goal for t in told), sum(t.built for t in told))
        is_built = False

        def tell(one: ShardProgress | None) -> None:
            nonlocal meter, is_built
            if one is not None:
                told[one.shard] = one
            if not is_built:
                meter.tell(sum(t.built for t in told))
                is_built = all(t.built >= t.goal for t in told)
                if is_built:
                    meter = self._meter("verifying", sum(t.rows for t in told))
            if is_built:
                meter.tell(sum(t.compared for t in told))

        return build(self._projection, self._read_side, job, tell)

    def _cut_over(self) -> None:
        for _ in range(CATCH_UPS):  # the second time round there is next to nothing to do
            for builder in self._builders:
                builder.run_until(live_rows(self._store, self._live, builder.shard)[0])
        rebuilt, now_at = self._rebuilt, self._clock()
        if self._wish.promote:
            serving = self._live.number
            try:
                registry = promote(self._store, rebuilt, serving=serving, now_at=now_at)
            except Moved:
                if self._wish.if_missing:  # nobody would go on with it
                    self._drop()
                raise
            self._rebuilt = registry.generation(rebuilt.number) or rebuilt
        else:
            self._rebuilt = follow(self._store, rebuilt, now_at=now_at)

    def _follow(self) -> tuple[str, ...]:
        """To the end of the topic as it is now. Other workers may be at it too."""
        if self._wish.source != "topic":
            try:
                for builder in self._builders:
                    builder.run_until(live_rows(self._store, self._live, builder.shard)[0])
            except Moved:
                return ()  # they were faster
            return ()
        lags = [builder.lag for builder in self._builders]
        meter = self._meter("following", sum(lags))
        meter.tell(0)
        for builder, left in zip(self._builders, lags, strict=True):
            stalls = 0
            while left > 0 and stalls < STALLS_MAX and builder.halted is None:
                polled = builder.step(STALL_WAIT_SECONDS)
                stalls = 0 if polled else stalls + 1
                left -= polled
                meter.add(polled)
        return tuple(b.halted for b in self._builders if b.halted is not None)

    def _meter(self, phase: Any, total: int, done: int = 0) -> Meter:
        return Meter(phase, self._clock, self._report, total, done)

    def _report(self, progress: Progress) -> None:
        """Tell whoever asked, and once a second everybody: the builder is alive."""
        now = self._clock()
        if progress.phase != "following" and not 0 <= now - self._beat_at < BEAT_MS:
            self._beat_at = now
            self._builder = beat(
                self._store,
                self._rebuilt,
                self._builder,
                phase=progress.phase,
                done=progress.done,
                total=progress.total,
                eta_seconds=progress.eta_seconds,
            )
        self._report_to(progress)

    def _seqs(self, generation: Generation) -> list[int]:
        shards = range(self._read_side.shards)
        return [live_rows(self._store, generation, shard)[0] for shard in shards]


def _why_not(found: Verification, is_other_code: bool) -> str:
    """Why what was found forbids to promote; empty if it does not."""
    if found.newly_parked:
        return f"it parked {found.newly_parked:,} events that the live one has folded"
    if found.different and not is_other_code:
        return f"{found.different:,} rows differ, though the same code built both"
    return ""
