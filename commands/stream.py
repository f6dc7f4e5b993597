"""A stream: one account's history, folded, and the ids of the last commands that touched it.

The ids are the answer to "was this command handled before?" for as long as they are kept. Of
those let go only `forgotten_until` is kept, the latest `issued_at` among them: a command that
is not younger cannot be told from a repeat, so it is refused as stale and never decided twice.

Operators' commands are remembered apart: while an account is held they would push the ids of
its members' commands out, and what waits would be stale when it is redriven at last.
"""

import struct
from binascii import unhexlify
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from schemas.envelope import Event
from schemas.errors import Hole
from schemas.events import CommandNoted

OPERATOR_COMMANDS = frozenset(("RedriveParked", "DiscardParked"))
RECENT_MAX = 128  # command ids kept per account; full they take 4 KB of memory
FRESH_MAX = 8  # of those, in the part that is copied
ID_BYTES, INSTANT_BYTES = 16, 8

_instant = struct.Struct("<q")

S = TypeVar("S")


class Ring(Struct, gc=False):
    """The last command ids, each with its `issued_at`. A copy is cheap, however full it is.

    Most of them are packed one behind the other, the oldest first, as a snapshot has them too:
    that is a sixth of a dictionary's memory, nothing to build when an account is loaded, and
    half a microsecond to look through.
    """

    ids: bytes = b""  # ID_BYTES each
    issued: bytes = b""  # INSTANT_BYTES each
    gone: int = 0  # so many of the packed ones, from the oldest on, do not count any more
    fresh: dict[str, int] = msgspec.field(default_factory=dict)  # the newest

    def __len__(self) -> int:
        return len(self.issued) // INSTANT_BYTES - self.gone + len(self.fresh)

    def __contains__(self, command_id: str) -> bool:
        if command_id in self.fresh:
            return True
        wanted = unhexlify(command_id)
        place = self.ids.find(wanted, self.gone * ID_BYTES)
        while place > 0 and place % ID_BYTES:  # the end of one id and the begin of the next
            place = self.ids.find(wanted, place + 1)
        return place >= 0

    def copy(self) -> "Ring":
        """Another ring with the same ids, to go on from."""
        return Ring(self.ids, self.issued, self.gone, self.fresh.copy())

    def add(self, command_id: str, issued_at: int) -> int | None:
        """Remember one that is not here; the `issued_at` of the one that has to go for it."""
        let_go = None
        if len(self.issued) // INSTANT_BYTES - self.gone + len(self.fresh) >= RECENT_MAX:
            (let_go,) = _instant.unpack_from(self.issued, self.gone * INSTANT_BYTES)
            self.gone += 1
        self.fresh[command_id] = issued_at
        if len(self.fresh) >= FRESH_MAX:
            self.ids, self.issued = self.packed()
            self.gone, self.fresh = 0, {}
        return let_go

    def packed(self) -> tuple[bytes, bytes]:
        """All ids and their instants, packed: what another ring may begin with."""
        ids = unhexlify("".join(self.fresh))
        issued = b"".join(map(_instant.pack, self.fresh.values()))
        gone = self.gone
        return self.ids[gone * ID_BYTES :] + ids, self.issued[gone * INSTANT_BYTES :] + issued

    def items(self) -> list[tuple[str, int]]:
        """All of them with their instants, the oldest first."""
        ids, issued = self.packed()
        places = range(0, len(ids), ID_BYTES)
        texts = [ids[place : place + ID_BYTES].hex() for place in places]
        return list(zip(texts, (at for (at,) in _instant.iter_unpack(issued)), strict=True))


class Stream(Struct, Generic[S], gc=False):
    """What is decided on. `state` never changes in place; the rest does, in `apply` alone."""

    account_id: str
    state: S
    version: int = 0  # of the last event
    at: int = 0  # of the last event
    forgotten_until: int = -1
    recent: Ring = msgspec.field(default_factory=Ring)
    operators: dict[str, int] = msgspec.field(default_factory=dict)  # their last command ids
    snapshot_version: int = 0  # up to where the store has a snapshot

    def copy(self) -> "Stream[S]":
        """Another stream in the same place, to go on from tentatively."""
        return Stream(
            self.account_id,
            self.state,
            self.version,
            self.at,
            self.forgotten_until,
            self.recent.copy(),
            self.operators.copy(),
            self.snapshot_version,
        )

    def apply(self, events: Sequence[Event], evolve: Callable[[S, Event], S]) -> None:
        """Fold the next events in: all of them, or none where one raises.

        The events of a command lie together, and none is decided again while it is remembered:
        so none is in the ring before.

        Raises: Hole where a version is missing, or whatever `evolve` raises.
        """
        state, version = self.state, self.version
        for event in events:
            version += 1
            if event.version != version:
                raise Hole(
                    f"account {self.account_id}: expected version {version}, found "
                    f"{event.version}. Its history is incomplete: fill it from the topic."
                )
            state = evolve(state, event)
        handled = ""
        for event in events:
            if event.command_id != handled:  # else it left the event before, too
                handled = event.command_id
                if is_operators(event):
                    self._remember_operator(handled, event.issued_at)
                else:
                    self._remember(handled, event.issued_at)
            self.at = event.at
        self.state, self.version = state, version

    def is_repeat(self, command_id: str) -> bool:
        """Whether it is known that the command was handled."""
        return command_id in self.recent or command_id in self.operators

    def _remember_operator(self, command_id: str, issued_at: int) -> None:
        self.operators[command_id] = issued_at
        if len(self.operators) > RECENT_MAX:
            del self.operators[next(iter(self.operators))]

    def _remember(self, command_id: str, issued_at: int) -> None:
        let_go = self.recent.add(command_id, issued_at)
        if let_go is not None:
            self.forgotten_until = max(self.forgotten_until, let_go)


def is_operators(event: Event) -> bool:
    """Whether an operator's command left it."""
    return type(event) is CommandNoted and event.command_type in OPERATOR_COMMANDS


def bug_of(error: Exception) -> str:
    """An unexpected error in one line, and where: `KeyError: 'd1' (device.py:41)`."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"
