"""The handler of one shard: takes a batch, commits it, publishes it, goes on.

    resume()           take the shard up where its history ends    Hole
    take()             poll, load, decide: a pending batch         Overtaken
    send()             its commit is under way; look ahead meanwhile
    commit()           hear of it; then what it changes stands     Fenced, OutcomeUnknown
    publish()          send what is committed, see what is acknowledged
    save_snapshots()   of accounts with many new events
    settle()           note what is indexed and published
    step()             all of these, each where it is due: begin() up to send(), finish() behind

Whoever has several shards begins one, then finishes another, and so works while the commit of
the first is under way. Nothing of the first is decided meanwhile.

Each may raise Unavailable. Every effect is one call, and a crash between any two is repaired
by whoever resumes. An error other than `Moved` leaves everything as it is: the same call may be
made again. For one thread.
"""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from commands.batch import BatchHandler, Before, Counts
from commands.cache import StreamCache
from commands.decider import Context, Decider
from commands.event_store import EventStore, Position
from commands.intake import Intake
from commands.limits import LIMITS, Limits
from commands.log import CommandSource, EventPublisher
from commands.outbox import Outbox
from commands.parking import is_operator, load_waiting, until_operator
from commands.receive import check_input
from commands.tenure import Tenure
from commands.writing import write
from schemas.codec import Codec
from schemas.envelope import new_id
from schemas.errors import AirsideError, Fenced, Moved, Permanent, Transient

S = TypeVar("S")
X = TypeVar("X", bound=Context)

log = logging.getLogger("airside.handler")


class Step(Struct, frozen=True):
    """What one step did. Records polled are accepted, refused, noted, repeats or parked."""

    polled: int = 0
    counts: Counts = msgspec.field(default_factory=Counts)
    fenced: bool = False  # somebody else has the shard, or had it: it is resumed next
    blocked: bool = False  # something must settle before more is taken: wait a moment


