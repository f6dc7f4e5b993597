"""The handler's role works on the shards that are its own, and finishes before it lets go."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airside.handling import HALT_SECONDS, Handling, handling
from airside.settings import Settings
from airside.wiring import open_deployment
from airside.world.assigned import Assigned
from commands.batch import Counts
from commands.handler import Step
from schemas.errors import Contradiction, Hole, Unavailable
from schemas.record import EVENTS_TOPIC


class Recorded:
    """A shard's handler that writes down what is asked of it."""

    def __init__(self, shard: int, told: list[str]) -> None:
        self.shard, self._told = shard, told
        self.counts = Counts()
        self.error: Exception | None = None
        self.is_fenced = False
        self._is_under_way = False

    def begin(self) -> Step:
        self._told.append(f"begin {self.shard}")
        if self.error is not None:
            raise self.error
        self._is_under_way = True
        return Step(polled=1)

    def finish(self) -> Step:
        if not self._is_under_way:
            return Step()
        self._told.append(f"finish {self.shard}")
        self._is_under_way = False
        if self.is_fenced:
            return Step(fenced=True)
        self.counts.accepted += 1
        return Step(polled=1)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def opened() -> dict[int, Recorded]:
    return {}


@pytest.fixture
def assigned() -> Assigned:
    return Assigned(0, 1)


@pytest.fixture
def role(told: list[str], opened: dict[int, Recorded], assigned: Assigned) -> Handling:
    @contextmanager
    def open_handler(shard: int) -> Iterator[Recorded]:
        opened[shard] = Recorded(shard, told)
        told.append(f"open {shard}")
        yield opened[shard]
        told.append(f"close {shard}")

    return Handling(assigned, open_handler)  # type: ignore[arg-type]


def test_shards_are_taken_up_as_they_are_assigned(
    role: Handling, told: list[str], assigned: Assigned
) -> None:
    assigned.next = frozenset({1})
    role.turn()
    assigned.next = frozenset({1, 2})
    assert role.turn() == 2
    assert told == ["open 1", "begin 1", "finish 1", "begin 1", "open 2", "begin 2"]


def test_a_shard_is_closed_before_it_is_given_up_and_the_others_go_on(
    role: Handling, told: list[str], assigned: Assigned
) -> None:
    role.turn()
    told.clear()
    assigned.next = frozenset({0})
    role.turn()
    assert told == ["close 1", "finish 0", "begin 0"]


def test_a_shard_that_was_lost_is_let_go_of(
    role: Handling, told: list[str], assigned: Assigned
) -> None:
    role.turn()
    told.clear()
    assigned.lose(0)
    role.turn()
    assert told == ["close 0", "finish 1", "begin 1"]


def test_counts_of_a_shard_that_was_given_up_are_kept(
    role: Handling, assigned: Assigned
) -> None:
    role.turn()
    role.turn()
    assigned.next = frozenset({0})
    role.turn()
    assert role.counts.accepted == 3


def test_trouble_with_one_shard_is_told_after_the_others_had_their_turn(
    role: Handling, told: list[str], opened: dict[int, Recorded]
) -> None:
    role.turn()
    opened[0].error = Unavailable("away.")
    told.clear()
    with pytest.raises(Unavailable):
        role.turn()
    assert told == ["finish 0", "begin 0", "finish 1", "begin 1"]


def test_a_halted_shard_halts_no_other_and_is_tried_by_whoever_gets_it_next(
    role: Handling, told: list[str], opened: dict[int, Recorded], assigned: Assigned
) -> None:
    role.turn()
    opened[0].error = Hole("commit 7 is missing.")
    role.turn()
    assert role.halted == {0: "commit 7 is missing."}
    told.clear()
    role.turn()
    assert told == ["finish 1", "begin 1"]
    assigned.next = frozenset({1})
    role.turn()
    assert role.halted == {}


def test_a_halted_shard_is_tried_again_after_a_while_and_goes_on_if_it_was_mended(
    role: Handling,
    told: list[str],
    opened: dict[int, Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(role, "_monotonic", lambda: now[0])
    role.turn()
    opened[0].error = Hole("commit 7 is missing.")
    role.turn()
    now[0] = HALT_SECONDS
    role.turn()
    assert role.halted == {0: "commit 7 is missing."}
    opened[0].error = None
    told.clear()
    role.turn()
    now[0] = 2 * HALT_SECONDS
    role.turn()
    assert told == ["finish 1", "begin 1", "begin 0", "finish 1", "begin 1"]
    assert role.halted == {0: "commit 7 is missing."}
    role.turn()
    assert role.halted == {}


def test_a_shard_whose_every_commit_is_fenced_is_given_up_in_the_end(
    role: Handling, opened: dict[int, Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.handling.MOVES_MAX", 1)
    role.turn()
    opened[0].is_fenced = True
    role.turn()  # fenced, and nothing begun
    role.turn()
    assert role.halted == {}
    role.turn()
    assert list(role.halted) == [0]


def test_closing_lets_go_of_every_shard_and_then_of_the_group(
    role: Handling, told: list[str], assigned: Assigned
) -> None:
    role.turn()
    role.close()
    assert (told[-2:], assigned.is_closed) == (["close 0", "close 1"], True)


def test_a_log_of_another_layout_is_refused(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "a", shards=2)
    with open_deployment(settings) as deployment:
        with deployment.event_store() as store:
            store._connection.execute("UPDATE layout SET shards = 3")  # type: ignore[attr-defined]
            store._connection.commit()  # type: ignore[attr-defined]
        with (
            pytest.raises(Contradiction, match=r"topic commands has 2 partitions, .* for 3"),
            handling(deployment),
        ):
            pass


def test_laying_out_again_makes_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "a", shards=2)
    with open_deployment(settings) as deployment:
        made = deployment.lay_out()
    assert list(made) == [
        "event store, 2 shards",
        "topic commands, 2 partitions",
        f"topic {EVENTS_TOPIC}, 2 partitions",
        "topic catalog, 1 partition",
    ]
    assert not any(made.values())


def test_the_group_is_left_also_where_a_shard_cannot_be_let_go_of(assigned: Assigned) -> None:
    @contextmanager
    def open_handler(shard: int) -> Iterator[Recorded]:
        yield Recorded(shard, [])
        raise Unavailable("away.")

    role = Handling(assigned, open_handler)  # type: ignore[arg-type]
    role.turn()
    with pytest.raises(Unavailable):
        role.close()
    assert assigned.is_closed
