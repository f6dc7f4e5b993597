"""One shard with topics, store and handlers, and everything that can go wrong with them.

shard = Shard()
shard.send(add(1), add(2))
worker = shard.worker()
worker.step()
assert shard.published() == [1, 2]
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from airside.adapters.memory_log import MemoryLog
from airside.world.engines import Crash
from airside.world.late_index import LateIndexStore
from airside.world.slow_publisher import SlowPublisher
from commands.event_store import Commit, Loaded
from commands.handler import ShardHandler
from commands.limits import Limits
from commands.log import EventPublisher
from commands.snapshots import load_stream
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import Fenced, OutcomeUnknown, Transient, Unavailable
from schemas.events import CommandNoted
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC
from tests.kit.counter import COUNTER, NOW, Count, Rules, add

Worker = ShardHandler[Count, Rules]


class FaultyEventStore(LateIndexStore):
    """A memory store with a plan: `faults` names what happens to the next commits.

    "lost": never arrives. "unanswered": lands, the answer does not. "late": is under way until
    `arrive()`. "unavailable": surely not applied. "crash", "crash after": the process dies
    before or after it lands. "": nothing special.

    With `is_eager` a head start does all of it, and `commit` only tells what came of it.
    With `is_late` the index follows only when `index_next()` is called, or a successor resumes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.attempts: list[Commit] = []
        self.is_eager = False
        self.asked: list[list[str]] = []  # accounts, ahead
        self.loaded: list[list[str]] = []  # accounts, when they were needed
        self._answers: dict[str, BaseException | None] = {}  # by commit id, not told yet
        self._under_way: list[Commit] = []

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        self.asked.append(list(account_ids))
        found = super().load(account_ids, fingerprint)
        return lambda: found

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        self.loaded.append(list(account_ids))
        return super().load(account_ids, fingerprint)

    def begin_commit(self, commit: Commit) -> None:
        if self.is_eager and commit.commit_id not in self._answers:
            self._answers[commit.commit_id] = None
            try:
                self._attempt(commit)
            except (Fenced, Transient, Crash) as error:
                self._answers[commit.commit_id] = error

    def commit(self, commit: Commit) -> None:
        if commit.commit_id not in self._answers:
            self._attempt(commit)
        elif (error := self._answers.pop(commit.commit_id)) is not None:
            raise error

    def _attempt(self, commit: Commit) -> None:
        self.attempts.append(commit)
        match self.faults.pop(0) if self.faults else "":
            case "lost":
                raise OutcomeUnknown("no answer.")
            case "late":
                self._under_way.append(commit)
                raise OutcomeUnknown("no answer yet.")
            case "unanswered":
                super().commit(commit)
                raise OutcomeUnknown("no answer.")
            case "unavailable":
                raise Unavailable("nobody there.")
            case "crash":
                raise Crash
            case "crash after":
                super().commit(commit)
                raise Crash
            case _:
                super().commit(commit)

    def arrive(self) -> None:
        """What was under way lands, or is refused with nobody there to hear of it."""
        for commit in self._under_way:
            with contextlib.suppress(Fenced):
                super().commit(commit)
        self._under_way = []


JUNK = b"not a command"


