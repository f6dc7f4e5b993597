"""The timekeeper's role: sends what is due. Of several timekeepers one is at work at a time.

Two at once would do no harm, since a command for one expiry has one id.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from airside.membership import Membership
from airside.wiring import Deployment
from commands.timekeeper import Due, Timekeeper
from queries.across import due
from queries.reader import Reader
from schemas.errors import Unavailable
from schemas.record import CATALOG_TOPIC

GROUP = "timekeepers"  # over a topic of one partition: so one of them has it
TICK_MS = 1_000  # how often the timekeeper looks
LOOK_BACK_MS = 3_600_000  # how far before its last look, for a projection that lags
LOOK_AT_ALL_MS = 60_000  # how often all of the past is looked at
DUE_ASKED_MAX = 100_000  # licenses of one look; more of them than ever wait at a time

log = logging.getLogger("airside.timekeeping")


class Timekeeping:
    """The timekeeper, with the read model of expiries as its source."""

    name = "timekeeper"

    def __init__(
        self, membership: Membership, clock: Callable[[], int], timekeeper: Timekeeper
    ) -> None:
        self._membership = membership
        self._clock = clock
        self._timekeeper = timekeeper
        self._ticked_at = 0
        self._has_ticked = False

    def turn(self) -> int:
        """Send what is due, once in TICK_MS; how many. Raises: Unavailable."""
        is_ours = self._membership.shards(_nothing_to_finish)
        now = self._clock()
        if not is_ours or 0 <= now - self._ticked_at < TICK_MS:
            return 0
        self._ticked_at = now
        try:
            sent = self._timekeeper.tick(now)
        except Unavailable as why:
            if self._has_ticked:
                raise
            # As a rule nothing is served yet; a projector will see to it.
            log.info("nothing is looked at yet because %s", why)
            return 0
        self._has_ticked = True
        return sent

    def close(self) -> None:
        """The next timekeeper takes over."""
        self._membership.close()


class DueExpiries:
    """What is due, from the read model: what is new every time, everything once a minute.

    A playback that is reported late can open a play window that ended long ago, so the past
    has to be looked at again and again.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._looked_at = self._looked_at_all = 0

    def __call__(self, now_at: int) -> list[Due]:
        """Licenses whose expiry has come and is not on record, oldest first."""
        is_everything = now_at - self._looked_at_all >= LOOK_AT_ALL_MS
        since = None if is_everything else self._looked_at - LOOK_BACK_MS
        found = due(self._reader, at=now_at, since=since, count_max=DUE_ASKED_MAX)
        if len(found) < DUE_ASKED_MAX:
            self._looked_at = now_at
            self._looked_at_all = now_at if is_everything else self._looked_at_all
        return [Due(one.license_id, one.account_id, one.expires_at) for one in found]


@contextmanager
def timekeeping(deployment: Deployment) -> Iterator[Timekeeping]:
    """The timekeeper's role, closed behind it."""
    with (
        deployment.reader() as reader,
        deployment.producer() as producer,
        deployment.log() as topics,
    ):
        timekeeper = Timekeeper(DueExpiries(reader), producer.send)
        membership = topics.membership(GROUP, CATALOG_TOPIC)
        with closing(Timekeeping(membership, deployment.clock, timekeeper)) as role:
            yield role


def _nothing_to_finish(shards: frozenset[int]) -> None:
    """A tick is over when `turn` returns."""
