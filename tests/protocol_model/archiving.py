"""Archiving, late inserts, snapshots and retention, as a part of the write side's model.

An account's state is a snapshot and the rows above it. The archiver takes rows away behind a
snapshot, and payloads out of commits; an insert of a dead worker may bring a row back.
"""

from collections.abc import Iterator

from tests.protocol_model.explorer import Action
from tests.protocol_model.write_state import DELETED, STUB, WHOLE, Account, State

Steps = Iterator[tuple[Action, State]]


class Archiving:
    """What happens beside the workers."""

    def __init__(self, masks: list[int], without: frozenset[str]) -> None:
        self._masks, self._without = masks, without

    def actions(self, state: State) -> Steps:
        """Everything that can happen next."""
        last = state.commits[-1] if state.commits else None
        if last is None:
            return
        is_free = "W8.settled" in self._without
        limit = last.number if is_free else last.settled
        yield from self._archived(state, limit)
        yield from self._worker_snapshots(state)
        for number in state.late:
            events = state.commits[number - 1].events
            index = state.indexed | sum(1 << command for command, _ in events)
            late = tuple(n for n in state.late if n != number)
            after = state._replace(indexed=index, late=late)
            yield ("a dead worker's insert of commit", number, "arrives"), after

    def retention(self, state: State) -> Steps:
        """Input is deleted from the commands topic."""
        last = state.commits[-1] if state.commits else None
        if last is None:
            return
        ends = {last.offset, last.offset + ("W9.input" in self._without)}
        for end in sorted(e for e in ends if e > state.begin):
            yield ("input before offset", end, "is deleted"), state._replace(begin=end)

    def first_read(self, state: State, x: int) -> tuple[int, str]:
        """The rows of an account; its snapshot follows."""
        if "W8.order" in self._without:
            return state.snapshots[x], "snapshot"
        return state.indexed & self._masks[x], "rows"

    def second_read(self, state: State, x: int, first: int) -> tuple[Account, str]:
        """The account, of both reads."""
        if "W8.order" in self._without:
            return self._folded(state.indexed & self._masks[x], first), "rows"
        return self._folded(first, state.snapshots[x]), "snapshot"

    def _folded(self, rows: int, snapshot: int) -> Account:
        above = rows if "W8.ignore" in self._without else rows & ~snapshot
        return snapshot.bit_count() + above.bit_count(), rows | snapshot

    def _archived(self, state: State, limit: int) -> Steps:
        may_go = sum(1 << e for c in state.commits[:limit] for e, _ in c.events)
        for x, mask in enumerate(self._masks):
            known, rows = state.snapshots[x], state.indexed & mask
            new = known | (rows & may_go)
            if new != known:
                snapshots = (*state.snapshots[:x], new, *state.snapshots[x + 1 :])
                yield ("the archiver snapshots account", x), state._replace(snapshots=snapshots)
            gone = rows & (may_go if "W8.before" in self._without else may_go & known)
            if gone:
                after = state._replace(indexed=state.indexed & ~gone)
                yield ("the archiver deletes rows of account", x), after
        left = DELETED if "W9.stub" in self._without else STUB
        for n, commit in enumerate(state.commits[:limit]):
            is_kept = _mask_of(state, n) & state.indexed  # rows first: they are found by it
            if commit.left == WHOLE and not is_kept:
                cleared = commit._replace(left=left)
                commits = (*state.commits[:n], cleared, *state.commits[n + 1 :])
                yield ("the archiver clears commit", n + 1), state._replace(commits=commits)

    def _worker_snapshots(self, state: State) -> Steps:
        """A worker saves what it has folded, once that is indexed; perhaps it is stale."""
        for w, worker in enumerate(state.workers):
            if worker.number < 0 or worker.pending is not None or worker.inserting:
                continue
            for x, account in enumerate(worker.cache):
                if account is None:
                    continue
                known, new = state.snapshots[x], account[1]
                is_forward = new.bit_count() > known.bit_count()
                if is_forward or ("W8.forward" in self._without and new != known):
                    snapshots = (*state.snapshots[:x], new, *state.snapshots[x + 1 :])
                    after = state._replace(snapshots=snapshots)
                    yield (f"worker {w + 1} snapshots account", x), after


def _mask_of(state: State, n: int) -> int:
    return sum(1 << command for command, _ in state.commits[n].events)
