"""A history, and workers that bring it into a real view store whatever happens to that.

traffic = Traffic(store, shards=6)
with traffic.running():
    traffic.publish(500)
    server.kill()
    ...
assert traffic.finish() == traffic.meant()
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from msgspec import structs

from airside.adapters.memory_log import MemoryLog
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, serving
from projectors.pace import SAVE_BYTES, Bounds
from projectors.view_store import Checkpoint, Generation, ViewStore
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.errors import Transient
from schemas.record import EVENTS_TOPIC
from tests.kit.tallies import TALLIES, Tally, erasure, plain_fold, plan_changed

BUSY = 39  # accounts of a shard
BRIEF = 20  # events of it are the time of an account
BATCH_MAX = 25
PAUSE_SECONDS = 0.02  # after a step that found its store away
TURN_MS = 200  # that the workers' clock goes on, each turn
FOLLOW_MS = 2_000  # how often the registry is read
SECONDS_MAX = 60.0  # to wait for anything
START_AT = 1_800_000_000_000
FINGERPRINT = fold_fingerprint(TALLIES, CODEC)

Worker = ShardProjector[Tally]


class Traffic:
    """`turn` is what the projector's role does, for one small projection."""

    def __init__(self, store: ViewStore, *, shards: int = 1) -> None:
        self.shards = shards
        self.refusals: list[str] = []  # what the store said when it could not
        self._store = store
        self._now_at = START_AT
        self._log = MemoryLog(lambda: self._now_at)
        self._log.create_topic(EVENTS_TOPIC, shards)
        self._history: list[list[Event]] = [[] for _ in range(shards)]
        self._workers: dict[tuple[int, int], Worker] = {}
        self._generation: Generation
        self._follows_at = 0
        self._is_idle = False

    def publish(self, count: int) -> None:
        """So many events for each shard: some erase their row."""
        for shard, history in enumerate(self._history):
            seq = len(history)
            events = [event(n) for n in range(seq + 1, seq + count + 1)]
            history.extend(events)
            records = [(event.account_id.encode(), CODEC.encode(event)) for event in events]
            self._log.append(EVENTS_TOPIC, shard, records)

    @contextmanager
    def running(self, *, events_a_turn: int = 0) -> Iterator[None]:
        """Workers turn in a thread of their own, and each turn so many events come."""
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                self.publish(events_a_turn)
                self.turn()

        with ThreadPoolExecutor(1) as thread:
            turning = thread.submit(run)
            try:
                yield
            finally:
                stop.set()
            turning.result()

    def turn(self) -> None:
        """Every worker of what is served takes a step, through failures that may pass."""
        self._now_at += TURN_MS
        self._is_idle = False
        if self._now_at >= self._follows_at:
            try:
                self._generation = self._served()
            except Transient as error:
                self._refused(error)
                return
            self._follows_at = self._now_at + FOLLOW_MS
        steps = [self._step(self._generation, shard) for shard in range(self.shards)]
        self._is_idle = not any(steps)

    def wait_for(self, seq: int) -> None:
        """Workers that are running come this far, in every shard."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.least() < seq:
            assert time.monotonic() < deadline, (
                f"seq {seq} is not reached: {self.refusals[-3:]}"
            )
            time.sleep(PAUSE_SECONDS)

    def least(self) -> int:
        """How far the shard has come that is behind the others."""
        return min(self._saved(shard) for shard in range(self.shards))

    def published(self) -> int:
        """The last seq of the shard that has the fewest events."""
        return min(len(history) for history in self._history)

    def finish(self) -> dict[str, bytes]:
        """The rows of all shards, when everything that was published is in them."""
        deadline = time.monotonic() + SECONDS_MAX
        for shard in range(self.shards):
            while self._saved(shard) != len(self._history[shard]) or not self._is_idle:
                assert time.monotonic() < deadline, f"not done: {self.refusals[-3:]}"
                self.turn()
        generation = self._served()
        found: dict[str, bytes] = {}
        for shard in range(self.shards):
            keys = list(self._store.keys(generation, shard))
            rows = self._store.rows(generation, shard, keys).rows
            found |= {f"{shard}/{key}": row for key, row in rows.items() if row is not None}
        return found

    def meant(self) -> dict[str, bytes]:
        """What the history means, folded from zero by nothing but the projection's folds."""
        return {
            f"{shard}/{key}": row
            for shard, history in enumerate(self._history)
            for key, row in plain_fold(TALLIES, history).items()
        }

    def checkpoint(self, store: ViewStore, shard: int = 0) -> Checkpoint:
        """Where a shard of what a store serves stands; the start if it serves nothing."""
        registry = store.registry(TALLIES.name)
        if registry.serving is None:
            return Checkpoint()
        return store.rows(serving(registry), shard, ()).checkpoint

    def _saved(self, shard: int) -> int:
        try:
            return self.checkpoint(self._store, shard).seq
        except Transient:
            return -1

    def _served(self) -> Generation:
        registry = ensure_serving(
            self._store, TALLIES.name, fingerprint=FINGERPRINT, now_at=self._now_at
        )
        return serving(registry)

    def _step(self, generation: Generation, shard: int) -> int:
        key = (generation.created_at, shard)
        worker = self._workers.get(key) or self._worker(generation, shard)
        self._workers[key] = worker
        try:
            return worker.step()
        except Transient as error:
            self._refused(error)
            return 1

    def _worker(self, generation: Generation, shard: int) -> Worker:
        return ShardProjector(
            TALLIES,
            generation,
            shard,
            codec=CODEC,
            store=self._store,
            source=self._log.source(EVENTS_TOPIC, shard),
            clock=lambda: self._now_at,
            fingerprint=FINGERPRINT,
            bounds=Bounds(BATCH_MAX, SAVE_BYTES),
        )

    def _refused(self, error: Transient) -> None:
        self.refusals.append(str(error))
        time.sleep(PAUSE_SECONDS)


def event(seq: int) -> Event:
    """Of an account that is busy all the time, or of one that is busy now and never again.

    A row of the latter that a failover took away stays away if nobody goes back for it.
    """
    account_id = f"busy-{seq % BUSY}" if seq % 2 else f"brief-{seq // BRIEF}"
    happened = erasure(account_id) if seq % 97 == 0 else plan_changed(account_id)
    return structs.replace(happened, seq=seq, at=START_AT + seq, command_id="0" * 32)
