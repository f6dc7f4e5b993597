"""A trace of the read side's model, carried out by two real projectors.

A projector polls, reads rows, folds and sends in one step; the model's actions in between
happen while it reads its rows, through the hook that the faulty store has for that.
"""

from collections.abc import Callable, Sequence
from typing import Any

from projectors.worker import LOOK_MS, ShardProjector
from schemas.record import EVENTS_TOPIC
from tests.kit.faults import PipelinedViewStore
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import TALLIES, plan_changed
from tests.protocol_model.explorer import Action
from tests.protocol_model.read_side import NAMES, Bounds


class ReadReplay:
    """Two projectors on one shard."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.bench = Bench(TALLIES, store=PipelinedViewStore)
        stored = self.bench.store_events(*(plan_changed("xyz"[x]) for x in bounds.accounts))
        self.bench.append(*(stored[seq - 1] for seq in bounds.topic))
        self.workers = [self._worker(), self._worker()]
        self.replica: Callable[[], None] = self.bench.store.backup()

    def run(self, trace: Sequence[Action]) -> Bench:
        """The bench after the trace, and after its last worker saw the end in peace."""
        acting = [NAMES.index(str(who)) for who, *_ in trace if who in NAMES]
        while trace:
            trace = self._do(trace)
        self.bench.store.deliver()
        self._drain(acting[-1] if acting else 0)
        return self.bench

    def go_on(self) -> Bench:
        """The bench after both workers saw the end."""
        for w in (0, 1, 0, 1):
            self._drain(w)
        return self.bench

    def _drain(self, w: int) -> None:
        for _ in range(2):
            self.bench.now_at += LOOK_MS
            drain(self.workers[w])

    def _worker(self) -> ShardProjector[Any]:
        return self.bench.worker(batch_max=1, rows_max=1, fill=self.bench.fill)

    def _do(self, trace: Sequence[Action]) -> Sequence[Action]:
        """The first action; where that is a read, others' actions up to the fold are in it."""
        action, rest = trace[0], trace[1:]
        who, what = str(action[0]), str(action[1])
        if who not in NAMES:
            self._befall(what, action)
            return rest
        if what == "loads the checkpoint":
            return self._step_into(who, rest)
        self._work(NAMES.index(who), what)
        return rest

    def _step_into(self, who: str, rest: Sequence[Action]) -> Sequence[Action]:
        """A step from loading to sending: what others do meanwhile happens before its read."""
        own = (n for n, (w, *_) in enumerate(rest) if w == who)
        until = next(own, len(rest))
        before = [a for a in rest[:until] if a[0] != who]

        def meanwhile() -> None:
            for other in before:
                self._plainly(other)

        self.bench.store.before_rows = meanwhile
        self.workers[NAMES.index(who)].step()
        is_due, self.bench.store.before_rows = self.bench.store.before_rows, None
        if is_due is not None:
            meanwhile()
        return rest[until:]

    def _plainly(self, action: Action) -> None:
        who, what = str(action[0]), str(action[1])
        if who in NAMES:
            self._work(NAMES.index(who), what)
        else:
            self._befall(what, action)

    def _work(self, w: int, what: str) -> None:
        match what:
            case "crashes":
                self.workers[w] = self._worker()
            case "waits no longer":
                self.bench.store.faults = ["late"]
                self.workers[w].step()
                self.bench.store.faults = []
            case "looks and finds that the checkpoint moved" | "finds its offset deleted":
                self.bench.now_at += LOOK_MS
                self.workers[w].step()
            case "loads the checkpoint" | "drops seq" | "folds and sends seq" | "goes on":
                self.workers[w].step()
            case "has its save of seq":
                self.bench.store.deliver()

    def _befall(self, what: str, action: Action) -> None:
        if what == "catches up":
            self.replica = self.bench.store.backup()
        elif what == "falls back to its replica":
            self.replica()
        elif what == "loses what is before offset":
            self.bench.log.delete(EVENTS_TOPIC, 0, before=int(action[2]))
        else:
            self.bench.store.deliver()