class ShardHandler(Generic[S, X]):
    """See the module. Store and source are closed by whoever opened them."""

    def __init__(
        self,
        *,
        shard: int,
        shards: int,
        decider: Decider[S, X],
        codec: Codec,
        store: EventStore,
        source: CommandSource,
        open_publisher: Callable[[], EventPublisher],
        context: Callable[[], X],
        limits: Limits = LIMITS,
        new_commit_id: Callable[[], str] = new_id,
    ) -> None:
        self._shard, self._shards = shard, shards
        self._decider, self._codec = decider, codec
        self._store, self._source = store, source
        self._intake = Intake(
            shard=shard,
            shards=shards,
            decider=decider,
            codec=codec,
            store=store,
            source=source,
            limits=limits,
        )
        self._open_publisher = open_publisher
        self._context = context
        self._limits = limits
        self._new_commit_id = new_commit_id
        self._tenure: Tenure[S] | None = None
        self.counts = Counts()  # of all steps, also of those that raised in the end

    def step(self, wait_seconds: float = 0.0) -> Step:
        """One batch, or what is left to do of the last one; waits only while all is done.

        Raises: Transient, and the next step goes on where this one stopped; Permanent where a
        person has to look (Hole).
        """
        begun = self.begin(wait_seconds)
        is_pending = self._tenure is not None and self._tenure.pending is not None
        return self.finish() if is_pending else begun

    def begin(self, wait_seconds: float = 0.0) -> Step:
        """The first half: a batch is decided and under way, if anything has arrived.

        What it says of that batch holds once `finish` has said the same. Raises: as `step`.
        """
        try:
            if self._tenure is None:
                self.resume()
            self.publish()
            if not self.take(wait_seconds):
                self.settle()
                return Step(blocked=self._is_waiting())
            return self.send()
        except Moved as moved:
            return self._moved(moved)

    def finish(self) -> Step:
        """The second half: the pending batch, if there is one, stands or is lost. As `step`."""
        if self._tenure is None or self._tenure.pending is None:
            return Step()
        try:
            step = self.commit()
            self.publish()
            self.save_snapshots()
        except Moved as moved:
            return self._moved(moved)
        return step

    def resume(self) -> None:
        """Take the shard up where its history ends, and publish again what may be missing.

        Raises: Hole where commands are gone that were not handled; Contradiction where the
        topic is not the one that the history was made of; Unavailable.
        """
        self._drop()  # the old publisher stops before anything is put in line anew
        resumed = self._store.resume(self._shard)
        position = resumed.position
        check_input(self._source, self._shard, position, accept_lost=self._limits.accept_lost)
        outbox = Outbox(self._open_publisher, published_through=position.settled)
        for number, events in resumed.unpublished:
            outbox.put(number, events)
        self._source.seek(position.next_offset)
        held = self._store.parked_accounts(self._shard)
        cache: StreamCache[S] = StreamCache(self._limits.streams_max)
        self._tenure = Tenure(position, held, outbox, cache, noted=position.settled)
        log.info("resumed shard=%d %s parked=%d", self._shard, position, len(held))

    def take(self, wait_seconds: float = 0.0) -> bool:
        """Decide what has arrived; True where a batch is pending now. Nothing stands yet."""
        tenure = self._current()
        if tenure.pending is not None:
            return True
        if self._is_blocked():
            return False
        self._intake.poll(tenure, wait_seconds)
        items = until_operator(tenure.arrived)
        if not items or (is_operator(items[0]) and not self._is_indexed()):
            return False
        streams = self._intake.streams(tenure, items)
        redrive_max = self._limits.redrive_records_max
        waiting = load_waiting(self._store, self._shard, self._shards, items[0], redrive_max)
        place = (self._shard, self._shards, tenure.position, self.settled)
        before = Before(*place, streams, tenure.held, waiting)
        handler = BatchHandler(before, self._decider, self._codec, self._context())
        batch = handler.handle(items, self._new_commit_id(), self._limits.commit_bytes_max)
        tenure.pending = batch
        tenure.unchanged = {
            account_id: stream
            for account_id, stream in streams.items()
            if not isinstance(stream, Permanent) and account_id not in batch.streams
        }
        return True

    def send(self) -> Step:
        """The pending batch is on its way to the store; meanwhile see what comes next."""
        tenure = self._current()
        batch = tenure.pending
        if batch is None:
            return Step()
        self._store.begin_commit(batch.commit)
        tenure.is_under_way = True
        try:
            self._intake.look_ahead(tenure)
        except Transient as error:  # it does not hold up the commit; `take` meets it again
            log.debug("not looked ahead shard=%d because %s", self._shard, error)
        return Step(polled=batch.consumed, counts=batch.counts)

    def commit(self) -> Step:
        """Write the pending batch; what it changes stands once this returns.

        Raises: Fenced; OutcomeUnknown or Unavailable, and the batch stays pending.
        """
        tenure = self._current()
        batch = tenure.pending
        if batch is None:
            return Step()
        commit = batch.commit
        tenure.is_under_way = False  # whatever comes of it
        write(self._store, commit)
        tenure.apply(batch, self._limits)
        self.counts.add(batch.counts)
        self._source.note(commit.next_offset)
        log.info("committed shard=%d %s %s", self._shard, commit.position, batch.counts)
        return Step(polled=batch.consumed, counts=batch.counts)

    def publish(self) -> None:
        """Send what is committed, see what is acknowledged. Raises: Unavailable."""
        self._current().outbox.pump()

    def save_snapshots(self) -> None:
        """Snapshot the accounts that are due and indexed; evict what is too much."""
        tenure = self._current()
        indexed = self._store.indexed(self._shard)
        streams = tenure.due(indexed)
        if streams:
            self._store.save_snapshots(map(self._intake.snapshot, streams))
        tenure.snapshots_saved(streams)
        tenure.cache.evict(indexed=indexed)

    def settle(self) -> None:
        """Note in the store what is settled, so that a successor publishes less again."""
        tenure = self._current()
        settled = self.settled
        if settled > tenure.noted:
            self._store.settle(self._shard, settled)
            tenure.noted = settled

    def close(self) -> None:
        """Stop in an orderly way. What cannot be published now is left to the successor."""
        if self._tenure is None:
            return
        try:
            if self._tenure.is_under_way:
                self.commit()
            self.publish()
            self.settle()
        except AirsideError as error:
            log.warning("left to the successor shard=%d because %s", self._shard, error)
        finally:
            self._drop()

    @property
    def position(self) -> Position | None:
        """Where the shard's history ends, as far as this handler knows; None without it."""
        return None if self._tenure is None else self._tenure.position

    @property
    def settled(self) -> int:
        """Commits up to this one are indexed and published. Raises: Fenced, Unavailable."""
        return self._current().settled(self._store.indexed(self._shard))

    @property
    def held_accounts(self) -> int:
        """How many accounts wait behind a parked command, as far as this handler knows."""
        return 0 if self._tenure is None else len(self._tenure.held)

    def _current(self) -> Tenure[S]:
        if self._tenure is None:
            raise Fenced(f"shard {self._shard}: it was lost, or never taken up. Resume it.")
        return self._tenure

    def _moved(self, moved: Moved) -> Step:
        log.warning("moved shard=%d because %s", self._shard, moved)
        self._drop()
        return Step(fenced=True)

    def _drop(self) -> None:
        if self._tenure is not None:
            self._tenure.outbox.close()
            self._tenure = None

    def _is_blocked(self) -> bool:
        unsettled = self._current().position.number - self.settled
        return unsettled >= self._limits.window_commits_max

    def _is_waiting(self) -> bool:
        return bool(self._current().arrived) or self._is_blocked()

    def _is_indexed(self) -> bool:
        return self._store.indexed(self._shard) >= self._current().position.number
