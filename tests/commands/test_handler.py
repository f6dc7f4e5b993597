"""The handler of a shard, step by step, on an ordinary day."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.world.engines import Crash
from commands.event_store import Position
from commands.handler import Step
from commands.snapshots import StreamReader, load_stream
from schemas.codec import CODEC
from schemas.errors import Fenced, OutcomeUnknown, Unavailable
from schemas.record import COMMANDS_TOPIC
from tests.kit.counter import COUNTER, NOW, Rules, add
from tests.kit.shard import Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


def test_a_step_decides_stores_and_publishes_what_has_arrived(shard: Shard) -> None:
    shard.send(add(1), add(2, account="b"))
    step = shard.worker().step()
    assert (step.polled, step.counts.accepted, step.counts.events) == (2, 2, 2)
    assert shard.outcomes() == ["1: AllowanceGranted", "2: AllowanceGranted"]
    assert shard.published() == [1, 2]


def test_an_idle_step_does_nothing(shard: Shard) -> None:
    assert shard.worker().step() == Step()
    assert shard.store.attempts == []


def test_what_is_published_are_the_stored_bytes_under_the_accounts_key(shard: Shard) -> None:
    shard.send(add(1))
    shard.drain()
    ((_, _, key, value),) = shard.log.records("events", 0)
    (event,) = shard.store.read(0, after_seq=0, count_max=9)
    assert (key, value) == (b"a", event.data)


def test_a_step_takes_no_more_than_a_batch(shard: Shard) -> None:
    shard.send(*[add(n) for n in range(1, 26)])
    worker = shard.worker(batch_records_max=10)
    assert [worker.step().polled for _ in range(4)] == [10, 10, 5, 0]


def test_a_batch_is_split_where_its_commit_is_full(shard: Shard) -> None:
    shard.send(*[add(n) for n in range(1, 26)])
    worker = shard.drain(shard.worker(commit_bytes_max=500))
    sizes = [sum(len(event.data) for event in c.events) for c in shard.store.attempts]
    assert len(sizes) > 2
    assert max(sizes) < 600
    assert worker.counts.accepted == 25
    assert shard.count().total == 25


def test_a_handler_goes_on_where_the_last_one_stopped(shard: Shard) -> None:
    shard.send(add(1))
    shard.drain()
    shard.send(add(2))
    assert shard.worker().step().polled == 1
    assert shard.published() == [1, 2]


def test_a_gap_in_the_topics_offsets_is_no_matter(shard: Shard) -> None:
    shard.send(add(1), add(2))
    records = shard.log.records(COMMANDS_TOPIC, 0)
    records[1] = (7, *records[1][1:])  # as behind compaction or a transaction's marker
    worker = shard.drain()
    assert shard.count().total == 2
    assert worker.position == Position(number=1, seq=2, next_offset=8)


def test_records_before_the_position_are_skipped(shard: Shard) -> None:
    shard.send(add(1), add(2))
    worker = shard.worker()
    worker.resume()
    shard.drain()
    shard.send(add(3))
    shard.drain(worker)
    worker.resume()
    shard.log.records(COMMANDS_TOPIC, 0).extend([(1, NOW, b"a", b"?"), (3, NOW, b"a", b"?")])
    assert worker.step().polled == 1
    assert shard.parked() == ["3 a UNREADABLE"]


def test_the_context_is_looked_up_once_a_batch(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.drain()
    shard.rules = Rules(version=2)
    shard.send(add(2))
    shard.drain(worker)
    assert [event.catalog_version for event in shard.events()] == [1, 2]


def test_lag_tools_are_told_where_we_are(shard: Shard) -> None:
    shard.send(add(1), add(2))
    shard.drain()
    assert shard.log.noted(COMMANDS_TOPIC, 0) == 2


def test_an_idle_handler_notes_what_is_settled(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.step()
    assert shard.store.resume(0).position.settled == 0
    worker.step()
    assert shard.store.resume(0).position.settled == 1


def test_a_closed_handler_leaves_nothing_to_publish_again(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.step()
    worker.close()
    assert shard.store.resume(0).unpublished == ()


def test_closing_twice_or_before_the_first_step_is_harmless(shard: Shard) -> None:
    worker = shard.worker()
    worker.close()
    worker.close()
    assert worker.position is None


def test_phases_without_a_resume_are_refused(shard: Shard) -> None:
    with pytest.raises(Fenced, match="Resume"):
        shard.worker().take()


# the window


def test_when_too_much_is_unsettled_nothing_is_taken(shard: Shard) -> None:
    slow = Shard(is_slow=True)
    slow.send(*[add(n) for n in range(1, 11)])
    worker = slow.worker(batch_records_max=1, window_commits_max=3)
    assert [worker.step().polled for _ in range(6)] == [1, 1, 1, 0, 0, 0]
    assert worker.step().blocked
    slow.publishers[0].deliver(2)
    assert [worker.step().polled for _ in range(3)] == [1, 1, 0]


def test_publishing_does_not_hold_up_the_next_batch() -> None:
    slow = Shard(is_slow=True)
    worker = slow.worker()
    slow.send(add(1))
    worker.step()
    slow.send(add(2))
    assert worker.step().polled == 1
    assert slow.published() == []


def test_a_commit_says_what_was_settled_when_it_was_decided() -> None:
    slow = Shard(is_slow=True)
    worker = slow.worker(batch_records_max=1)
    slow.send(add(1), add(2), add(3))
    worker.step()
    worker.step()
    slow.publishers[0].deliver(1)
    worker.step()
    assert [commit.settled for commit in slow.store.attempts] == [0, 0, 1]


# memory


def test_memory_stays_bounded_however_many_accounts_pass(shard: Shard) -> None:
    shard.send(*[add(n, account=f"account-{n}") for n in range(1, 401)])
    worker = shard.drain(shard.worker(batch_records_max=20, streams_max=30))
    assert worker._tenure is not None
    assert len(worker._tenure.cache) <= 30
    assert worker._tenure.snapshots_due == {}
    assert worker._tenure.arrived == []


def test_an_evicted_account_is_decided_on_as_if_it_had_stayed(shard: Shard) -> None:
    shard.send(*[add(n, account=f"account-{n % 7}") for n in range(1, 101)])
    shard.drain(shard.worker(batch_records_max=3, streams_max=1))
    assert [shard.count(f"account-{n}").total for n in range(7)] == [14, 15, 15, 14, 14, 14, 14]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 250), st.integers(-5, 5)), min_size=180, max_size=300))
def test_a_live_account_is_what_its_history_folds_to(wishes: list[tuple[int, int]]) -> None:
    shard = Shard()
    shard.send(*[add(n, n % 3, issued_at=NOW + ahead * 100_000) for n, ahead in wishes])
    worker = shard.drain(shard.worker(batch_records_max=7, snapshot_every=10))
    assert worker._tenure is not None
    live = worker._tenure.cache.get("a")
    replayed = load_stream(shard.store, COUNTER, CODEC, "a")
    assert live is not None
    image = StreamReader(COUNTER, CODEC).snapshot
    assert image(live) == image(replayed)


# engines that are away


def test_an_engine_that_is_away_while_committing_leaves_the_batch_pending(
    shard: Shard,
) -> None:
    shard.store.faults = ["unavailable"]
    shard.send(add(1))
    worker = shard.worker()
    with pytest.raises(Unavailable):
        worker.step()
    shard.drain(worker)
    assert shard.outcomes() == ["1: AllowanceGranted"]
    assert len({commit.commit_id for commit in shard.store.attempts}) == 1


def test_closing_while_the_topic_is_away_leaves_publishing_to_the_successor() -> None:
    down = Down()
    down.send(add(1))
    worker = down.worker()
    with pytest.raises(Unavailable):
        worker.step()
    worker.close()
    assert [number for number, _ in down.store.resume(0).unpublished] == [1]


def test_counts_of_a_step_that_raised_in_the_end_are_not_lost() -> None:
    down = Down()
    down.send(add(1))
    worker = down.worker()
    with pytest.raises(Unavailable):
        worker.step()
    assert worker.counts.accepted == 1
    assert down.outcomes() == ["1: AllowanceGranted"]


class Down(Shard):
    """No publisher can be opened."""

    def _publisher(self) -> object:  # type: ignore[override]
        raise Unavailable("nobody there.")


def test_an_outcome_that_stays_unknown_is_asked_again_and_nothing_else_is_decided(
    shard: Shard,
) -> None:
    shard.store.faults = ["lost"] * 7
    shard.send(add(1))
    worker = shard.worker()
    with pytest.raises(OutcomeUnknown, match="try again"):
        worker.step()
    shard.send(add(2))
    shard.drain(worker)
    assert shard.count().total == 2
    assert len({commit.commit_id for commit in shard.store.attempts[:8]}) == 1


@pytest.mark.parametrize("fault", ["crash", "crash after"])
def test_a_crash_at_the_commit_is_repaired_by_whoever_resumes(shard: Shard, fault: str) -> None:
    shard.store.faults = [fault]
    shard.send(add(1), add(2))
    with pytest.raises(Crash):
        shard.worker().step()
    shard.drain()
    assert shard.count().total == 2
    assert shard.published() == [1, 2]
