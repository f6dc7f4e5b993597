"""One shard of one generation in the view store, as far as its worker knows it.

    load       where the shard stands, and what is parked
    read       rows, believed only under our own checkpoint                        Overtaken
    save       rows and the next checkpoint, in one conditional write              Fenced
    settle     the outcome of the last save
    forget     believe nothing any more

Where the store can, a save is sent and its outcome asked for later: the next batch is polled,
decoded and folded meanwhile. There is never more than one under way, and none while rows are
read, so that every row that is read belongs to the checkpoint that we believe in.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from projectors.view_store import Checkpoint, Generation, ParkedEvent, ViewStore
from schemas.errors import AirsideError, Contradiction, NotFound, Overtaken

_log = logging.getLogger(__name__)


class Pending(Protocol):
    """A save that was sent."""

    def wait(self) -> None:
        """Return when it is done. Raises: what `ViewStore.save` raises. Exactly once."""


@runtime_checkable
class PipelinedStore(Protocol):
    """A view store that can also send a save now and tell its outcome later."""

    def begin_save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> Pending:
        """Like `ViewStore.save`, but for the outcome."""


class StoredShard:
    """Used by one worker. `fingerprint` is that of its code."""

    def __init__(
        self, store: ViewStore, generation: Generation, shard: int, fingerprint: str
    ) -> None:
        self.name = f"{generation.name}, shard {shard}"  # for messages
        self._store, self._generation, self._shard = store, generation, shard
        self._fingerprint = fingerprint
        self.is_empty = False  # whether it had no row when it was loaded
        self._checkpoint: Checkpoint | None = None
        self._pending: Pending | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether anything is believed at all."""
        return self._checkpoint is not None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the shard stands once the save under way is done. Loaded ones only."""
        assert self._checkpoint is not None
        return self._checkpoint

    def load(self) -> list[ParkedEvent]:
        """Believe what the store says; what is parked, up to the checkpoint and perhaps beyond.

        Raises: what `check` raises.
        """
        self.check()
        found = self._store.rows(self._generation, self._shard, ())
        self._checkpoint, self.is_empty = found.checkpoint, not found.row_count
        return self._store.parked(self._generation, self._shard)

    def peek(self) -> Checkpoint:
        """Where the store says that the shard stands, without believing it."""
        return self._store.rows(self._generation, self._shard, ()).checkpoint

    def check(self) -> None:
        """May this code fold into this generation, now? Raises: NotFound, Contradiction."""
        generation = self._generation
        registry = self._store.registry(generation.projection)
        found = registry.generation(generation.number)
        if found is None or found.created_at != generation.created_at:
            raise NotFound(f"{generation.name} was retired. Follow the registry.")
        if not found.fingerprint == generation.fingerprint == self._fingerprint:
            raise Contradiction(
                f"{generation.name} was built by other code: {found.fingerprint}, this is "
                f"{self._fingerprint}. Run: airside replay {generation.projection}"
            )

    def read(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Rows under our own checkpoint: under another they would be counted twice (R1).

        The save under way is waited for, so the last acknowledged seq is our own.
        Raises: Overtaken; what `settle` raises.
        """
        self.settle()
        own = self.checkpoint
        read = self._store.rows(self._generation, self._shard, keys)
        found = read.checkpoint
        if (found.seq, found.offset) != (own.seq, own.offset):
            raise Overtaken(
                f"{self.name}: the checkpoint is at seq {found.seq}, offset {found.offset}; "
                f"seq {own.seq}, offset {own.offset} was believed."
            )
        return read.rows

    def save(
        self,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent],
    ) -> None:
        """Send a save, behind the outcome of the one before. Raises: what `settle` raises."""
        self.settle()
        store = self._store
        if isinstance(store, PipelinedStore):
            self._pending = store.begin_save(
                self._generation,
                self._shard,
                expected=self.checkpoint,
                checkpoint=checkpoint,
                rows=rows,
                parked=parked,
            )
        else:
            store.save(
                self._generation,
                self._shard,
                expected=self.checkpoint,
                checkpoint=checkpoint,
                rows=rows,
                parked=parked,
            )
        self._checkpoint = checkpoint

    def settle(self) -> None:
        """Wait for the save under way. Raises: Fenced, OutcomeUnknown, Unavailable."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.wait()

    def forget(self) -> None:
        """Believe nothing; what becomes of a save under way will be seen by loading again."""
        self._checkpoint = None
        try:
            self.settle()
        except AirsideError as lost:
            _log.info("save given up: %s: %s", self.name, lost)
