"""A stream: one account's history, folded, and the ids of the last commands that touched it.

The ids are the answer to "was this command handled before?" for as long as they are kept. Of
those let go only `forgotten_until` is kept, the latest `issued_at` among them: a command that
is not younger cannot be told from a repeat, so it is refused as stale and never decided twice.

Operators' commands are remembered apart: while an account is held they would push the ids of
its members' commands out, and what waits would be stale when it is redriven at last.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from schemas.envelope import Event
from schemas.errors import Hole
from schemas.events import CommandNoted

OPERATOR_COMMANDS = frozenset(("RedriveParked", "DiscardParked"))
RECENT_MAX = 128  # command ids kept per account; full they take 19 KB of memory

S = TypeVar("S")


class Stream(Struct, Generic[S]):
    """What is decided on. `state` never changes in place; the rest does, in `apply` alone."""

    account_id: str
    state: S
    version: int = 0  # of the last event
    at: int = 0  # of the last event
    forgotten_until: int = -1
    recent: dict[str, int] = msgspec.field(default_factory=dict)  # command_id -> issued_at
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
        for event in events:
            if is_operators(event):
                self._remember_operator(event.command_id, event.issued_at)
            elif event.command_id not in self.recent:
                self._remember(event.command_id, event.issued_at)
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
        self.recent[command_id] = issued_at
        if len(self.recent) > RECENT_MAX:
            oldest = next(iter(self.recent))
            self.forgotten_until = max(self.forgotten_until, self.recent.pop(oldest))


def is_operators(event: Event) -> bool:
    """Whether an operator's command left it."""
    return isinstance(event, CommandNoted) and event.command_type in OPERATOR_COMMANDS


def bug_of(error: Exception) -> str:
    """An unexpected error in one line, and where: `KeyError: 'd1' (device.py:41)`."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"
