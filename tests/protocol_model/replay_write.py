"""A trace of the write side's model, carried out by two real handlers.

What the model does in one action the handler may do in none or in several: it loads when it
takes, and indexes all that it resumes at once. So an action is carried out where it means
something to the handler as it stands, and left out where it does not. The laws are checked
when the trace is over and the worker that acted last has drained the shard in peace.
"""

from collections.abc import Sequence

from airside.adapters.memory_log import MemorySource
from airside.world.slow_publisher import SlowPublisher
from commands.event_store import Commit
from commands.handler import ShardHandler
from commands.limits import Limits
from schemas.codec import CODEC
from schemas.envelope import Command
from schemas.errors import Fenced, Moved, OutcomeUnknown, Transient
from schemas.record import COMMANDS_TOPIC, Record
from tests.kit.counter import COUNTER, add
from tests.kit.shard import FaultyEventStore, Shard, Worker
from tests.protocol_model.explorer import Action
from tests.protocol_model.write_side import NAMES
from tests.protocol_model.write_state import Bounds


class WiredEventStore(FaultyEventStore):
    """Commits lie on the wire, where the trace says so, until one arrives or is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.wired = True
        self.wire: list[Commit] = []

    def commit(self, commit: Commit) -> None:
        if not self.wired or commit.number <= self.number(commit.shard):
            return super().commit(commit)
        if commit not in self.wire:
            self.wire.append(commit)
        raise OutcomeUnknown("no answer yet.")

    def take_from_wire(self, request: Commit | None) -> bool:
        """Whether it was on the wire."""
        is_there = request in self.wire
        self.wire = [commit for commit in self.wire if commit != request]
        return is_there

    def land(self, commit: Commit) -> None:
        """It arrives; where it is refused nobody hears of it."""
        try:
            super().commit(commit)
        except Fenced:
            return


class CappedSource:
    """A source that has no more than the trace lets the handler see."""

    def __init__(self, source: MemorySource) -> None:
        self._source = source
        self.end_at = 0
        self.seek, self.note, self.begin = source.seek, source.note, source.begin
        self.close = source.close
        self._next = 0

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        found = self._source.poll(count_max, 0.0)
        here = [record for record in found if record[0] < self.end_at]
        if found != here:
            self._source.seek(here[-1][0] + 1 if here else found[0][0])
        return here

    def end(self) -> int:
        return self._source.end()


class DeliveringShard(Shard):
    """In peace everything arrives, in the order in which the publishers were opened."""

    def deliver_all(self) -> None:
        self.store.index_all()
        for publisher in self.publishers:
            publisher.deliver(1_000)


class WriteReplay:
    """Two handlers on one shard."""

    def __init__(self, bounds: Bounds) -> None:
        self.shard = DeliveringShard(is_slow=bounds.publishes)
        self.shard.store = self.store = WiredEventStore()
        self.store.is_late = bounds.indexes_late
        self.bounds = bounds
        self.sources: dict[int, CappedSource] = {}
        self.publishers: list[SlowPublisher | None] = [None, None]
        self.ghost: SlowPublisher | None = None
        self.shard.send(*map(self._command, bounds.topic))
        self.workers = [self._worker(0), self._worker(1)]
        self.requests: dict[str, Commit] = {}  # by their names in the trace
        self.last = 0  # the worker that acted last: the one that the counterexample is about
        self.done = 0  # actions that a handler carried out, or that befell it

    def run(self, trace: Sequence[Action]) -> Shard:
        """The shard after the trace, and after the last worker of it drained it in peace."""
        for action in trace:
            self._do(action)
            stored = len(self.shard.events())
            assert max(self.shard.published(), default=0) <= stored, "published, not stored"
        self.store.wired = False
        for commit in self.store.wire:
            self.store.land(commit)
        self.sources[self.last].end_at = len(self.bounds.topic)
        self.shard.drain(self.workers[self.last])
        return self.shard

    def _command(self, command: int) -> Command:
        return add(command + 1, account="xyz"[self.bounds.accounts[command]])

    def _worker(self, w: int) -> Worker:
        self.sources[w] = CappedSource(self.shard.log.source(COMMANDS_TOPIC, 0))
        return ShardHandler(
            shard=0,
            shards=1,
            decider=COUNTER,
            codec=CODEC,
            store=self.store,
            source=self.sources[w],
            open_publisher=lambda: self._opened(w),
            context=lambda: self.shard.rules,
            limits=Limits(streams_max=0, window_commits_max=100, snapshot_every=2),
        )

    def _opened(self, w: int) -> SlowPublisher:
        opened = SlowPublisher(self.shard.log)
        if self.bounds.publishes:
            self.shard.publishers.append(opened)
            self.publishers[w] = opened
            return opened
        return self.shard.log.publisher("events", 0)  # type: ignore[return-value]

    def _do(self, action: Action) -> None:
        who, what, *more = map(str, action)
        if who in NAMES:
            self.last = NAMES.index(who)
            self._work(self.last, what, more)
        elif who == "the request":
            commit = self.requests.get(what)
            if self.store.take_from_wire(commit) and commit and more[-1] == "arrives":
                self.store.land(commit)
        elif who == "a dead worker's event" and self.ghost is not None:
            self.ghost.deliver(1)

    def _work(self, w: int, what: str, more: list[str]) -> None:
        worker = self.workers[w]
        try:
            match what:
                case "resumes" if worker.position is None:
                    worker.resume()
                    worker.publish()
                case "takes up to offset":
                    self.sources[w].end_at = int(more[0])
                    if worker.position is not None and worker.take():
                        self._send(worker, more[-1])
                case "hears that its commit stands" | "is fenced" | "sends its commit again":
                    worker.commit()
                    worker.publish()
                case "indexes commit" if self.store.indexed(0) < self.store.number(0):
                    self.store.index_next()
                case "evicts account":
                    worker.save_snapshots()
                case "loads account 0:" | "loads account 1:":
                    self.sources[w].end_at = len(self.bounds.topic)
                    worker.send()
                case "crashes":
                    self.ghost = self.publishers[w]
                    self.workers[w] = self._worker(w)
                case _:
                    self._wire(w, what)
            self.done += 1
        except Moved:
            worker.resume()
        except Transient:
            return  # the same call may be made again, where the trace says so

    def _send(self, worker: Worker, request: str) -> None:
        """The pending commit goes onto the wire, under the name that the trace has for it."""
        before = len(self.store.wire)
        try:
            worker.commit()
        finally:
            if len(self.store.wire) > before:
                self.requests[request] = self.store.wire[-1]

    def _wire(self, w: int, what: str) -> None:
        publisher = self.publishers[w]
        if publisher is None:
            return
        if what in ("publishes seq", "loses the acknowledgement of seq"):
            publisher.deliver(1, acknowledge=what == "publishes seq")
        if what.startswith("loses"):
            publisher.fail()
        if self.workers[w].position is not None:
            self.workers[w].publish()
