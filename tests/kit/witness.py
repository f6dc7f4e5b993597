"""Looks at a deployment on the real engines from outside, and changes nothing.

It is one of nobody: it joins no group, resumes no shard, and its questions wait for engines
that are just starting.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from airside.adapters.cassandra_commits import Commits
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.redis_view_store import RedisViewStore
from airside.checking.reading import records
from airside.log import Log
from airside.wiring import Deployment
from commands.event_store import Position
from projectors.all import PROJECTIONS
from projectors.generations import followed
from projectors.view_store import Generation
from schemas.codec import CODEC
from schemas.errors import Transient
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC

WAIT_SECONDS = 90.0  # for anything; the machine may be busy
LOOK_SECONDS = 0.1
COUNT_MAX = 1_000_000

Seqs = tuple[int, ...]
"""One number for each shard."""


def wait_until(what: str, is_so: Callable[[], bool]) -> None:
    """Look until it is so; an engine that does not answer yet is no answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    last: object = "nothing was wrong"
    while time.monotonic() < deadline:
        try:
            if is_so():
                return
        except Transient as error:
            last = error
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"after {WAIT_SECONDS:g} s still not so: {what} ({last})")


def wait_for_more(what: str, count: Callable[[], Seqs]) -> None:
    """Look until there is more than at the first answer."""
    first: list[int] = []

    def is_more() -> bool:
        first.append(sum(count()))
        return first[-1] > first[0]

    wait_until(f"there is more {what}", is_more)


class Witness:
    """For one thread. What is said of an engine is said by that engine, now."""

    def __init__(
        self, session: CassandraSession, log: Log, views: RedisViewStore, shards: int
    ) -> None:
        self._session, self._log, self._views, self._shards = session, log, views, shards
        self._commits = Commits(session)

    def positions(self) -> list[Position]:
        """Where each shard's history ends."""
        return [self._commits.end(shard, known=0) for shard in range(self._shards)]

    def stored(self) -> Seqs:
        """The last seq of each shard's history."""
        return tuple(position.seq for position in self.positions())

    def published(self) -> Seqs:
        """The last seq of each shard on the events topic."""
        return tuple(max(self.seqs_on_topic(s), default=0) for s in range(self._shards))

    def seqs_on_topic(self, shard: int) -> list[int]:
        """Every record's seq, repeats too."""
        with closing(self._log.source(EVENTS_TOPIC, shard)) as source:
            end = source.end()
        return [
            CODEC.seq_of(value or b"") or 0
            for some in records(self._log, EVENTS_TOPIC, shard, end=end)
            for _, _, _, value in some
        ]

    def seqs_in_index(self, shard: int) -> set[int]:
        """What is found by account of what is in the history."""
        with closing(CassandraEventStore(self._session)) as store:
            events = store.read(shard, after_seq=0, count_max=COUNT_MAX)
            accounts = {event.account_id for event in events}
            return {event.seq for id in accounts for event in store.history(id)}

    def folded(self) -> Seqs:
        """The last seq of each shard that every read model has; zeros where one is missing."""
        generations = self.generations()
        if len(generations) < len(PROJECTIONS):
            return (0,) * self._shards
        return tuple(
            min(self._views.rows(g, shard, ()).checkpoint.seq for g in generations)
            for shard in range(self._shards)
        )

    def generations(self) -> list[Generation]:
        """Every one that projectors keep up to date."""
        return [g for p in PROJECTIONS for g in followed(self._views.registry(p.name))]

    def folded_into(self, generation: str, shard: int) -> int:
        """The last seq of a shard that one generation has."""
        (found,) = (g for g in self.generations() if g.name == generation)
        return self._views.rows(found, shard, ()).checkpoint.seq

    def unhandled(self) -> int:
        """How many records of the commands topic are not covered by a commit."""
        total = 0
        for shard, position in enumerate(self.positions()):
            with closing(self._log.source(COMMANDS_TOPIC, shard)) as source:
                total += source.end() - position.next_offset
        return total

    def sees_more_stored(self) -> None:
        """Return when there are more events than now."""
        wait_for_more("stored", self.stored)

    def sees_progress(self) -> None:
        """Return when there are more events than now, and then more in the read models."""
        wait_for_more("stored", self.stored)
        wait_for_more("folded", self.folded)


@contextmanager
def witness(deployment: Deployment) -> Iterator[Witness]:
    """One with connections of its own."""
    with ExitStack() as held:
        session = held.enter_context(
            closing(CassandraSession(deployment.settings.events or "none is named"))
        )
        log = held.enter_context(deployment.log())
        views = held.enter_context(deployment.view_store())
        yield Witness(session, log, views, deployment.shards)
