"""A builder gives way: while the served rows of its shard are late, it waits."""

from collections.abc import Callable

from projectors.view_store import Checkpoint, Generation, ViewStore

LOOK_MS = 500  # between two looks at the served rows
STILL_MS = 5_000  # rows that do not move that long are nobody's work: waiting would not help


class Throttle:
    """Of one shard. `end` tells where its topic ends; None: that is not known."""

    def __init__(
        self,
        store: ViewStore,
        live: Generation,
        shard: int,
        *,
        end: Callable[[], int] | None,
        clock: Callable[[], int],
        sleep: Callable[[float], None],
        lag_ms_max: int,
    ) -> None:
        self._store, self._live, self._shard = store, live, shard
        self._end, self._clock, self._sleep = end, clock, sleep
        self._lag_ms_max = lag_ms_max
        self._looked_at = 0
        self._seen: Checkpoint | None = None
        self._moved_at = 0

    def wait(self) -> None:
        """Return when the served rows are not late, or nobody is at work on them."""
        while self._clock() - self._looked_at >= LOOK_MS:
            self._looked_at = self._clock()
            if not self._is_late():
                return
            self._sleep(LOOK_MS / 1_000)

    def _is_late(self) -> bool:
        before = self._seen
        self._seen = found = self._store.rows(self._live, self._shard, ()).checkpoint
        if before is not None and before != found:
            self._moved_at = self._clock()
        is_at_work = self._clock() - self._moved_at < STILL_MS
        is_behind = self._end is None or found.offset < self._end()
        return is_at_work and is_behind and self._clock() - found.at > self._lag_ms_max
