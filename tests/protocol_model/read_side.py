"""The read side of a shard of a generation as a model: two workers, one store, one topic.

Event n changes the row of account `accounts[n - 1]`, and a row is the seqs folded into
it, in order. Saves are sent first and heard of later. A worker that is never chosen again is
paused; a save that it sent may land at any later time. `without` names the rules that are left
out; `rules.py` says them in words.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.protocol_model.explorer import Action, Model

Row = tuple[int, ...]
NAMES = ("worker 1", "worker 2")


class Save(NamedTuple):
    """One conditional write, on its way or done."""

    expected: tuple[int, int]  # checkpoint: (seq, offset)
    checkpoint: tuple[int, int]
    rows: tuple[Row | None, ...]  # by account; None: not touched
    outcome: str = ""  # "" while it is under way


class Stored(NamedTuple):
    """What the store has, and what a failover may bring back."""

    checkpoint: tuple[int, int]
    rows: tuple[Row, ...]


class Worker(NamedTuple):
    """What one worker believes. `seq` is -1 while it has to load."""

    seq: int = -1
    offset: int = 0  # of its own checkpoint
    acknowledged: int = 0  # seq of the last save that it heard of
    next: int = 0  # offset of the next poll
    rows: tuple[Row | None, ...] = ()
    saves: tuple[Save, ...] = ()  # not heard of yet
    missing: int = 0  # up to this seq the topic has a hole: it is halted until that is filled


class State(NamedTuple):
    """Everything."""

    stored: Stored
    replica: Stored
    workers: tuple[Worker, ...]
    late: tuple[Save, ...] = ()  # of workers that gave up waiting
    begin: int = 0  # of the topic: older records are deleted
    faults: tuple[int, ...] = ()  # how many of each kind may still happen


class Bounds(NamedTuple):
    """How much can happen."""

    topic: tuple[int, ...]  # the seq at each offset; again: a repeat; left out: a hole
    accounts: tuple[int, ...]  # the account of each event
    crashes: int = 1
    timeouts: int = 1
    failovers: int = 0
    deletions: int = 0  # of the topic's oldest records
    saves_max: int = 1  # under way, of one worker

    def __str__(self) -> str:
        named = [f"topic {self.topic}, accounts {self.accounts}", f"{self.crashes} crashes"]
        named += [f"{self.timeouts} timeouts", f"{self.failovers} failovers"]
        return ", ".join(
            [*named, f"{self.deletions} deletions", f"{self.saves_max} saves ahead"]
        )


Steps = Iterator[tuple[Action, State]]


class ReadSide:
    """All that can happen within the bounds."""

    def __init__(self, bounds: Bounds, without: frozenset[str] = frozenset()) -> None:
        self.bounds, self.without = bounds, without
        self.accounts = max(bounds.accounts) + 1
        self.empty: tuple[Any, ...] = (None,) * self.accounts

    def model(self) -> Model[State]:
        """For the explorer."""
        nothing = Stored((0, 0), ((),) * self.accounts)
        workers = (Worker(rows=self.empty),) * 2
        bounds = self.bounds
        faults = (bounds.crashes, bounds.timeouts, bounds.failovers, bounds.deletions)
        initial = State(nothing, nothing, workers, faults=faults)
        return Model(initial, self.actions, self.broken, _without_names)

    def broken(self, state: State) -> str:
        """The law that this state breaks."""
        seq = state.stored.checkpoint[0]
        for x, row in enumerate(state.stored.rows):
            if row != tuple(n for n in range(1, seq + 1) if self.bounds.accounts[n - 1] == x):
                return "law 6: a row is not each event up to the checkpoint, counted once"
        if seq < len(self.bounds.accounts) and any(
            self._rests(state, w) for w in state.workers
        ):
            return "law 10: a worker is at rest, and the read model lacks events"
        return ""

    def _rests(self, state: State, worker: Worker) -> bool:
        """Whether nothing will ever move it, unless it looks for itself."""
        own = (worker.seq, worker.offset)
        is_done = worker.next >= len(self.bounds.topic) and not worker.saves
        if worker.seq < 0 or not is_done or worker.missing:
            return False
        return "R3" in self.without or own == state.stored.checkpoint

    def actions(self, state: State) -> Steps:
        """Everything that can happen next."""
        for w, worker in enumerate(state.workers):
            if worker.seq < 0:
                yield (NAMES[w], "loads the checkpoint"), self._loaded(state, w)
                continue
            if worker.missing:
                yield from self._fill(state, w)
            elif worker.next < len(self.bounds.topic) or worker.next < state.begin:
                yield from self._poll(state, w)
            yield from self._saves(state, w)
            yield from self._doubts(state, w)
        yield from self._world(state)

    def _loaded(self, state: State, w: int) -> State:
        worker, (seq, offset) = state.workers[w], state.stored.checkpoint
        to = worker.next if "R2.seek" in self.without and worker.next else offset
        worker = worker._replace(seq=seq, offset=offset, acknowledged=seq, next=to)
        return _with(state, w, worker)

    def _poll(self, state: State, w: int) -> Steps:
        """One record: a repeat, the next one, or one behind a hole."""
        worker, name = state.workers[w], NAMES[w]
        at = max(worker.next, state.begin)
        if at >= len(self.bounds.topic):  # no record is left that would show the hole
            all_of_it = 0 if "R4.deleted" in self.without else len(self.bounds.accounts)
            after = worker._replace(next=at, missing=all_of_it)
            yield (name, "finds its offset deleted"), _with(state, w, after)
            return
        seq = self.bounds.topic[at]
        if seq <= worker.seq:
            yield (name, "drops seq", seq), _with(state, w, worker._replace(next=at + 1))
        elif seq > worker.seq + 1 and "R4.hole" not in self.without:
            after = worker._replace(missing=seq - 1, next=at)
            yield (name, "halts before seq", seq), _with(state, w, after)
        else:
            yield from self._fold(state, w, seq, at + 1, at + 1)

    def _fill(self, state: State, w: int) -> Steps:
        worker = state.workers[w]
        if worker.seq >= worker.missing:
            yield (NAMES[w], "goes on"), _with(state, w, worker._replace(missing=0))
        else:
            to = max(worker.next, state.begin)
            is_gone = to >= len(self.bounds.topic) and "R4.kept" not in self.without
            yield from self._fold(state, w, worker.seq + 1, to - is_gone, to)

    def _fold(self, state: State, w: int, seq: int, offset: int, to: int) -> Steps:
        """A row is read where it is not in memory; with it the event is folded and saved."""
        worker, name, x = state.workers[w], NAMES[w], self.bounds.accounts[seq - 1]
        if worker.rows[x] is None:
            found = state.stored.checkpoint[0]
            is_good = worker.acknowledged <= found <= worker.seq
            if is_good or "R1.read" in self.without:
                after = worker._replace(rows=_put(worker.rows, x, state.stored.rows[x]))
                yield (name, "reads the row of account", x), _with(state, w, after)
            else:
                yield (name, "finds that the checkpoint moved"), self._forgotten(state, w)
            return
        if len(worker.saves) >= self.bounds.saves_max:
            return
        row = (*(worker.rows[x] or ()), seq)
        rows = _put(self.empty, x, row)
        save = Save((worker.seq, worker.offset), (seq, offset), rows)
        worker = worker._replace(
            seq=seq,
            offset=offset,
            next=to,
            rows=_put(worker.rows, x, row),
            saves=(*worker.saves, save),
        )
        yield (name, "folds and sends seq", seq), _with(state, w, worker)

    def _saves(self, state: State, w: int) -> Steps:
        """The store takes its saves in order; it hears of them in order, later, or never."""
        worker, name = state.workers[w], NAMES[w]
        under_way = [n for n, save in enumerate(worker.saves) if not save.outcome]
        if under_way:
            n = under_way[0]
            save = worker.saves[n]
            is_next = state.stored.checkpoint == save.expected
            done = save._replace(outcome="saved" if is_next else "refused")
            after = _with(state, w, worker._replace(saves=_put(worker.saves, n, done)))
            named = (name, "has its save of seq", save.checkpoint[0], done.outcome)
            yield named, _landed(after, save)
        if not worker.saves:
            return
        first, rest = worker.saves[0], worker.saves[1:]
        if first.outcome == "saved":
            heard = worker._replace(saves=rest, acknowledged=first.checkpoint[0])
            yield (name, "hears that it is saved"), _with(state, w, heard)
        elif first.outcome == "refused":
            yield (name, "hears that it is refused"), self._forgotten(state, w)
        if state.faults[1]:
            late = tuple(save for save in worker.saves if not save.outcome)
            after = _fault(state, 1)._replace(late=tuple(sorted(_once(state.late + late))))
            yield (name, "waits no longer"), self._forgotten(after, w)

    def _doubts(self, state: State, w: int) -> Steps:
        worker, name = state.workers[w], NAMES[w]
        is_idle = worker.next >= len(self.bounds.topic) and not worker.saves
        is_moved = state.stored.checkpoint != (worker.seq, worker.offset)
        if is_idle and is_moved and "R3" not in self.without:
            yield (name, "looks and finds that the checkpoint moved"), self._forgotten(state, w)
        for x, row in enumerate(worker.rows):
            touched = any(save.rows[x] is not None for save in worker.saves)
            if row is not None and ("R1.evict" in self.without or not touched):
                without = worker._replace(rows=_put(worker.rows, x, None))
                yield (name, "evicts the row of account", x), _with(state, w, without)
        if state.faults[0]:
            late = tuple(save for save in worker.saves if not save.outcome)
            after = _fault(state, 0)._replace(late=tuple(sorted(_once(state.late + late))))
            yield (name, "crashes"), _with(after, w, Worker(rows=self.empty))

    def _forgotten(self, state: State, w: int) -> State:
        worker = state.workers[w]
        rows = worker.rows if "R2.rows" in self.without else self.empty
        to = worker.next if "R2.seek" in self.without else 0
        return _with(state, w, Worker(rows=rows, next=to))

    def _world(self, state: State) -> Steps:
        for save in state.late:
            rest = tuple(s for s in state.late if s != save)
            after = _landed(state._replace(late=rest), save)
            yield ("a late save of seq", save.checkpoint[0], "arrives"), after
        if state.replica != state.stored and state.faults[2]:
            yield ("the replica", "catches up"), state._replace(replica=state.stored)
            after = _fault(state, 2)._replace(stored=state.replica)
            yield ("the store", "falls back to its replica"), after
        if state.faults[3]:
            for begin in range(state.begin + 1, len(self.bounds.topic) + 1):
                after = _fault(state, 3)._replace(begin=begin)
                yield ("the topic", "loses what is before offset", begin), after


def _landed(state: State, save: Save) -> State:
    """Rows and checkpoint, if the checkpoint is the expected one; else nothing."""
    if state.stored.checkpoint != save.expected:
        return state
    pairs = zip(state.stored.rows, save.rows, strict=True)
    rows = tuple(old if new is None else new for old, new in pairs)
    return state._replace(stored=Stored(save.checkpoint, rows))


def _once(saves: tuple[Save, ...]) -> tuple[Save, ...]:
    return tuple(dict.fromkeys(saves))


def _put(values: tuple[Any, ...], place: int, value: object) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def _with(state: State, w: int, worker: Worker) -> State:
    return state._replace(workers=_put(state.workers, w, worker))


def _fault(state: State, kind: int) -> State:
    return state._replace(faults=_put(state.faults, kind, state.faults[kind] - 1))


def _without_names(state: State) -> tuple[object, ...]:
    """Which worker is which makes no difference."""
    return (frozenset(state.workers), state[0], state[1], *state[3:])
