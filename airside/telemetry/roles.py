"""A role, watched: its turns, its troubles, and from time to time where its shards stand."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, runtime_checkable

from airside.running import Role
from airside.telemetry.metrics import Metrics, RoleMetrics
from commands.batch import Counts
from schemas.errors import AirsideError, Transient

LOOK_SECONDS = 1.0  # between two looks at what a role has counted
ENDS_SECONDS = 5.0  # between two questions to the log where its topics end

log = logging.getLogger("airside.telemetry")

OUTCOMES = ("accepted", "refused", "noted", "repeats", "parked", "redriven")


@runtime_checkable
class Halting(Protocol):
    """A role whose shards may stand still."""

    @property
    def halted(self) -> Mapping[object, str]:
        """Why, by shard."""


@runtime_checkable
class Deciding(Protocol):
    """A role that handles commands."""

    @property
    def counts(self) -> Counts:
        """What became of all of them, since the start."""

    @property
    def held_accounts(self) -> Mapping[int, int]:
        """How many accounts a parked command holds, by shard."""


class WatchedRole:
    """Takes the turns of another role. `look_at_ends` asks the log where topics end."""

    def __init__(self, role: Role, metrics: Metrics, look_at_ends: Callable[[], None]) -> None:
        self.name = role.name
        self._role, self._metrics, self._look_at_ends = role, metrics, look_at_ends
        own: RoleMetrics = metrics.roles
        self._turns = own.turns.labels(role.name)
        self._records = own.records.labels(role.name)
        self._busy = own.busy.labels(role.name)
        self._turned = own.turned.labels(role.name)
        self._halted = own.halted.labels(role.name)
        self._counted = Counts()
        self._busy_seconds, self._looked_at, self._asked_at = 0.0, 0.0, 0.0
        for outcome in OUTCOMES if isinstance(role, Deciding) else ():
            metrics.handler.commands.labels(outcome)  # told from the start, as 0

    def turn(self) -> int:
        """As `Role.turn`."""
        began = time.monotonic()
        try:
            done = self._role.turn()
        except Transient as error:
            name = type(error).__name__
            self._metrics.roles.errors.labels(self.name, name).inc()
            raise
        finally:
            now = time.monotonic()
            self._busy_seconds += now - began
        if done:
            self._turns.inc()
            self._records.inc(done)
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look()
        if now - self._asked_at >= ENDS_SECONDS:
            self._ask_for_ends()
            self._asked_at = time.monotonic()
        return done

    def _look(self) -> None:
        role = self._role
        self._busy.inc(self._busy_seconds)
        self._busy_seconds = 0.0
        self._turned.set_to_current_time()
        if isinstance(role, Halting):
            self._halted.set(len(role.halted))
        if isinstance(role, Deciding):
            self._count(role)

    def _count(self, role: Deciding) -> None:
        before, now = self._counted, role.counts
        self._counted = now
        for outcome in OUTCOMES:
            more = getattr(now, outcome) - getattr(before, outcome)
            self._metrics.handler.commands.labels(outcome).inc(max(0, more))
        places = self._metrics.standing.handled
        for shard, held in role.held_accounts.items():
            if shard in places:
                places[shard].parked = held

    def _ask_for_ends(self) -> None:
        try:
            self._look_at_ends()
        except AirsideError as error:  # the role will meet it, and say so
            log.debug("ends of topics are not known because %s", error)


@contextmanager
def watched_role(
    name: str,
    opening: AbstractContextManager[Role],
    metrics: Metrics,
    look_at_ends: Callable[[], None],
) -> Iterator[Role]:
    """A role that is watched. An opening that fails counts as a turn that does."""
    with ExitStack() as held:
        try:
            role = held.enter_context(opening)
        except Transient as error:
            metrics.roles.errors.labels(name, type(error).__name__).inc()
            raise
        yield WatchedRole(role, metrics, look_at_ends)
