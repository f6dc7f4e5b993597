"""The timekeeper: says to the write side that a license's expiry has come.

Expiry is derived state, so nothing is wrong while the timekeeper is away; readers and rules
compute it. It only puts the fact on record. Its command id is `uuid5(license_id, due_at)`: two
timekeepers, a restart or a replay cannot fire the same expiry twice. Where nothing comes of it
(its account is parked, or its id was used up by a clock that ran ahead) it is tried again with
the next id, `uuid5(license_id, due_at/1)`, and so on, less and less often: the rules make sure
that an expiry is put on record once.
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
        self._sent: dict[str, Sent] = {}  # by first command id

    def tick(self, now_at: int) -> int:
        """Send what is due at `now_at` (ms) and was not sent lately; returns how many."""
        fresh: dict[str, ExpireLicense] = {}  # by its first id
        for due in self._ask(now_at):
            first_id = derived_id(due.license_id, due.due_at)
            sent = self._sent.get(first_id)
            if sent is None or now_at - sent.at >= pause_ms(sent.times):
                fresh[first_id] = expiry_of(due, now_at, attempt=sent.times if sent else 0)
            if len(fresh) == DUE_MAX:
                break
        if fresh:
            self._send(list(fresh.values()))
        for first_id in fresh:
            before = self._sent.pop(first_id, Sent(0, 0))  # the youngest come last
            self._sent[first_id] = Sent(now_at, before.times + 1)
        for oldest in list(islice(self._sent, max(0, len(self._sent) - SENT_MAX))):
            del self._sent[oldest]
        return len(fresh)


def pause_ms(times: int) -> int:
    """How long to wait for the outcome of what was sent so often."""
    return min(RESEND_AFTER_MS << min(times - 1, 16), RESEND_AFTER_MS_MAX)


def expiry_of(due: Due, now_at: int, *, attempt: int = 0) -> ExpireLicense:
    """The command for one due license. `issued_at` is now: a late timekeeper is not stale."""
    name = f"{due.due_at}/{attempt}" if attempt else str(due.due_at)
    return ExpireLicense(
        command_id=derived_id(due.license_id, name),
        account_id=due.account_id,
        issued_at=now_at,
        actor=ACTOR,
        license_id=due.license_id,
        due_at=due.due_at,
    )
