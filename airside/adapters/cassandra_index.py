"""What follows a commit: its events in the index of accounts, and its parked records.

All of it is plain, idempotent and asynchronous. Events of different accounts travel together,
some ten in a request, because a request costs more than a row. What fails is sent again by the
first call after a pause, which grows.
"""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from cassandra.query import BoundStatement

from airside.adapters.cassandra_errors import ALL_FAILURES, is_busy, told_by, translated
from airside.adapters.cassandra_payload import Content
from airside.adapters.cassandra_requests import Requests
from airside.adapters.cassandra_session import CassandraSession
from schemas.errors import AirsideError, Unavailable

IN_FLIGHT_MAX = 32  # requests; more does not help one node (measured)
BUSY_SECONDS = 0.05  # until the next try, where a connection takes no more for the moment
PAUSE_SECONDS = (0.1, 5.0)  # first and longest, before what failed is sent again

log = logging.getLogger("airside.cassandra")


@dataclass(slots=True)
class Task:
    """One commit on its way into the index."""

    shard: int
    number: int
    content: Content
    requests: list[BoundStatement]
    left: int = field(init=False)  # requests that are not acknowledged
    account_ids: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self.left = len(self.requests)

    def touches(self, account_ids: Collection[str]) -> bool:
        """Whether it has events of one of these."""
        if self.account_ids is None:
            self.account_ids = frozenset(e.account_id for e in self.content.events)
        return not self.account_ids.isdisjoint(account_ids)


@dataclass(slots=True)
class Sending:
    """One request under way. The driver may tell its end twice, from two of its threads: as a
    time-out, and as a connection that broke meanwhile. Only the first word counts.
    """

    task: Task
    request: BoundStatement
    is_over: bool = False


class IndexWriter:
    """Writes the index for one store. Answers come on the driver's thread, hence the lock."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        self._requests = Requests(session)
        self._changed = threading.Condition()
        self._tasks: defaultdict[int, deque[Task]] = defaultdict(deque)  # by number
        self._through: dict[int, int] = {}  # shard -> last commit of the indexed prefix
        self._waiting: deque[tuple[Task, BoundStatement]] = deque()
        self._failed: list[tuple[Task, BoundStatement]] = []
        self._error: AirsideError | None = None  # of the newest attempt
        self._retry_at, self._pause_seconds = 0.0, PAUSE_SECONDS[0]
        self._in_flight = self._acknowledged = 0
        self._is_closed = False

    def begin(self, shard: int) -> None:
        """Forget what is under way for a shard: its new owner writes it again."""
        with self._changed:
            dropped = self._tasks.pop(shard, deque())
            gone = {id(task) for task in dropped}
            self._waiting = deque(w for w in self._waiting if id(w[0]) not in gone)
            self._failed = [f for f in self._failed if id(f[0]) not in gone]
            if not self._failed:
                self._error = None
            self._through.pop(shard, None)

    def is_through(self, shard: int, number: int) -> None:
        """All commits up to this one are indexed."""
        with self._changed:
            self._through[shard] = number

    def plan(self, shard: int, number: int, content: Content) -> Task:
        """What follows from a commit, nothing sent yet. Raises: NotFound, Unavailable."""
        return Task(shard, number, content, self._requests.of(shard, number, content))

    def start(self, task: Task) -> None:
        """Send it, as far as there is room; `indexed` says when it is done."""
        shard = task.shard
        with self._changed:
            self._through.setdefault(shard, task.number - 1)
            self._tasks[shard].append(task)
            self._waiting.extend((task, request) for request in task.requests)
            self._advance(shard)
        self._pump()

    def indexed(self, shard: int) -> int:
        """The last commit of the prefix that is written. Raises: Unavailable."""
        self._go_on()
        with self._changed:
            if self._error is not None:
                raise Unavailable(f"the index cannot be written: {self._error}")
            return self._through.get(shard, 0)

    def wait_for_shard(self, shard: int) -> None:
        """Until everything of the shard is written. Raises: Unavailable."""
        self._wait(lambda: not self._tasks[shard])

    def wait_for_accounts(self, account_ids: Collection[str]) -> None:
        """Until everything of these accounts is written. Raises: Unavailable."""
        with self._changed:
            waited_for = [t for t in self._all_tasks() if t.touches(account_ids)]
        if waited_for:
            self._wait(lambda: not any(task.left for task in waited_for))

    def close(self) -> None:
        """Send nothing more. What was not written is left to whoever resumes the shard."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()

    def _all_tasks(self) -> Iterator[Task]:
        for tasks in self._tasks.values():
            yield from tasks

    def _wait(self, is_done: Callable[[], bool]) -> None:
        """As long as answers come, and none of them is an error."""
        seconds = self._session.timeout_seconds
        deadline = time.monotonic() + seconds
        acknowledged = 0
        while True:
            self._go_on()
            with self._changed:
                self._changed.wait_for(
                    lambda: is_done() or self._error is not None, BUSY_SECONDS
                )
                if is_done():
                    return
                if self._acknowledged != acknowledged:
                    acknowledged, deadline = self._acknowledged, time.monotonic() + seconds
                if self._error is not None or time.monotonic() > deadline:
                    reason = self._error or f"no answer in {seconds} s."
                    raise Unavailable(f"the index cannot be written: {reason}")

    def _go_on(self) -> None:
        """Send what waits; what failed only once its pause is over."""
        with self._changed:
            if self._failed and time.monotonic() >= self._retry_at:
                self._waiting.extendleft(reversed(self._failed))
                self._failed = []
                self._error = None
        self._pump()

    def _pump(self) -> None:
        """Send as much as may be in flight; nothing while the last attempt failed."""
        while True:
            with self._changed:
                is_full = self._in_flight >= IN_FLIGHT_MAX
                if is_full or self._failed or self._is_closed or not self._waiting:
                    return
                sending = Sending(*self._waiting.popleft())
                self._in_flight += 1
            try:
                future = self._session.send(sending.request, "plain")
            except ALL_FAILURES as error:
                self._missed(error, sending)
                return
            future.add_callbacks(
                self._arrived,
                self._missed,
                callback_args=(sending,),
                errback_args=(sending,),
            )

    def _arrived(self, _: object, sending: Sending) -> None:
        task = sending.task
        with self._changed:
            if sending.is_over:
                return
            sending.is_over = True
            self._in_flight -= 1
            self._acknowledged += 1
            task.left -= 1
            self._pause_seconds = PAUSE_SECONDS[0]
            if not task.left:
                self._advance(task.shard)
        self._pump()

    def _missed(self, error: Exception, sending: Sending) -> None:
        task = sending.task
        with self._changed:
            if sending.is_over:
                return
            sending.is_over = True
            self._in_flight -= 1
            if self._is_closed or not any(t is task for t in self._tasks[task.shard]):
                return  # what else waits is sent by the next answer, or the next call
            if is_busy(error):
                self._waiting.appendleft((task, sending.request))  # for those as well
                return
            self._error = translated(error, self._session.address)
            self._failed.append((task, sending.request))
            self._retry_at = time.monotonic() + self._pause_seconds
            self._pause_seconds = min(2 * self._pause_seconds, PAUSE_SECONDS[1])
            self._changed.notify_all()
        log.warning(
            "index write failed shard=%d commit=%d because %s",
            task.shard,
            task.number,
            told_by(error),
        )

    def _advance(self, shard: int) -> None:
        tasks = self._tasks[shard]
        while tasks and not tasks[0].left:
            self._through[shard] = tasks.popleft().number
        self._changed.notify_all()
