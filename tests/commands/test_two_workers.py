"""Two workers that both believe to own a shard, interleaved at every effect, leave one history.

A schedule is a list of words, so that a failing one can be read, shortened and kept:

    "a take", "b commit", …     a phase of one of the workers
    "a crash"                   that worker is gone, another takes its place; what it had sent
                                may still arrive
    "send 3"                    command 3 arrives on the topic, again perhaps
    "deliver"                   the next record on the oldest wire arrives
    "lose ack"                  so it does, but nobody hears of it, nor of the rest
    "fail"                      what is on the oldest wire never arrives
    "index"                     the next late insert into the index arrives
    "lost", "unanswered", …     what happens to the next commit
    "catalog"                   there is another one: what is decided again reads otherwise
    "arrive"                    commits that are still under way land, or are refused
"""

import contextlib
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.world.engines import Crash
from schemas.envelope import Command
from schemas.errors import Moved, Transient
from tests.kit.counter import Rules, add, id_of
from tests.kit.shard import Shard, Worker

PHASES = ("resume", "take", "commit", "publish", "save_snapshots", "settle", "step", "crash")
FAULTS = ("lost", "unanswered", "late", "unavailable", "crash", "crash after")
COMMANDS = 24

OFTEN = ("take", "commit") * 10 + ("publish",) * 6 + ("save_snapshots", "settle", "step") * 2
WORDS = (
    ".",  # nothing happens: what a failing schedule is shortened to
    *[f"{name} {phase}" for name in "ab" for phase in (*OFTEN, "resume", "crash")],
    *[f"send {n}" for n in range(1, COMMANDS + 1)] * 2,
    *("deliver",) * 20,
    *("index",) * 15,
    *("lose ack", "fail", "arrive", *["catalog"] * 6),
    *FAULTS,
)
schedules = st.lists(st.sampled_from(WORDS), min_size=150, max_size=300)


def command(n: int) -> Command:
    return add(n, account="xyz"[n % 3])


class Interleaving:
    """Carries out a schedule."""

    def __init__(self) -> None:
        self.shard = Shard(is_slow=True)
        self.shard.store.is_late = True
        self.sent: set[int] = set()
        self._workers = {"a": self._worker(), "b": self._worker()}

    def run(self, schedule: list[str]) -> Shard:
        """The shard after the schedule, and after one more worker has drained it in peace."""
        for word in schedule:
            self._do(word)
        self.shard.store.faults = []
        self.shard.store.arrive()
        self.shard.drain()
        return self.shard

    def _worker(self) -> Worker:
        return self.shard.worker(
            batch_records_max=2, streams_max=1, snapshot_every=2, window_commits_max=100
        )

    def _do(self, word: str) -> None:
        who, _, phase = word.partition(" ")
        store = self.shard.store
        if who in self._workers:
            self._work(who, phase)
        elif who == "send":
            self.sent.add(int(phase))
            self.shard.send(command(int(phase)))
        elif who == "index":
            if store.indexed(0) < store.number(0):
                store.index_next()
        elif word == "arrive":
            store.arrive()
        elif word == "catalog":
            self.shard.rules = Rules(version=self.shard.rules.version + 1)
        elif word in FAULTS:
            store.faults.append(word)
        elif word != ".":
            self._wire(word)

    def _work(self, name: str, phase: str) -> None:
        worker = self._workers[name]
        phases: dict[str, Callable[[], object]] = {
            p: getattr(worker, p) for p in PHASES if p != "crash"
        }
        try:
            if phase == "crash":
                raise Crash
            phases[phase]()
        except Crash:
            self._workers[name] = self._worker()
        except Moved:
            worker.resume()
        except Transient:
            pass  # the same call may be made again, and is, by chance

    def _wire(self, word: str) -> None:
        for publisher in [p for p in self.shard.publishers if p.is_busy][:1]:
            if word != "fail":
                publisher.deliver(1, acknowledge=word == "deliver")
            if word != "deliver":
                publisher.fail()


def outcome_of(schedule: list[str]) -> tuple[Shard, Interleaving]:
    interleaving = Interleaving()
    with contextlib.closing(interleaving.shard.log):
        return interleaving.run(schedule), interleaving


def expect_one_history(schedule: list[str]) -> None:
    shard, interleaving = outcome_of(schedule)
    shard.check_laws()
    decided = sorted(event.command_id for event in shard.events())
    assert decided == sorted(map(id_of, interleaving.sent)), "each command once, none lost"
    assert shard.parked() == []
    totals = sum(shard.count(account_id).total for account_id in "xyz")
    assert totals == len(interleaving.sent)


@settings(max_examples=150, deadline=None)
@given(schedules)
def test_two_workers_leave_one_history(schedule: list[str]) -> None:
    expect_one_history(schedule)
