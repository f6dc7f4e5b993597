"""The index that accounts are loaded from, against the history of the shard.

Every account's events are read from it and compared by digest; where one differs, both are read
again side by side, to name the versions.
"""

import random
from collections.abc import Iterator

from airside.checking.found import Found, Meter, Sides
from airside.checking.history import Account, History, chained
from airside.checking.reading import stretches
from commands.event_store import StoredEvent

SIDE_BY_SIDE_MAX = 100  # accounts of a shard whose events are named; the others are only listed
ADVICE = "Accounts are decided on by it: stop the handlers, restore the event store."


def check_index(
    sides: Sides, history: History, shard: int, through: int, sample: int | None, meter: Meter
) -> Found:
    """Whether `history(account)` is what the shard's history has; of `sample` accounts or all.

    Events that come meanwhile are left aside.
    """
    found = Found("index", shard)
    accounts = history.accounts
    chosen = list(accounts)
    if sample is not None and sample < len(chosen):
        chosen = random.sample(chosen, sample)
        found.said.append(f"{sample:,} of {len(accounts):,} accounts, chosen at random")
    different: list[str] = []
    for account_id in chosen:
        digest, count = _of_index(sides, account_id, accounts[account_id].version)
        if digest != accounts[account_id].digest:
            different.append(account_id)
        meter.add(count)
    found.compared = len(chosen)
    _name(sides, found, accounts, different[:SIDE_BY_SIDE_MAX], through)
    for account_id in different[SIDE_BY_SIDE_MAX:]:
        found.fault(f"account {account_id}", f"its index differs from the history. {ADVICE}")
    return found


def _of_index(sides: Sides, account_id: str, version: int) -> tuple[bytes, int]:
    """Digest and number of an account's events up to a version."""
    digest, count = b"", 0
    for event in sides.store.history(account_id):
        if event.version > version:
            break
        digest = chained(digest, event)
        count += 1
    return digest, count


def _name(
    sides: Sides, found: Found, accounts: dict[str, Account], different: list[str], through: int
) -> None:
    """Every version of these accounts that is not the same."""
    if not different:
        return
    compared = {
        account_id: _SideBySide(found, account_id, sides.store.history(account_id))
        for account_id in different
    }
    for part in stretches(sides.store, found.shard, after_seq=0, through=through):
        if not isinstance(part, range):
            for event in part:
                if event.account_id in compared:
                    compared[event.account_id].take(event)
    for account_id, one in compared.items():
        one.finish(accounts[account_id].version)


class _SideBySide:
    """One account: its index, while its events of the history come along."""

    def __init__(self, found: Found, account_id: str, index: Iterator[StoredEvent]) -> None:
        self._found, self._account_id, self._index = found, account_id, index
        self._next = next(index, None)

    def take(self, event: StoredEvent) -> None:
        """The next event of the history."""
        self._only_in_index(event.version - 1)
        indexed = self._next
        if indexed is None or indexed.version != event.version:
            self._fault(event, "the index lacks it.")
            return
        if indexed != event:
            self._fault(event, f"the index has something else, as seq {indexed.seq}.")
        self._next = next(self._index, None)

    def finish(self, version: int) -> None:
        """The history has no more, up to that version."""
        self._only_in_index(version)

    def _only_in_index(self, version: int) -> None:
        while self._next is not None and self._next.version <= version:
            self._fault(self._next, "only the index has it.")
            self._next = next(self._index, None)

    def _fault(self, event: StoredEvent, what: str) -> None:
        place = f"account {self._account_id}, version {event.version}"
        self._found.fault(place, f"seq {event.seq}: {what} {ADVICE}")
