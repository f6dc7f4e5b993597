"""Small systems whose rows change while somebody reads them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

from airside.adapters.memory_view_store import MemoryViewStore
from airside.adapters.redis_servers import connect
from airside.adapters.redis_view_store import RedisViewStore
from projectors.generations import ensure_serving, serving
from projectors.view_store import Generation, Rows
from tests.kit.counter import NOW, add
from tests.kit.estate import Estate
from tests.kit.read_side import drain


class BusyStore(MemoryViewStore):
    """Something happens before rows are read by key."""

    def __init__(self) -> None:
        super().__init__()
        self.before_rows: Callable[[], object] | None = None

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        before, self.before_rows = self.before_rows, None
        if keys and before is not None:
            before()
        self.before_rows = before
        return super().rows(generation, shard, keys)


class LateStore(MemoryViewStore):
    """A scan of keys that takes long: once, the last one is gone before it is reached."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = [meanwhile]

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        *first, last = super().keys(generation, shard)
        yield from first
        if self.meanwhile:
            self.meanwhile.pop()()
        else:
            yield last


class BusyEstate(Estate):
    """An event is handled and folded before any rows are read by whoever verifies."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(100)
        self.busy = BusyStore()
        self.busy.__dict__ |= self.views.__dict__
        self.views = self.busy
        worker = self.worker()

        def work() -> None:
            self.busy.before_rows = None
            self.shard.send(add(next(self.numbers)))
            self.shard.drain()
            drain(worker)

        self.busy.before_rows = work


class LoadedEstate(Estate):
    """Its rows are on a real server, and a worker folds events into them all the time.

    They are of account a: nobody has account b's row in memory.
    """

    def __init__(self, url: str, store: RedisViewStore) -> None:
        super().__init__()
        self.url = url
        self.views = store  # type: ignore[assignment]
        registry = ensure_serving(store, "totals", fingerprint=self.fingerprint, now_at=NOW)
        self.live = serving(registry)
        drain(self.worker())

    def spoil_on_server(self, key: str, row: bytes) -> None:
        """A row is written over past its worker, who saves all the time."""
        with connect(self.url, timeout_seconds=5.0) as client:
            client.hset("airside:{totals.1.0}:rows", key, row)
            client.connection_pool.disconnect()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Meanwhile."""
        stop = threading.Event()

        def work() -> None:
            worker, numbers = self.worker(), count(100)
            while not stop.is_set():
                self.shard.send(add(next(numbers)))
                self.shard.drain()
                worker.step()
            worker.close()

        with ThreadPoolExecutor(1) as thread:
            working = thread.submit(work)
            try:
                yield
            finally:
                stop.set()
            working.result(60)
