"""The handler's role: a shard handler for every shard that is this worker's to do.

A shard that cannot go on (a hole in its history) is halted and said so; the others go on. It is
tried again from time to time: what looks permanent (a topic that a broker does not know yet, a
right that was taken away) may be mended without this worker being started again.
"""

import logging
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from typing import Any

from airside.membership import Membership
from airside.rounds import Rounds
from airside.wiring import Deployment
from commands.batch import Counts
from commands.catalog import Catalog
from commands.catalog_follower import CatalogFollower
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from commands.limits import Limits
from schemas.codec import CODEC
from schemas.errors import Hole, Permanent
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC

GROUP = "handlers"
MOVES_MAX = 1_000  # times that a shard may be lost in a row before it is given up
STREAMS_MAX = 10_000  # accounts in memory, of all shards
HALT_SECONDS = 60.0  # before a halted shard is tried again

Handler = ShardHandler[Any, Catalog]
OpenHandler = Callable[[int], AbstractContextManager[Handler]]

log = logging.getLogger("airside.handling")


class Handling:
    """This worker's shards, one after the other."""

    name = "handler"

    def __init__(
        self,
        membership: Membership,
        open_handler: OpenHandler,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._membership = membership
        self._open_handler = open_handler
        self._monotonic = monotonic
        self._handlers: dict[int, Handler] = {}
        self._held: dict[int, ExitStack] = {}
        self._rounds: Rounds[int] = Rounds(monotonic)
        self._moves: dict[int, int] = {}  # in a row
        self._left = Counts()  # by shards that are not ours any more
        self.halted: dict[int, str] = {}  # shard -> why
        self._retry_at: dict[int, float] = {}  # of those

    @property
    def counts(self) -> Counts:
        """What became of all records, since the start."""
        total = Counts()
        total.add(self._left)
        for handler in self._handlers.values():
            total.add(handler.counts)
        return total

    @property
    def held_accounts(self) -> dict[int, int]:
        """How many accounts wait behind a parked command, by shard."""
        return {shard: handler.held_accounts for shard, handler in self._handlers.items()}

    def turn(self) -> int:
        """Every shard finishes what it began in the turn before, and begins what has arrived.

        How many records were begun with: after 0 nothing is under way.

        Raises: Transient, of one of them, at the end of the round.
        """
        mine = self._membership.shards(self._leave)
        self._leave((self._handlers.keys() | self.halted.keys()) - mine)
        now = self._monotonic()
        resting = {shard for shard, at in self._retry_at.items() if now < at}
        return self._rounds.go(sorted(mine - resting), self._step_or_halt)

    def close(self) -> None:
        """Finish what is in flight; the other workers take the shards up."""
        try:
            self._leave(frozenset(self._handlers))
        finally:
            self._membership.close()

    def _step_or_halt(self, shard: int) -> int:
        try:
            return self._step(shard)
        except Permanent as why:
            self._halt(shard, str(why))
            return 0

    def _step(self, shard: int) -> int:
        if shard not in self._handlers:
            with ExitStack() as held:
                self._handlers[shard] = held.enter_context(self._open_handler(shard))
                self._held[shard] = held.pop_all()
        handler = self._handlers[shard]
        done = handler.finish()  # what the turn before began, while the other shards were on
        begun = done if done.fenced else handler.begin()
        taken = begun.polled + begun.counts.redriven
        if begun.fenced:
            self._moves[shard] = self._moves.get(shard, 0) + 1
        elif done.polled or not taken:  # else it is still to be seen
            self._moves[shard] = 0
            if shard in self.halted:
                log.warning("shard goes on shard=%d", shard)
                del self.halted[shard], self._retry_at[shard]
        if self._moves.get(shard, 0) > MOVES_MAX:
            self._halt(shard, f"it was lost {MOVES_MAX} times in a row: who else writes it?")
        return taken

    def _leave(self, shards: AbstractSet[int]) -> None:
        for shard in shards:
            self.halted.pop(shard, None)
            self._retry_at.pop(shard, None)
            self._moves.pop(shard, None)
            if shard in self._handlers:
                handler = self._handlers.pop(shard)
                try:
                    self._held.pop(shard).close()
                finally:
                    self._left.add(handler.counts)  # also of what it finished on the way out
                log.info("left shard=%d", shard)

    def _halt(self, shard: int, why: str) -> None:
        if self.halted.get(shard) != why:
            log.error("shard halted shard=%d because %s", shard, why)
        self.halted[shard] = why
        self._retry_at[shard] = self._monotonic() + HALT_SECONDS


@contextmanager
def handling(deployment: Deployment, *, accept_lost: bool = False) -> Iterator[Handling]:
    """The handler's role, closed behind it. Raises: Hole if any shard had to be halted."""
    deployment.check_layout()
    shards, telemetry = deployment.shards, deployment.telemetry
    with deployment.log() as topics, deployment.event_store() as store, ExitStack() as held:
        watched = telemetry.event_store(store)
        catalog = CatalogFollower(held.enter_context(closing(topics.source(CATALOG_TOPIC, 0))))

        @contextmanager
        def open_handler(shard: int) -> Iterator[Handler]:
            opened = partial(topics.publisher, EVENTS_TOPIC, shard)
            commands = telemetry.commands(shard, topics.source(COMMANDS_TOPIC, shard))
            with closing(commands) as source:
                handler = ShardHandler(
                    shard=shard,
                    shards=shards,
                    decider=DECIDER,
                    codec=CODEC,
                    store=watched,
                    source=source,
                    open_publisher=telemetry.publisher(shard, opened),
                    context=catalog.catch_up,
                    limits=Limits(streams_max=STREAMS_MAX // shards, accept_lost=accept_lost),
                )
                with closing(handler):
                    yield handler

        membership = topics.membership(GROUP, COMMANDS_TOPIC)
        role = held.enter_context(closing(Handling(membership, open_handler)))
        yield role
        if role.halted:
            halted = ", ".join(map(str, sorted(role.halted)))
            why = role.halted[min(role.halted)]  # the others' are in the log
            raise Hole(f"halted, mend and start again: shards {halted}. The first: {why}")
