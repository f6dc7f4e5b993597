"""The write side of one shard as a model: what its two workers do, and what befalls them.

Both believe at times that they own the shard, and neither is ever told otherwise but by the
store. A worker that is never chosen again is paused; what it sent may arrive at any later
time. `without` names the rules that are left out; `rules.py` says them in words.
"""

from collections.abc import Iterator

from tests.protocol_model.archiving import Archiving
from tests.protocol_model.explorer import Action, Model
from tests.protocol_model.write_laws import AT_REST, is_at_rest, landed, stored_seqs
from tests.protocol_model.write_moves import (
    arrived,
    mask_of,
    one_fault_less,
    put,
    requested,
    seqs_of,
    with_worker,
    without_names,
)
from tests.protocol_model.write_state import WHOLE, Account, Bounds, Commit, State, Worker

Steps = Iterator[tuple[Action, State]]
NAMES = ("worker 1", "worker 2")


class WriteSide:
    """All that can happen within the bounds."""

    def __init__(self, bounds: Bounds, without: frozenset[str] = frozenset()) -> None:
        self.bounds, self.without = bounds, without
        self.masks = [0] * (max(bounds.accounts) + 1)  # the commands of each account
        for command, account in enumerate(bounds.accounts):
            self.masks[account] |= 1 << command
        self.nobody = Worker(
            cache=(None,) * len(self.masks),
            ahead=(None,) * len(self.masks),
            rows=(-1,) * len(self.masks),
        )
        self._archiving = Archiving(self.masks, without)

    def model(self) -> Model[State]:
        """For the explorer."""
        bounds = self.bounds
        faults = (bounds.crashes, bounds.losses, bounds.breaks)
        snapshots = (0,) * len(self.masks)
        initial = State((), 0, 0, (self.nobody,) * 2, snapshots=snapshots, faults=faults)
        return Model(initial, self.actions, self.broken, without_names)

    def broken(self, state: State) -> str:
        """The law that this state breaks."""
        if state.broken:
            return state.broken
        resting = any(is_at_rest(worker, self.bounds) for worker in state.workers)
        missing = set(self.bounds.topic) - {c for r in state.commits for c, _ in r.events}
        if resting and missing:
            return AT_REST[2]
        return AT_REST[4] if resting and state.published < stored_seqs(state) else ""

    def actions(self, state: State) -> Steps:
        """Everything that can happen next."""
        for w, worker in enumerate(state.workers):
            if worker.number < 0:
                yield (NAMES[w], "resumes"), self._resumed(state, w)
            else:
                yield from self._decisions(state, w)
                yield from self._effects(state, w)
                yield from self._crash(state, w)
        yield from self._requests(state)
        if state.ghost:
            after = state._replace(ghost=state.ghost[1:])
            named = ("a dead worker's event", state.ghost[0], "arrives")
            yield named, arrived(after, state.ghost)
        if self.bounds.archives:
            yield from self._archiving.actions(state)
        if self.bounds.deletes_input:
            yield from self._archiving.retention(state)

    def _resumed(self, state: State, w: int) -> State:
        """The last commit says how far all is settled; what lies behind it is done again."""
        last = state.commits[-1] if state.commits else Commit(0, 0, 1, 0, 0, ())
        again = [c for c in state.commits[last.settled :] if c.events and c.left == WHOLE]
        seqs = tuple(s for c in again for s in seqs_of(c)) if self.bounds.publishes else ()
        is_late = self.bounds.indexes_late
        worker = state.workers[w]._replace(
            number=last.number,
            seq=last.first_seq + len(last.events) - 1,
            offset=last.offset,
            inserting=tuple(c.number for c in again if is_late),
            is_resuming=bool(again) and is_late,
            unacked=seqs,
            wire=state.workers[w].wire + seqs,
        )
        return with_worker(state, w, worker)

    def _decisions(self, state: State, w: int) -> Steps:
        worker, name = state.workers[w], NAMES[w]
        if worker.pending is not None:
            yield from self._outcome(state, w, worker.pending)
            if self.bounds.loads_ahead:
                yield from self._loads(state, w, worker.pending.offset)
            return
        if worker.is_resuming and "W7" not in self.without:
            return
        if self.bounds.archives:
            yield from self._loads(state, w, worker.offset)
        first = max(worker.offset, state.begin)
        for end in range(first + 1, min(first + self.bounds.batch_max, self._end) + 1):
            if (after := self._taken(state, w, end)) is not None:
                taken = (name, "takes up to offset", end)
                pending = after.workers[w].pending
                yield (*taken, "as request", pending.id) if pending else taken, after
        pinned = set() if "W4.pin" in self.without else self._unindexed(state, worker)
        for x, account in enumerate(worker.cache):
            if self.bounds.evicts and account is not None and x not in pinned:
                after = with_worker(state, w, worker._replace(cache=put(worker.cache, x, None)))
                yield (name, "evicts account", x), after

    def _taken(self, state: State, w: int, end: int) -> State | None:
        """A batch is decided, or loaded as far as that goes without more reading."""
        worker = state.workers[w]
        cache, ahead, events = list(worker.cache), list(worker.ahead), []
        for command in self.bounds.topic[max(worker.offset, state.begin) : end]:
            x = self.bounds.accounts[command]
            if cache[x] is None:
                cache[x] = ahead[x] if ahead[x] or self.bounds.archives else self.seen(state, x)
                ahead[x] = None
        if any(cache[x] is None for x in self._needed(state, worker, end)):
            return None
        states = list(cache)
        for command in self.bounds.topic[max(worker.offset, state.begin) : end]:
            x = self.bounds.accounts[command]
            version, mask = states[x] or (0, 0)
            if not mask >> command & 1:
                states[x] = (version + 1, mask | 1 << command)
                events.append((command, version + 1))
        if not events and "W1" in self.without:
            return with_worker(state, w, worker._replace(offset=end, cache=tuple(cache)))
        pending = Commit(
            id=self._new_id(state, worker.number + 1),
            number=worker.number + 1,
            first_seq=worker.seq + 1,
            offset=end,
            settled=self._settled(state, worker),
            events=tuple(events),
        )
        kept = states if "W3.resolve" in self.without else cache
        worker = worker._replace(cache=tuple(kept), ahead=tuple(ahead), pending=pending)
        return requested(with_worker(state, w, worker), pending)

    def _outcome(self, state: State, w: int, pending: Commit) -> Steps:
        """The store is asked what became of the pending commit, as often as it takes."""
        name, worker = NAMES[w], state.workers[w]
        if "W3.resolve" in self.without:
            yield (
                (name, "gives its commit up"),
                with_worker(state, w, worker._replace(pending=None)),
            )
        if pending.number > len(state.commits):
            if pending not in state.requests:
                yield (name, "sends its commit again"), requested(state, pending)
        elif (row := state.commits[pending.number - 1]).id == pending.id:
            yield (name, "hears that its commit stands"), self._applied(state, w, pending, row)
        else:
            yield (name, "is fenced"), self._gone(state, w, is_fenced=True)

    def _applied(self, state: State, w: int, pending: Commit, row: Commit) -> State:
        worker = state.workers[w]
        cache, ahead, rows = list(worker.cache), list(worker.ahead), list(worker.rows)
        for command, version in pending.events:
            x = self.bounds.accounts[command]
            _, mask = cache[x] or (0, 0)
            cache[x] = (version, mask | 1 << command)
            if "W4.load" not in self.without:
                ahead[x], rows[x] = None, -1
        seqs = tuple(seqs_of(pending)) if self.bounds.publishes else ()
        worker = worker._replace(
            number=pending.number,
            seq=worker.seq + len(pending.events),
            offset=pending.offset,
            cache=tuple(cache),
            ahead=tuple(ahead),
            rows=tuple(rows),
            pending=None,
            inserting=worker.inserting + self._to_index(pending),
            unacked=worker.unacked + seqs,
            wire=worker.wire + seqs,
        )
        is_own = row.events == pending.events
        law = "" if is_own else "law 4: what a worker publishes is not what is stored"
        return with_worker(state, w, worker)._replace(broken=law)

    def _effects(self, state: State, w: int) -> Steps:
        worker, name = state.workers[w], NAMES[w]
        if worker.inserting:
            number, left = worker.inserting[0], worker.inserting[1:]
            index = state.indexed | mask_of(state.commits[number - 1])
            is_resuming = worker.is_resuming and bool(left)
            after = with_worker(
                state, w, worker._replace(inserting=left, is_resuming=is_resuming)
            )
            yield (name, "indexes commit", number), after._replace(indexed=index)
        if not worker.wire:
            return
        wire, unacked = worker.wire, worker.unacked
        after = with_worker(state, w, worker._replace(wire=wire[1:], unacked=unacked[1:]))
        yield (name, "publishes seq", wire[0]), arrived(after, wire)
        if state.faults[2]:
            again = wire[1:] + wire[:1] if "W5.resend" in self.without else unacked
            after = with_worker(one_fault_less(state, 2), w, worker._replace(wire=again))
            yield (name, "loses its connection before seq", wire[0]), after
            yield (name, "loses the acknowledgement of seq", wire[0]), arrived(after, wire)

    def _crash(self, state: State, w: int) -> Steps:
        if state.faults[0]:
            after = self._gone(one_fault_less(state, 0), w, is_fenced=False)
            yield (NAMES[w], "crashes"), after

    def _gone(self, state: State, w: int, *, is_fenced: bool) -> State:
        """Memory is dropped; what was on its way may still arrive."""
        worker, fresh = state.workers[w], self.nobody
        if is_fenced and "W3.fence" in self.without:
            fresh = fresh._replace(cache=worker.cache)
        if is_fenced and "W5.stop" in self.without:
            fresh = fresh._replace(wire=worker.wire)
        if not is_fenced and worker.wire:
            state = state._replace(ghost=worker.wire)
        if self.bounds.archives and worker.inserting:
            state = state._replace(late=tuple(sorted({*state.late, *worker.inserting})))
        return with_worker(state, w, fresh)

    def _requests(self, state: State) -> Steps:
        for request in state.requests:
            rest = tuple(r for r in state.requests if r != request)
            after = state._replace(requests=rest)
            named = ("the request", request.id, "for commit", request.number)
            yield (*named, "arrives"), landed(after, request, self.masks, self.bounds)
            if state.faults[1]:
                yield (*named, "is lost"), one_fault_less(after, 1)

    def _loads(self, state: State, w: int, offset: int) -> Steps:
        """Accounts of the records behind `offset` are read, in one step or in two."""
        worker, name, two = state.workers[w], NAMES[w], self.bounds.archives
        coming = self.bounds.topic[offset:][: self.bounds.batch_max]
        for x in sorted({self.bounds.accounts[command] for command in coming}):
            if worker.ahead[x] is not None or (worker.cache[x] and worker.pending is None):
                continue
            if two and worker.rows[x] < 0:
                read, what = self._archiving.first_read(state, x)
                after = worker._replace(rows=put(worker.rows, x, read))
                yield (name, f"loads account {x}:", what), with_worker(state, w, after)
                continue
            found, what = self._archiving.second_read(state, x, worker.rows[x])
            if not two:
                found, what = self.seen(state, x), "ahead"
            after = worker._replace(
                rows=put(worker.rows, x, -1), ahead=put(worker.ahead, x, found)
            )
            yield (name, f"loads account {x}:", what), with_worker(state, w, after)

    def seen(self, state: State, x: int) -> Account:
        """An account as the index has it."""
        mask = state.indexed & self.masks[x]
        return mask.bit_count(), mask

    @property
    def _end(self) -> int:
        return len(self.bounds.topic)

    def _to_index(self, commit: Commit) -> tuple[int, ...]:
        return (commit.number,) if commit.events and self.bounds.indexes_late else ()

    def _needed(self, state: State, worker: Worker, end: int) -> set[int]:
        first = max(worker.offset, state.begin)
        return {self.bounds.accounts[c] for c in self.bounds.topic[first:end]}

    def _unindexed(self, state: State, worker: Worker) -> set[int]:
        numbers = worker.inserting
        events = [e for n in numbers for e in state.commits[n - 1].events]
        return {self.bounds.accounts[command] for command, _ in events}

    def _settled(self, state: State, worker: Worker) -> int:
        """The longest prefix of commits that is indexed and acknowledged."""
        indexed = worker.inserting[0] - 1 if worker.inserting else worker.number
        acked = worker.number
        if worker.unacked:
            held = (c.number for c in state.commits if worker.unacked[0] in seqs_of(c))
            acked = next(held, acked + 1) - 1
        if "W6.acknowledged" in self.without:
            return indexed
        return acked if "W6.indexed" in self.without else min(indexed, acked)

    def _new_id(self, state: State, number: int) -> int:
        if "W2" in self.without:
            return number
        pending = [w.pending for w in state.workers if w.pending is not None]
        used = {c.id for c in (*state.commits, *state.requests, *pending)}
        return next(n for n in range(1, 100) if n not in used)
