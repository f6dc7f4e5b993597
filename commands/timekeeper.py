"""The timekeeper: says to the write side that a license's expiry has come.

Expiry is derived state, so nothing is wrong while the timekeeper is away; readers and rules
compute it. It only puts the fact on record. Its command id is `uuid5(license_id, due_at)`: two
timekeepers, a restart or a replay cannot fire the same expiry twice.
"""

from collections.abc import Callable, Sequence
from itertools import islice

from msgspec import Struct

from schemas.commands import ExpireLicense
from schemas.envelope import Command, derived_id

DUE_MAX = 10_000  # commands sent in one tick; the rest follow in the next
RESEND_AFTER_MS = 60_000  # how long the read model may take to show that one has fired
RESEND_AFTER_MS_MAX = 86_400_000  # each time twice as long: its account may be parked
SENT_MAX = 200_000  # remembered; above it the oldest are forgotten, and sent again
ACTOR = "timekeeper"


class Due(Struct, frozen=True, gc=False):
    """One license whose expiry has come."""

    license_id: str
    account_id: str
    due_at: int


class Sent(Struct, frozen=True, gc=False):
    """When a command was sent last, and how often."""

    at: int
    times: int


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
        self._sent: dict[str, Sent] = {}  # by command id

    def tick(self, now_at: int) -> int:
        """Send what is due at `now_at` (ms) and was not sent lately; returns how many."""
        wishes = [expiry_of(due, now_at) for due in self._ask(now_at)]
        fresh = [wish for wish in wishes if self._is_time(wish.command_id, now_at)][:DUE_MAX]
        if fresh:
            self._send(fresh)
        for wish in fresh:
            times = self._sent[wish.command_id].times if wish.command_id in self._sent else 0
            self._sent.pop(wish.command_id, None)  # the youngest come last
            self._sent[wish.command_id] = Sent(now_at, times + 1)
        for oldest in list(islice(self._sent, max(0, len(self._sent) - SENT_MAX))):
            del self._sent[oldest]
        return len(fresh)

    def _is_time(self, command_id: str, now_at: int) -> bool:
        sent = self._sent.get(command_id)
        if sent is None:
            return True
        pause = RESEND_AFTER_MS << min(sent.times - 1, 16)
        return now_at - sent.at >= min(pause, RESEND_AFTER_MS_MAX)


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
