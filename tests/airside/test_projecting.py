"""The projector's role folds the shards that are its own, of every living generation."""

import pytest

from airside.adapters.memory_log import MemoryLog
from airside.adapters.memory_view_store import MemoryViewStore
from airside.projecting import FOLLOW_MS, Projecting
from projectors.all import PROJECTIONS
from projectors.generations import serving
from projectors.read_side import ReadSide
from projectors.view_store import Registry
from schemas.codec import CODEC
from schemas.errors import Contradiction
from schemas.record import EVENTS_TOPIC
from tests.kit.happenings import history, issued
from tests.kit.members import Assigned

SHARDS = 2


class Stage:
    """Two shards with one event each, and any number of projectors."""

    def __init__(self) -> None:
        self.now_at = 1_000
        self.log = MemoryLog(lambda: self.now_at)
        self.log.create_topic(EVENTS_TOPIC, SHARDS)
        self.store = MemoryViewStore()
        for shard in range(SHARDS):
            values = [CODEC.encode(event) for event in history(issued(1))]
            self.log.append(EVENTS_TOPIC, shard, [(b"a1", value) for value in values])

    def projector(self, assigned: Assigned) -> Projecting:
        return Projecting(
            assigned,
            ReadSide(
                codec=CODEC,
                store=self.store,
                shards=SHARDS,
                source=lambda shard: self.log.source(EVENTS_TOPIC, shard),
                clock=lambda: self.now_at,
                sleep=lambda seconds: None,
                history="h1",
            ),
        )

    def folded(self, projection: str = "licenses") -> list[int]:
        """The seq that each shard of the served generation has come to."""
        generation = serving(self.store.registry(projection))
        return [
            self.store.rows(generation, shard, ()).checkpoint.seq for shard in range(SHARDS)
        ]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def turns(role: Projecting, count: int = 3) -> None:
    for _ in range(count):
        role.turn()


def test_only_the_shards_that_are_assigned_are_folded(stage: Stage) -> None:
    turns(stage.projector(Assigned(1)))
    assert stage.folded() == [0, 1]


def test_a_shard_that_is_assigned_later_is_taken_up(stage: Stage) -> None:
    assigned = Assigned(1)
    role = stage.projector(assigned)
    turns(role)
    assigned.next = frozenset({0, 1})
    turns(role)
    assert stage.folded() == [1, 1]


def test_a_shard_that_was_given_up_is_folded_no_more(stage: Stage) -> None:
    assigned = Assigned(0, 1)
    role = stage.projector(assigned)
    turns(role)
    assigned.next = frozenset({0})
    turns(role)
    more = [CODEC.encode(event) for event in history(issued(1), issued(2))][1:]
    for shard in range(SHARDS):
        stage.log.append(EVENTS_TOPIC, shard, [(b"a1", value) for value in more])
    turns(role)
    assert stage.folded() == [2, 1]


def test_the_read_models_say_how_many_shards_they_have(stage: Stage) -> None:
    turns(stage.projector(Assigned(0)))
    registries = [stage.store.registry(projection.name) for projection in PROJECTIONS]
    assert {registry.shards for registry in registries} == {SHARDS}


def test_a_database_that_was_emptied_under_it_is_filled_anew(stage: Stage) -> None:
    role = stage.projector(Assigned(0, 1))
    turns(role)
    stage.store.__init__()  # type: ignore[misc]
    stage.now_at += 10 * FOLLOW_MS
    turns(role)
    assert stage.folded() == [1, 1]


def test_read_models_of_another_history_are_left_alone(stage: Stage) -> None:
    stage.store.change_registry("downloads", 0, Registry(history="h2"))
    with pytest.raises(Contradiction, match="of history h2, the events of history h1"):
        stage.projector(Assigned(0)).turn()


def test_closing_leaves_the_group(stage: Stage) -> None:
    assigned = Assigned(0)
    role = stage.projector(assigned)
    turns(role)
    role.close()
    assert assigned.is_closed
