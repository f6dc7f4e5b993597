"""The read side's worker: one shard of one generation of one projection, exactly once.

    step          poll what has arrived → fold what comes next → one conditional save
    advance       the same, but never beyond a given seq: for builders

Nothing that it holds in memory is believed longer than the checkpoint it was read under: a
refused save, an unknown outcome or a moved checkpoint drops all of it, and the worker goes on
from what the store says (PROTOCOL.md, read side, R1 to R4).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from projectors.arriving import Arriving
from projectors.batch import Gap
from projectors.folding import ShardFold
from projectors.holes import Fill, as_records, hole, no_event, older_copy
from projectors.log import EventSource
from projectors.pace import COUNT_MAX, LIVE, Bounds, Pace
from projectors.projection import Projection
from projectors.rows import ROWS_MAX
from projectors.stored_shard import StoredShard
from projectors.view_store import Checkpoint, Generation, ViewStore
from schemas.codec import Codec
from schemas.errors import Moved, NotFound, OutcomeUnknown, Overtaken, Permanent
from schemas.record import Record

V = TypeVar("V")

LOOK_MS = 5_000  # how often the store is asked whether it still agrees, and a halt is retried
STALLS_MAX = 100  # polls in a row that bring a builder nothing
STALL_WAIT_SECONDS = 0.05  # of each

_log = logging.getLogger(__name__)


class ShardProjector(Generic[V]):
    """Keeps the rows of one shard of one generation up to date. Not for two threads.

    `clock` tells the time in ms. `fingerprint` is that of this code: a generation that other
    code built is not touched. `fill` reads events that the topic lacks.
    """

    def __init__(
        self,
        projection: Projection[V],
        generation: Generation,
        shard: int,
        *,
        codec: Codec,
        store: ViewStore,
        source: EventSource,
        clock: Callable[[], int],
        fingerprint: str,
        fill: Fill | None = None,
        bounds: Bounds = LIVE,
        rows_max: int = ROWS_MAX,
    ) -> None:
        self.generation = generation
        self.shard = shard
        self.name = f"{generation.name}, shard {shard}"  # for messages
        self._stored = StoredShard(store, generation, shard, fingerprint)
        self._fold = ShardFold(projection, codec, rows_max)
        self._arriving, self._clock = Arriving(source, bounds.piece), clock
        self._fill = fill
        self._pace = Pace(bounds)
        self._halted: Permanent | None = None
        self._looked_at = 0
        self._stalls = 0

    @property
    def halted(self) -> str | None:
        """Why nothing is folded, and what to do about it. Tried again every LOOK_MS."""
        return None if self._halted is None else str(self._halted)

    @property
    def rows_in_memory(self) -> int:
        """How many rows it keeps; bounded by `rows_max` and two batches."""
        return self._fold.rows_in_memory

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the shard stands once the save under way is done. Raises: what halts it."""
        if not self._stored.is_loaded:
            self._load()
        return self._stored.checkpoint

    @property
    def is_within_log(self) -> bool:
        """Whether the topic reaches as far as the stored checkpoint."""
        return self._stored.peek().offset <= self.end()

    @property
    def lag(self) -> int:
        """How many records of the topic it has not polled yet; all, where it has to load."""
        return self._arriving.lag

    def end(self) -> int:
        """Behind the last record of the topic."""
        return self._arriving.source.end()

    def step(self, wait_seconds: float = 0.0) -> int:
        """Fold one batch; how many records it had. 0: nothing there, or halted, or fenced off.

        Its save may be under way when this returns; the next step tells its outcome, and after
        a step that returns 0 none is. Raises: Unavailable; all memory is dropped then, and the
        next step loads it.
        """
        return self._step(self._pace.count, wait_seconds)

    def advance(self, seq: int) -> bool:
        """Fold one batch, but nothing beyond `seq`; whether that is reached, and saved.

        Raises: Hole if the events up to `seq` cannot be had, or what else halts the shard;
        Overtaken if it is beyond `seq` already, or others keep moving it; Unavailable.
        """
        missing = seq - self.checkpoint.seq
        if missing < 0:
            own = self.generation
            raise Overtaken(
                f"{self.name}: is beyond seq {seq} already. Drop it and begin again: "
                f"airside projections retire {own.projection} {own.number}"
            )
        # n records hold at most n new events, so a batch of that size cannot go too far
        count = min(missing, self._pace.count)
        done = self._step(count, STALL_WAIT_SECONDS, STALL_WAIT_SECONDS)
        if missing and not done:
            self._explain_stall(seq)
        self._stalls = 0 if done else self._stalls + 1
        return not missing and self._stored.is_loaded

    def run_until(self, seq: int) -> None:
        """Fold exactly up to `seq`. Raises: what `advance` raises."""
        while not self.advance(seq):
            pass

    def forget(self) -> None:
        """Drop all memory; the next step loads the checkpoint and seeks to its offset (R2)."""
        self._stored.forget()
        self._fold.begin((), 0, is_empty=False)
        self._arriving.forget()

    def close(self) -> None:
        """Let go of the source; what was folded is saved, or will be folded again."""
        self.forget()
        self._arriving.source.close()

    def _step(
        self, count_max: int, wait_seconds: float, patience_seconds: float | None = None
    ) -> int:
        if self._halted is not None and not self._is_time_to_look():
            return 0
        try:
            if not self._stored.is_loaded:
                self._load()
            self._look()
            arrived = (
                self._arrived(count_max, wait_seconds, patience_seconds) if count_max else ()
            )
            taken = self._apply(arrived)
            if self._arriving.gap is None:
                self._halted = None
            return taken
        except (Moved, OutcomeUnknown) as moved:
            _log.info("shard moved under its worker: %s: %s", self.name, moved)
            self.forget()
            return 0
        except Permanent as why:
            self.forget()
            self._halt(why)
            return 0
        except BaseException:
            self.forget()
            raise

    def _load(self) -> None:
        """Take up the shard where the store says it is. Raises: NotFound, Contradiction."""
        self._looked_at = self._clock()
        try:
            parked = self._stored.load()
            checkpoint = self._stored.checkpoint
            self._fold.begin(parked, checkpoint.seq, is_empty=self._stored.is_empty)
            self._arriving.seek(self._offset_to_go_on(checkpoint))
            self._arriving.look_for_deleted()
        except BaseException:
            self.forget()
            raise

    def _offset_to_go_on(self, checkpoint: Checkpoint) -> int:
        offset = checkpoint.offset
        if offset <= self._arriving.source.end():
            return offset
        raise older_copy(
            self.name, self.generation.projection, offset, self._arriving.source.end()
        )

    def _halt(self, why: Permanent) -> None:
        if str(why) != self.halted:
            is_gone = isinstance(why, NotFound)  # its worker will be told, within a second
            _log.log(logging.INFO if is_gone else logging.ERROR, "shard halted: %s", why)
        self._halted = why
        self._looked_at = self._clock()

    def _look(self) -> None:
        """From time to time: is the shard where we believe, the generation still there (R3)?"""
        if self._is_time_to_look():
            self._looked_at = self._clock()
            self._stored.check()
            self._stored.read(())
            self._arriving.look_for_deleted()

    def _is_time_to_look(self) -> bool:
        return not 0 <= self._clock() - self._looked_at < LOOK_MS  # a clock may be set back

    def _arrived(
        self, count_max: int, wait_seconds: float, patience_seconds: float | None
    ) -> Iterable[Sequence[Record]]:
        """What comes next, from the topic or out of the event store."""
        gap = self._arriving.gap
        if gap is not None and gap.missing(self._stored.checkpoint.seq, count_max) > 0:
            return self._filled(gap, min(count_max, COUNT_MAX))
        if gap is not None:
            self._arriving.seek(gap.offset)
        return self._arriving.pieces(
            count_max,
            wait_seconds,
            patience_seconds=patience_seconds,
            is_one=self._fold.takes_one,
        )

    def _apply(self, pieces: Iterable[Sequence[Record]]) -> int:
        """Fold what comes next and save it, together with where that brings us.

        How many records there were; 0 where they have to be taken again, in one piece.
        """
        own = self._stored.checkpoint
        folded = self._fold.fold(pieces, own, self._stored.read)
        if folded is None:
            self.forget()
            return 0
        if not folded.taken:
            self._stored.settle()
            return 0
        checkpoint, parked = folded.checkpoint, folded.parked
        if checkpoint.seq > own.seq or parked:
            self._stored.save(checkpoint, folded.rows, parked)
            self._pace.saved(folded.taken, folded.rows)
            _log.debug(
                "batch: %s, seq %d, %d rows", self.name, checkpoint.seq, len(folded.rows)
            )
        if parked:
            first = parked[0].offset
            _log.warning("parked: %s, %d from offset %d", self.name, len(parked), first)
        self._fold.saved(folded)
        if folded.gap is not None:
            self._arriving.gap = folded.gap
        return folded.taken

    def _filled(self, gap: Gap, count_max: int) -> Iterable[Sequence[Record]]:
        """Events that the topic lacks, from the event store, as if they lay before the gap.

        Raises: Hole.
        """
        own = self._stored.checkpoint
        missing = gap.missing(own.seq, count_max)
        found = () if self._fill is None else self._fill(own.seq, missing)
        if found:
            _log.warning("hole filled: %s, %d after seq %d", self.name, len(found), own.seq)
            return [as_records(found, gap)]
        if self._fill is not None and gap.seq is None:
            offset, parked = gap.offset, []
        elif self._fill is None or gap.value is None or self._fold.is_readable(gap.value):
            raise hole(self.name, gap, own.seq, self._fill)
        else:
            offset, parked = gap.offset + 1, [no_event(gap, own.seq)]
        self._stored.save(replace(own, offset=offset), {}, parked)
        self._arriving.seek(offset)
        return ()

    def _explain_stall(self, seq: int) -> None:
        """A builder got nothing: is it halted, is the topic too short, is another one here?"""
        if self._halted is not None:
            raise self._halted
        if self._stalls > STALLS_MAX:
            raise Overtaken(f"{self.name}: cannot reach seq {seq}. Is another builder at it?")
        if self._stored.is_loaded:
            self._arriving.look_for_end(seq)
