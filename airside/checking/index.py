"""The index that accounts are loaded from, against the history of the shard.

Every account's events are read from it and compared by digest; where one differs, both are read
again side by side, to name the versions.
"""

import random
from collections.abc import Iterator, Sequence

from airside.checking.found import Found, Meter, Sides
from airside.checking.history import Account, History, chained
from airside.checking.reading import stretches
from commands.event_store import StoredEvent
from commands.snapshots import NO_SNAPSHOT

EVENTS_AT_ONCE = 20_000  # in memory
SIDE_BY_SIDE_MAX = 100  # accounts of a shard whose events are named; the others are only listed
ADVICE = "Accounts are decided on by it: stop the handlers, restore the event store."


def check_index(
    sides: Sides, history: History, shard: int, through: int, sample: int | None, meter: Meter
) -> Found:
    """Whether what is loaded is what the shard's history has; of `sample` accounts or all.

    Events that come meanwhile are left aside.
    """
    found = Found("index", shard)
    accounts = history.accounts
    chosen = list(accounts)
    if sample is not None and sample < len(chosen):
        chosen = random.sample(chosen, sample)
        found.said.append(f"{sample:,} of {len(accounts):,} accounts, chosen at random")
    different: list[str] = []
    for some in _portions(chosen, accounts):
        loaded = sides.store.load(some, NO_SNAPSHOT)
        for account_id in some:
            account, events = accounts[account_id], loaded[account_id].events
            if _digest(events, account.version) != account.digest:
                different.append(account_id)
        meter.add(sum(accounts[account_id].version for account_id in some))
    found.compared = len(chosen)
    _name(sides, found, accounts, different[:SIDE_BY_SIDE_MAX], through)
    for account_id in different[SIDE_BY_SIDE_MAX:]:
        found.fault(f"account {account_id}", f"its index differs from the history. {ADVICE}")
    return found


def _portions(chosen: Sequence[str], accounts: dict[str, Account]) -> Iterator[list[str]]:
    """Accounts that are loaded at once: it spares requests, and archives are read once."""
    portion: list[str] = []
    events = 0
    for account_id in chosen:
        portion.append(account_id)
        events += accounts[account_id].version
        if events >= EVENTS_AT_ONCE:
            yield portion
            portion, events = [], 0
    if portion:
        yield portion


def _digest(events: Sequence[StoredEvent], version: int) -> bytes:
    """Of an account's events up to a version."""
    digest = b""
    for event in events:
        if event.version <= version:
            digest = chained(digest, event)
    return digest


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
