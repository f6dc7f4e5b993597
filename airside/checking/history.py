"""The store alone: one reading of a shard's history, and what the other checks need of it.

Memory: some 300 bytes an account. The ids of commands are 8 bytes each in a temporary file.
"""

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from airside.checking.found import Found, Meter, Sides, numbers
from airside.checking.reading import stretches
from commands.event_store import StoredEvent
from schemas.errors import Unreadable
from schemas.events import CommandNoted, CommandRefused
from schemas.record import shard_of
from schemas.registry import EVENT_TYPES

FIELDS = ("seq", "version", "at", "command_id", "account_id", "code", "note")
DIGEST_BYTES = 16
CACHE_KIB = 32_768  # of the temporary file
DISCARDED = re.compile(r"offset (\d+) discarded: ")  # how a CommandNoted begins


class Account(Struct):
    """One account, as far as the shard's history tells."""

    version: int = 0
    digest: bytes = b""  # of all its events, chained
    last: tuple[str, int] = ("", 0)  # command id and instant of its last decision


class Decided:
    """Which commands have left an event: a set on disk. For one thread; close it."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE decided (id INTEGER PRIMARY KEY)")
        self._file.execute("BEGIN")

    def add(self, account_id: str, command_id: str) -> bool:
        """Take one up; False where it was there."""
        added = self._file.execute(
            "INSERT OR IGNORE INTO decided VALUES (?)", (_key(account_id, command_id),)
        )
        return added.rowcount == 1

    def has(self, account_id: str, command_id: str) -> bool:
        """Whether it is there. 64 bits of a digest tell: wrong once in millions of millions."""
        key = (_key(account_id, command_id),)
        found = self._file.execute("SELECT 1 FROM decided WHERE id = ?", key).fetchone()
        return found is not None

    def close(self) -> None:
        """The file is gone."""
        self._file.close()


def _key(account_id: str, command_id: str) -> int:
    name = f"{command_id} {account_id}".encode()
    digest = hashlib.blake2b(name, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def chained(digest: bytes, event: StoredEvent) -> bytes:
    """The digest of a sequence of events, from that of all but the last."""
    head = b"%b%d %d " % (digest, event.seq, event.version)
    return hashlib.blake2b(head + event.data, digest_size=DIGEST_BYTES).digest()


class History:
    """One shard's history, read once: its faults, its accounts, what was decided."""

    def __init__(self, sides: Sides, shard: int, through: int) -> None:
        self._sides, self._shard, self._through = sides, shard, through
        self.found = Found("store", shard)
        self.accounts: dict[str, Account] = {}
        self.decided = Decided()
        self.discarded: set[int] = set()  # offsets of parked commands that were given up
        types = EVENT_TYPES.values()
        self._decode = sides.codec.event_decoder(types, FIELDS)

    def read(self, meter: Meter) -> None:
        """Read all of it, up to the seq that was given."""
        store, shard = self._sides.store, self._shard
        seq = 0
        for part in stretches(store, shard, after_seq=0, through=self._through):
            if isinstance(part, range):
                what = "missing in the history. Restore the event store from a copy."
                self.found.fault(numbers(part[0], part[-1]), what)
                seq = part[-1]
            else:
                seq = self._take(part, seq)
            meter.add(len(part))

    def _take(self, events: Sequence[StoredEvent], seq: int) -> int:
        for event in events:
            if event.seq != seq + 1:
                self.found.fault(f"seq {event.seq}", f"stands behind seq {seq}.")
            seq = event.seq
            self._take_one(event)
        self.found.compared += len(events)
        return seq

    def _take_one(self, event: StoredEvent) -> None:
        account_id, place = event.account_id, f"seq {event.seq}"
        account = self.accounts.setdefault(account_id, Account())
        if event.version != account.version + 1:
            found = f"account {account_id}: version {event.version} behind {account.version}."
            self.found.fault(place, found)
        home = shard_of(account_id, self._sides.shards)
        if home != self._shard:
            self.found.fault(place, f"account {account_id} belongs to shard {home}.")
        account.version = event.version
        account.digest = chained(account.digest, event)
        try:
            said = self._decode(event.data)
        except Unreadable as error:
            self.found.fault(place, str(error))
            return
        inside = (said.seq, said.version, said.account_id)
        if inside != (event.seq, event.version, account_id):
            what = "its bytes say seq {}, version {}, account {}.".format(*inside)
            self.found.fault(place, what)
        self._take_decision(place, account, account_id, said)

    def _take_decision(self, place: str, account: Account, account_id: str, said: Any) -> None:
        """One decision made all of a command's events of one instant; there is no second.

        Only a repeat that came too late to be recognized may be refused behind it.
        """
        if said.event_type is CommandNoted and (found := DISCARDED.match(said.note)):
            self.discarded.add(int(found[1]))
        decision = (said.command_id, said.at)
        if decision == account.last:
            return
        account.last = decision
        is_new = self.decided.add(account_id, said.command_id)
        is_stale = said.event_type is CommandRefused and said.code == "COMMAND_STALE"
        if not is_new and not is_stale:
            what = f"account {account_id}: command {said.command_id} was decided before."
            self.found.fault(place, what)
