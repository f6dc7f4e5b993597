"""A worker is killed at an exact point of its work; whoever comes next finishes it.

The process kills itself (tests/kit/dying.py), so each point is hit, every time.
"""

import signal
from collections.abc import Iterator

import pytest

from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.kit.cli import Shell, at_work
from tests.kit.dying import Struck, struck, trapped
from tests.kit.engines import on_engines, running
from tests.kit.load import under_load
from tests.kit.witness import Witness

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

CALL = 8  # which commit or save it is struck at, without the first of each shard


@pytest.fixture(scope="module")
def shell(
    cassandra: CassandraNode,
    impatient_kafka: KafkaBroker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shell]:
    directory = tmp_path_factory.mktemp("killed")
    with running(ValkeyServer(directory / "valkey")) as views:
        yield on_engines(
            directory / "data",
            events=f"cassandra://{cassandra.address}",
            log=impatient_kafka.url,
            views=views.url,
        )


def killed_at(shell: Shell, role: str, point: str) -> Struck:
    """What a worker had in hand when it died there."""
    with trapped(shell, role, point, call=CALL, number=signal.SIGKILL) as victim:
        found = struck(victim)
        assert victim.process.wait(timeout=10) == -signal.SIGKILL
        return found


def left_behind(seen: Witness, held: Struck) -> tuple[bool, bool, bool]:
    """Whether all events of the commit are stored, in the index, and published."""
    seqs = set(range(held.first_seq, held.last_seq + 1))
    return (
        seen.stored()[held.shard] >= held.last_seq,
        seqs <= seen.seqs_in_index(held.shard),
        seqs <= set(seen.seqs_on_topic(held.shard)),
    )


@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("before the commit", (False, False, False)),
        ("before the index", (True, False, False)),
        ("before publishing", (True, True, False)),
        ("published", (True, False, True)),
        ("before settling", (True, True, True)),
    ],
)
def test_a_handler_killed_anywhere_leaves_nothing_undone_or_done_twice(
    shell: Shell, point: str, left: tuple[bool, bool, bool]
) -> None:
    with under_load(shell) as load, at_work(shell, "project"):
        with load.running():
            held = killed_at(shell, "handle", point)
            found = left_behind(load.seen, held)
        before = sum(load.seen.stored())
        with at_work(shell, "handle"):
            after = load.finish()
    assert found == left
    assert after > before, "something was left to do"


@pytest.mark.parametrize("point", ["save sent", "before the save"])
def test_a_projector_killed_anywhere_counts_every_event_once(shell: Shell, point: str) -> None:
    with under_load(shell) as load, at_work(shell, "handle"):
        with load.running():
            held = killed_at(shell, "project", point)
            found = load.seen.folded_into(held.generation, held.shard)
            load.seen.sees_more_stored()
        with at_work(shell, "project"):
            after = load.finish()
    assert found in (held.first_seq - 1, held.last_seq), "all of a save or nothing"
    assert found < after, "something was left to do"