class Shard:
    """Shard 0 of 1, in memory."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.now_at = NOW
        self.log = MemoryLog(lambda: self.now_at)
        self.log.create_topic(COMMANDS_TOPIC, 1)
        self.log.create_topic(EVENTS_TOPIC, 1)
        self.store = FaultyEventStore()
        self.rules = Rules()
        self.publishers: list[SlowPublisher] = []  # every one that was opened, if slow
        self._is_slow = is_slow

    def send(self, *commands: Command) -> None:
        """Put commands onto the topic, each with its account as key."""
        for command in commands:
            self.send_raw(command.account_id.encode(), CODEC.encode(command))

    def send_raw(self, key: bytes | None, value: bytes | None) -> None:
        """Put any record onto the commands topic."""
        self.log.append(COMMANDS_TOPIC, 0, [(key, value)])

    def worker(self, **limits: Any) -> Worker:
        """Another handler that believes to own the shard."""
        return ShardHandler(
            shard=0,
            shards=1,
            decider=COUNTER,
            codec=CODEC,
            store=self.store,
            source=self.log.source(COMMANDS_TOPIC, 0),
            open_publisher=self._publisher,
            context=lambda: self.rules,
            limits=Limits(**limits),
        )

    def drain(self, worker: Worker | None = None) -> Worker:
        """A worker (a new one unless given) steps until there is nothing left to do."""
        worker = worker or self.worker()
        idle = 0
        for _ in range(1_000):
            step = worker.step()
            self.deliver_all()
            did = step.polled or step.fenced or step.blocked or step.counts.redriven
            idle = 0 if did else idle + 1
            if idle == 2:  # the second after everything was delivered
                return worker
        raise AssertionError("1,000 steps, and still not idle")

    def deliver_all(self) -> None:
        """Everything on the newest wire and every late index insert arrives."""
        self.store.index_all()
        if self.publishers:
            self.publishers[-1].deliver(1_000_000)

    def events(self) -> list[Event]:
        """The shard's history."""
        stored = self.store.read(0, after_seq=0, count_max=1_000_000)
        return [CODEC.decode_event(event.data) for event in stored]

    def outcomes(self) -> list[str]:
        """The history as `command number: event type`."""
        return [f"{int(e.command_id, 16)}: {type(e).__name__}" for e in self.events()]

    def published(self) -> list[int]:
        """The seq of every record on the events topic, in its order."""
        records = self.log.records(EVENTS_TOPIC, 0)
        return [CODEC.decode_event(value or b"").seq for _, _, _, value in records]

    def count(self, account_id: str = "a") -> Count:
        """The account's state, folded from the store."""
        return load_stream(self.store, COUNTER, CODEC, account_id).state

    def parked(self) -> list[str]:
        """What is parked, as `offset account code`."""
        found = self.store.parked(0)
        return [f"{p.offset} {p.account_id} {p.reason.partition(':')[0]}" for p in found]

    def notes(self) -> list[str]:
        """What the commands were told that changed nothing of the account."""
        return [event.note for event in self.events() if isinstance(event, CommandNoted)]

    def mend(self, offset: int, value: bytes) -> None:
        """As if newer code could read what is parked there: it holds another value now."""
        parked = self.store._parked[0]
        parked[offset] = replace(parked[offset], value=value)

    def check_laws(self) -> None:
        """What must hold of any history, once a worker has drained the shard."""
        events = self.events()
        numbers = [event.seq for event in events]
        assert numbers == list(range(1, len(events) + 1)), "seq is gapless"
        versions: defaultdict[str, list[int]] = defaultdict(list)
        decided: defaultdict[str, list[int]] = defaultdict(list)
        for event in events:
            versions[event.account_id].append(event.version)
            decided[event.command_id].append(event.seq)
        for account_id, found in versions.items():
            assert found == list(range(1, len(found) + 1)), f"{account_id}: version is gapless"
        for command_id, found in decided.items():
            assert found == list(range(found[0], found[0] + len(found))), f"{command_id}: once"
        assert list(dict.fromkeys(self.published())) == numbers, "published, first in order"
        stored = {event.data for event in self.store.read(0, after_seq=0, count_max=1_000_000)}
        published = {value for _, _, _, value in self.log.records(EVENTS_TOPIC, 0)}
        assert published == stored, "only what is stored is published"

    @classmethod
    def poisoned(cls) -> "Shard":
        """Junk at offset 0 of account a; two of its commands, at 1 and 3, wait behind it."""
        shard = cls()
        shard.send_raw(b"a", JUNK)
        shard.send(add(1), add(2, account="b"), add(3))
        shard.drain()
        return shard

    def _publisher(self) -> EventPublisher:
        if not self._is_slow:
            return self.log.publisher(EVENTS_TOPIC, 0)
        self.publishers.append(SlowPublisher(self.log))
        return self.publishers[-1]
