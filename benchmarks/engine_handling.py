"""Commands through decide, commit, index and publish, on Cassandra and Kafka."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count, islice

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_log import KafkaLog
from airside.handling import STREAMS_MAX
from benchmarks.bare_drivers import BareDrivers
from benchmarks.cassandra_strict import StrictStore
from benchmarks.cassandra_strict import strict as strictly
from benchmarks.engine_load import ACCOUNTS, BATCH, licensing, opening
from benchmarks.engine_stage import laid_out
from benchmarks.measure import alternate, verdict
from benchmarks.options import Options
from benchmarks.stage import Handler, append, handler
from commands.event_store import Commit, StoredEvent
from schemas.envelope import Command, new_id
from stack.engines import Stack

SHARDS = 2
BATCHES = 30  # of BATCH commands in a round
STRICT_COMMITS = 4  # in a round: it is the slow one
PAUSE_SECONDS = 0.0005
OF_BARE, OF_STRICT = 0.6, 6.0


class RecordingStore(CassandraEventStore):
    """Remembers what was committed."""

    recorded: list[Commit] | None = None

    def __init__(self, session: CassandraSession) -> None:
        super().__init__(session)
        self.session = session

    def commit(self, commit: Commit) -> None:
        """Commit, and note it down."""
        super().commit(commit)
        if self.recorded is not None:
            self.recorded.append(commit)


class Pipeline:
    """Handlers of all shards, on topics and a keyspace of their own, opened once."""

    def __init__(
        self, log: KafkaLog, store: CassandraEventStore, handlers: list[Handler], log_url: str
    ) -> None:
        self.log, self.store, self._handlers = log, store, handlers
        self.log_url = log_url
        self._left = 0  # commands on the topic that were not taken

    def produce(self, commands: Iterable[Command]) -> None:
        """Onto the commands topic."""
        left = iter(commands)
        while block := list(islice(left, 20 * BATCH)):
            append(self.log, len(self._handlers), block)
            self._left += len(block)

    def take(self, count: int) -> int:
        """Handle so many commands, or a few more, and settle them."""
        taken = 0
        while taken < min(count, self._left):
            begun = sum(self._turn(one) for one in self._handlers)
            taken += begun
            if not begun:
                time.sleep(PAUSE_SECONDS)
        for one in self._handlers:
            one.finish()
        while not all(is_settled(one) for one in self._handlers):
            time.sleep(PAUSE_SECONDS)
        self._left -= taken
        return taken

    def _turn(self, one: Handler) -> int:
        """As the role does it: what is under way is finished when its turn comes again."""
        one.finish()
        return one.begin().polled

    @property
    def events(self) -> int:
        """That came of all commands so far."""
        return sum(one.counts.events for one in self._handlers)

    def take_all(self) -> None:
        """What is left."""
        while self._left:
            self.take(self._left)


@contextmanager
def pipeline(
    stack: Stack, name: str, *, shards: int = SHARDS, streams_max: int = STREAMS_MAX
) -> Iterator[Pipeline]:
    """Open one, with all accounts in it."""
    engines = laid_out(stack, name, shards=shards)
    with ExitStack() as held:
        log = held.enter_context(engines.opened_log())
        session = held.enter_context(engines.session())
        store = held.enter_context(closing(RecordingStore(session)))
        handlers = [
            held.enter_context(
                handler(log, store, shard=shard, shards=shards, streams_max=streams_max)
            )
            for shard in range(shards)
        ]
        made = Pipeline(log, store, handlers, engines.log)
        made.produce(opening())
        made.take_all()
        yield made


def run(stack: Stack, options: Options) -> bool:
    """Warm and cold, with 1, 3 and 10 commands of an account behind each other."""
    print(
        f"\nhandling: batches of {BATCH:,} commands of {ACCOUNTS:,} accounts, {SHARDS} shards"
    )
    print("  warm: accounts are in memory; cold: each batch loads its accounts from Cassandra.")
    print("  bare: a loop over both drivers that sends the same statements and messages. Its")
    print("  round is the pipeline's first one; ratios are of events, since later rounds have")
    print("  a few more of them for a command.")
    print("  strict: one conditional batch per account; it decides and publishes nothing.")
    with (
        pipeline(stack, "warm") as warm,
        pipeline(stack, "cold", streams_max=0) as cold,
        laid_out(stack, "strict", shards=SHARDS).session() as session,
    ):
        strict = StrictStore(session)
        reached = [compare(warm, cold, strict, each, options) for each in (1, 3, 10)]
    return all(reached)


def compare(
    warm: Pipeline, cold: Pipeline, strict: StrictStore, each: int, options: Options
) -> bool:
    """All variants with so many commands per account."""
    size = options.scaled(BATCHES) * BATCH
    for one in (warm, cold):
        one.produce(islice(licensing(each), (options.rounds + 1) * (size + SHARDS * BATCH)))
    assert isinstance(warm.store, RecordingStore)
    warm.store.recorded = []
    taken = warm.take(size)  # what the bare loop sends, and to warm up
    commits, warm.store.recorded = warm.store.recorded, None
    events = sum(len(commit.events) for commit in commits)
    bare = BareDrivers(warm.store.session, warm.log_url)
    history = grouped_commits(each)
    cold.take(size)
    before = warm.events, cold.events
    rates = alternate(
        options.rounds,
        {
            f"warm, {each} per account": lambda: warm.take(size),
            f"cold, {each} per account": lambda: cold.take(size),
            f"bare drivers, {each} per account": bare.variant(commits, taken),
            f"bare drivers that load, {each} per account": bare.loading(commits, taken),
            f"strict, {each} per account": strictly(strict, history, STRICT_COMMITS),
        },
    )
    done = options.rounds * taken
    of_warm, of_cold = (warm.events - before[0]) / done, (cold.events - before[1]) / done
    warm.take_all()
    cold.take_all()
    for rate in rates.values():
        print(rate.line())
    of_bare = events / taken
    print(f"  events for a command: warm {of_warm:.2f}, cold {of_cold:.2f}, bare {of_bare:.2f}")
    each_has = (of_warm, of_cold, of_bare, of_bare, 1.0)
    return judge(each, *(r.median * n for r, n in zip(rates.values(), each_has, strict=True)))


def judge(
    each: int, warm: float, cold: float, bare: float, loading: float, alternative: float
) -> bool:
    """The ratios of events a second; conditional writes are dear with one command in each."""
    reached = verdict(f"warm, {each} each, of bare", warm / bare, OF_BARE)
    reached &= verdict(f"cold, {each} each, of bare", cold / loading, OF_BARE)
    target = OF_STRICT if each == 1 else 1.0
    return reached & verdict(f"warm, {each} each, of strict", warm / alternative, target)


def is_settled(one: Handler) -> bool:
    """Everything is indexed and on the topic."""
    one.publish()
    position = one.position
    assert position is not None
    return one.settled == position.number


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
