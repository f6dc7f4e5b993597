"""The projector's role folds the shards that are its own, of every living generation."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from airside.adapters.memory_log import MemoryLog
from airside.adapters.memory_view_store import MemoryViewStore
from airside.projecting import FOLLOW_MS, Projecting
from airside.rebuilds import Rebuild
from airside.world.assigned import Assigned
from projectors.all import PROJECTIONS
from projectors.generations import serving
from projectors.read_side import ReadSide
from projectors.view_store import Registry
from schemas.codec import CODEC
from schemas.errors import Contradiction
from schemas.record import EVENTS_TOPIC
from tests.kit.happenings import history, issued

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

    def projector(
        self, assigned: Assigned, rebuild: Rebuild = "no", rebuilds: Any = None
    ) -> Projecting:
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
            rebuild,
            rebuilds,
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


class Noted:
    """Rebuilds that only note what they were told."""

    def __init__(self) -> None:
        self.outdated: dict[str, Rebuild] = {}

    def look(self, outdated: Mapping[str, Rebuild]) -> None:
        self.outdated = dict(outdated)

    def close(self) -> None:
        pass


def outdated(stage: Stage, *, serving_other: bool, own: str) -> dict[str, Rebuild]:
    """What a projector finds outdated, where other code's `licenses` are served.

    `own` says what there is of its own code: "standby", "served before" or "nothing".
    """
    turns(stage.projector(Assigned(0)))
    found = stage.store.registry("licenses")
    mine = serving(found)
    other = replace(mine, number=9, fingerprint="other") if serving_other else mine
    kept = (mine, other) if own == "standby" else (other,)
    changed = replace(
        found,
        serving=other.number,
        generations=tuple(dict.fromkeys(kept)),
        served=("other",) if own == "nothing" else (mine.fingerprint, "other"),
    )
    stage.store.change_registry("licenses", found.revision, changed)
    noted = Noted()
    turns(stage.projector(Assigned(0), "promote", noted))
    return noted.outdated


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("nothing", {"licenses": "promote"}),
        ("standby", {}),  # another version of the code runs beside this one
        ("served before", {"licenses": "build"}),  # two versions must not take turns
    ],
)
def test_new_code_serves_what_it_rebuilds_and_old_code_leaves_that_to_a_person(
    stage: Stage, own: str, expected: dict[str, Rebuild]
) -> None:
    assert outdated(stage, serving_other=True, own=own) == expected


def test_read_models_of_this_code_are_not_rebuilt(stage: Stage) -> None:
    assert outdated(stage, serving_other=False, own="standby") == {}
