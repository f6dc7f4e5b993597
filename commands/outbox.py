"""What is committed and not yet surely on the events topic, first in, first out.

After an error everything from the first unacknowledged record on is sent again, never one
record alone: so the first publication of each event comes in order.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from commands.event_store import StoredEvent
from commands.log import EventPublisher
from schemas.errors import PublishFailed

FRUITLESS_MAX = 2  # publishers in a row, before the caller is told to wait

Message = tuple[bytes, bytes]

log = logging.getLogger("airside.outbox")


class Parcel(Struct):
    """The messages of one commit that are not acknowledged yet."""

    number: int
    messages: list[Message]


class Outbox:
    """Publishes the commits of one shard, in order, through one publisher at a time.

    `published_through` is the last commit of the prefix that is on the topic whole.
    """

    def __init__(
        self, open_publisher: Callable[[], EventPublisher], published_through: int
    ) -> None:
        self.published_through = published_through
        self.reopened = 0  # how often everything unacknowledged was sent again
        self._open = open_publisher
        self._publisher: EventPublisher | None = None
        self._fruitless = 0  # publishers in a row that brought nothing onto the topic
        self._acknowledged = 0  # by this publisher, as far as we know
        self._sent: deque[Parcel] = deque()  # handed to this publisher
        self._unsent: deque[Parcel] = deque()

    def put(self, number: int, events: Sequence[StoredEvent]) -> None:
        """Take up a commit; `pump` sends it. One without events only waits for its turn."""
        messages = [(event.account_id.encode(), event.data) for event in events]
        self._unsent.append(Parcel(number, messages))

    def pump(self) -> None:
        """Send what is unsent and see what has been acknowledged. Never waits.

        Raises: Unavailable where no publisher can be opened, PublishFailed where several in a
        row brought nothing onto the topic; everything stays and the next call goes on.
        """
        try:
            self._collect()
            self._send()
        except PublishFailed as error:
            log.warning("sending again after=%d because %s", self.published_through, error)
            self._fruitless = 0 if self._acknowledged else self._fruitless + 1
            self._start_over()
            if self._fruitless >= FRUITLESS_MAX:
                raise

    def close(self) -> None:
        """Stop: when this returns nothing is sent any more."""
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None

    def _send(self) -> None:
        while self._unsent:
            if self._publisher is None:
                self._publisher = self._open()
            parcel = self._unsent.popleft()
            self._sent.append(parcel)  # before sending: an error may leave it half sent
            if parcel.messages:
                self._publisher.send(parcel.messages)
            self._collect()

    def _collect(self) -> None:
        if self._publisher is None:
            return
        acknowledged = self._publisher.acknowledged()
        fresh = acknowledged - self._acknowledged
        self._acknowledged = acknowledged
        while self._sent and len(self._sent[0].messages) <= fresh:
            parcel = self._sent.popleft()
            fresh -= len(parcel.messages)
            self.published_through = parcel.number
        if fresh:
            del self._sent[0].messages[:fresh]

    def _start_over(self) -> None:
        self.close()
        self._acknowledged = 0
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()
        self.reopened += 1
