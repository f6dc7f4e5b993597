"""The read side's worker: one shard of one generation of one projection, exactly once.

    step          poll what has arrived → fold what comes next → one conditional save
    advance       the same, but never beyond a given seq: for builders

Nothing that it holds in memory is believed longer than the checkpoint it was read under: a
refused save, an unknown outcome or a moved checkpoint drops all of it, and the worker goes on
from what the store says (PROTOCOL.md, read side, R1 to R4).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from projectors.batch import Gap
from projectors.folding import ShardFold
from projectors.holes import Fill, as_records, hole, no_event
from projectors.log import EventSource
from projectors.projection import Projection
from projectors.rows import ROWS_MAX
from projectors.view_store import Checkpoint, Generation, ParkedEvent, ViewStore
from schemas.codec import Codec
from schemas.errors import (
    Contradiction,
    Moved,
    NotFound,
    OutcomeUnknown,
    Overtaken,
    Permanent,
)
from schemas.record import Record

V = TypeVar("V")

BATCH_MAX = 2_000  # records per save
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
        batch_max: int = BATCH_MAX,
        rows_max: int = ROWS_MAX,
    ) -> None:
        self.generation = generation
        self.shard = shard
        self._fingerprint = fingerprint
        self._store, self._source, self._clock = store, source, clock
        self._fill, self._batch_max = fill, batch_max
        self._fold = ShardFold(projection, codec, rows_max)
        self._checkpoint: Checkpoint | None = None  # as stored; None: not loaded
        self._gap: Gap | None = None
        self._next_offset = 0  # of the next poll
        self._halted: Permanent | None = None
        self._looked_at = 0
        self._stalls = 0

    @property
    def name(self) -> str:
        """`downloads.3, shard 5`, for messages."""
        return f"{self.generation.name}, shard {self.shard}"

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
        """Where the shard stands, as far as this worker knows. Raises: what halts it."""
        if self._checkpoint is None:
            self._load()
        assert self._checkpoint is not None
        return self._checkpoint

    @property
    def lag(self) -> int:
        """How many records of the topic it has not polled yet; all, where it has to load."""
        return self._source.end() - self._next_offset

    def step(self, wait_seconds: float = 0.0) -> int:
        """Fold one batch; how many records it had. 0: nothing there, or halted, or fenced off.

        Raises: Unavailable; everything in memory is dropped then, and the next step loads it.
        """
        return self._step(self._batch_max, wait_seconds)

    def advance(self, seq: int) -> bool:
        """Fold one batch, but nothing beyond `seq`; whether that is reached.

        Raises: Hole if the events up to `seq` cannot be had, or what else halts the shard;
        Overtaken if it is beyond `seq` already, or others keep moving it; Unavailable.
        """
        missing = seq - self.checkpoint.seq
        if missing < 0:
            raise Overtaken(f"{self.name}: is beyond seq {seq} already. Begin again.")
        if missing:
            # n records hold at most n new events, so a batch of that size cannot go too far
            done = self._step(min(missing, self._batch_max), STALL_WAIT_SECONDS)
            self._stalls = 0 if done else self._stalls + 1
            if not done:
                self._explain_stall(seq)
        return self.checkpoint.seq == seq

    def run_until(self, seq: int) -> None:
        """Fold exactly up to `seq`. Raises: what `advance` raises."""
        while not self.advance(seq):
            pass

    def forget(self) -> None:
        """Drop all memory; the next step loads the checkpoint and seeks to its offset (R2)."""
        self._checkpoint = self._gap = None
        self._next_offset = 0
        self._fold.begin((), 0)

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()

    def _step(self, count_max: int, wait_seconds: float) -> int:
        if self._halted is not None and self._clock() - self._looked_at < LOOK_MS:
            return 0
        try:
            if self._checkpoint is None:
                self._load()
            self._look()
            records = self._arrived(count_max, wait_seconds)
            if records:
                self._apply(records)
            if self._gap is None:
                self._halted = None
            return len(records)
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
        store, generation, shard = self._store, self.generation, self.shard
        self._looked_at = self._clock()
        self._check_generation()
        # parked events only grow with the checkpoint: what came since has a higher seq
        checkpoint = store.rows(generation, shard, ()).checkpoint
        self._fold.begin(store.parked(generation, shard), checkpoint.seq)
        offset = checkpoint.offset
        if offset > self._source.end():
            _log.warning("log ends before the checkpoint: %s, offset %d", self.name, offset)
            offset = 0  # seq tells repeats, so going back further is always safe
        self._seek(offset)
        self._checkpoint = checkpoint

    def _check_generation(self) -> None:
        generation = self.generation
        if self._store.registry(generation.projection).generation(generation.number) is None:
            raise NotFound(f"{generation.name} was retired. Follow the registry.")
        if generation.fingerprint != self._fingerprint:
            raise Contradiction(
                f"{generation.name} was built by other code: {generation.fingerprint}, this is "
                f"{self._fingerprint}. Run: airside replay {generation.projection}"
            )

    def _halt(self, why: Permanent) -> None:
        if str(why) != self.halted:
            _log.error("shard halted: %s", why)
        self._halted = why
        self._looked_at = self._clock()

    def _look(self) -> None:
        """From time to time: is the shard where we believe, the generation still there (R3)?"""
        now = self._clock()
        if now - self._looked_at >= LOOK_MS:
            self._looked_at = now
            self._check_generation()
            self._read(())

    def _read(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Rows under our own checkpoint: under another they would be counted twice (R1).

        No save is outstanding while rows are read, so the last acknowledged seq is our own.
        """
        own = self.checkpoint
        read = self._store.rows(self.generation, self.shard, keys)
        found = read.checkpoint
        if (found.seq, found.offset) != (own.seq, own.offset):
            raise Overtaken(
                f"{self.name}: the checkpoint is at seq {found.seq}, offset {found.offset}; "
                f"seq {own.seq}, offset {own.offset} was believed."
            )
        return read.rows

    def _seek(self, offset: int) -> None:
        self._source.seek(offset)
        self._next_offset = offset

    def _arrived(self, count_max: int, wait_seconds: float) -> Sequence[Record]:
        gap = self._gap
        if gap is not None and self.checkpoint.seq + 1 < gap.seq:
            return self._filled(gap, count_max)
        if gap is not None:
            self._gap = None
            self._seek(gap.offset)
        records = self._source.poll(count_max, wait_seconds)
        if records:
            self._next_offset = records[-1][0] + 1
        return records

    def _apply(self, records: Sequence[Record]) -> None:
        """Fold what comes next and save it, together with where that brings us."""
        own = self.checkpoint
        folded = self._fold.fold(records, own, self._read)
        if folded.checkpoint.seq > own.seq or folded.parked:
            self._save(folded.checkpoint, folded.rows, folded.parked)
        self._fold.saved(folded)
        if folded.gap is not None:
            self._gap = folded.gap

    def _save(
        self,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent],
    ) -> None:
        self._store.save(
            self.generation,
            self.shard,
            expected=self.checkpoint,
            checkpoint=checkpoint,
            rows=rows,
            parked=parked,
        )
        self._checkpoint = checkpoint
        if parked:
            first = parked[0]
            _log.warning("parked: %s, %d from offset %d", self.name, len(parked), first.offset)
        _log.debug("batch saved: %s, seq %d, %d rows", self.name, checkpoint.seq, len(rows))

    def _filled(self, gap: Gap, count_max: int) -> Sequence[Record]:
        """Events that the topic lacks, from the event store, as if they lay before the gap.

        Raises: Hole.
        """
        own = self.checkpoint
        missing = min(count_max, gap.seq - 1 - own.seq)
        found = () if self._fill is None else self._fill(own.seq, missing)
        if found:
            _log.warning("hole filled: %s, %d after seq %d", self.name, len(found), own.seq)
            return as_records(found, gap)
        if self._fill is None or gap.value is None or self._fold.is_readable(gap.value):
            raise hole(self.name, gap, own.seq, self._fill)
        checkpoint = Checkpoint(own.seq, gap.offset + 1, own.at)
        self._save(checkpoint, {}, [no_event(gap, own.seq)])
        self._gap = None
        self._seek(gap.offset + 1)
        return ()

    def _explain_stall(self, seq: int) -> None:
        """A builder got nothing: is it halted, is the topic too short, is another one here?"""
        if self._halted is not None:
            raise self._halted
        if self._stalls > STALLS_MAX:
            raise Overtaken(f"{self.name}: cannot reach seq {seq}. Is another builder at it?")
        if self._checkpoint is not None and self._gap is None:
            end = self._source.end()
            if self._next_offset >= end:
                self._gap = Gap(seq + 1, end, None)
