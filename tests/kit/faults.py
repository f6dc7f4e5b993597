"""Memory adapters that fail the way engines do, at a moment that a test chooses."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airside.adapters.memory_view_store import MemoryViewStore
from airside.world.engines import Crash
from airside.world.falling_back import FallingBackViewStore
from projectors.view_store import Checkpoint, Generation, ParkedEvent, Rows
from schemas.errors import AirsideError, Fenced, OutcomeUnknown, Unavailable


class FaultyViewStore(FallingBackViewStore):
    """A view store with a plan: `faults` names what happens to the next calls of `save`.

    "lost": the request never arrives. "unanswered": it lands, its answer does not.
    "late": it is under way until `deliver()`. "crash", "crash after": the process dies.
    "": nothing special. `before_rows` runs once, just before the next rows are read by key (of
    the generation that `before_rows_of` names), `before_parked` before the next parked events.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.saves = 0
        self.before_rows: Callable[[], object] | None = None
        self.before_rows_of: str | None = None
        self.before_parked: Callable[[], object] | None = None
        self.is_down = False
        self._under_way: list[Callable[[], None]] = []

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        if self.is_down:
            raise Unavailable("the view store is down.")
        is_watched = keys and self.before_rows_of in (None, generation.name)
        if is_watched and self.before_rows is not None:
            before, self.before_rows = self.before_rows, None
            before()
        return super().rows(generation, shard, keys)

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        before, self.before_parked = self.before_parked, None
        if before is not None:
            before()
        return super().parked(generation, shard)

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
        def land() -> None:
            self.saves += 1
            MemoryViewStore.save(
                self,
                generation,
                shard,
                expected=expected,
                checkpoint=checkpoint,
                rows=rows,
                parked=parked,
            )

        match self.faults.pop(0) if self.faults else "":
            case "lost":
                raise OutcomeUnknown("no answer.")
            case "late":
                self._under_way.append(land)
                raise OutcomeUnknown("no answer yet.")
            case "unanswered":
                land()
                raise OutcomeUnknown("no answer.")
            case "crash":
                raise Crash
            case "crash after":
                land()
                raise Crash
            case _:
                land()

    def deliver(self) -> None:
        """What was under way lands, or is refused, with nobody there to hear of it."""
        for land in self._under_way:
            with contextlib.suppress(Fenced):
                land()
        self._under_way = []


class PipelinedViewStore(FaultyViewStore):
    """A store whose saves are sent first and waited for later.

    A save that was begun lands when it is waited for, or before that at `deliver()`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun: list[Begun] = []

    def begin_save(self, generation: Generation, shard: int, **save: Any) -> "Begun":
        begun = Begun(lambda: self.save(generation, shard, **save))
        self._begun.append(begun)
        return begun

    def deliver(self) -> None:
        super().deliver()
        for begun in self._begun:
            begun.land()
        self._begun = []


class Begun:
    """A save under way."""

    def __init__(self, save: Callable[[], None]) -> None:
        self._save: Callable[[], None] | None = save
        self._outcome: AirsideError | None = None

    def land(self) -> None:
        save, self._save = self._save, None
        if save is not None:
            try:
                save()
            except AirsideError as outcome:
                self._outcome = outcome

    def wait(self) -> None:
        self.land()
        if self._outcome is not None:
            raise self._outcome
