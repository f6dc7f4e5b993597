"""What the models warn of does not happen to the real handler and the real projector."""

import contextlib
from typing import Any

import pytest

from projectors.digest import digest_of
from schemas.record import EVENTS_TOPIC
from tests.kit.counter import id_of
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import TALLIES, plain_fold, plan_changed
from tests.protocol_model.explorer import Action, random_traces
from tests.protocol_model.read_side import Bounds as ReadBounds
from tests.protocol_model.read_side import ReadSide
from tests.protocol_model.replay_read import ReadReplay
from tests.protocol_model.replay_write import WriteReplay
from tests.protocol_model.rules import READ_SIDE, RULES, WRITE_SIDE, counterexample
from tests.protocol_model.write_side import WriteSide
from tests.protocol_model.write_state import Bounds as WriteBounds

WALKS = 150  # of each of the bounds
ACTIONS_MAX = 40
WRITES = [
    rule
    for rule, (bounds, _) in RULES.items()
    if isinstance(bounds, WriteBounds) and not bounds.archives and not bounds.deletes_input
]
READS = [rule for rule, (bounds, _) in RULES.items() if isinstance(bounds, ReadBounds)]
WALKED = [n for n, b in WRITE_SIDE.items() if not b.archives and not b.deletes_input]


def expect_written(bounds: WriteBounds, trace: tuple[Action, ...]) -> int:
    """The write side's laws after a trace; how many actions meant something."""
    replay = WriteReplay(bounds)
    with contextlib.closing(replay.shard.log):
        shard = replay.run(trace)
    shard.check_laws()
    decided = sorted(event.command_id for event in shard.events())
    assert decided == sorted(id_of(c + 1) for c in set(bounds.topic)), "each command once"
    assert shard.parked() == []
    return replay.done


def expect_read(bounds: ReadBounds, trace: tuple[Action, ...]) -> int:
    """The read side's laws after a trace; the seq that both workers agree on."""
    replay = ReadReplay(bounds)
    for bench in (replay.run(trace), replay.go_on()):
        rows = plain_fold(TALLIES, bench.history[0])
        assert bench.rows() == rows
        checkpoint = bench.checkpoint()
        assert (checkpoint.seq, checkpoint.digest) == (len(bounds.accounts), digest_of(rows))
    return checkpoint.seq


@pytest.mark.parametrize("rule", WRITES)
def test_the_handler_survives_the_counterexample_of_every_rule(rule: str) -> None:
    bounds: Any = RULES[rule][0]
    assert expect_written(bounds, counterexample(rule).trace) > 0


@pytest.mark.parametrize("rule", READS)
def test_the_projector_survives_the_counterexample_of_every_rule(rule: str) -> None:
    bounds: Any = RULES[rule][0]
    assert expect_read(bounds, counterexample(rule).trace) == len(bounds.accounts)


@pytest.mark.parametrize("name", WALKED)
def test_the_handler_survives_what_the_model_does_by_chance(name: str) -> None:
    bounds = WRITE_SIDE[name]
    walks = random_traces(
        WriteSide(bounds).model(), seed=7, count=WALKS, actions_max=ACTIONS_MAX
    )
    assert sum(expect_written(bounds, walk) for walk in walks) > WALKS


@pytest.mark.parametrize("name", READ_SIDE)
def test_the_projector_survives_what_the_model_does_by_chance(name: str) -> None:
    bounds = READ_SIDE[name]
    model = ReadSide(bounds).model()
    walks = list(random_traces(model, seed=7, count=WALKS, actions_max=ACTIONS_MAX))
    assert len(walks) == WALKS
    assert {expect_read(bounds, walk) for walk in walks} == {len(bounds.accounts)}


def test_a_successor_goes_on_with_the_filling_of_an_emptied_topic() -> None:
    """R4.kept: no record tells it of the hole, so the checkpoint's offset has to."""
    bench = Bench(TALLIES)
    bench.publish(*map(plan_changed, "aaa"))
    bench.log.delete(EVENTS_TOPIC, 0, before=3)
    bench.worker(batch_max=1, fill=bench.fill).step()
    drain(bench.worker(batch_max=1, fill=bench.fill))
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])
    assert (bench.checkpoint().seq, bench.checkpoint().offset) == (3, 3)
