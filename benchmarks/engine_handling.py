"""Commands through decide, commit, index and publish, on Cassandra and Kafka.

The floor is a bare loop over both drivers: it sends the very statements and messages that the
handler sent, bound and grouped as the handler does it, and decides nothing.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count, islice
from threading import Semaphore

from msgspec.structs import replace

from airside.adapters.cassandra_commits import Commits, not_archived
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_index import IN_FLIGHT_MAX
from airside.adapters.cassandra_payload import Content
from airside.adapters.cassandra_requests import Requests
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_log import KafkaLog
from airside.handling import STREAMS_MAX
from benchmarks.cassandra_strict import StrictStore
from benchmarks.cassandra_strict import strict as strictly
from benchmarks.engine_load import ACCOUNTS, BATCH, licensing, opening
from benchmarks.engine_stage import laid_out
from benchmarks.measure import Rate, Variant, alternate, verdict
from benchmarks.options import Options
from benchmarks.stage import Handler, append, handler
from commands.event_store import Commit, StoredEvent
from schemas.envelope import Command, new_id
from schemas.record import EVENTS_TOPIC
from stack.engines import Stack

SHARDS = 2
BATCHES = 30  # of BATCH commands in a round
STRICT_COMMITS = 4  # in a round: it is the slow one
PAUSE_SECONDS = 0.0005
OF_BARE, OF_STRICT = 0.6, 6.0


class RecordingStore(CassandraEventStore):
    """Remembers what was committed."""

    recorded: list[Commit] | None = None

    def commit(self, commit: Commit) -> None:
        """Commit, and note it down."""
        super().commit(commit)
        if self.recorded is not None:
            self.recorded.append(commit)


def run(stack: Stack, options: Options) -> bool:
    """Warm and cold, with 1, 3 and 10 commands of an account behind each other."""
    print(
        f"\nhandling: batches of {BATCH:,} commands of {ACCOUNTS:,} accounts, {SHARDS} shards"
    )
    print("  warm: accounts are in memory; cold: each batch loads its accounts from Cassandra.")
    print("  bare: both drivers alone, with the same commits, index inserts and messages.")
    print("  strict: one conditional batch per account, nothing decided and nothing published.")
    reached = True
    engines = laid_out(stack, "handling", shards=SHARDS)
    with ExitStack() as held:
        log = held.enter_context(engines.opened_log())
        session = held.enter_context(engines.session())
        store = held.enter_context(closing(RecordingStore(session)))
        produce(log, opening())
        with_handlers(log, store, STREAMS_MAX, 2 * ACCOUNTS)
        bare = Bare(session, log)
        strict = StrictStore(session)
        for each in (1, 3, 10):
            reached &= compare(log, store, bare, strict, each, options)
    return reached


def compare(
    log: KafkaLog,
    store: RecordingStore,
    bare: "Bare",
    strict: StrictStore,
    each: int,
    options: Options,
) -> bool:
    """All variants with so many commands per account."""
    size = options.scaled(BATCHES) * BATCH
    rounds = 2 * options.rounds + 1
    produced = rounds * (size + 2 * SHARDS * BATCH)  # a round may take a little more
    produce(log, islice(licensing(each), produced))
    taken: list[int] = []

    def take(streams_max: int, count: int = size) -> int:
        taken.append(with_handlers(log, store, streams_max, count))
        return taken[-1]

    store.recorded = []
    take(STREAMS_MAX)  # what the bare loop sends, and to warm up
    commits, store.recorded = store.recorded, None
    events = sum(len(commit.events) for commit in commits)
    history = grouped_commits(each)
    rates = alternate(
        options.rounds,
        {
            f"warm, {each} per account": lambda: take(STREAMS_MAX),
            f"cold, {each} per account": lambda: take(0),
            f"bare drivers, {each} per account": bare.variant(commits, taken[0]),
            f"strict, {each} per account": strictly(strict, history, STRICT_COMMITS),
        },
    )
    warm, cold, floor, alternative = rates.values()
    take(STREAMS_MAX, produced - sum(taken))
    for rate in rates.values():
        print(rate.line())
    print(f"  ({events / size:.2f} events for a command)")
    return judge(warm, cold, floor, alternative, each)


def judge(warm: Rate, cold: Rate, floor: Rate, alternative: Rate, each: int) -> bool:
    """The ratios; a conditional write per account is dear where each has one command."""
    reached = verdict(f"warm, {each} each, of bare", warm.median / floor.median, OF_BARE)
    reached &= verdict(f"cold, {each} each, of bare", cold.median / floor.median, OF_BARE)
    target = OF_STRICT if each == 1 else 1.0
    return reached & verdict(
        f"warm, {each} each, of strict", warm.median / alternative.median, target
    )


def produce(log: KafkaLog, commands: Iterator[Command] | Sequence[Command]) -> None:
    """Onto the commands topic, in batches as they are to be handled."""
    left = iter(commands)
    while block := list(islice(left, 20 * BATCH)):
        append(log, SHARDS, block)


def with_handlers(
    log: KafkaLog, store: CassandraEventStore, streams_max: int, count: int
) -> int:
    """New handlers take so many commands, and settle them."""
    with ExitStack() as held:
        handlers = [
            held.enter_context(
                handler(log, store, shard=shard, shards=SHARDS, streams_max=streams_max)
            )
            for shard in range(SHARDS)
        ]
        taken = 0
        while taken < count:
            polled = sum(one.step().polled for one in handlers)
            taken += polled
            if not polled:
                time.sleep(PAUSE_SECONDS)
        while not all(is_settled(one) for one in handlers):
            time.sleep(PAUSE_SECONDS)
    return taken


def is_settled(one: Handler) -> bool:
    """Everything is indexed and on the topic."""
    one.publish()
    position = one.position
    assert position is not None
    return one.settled == position.number


class Bare:
    """Both drivers, and nothing else; writes to shards that nobody handles."""

    def __init__(self, session: CassandraSession, log: KafkaLog) -> None:
        self._session = session
        self._log = log
        self._commits = Commits(session, not_archived)
        self._requests = Requests(session)
        self._shards = count(1_000)

    def variant(self, commits: Sequence[Commit], units: int) -> Variant:
        """A round: the same commits once more, in a shard of its own."""

        def send() -> int:
            shard = next(self._shards)
            room = Semaphore(IN_FLIGHT_MAX)
            with closing(self._log.publisher(EVENTS_TOPIC, 0)) as publisher:
                sent = 0
                for number, commit in enumerate(commits, 1):
                    fresh = replace(commit, shard=shard, number=number, commit_id=new_id())
                    answer = self._commits.send(fresh)
                    content = Content(commit.events, commit.parked, commit.unparked)
                    requests = self._requests.of(shard, number, content)
                    assert self._commits.holder(answer) is None
                    for request in requests:
                        room.acquire()
                        future = self._session.send(request, "plain")
                        future.add_callbacks(lambda _: room.release(), failed)
                    publisher.send([(e.account_id.encode(), e.data) for e in commit.events])
                    sent += len(commit.events)
                for _ in range(IN_FLIGHT_MAX):
                    room.acquire()
                while publisher.acknowledged() < sent:
                    time.sleep(PAUSE_SECONDS)
            return units

        return send


def failed(error: Exception) -> None:
    """A floor that fails is no floor."""
    raise SystemExit(f"bare: {error}")


def grouped_commits(each: int) -> Iterator[Commit]:
    """Commits of BATCH events, `each` of an account behind each other, without end."""
    data = bytes(range(115))  # the average event of the load
    versions: deque[int] = deque([0] * ACCOUNTS)
    seq = 0
    accounts = count()
    for number in count(1):
        events: list[StoredEvent] = []
        while len(events) + each <= BATCH:
            account = next(accounts) % ACCOUNTS
            for _ in range(each):
                versions[account] += 1
                seq += 1
                events.append(StoredEvent(seq, f"s-{each}-{account}", versions[account], data))
        yield Commit(
            shard=0,
            number=number,
            commit_id=new_id(),
            first_seq=seq - len(events) + 1,
            next_offset=seq,
            settled=number - 1,
            events=tuple(events),
        )
