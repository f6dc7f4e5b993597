"""The timekeeper: says to the write side that a license's expiry has come.

Expiry is derived state, so nothing is wrong while the timekeeper is away; readers and rules
compute it. It only puts the fact on record. Its command id is `uuid5(license_id, due_at)`: two
timekeepers, a restart or a replay cannot fire the same expiry twice.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from schemas.commands import ExpireLicense
from schemas.envelope import Command, derived_id

DUE_MAX = 10_000  # commands sent in one tick; the rest follow in the next
RESEND_AFTER_MS = 60_000  # how long the read model may take to show that one has fired
ACTOR = "timekeeper"


class Due(Struct, frozen=True, gc=False):
    """One license whose expiry has come."""

    license_id: str
    account_id: str
    due_at: int


class Timekeeper:
    """Asks what is due and sends it, once a tick.

    `ask(now_at)` reads the read model of expiries, oldest first; `send(commands)` returns when
    they are on the commands topic.
    """

    def __init__(
        self,
        ask: Callable[[int], Sequence[Due]],
        send: Callable[[Sequence[Command]], object],
    ) -> None:
        self._ask = ask
        self._send = send
        self._sent: dict[str, int] = {}  # command id -> when it was sent; ≤ a minute's worth

    def tick(self, now_at: int) -> int:
        """Send what is due at `now_at` (ms) and was not sent lately; returns how many."""
        horizon = now_at - RESEND_AFTER_MS
        self._sent = {id: sent_at for id, sent_at in self._sent.items() if sent_at > horizon}
        wishes = [expiry_of(due, now_at) for due in self._ask(now_at)]
        fresh = [wish for wish in wishes if wish.command_id not in self._sent][:DUE_MAX]
        if fresh:
            self._send(fresh)
            self._sent.update((wish.command_id, now_at) for wish in fresh)
        return len(fresh)


def expiry_of(due: Due, now_at: int) -> ExpireLicense:
    """The command for one due license. `issued_at` is now: a late timekeeper is not stale."""
    return ExpireLicense(
        command_id=derived_id(due.license_id, due.due_at),
        account_id=due.account_id,
        issued_at=now_at,
        actor=ACTOR,
        license_id=due.license_id,
        due_at=due.due_at,
    )
