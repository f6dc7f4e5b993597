"""Roles that are watched tell what they do, what fails and what stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airside.handling import handling
from airside.projecting import projecting, rebuilding
from airside.running import Role
from airside.telemetry import roles
from airside.telemetry.read_side import Watched, WatchedViewStore, WorkerViewStore
from airside.telemetry.standing import OfGeneration
from airside.telemetry.watching import Watching
from projectors.all import PROJECTIONS
from projectors.replay import replay
from projectors.view_store import Checkpoint, Generation
from schemas.errors import Fenced, Unavailable
from tests.kit.exposed import has, page_of, value
from tests.kit.watched import Stage, opening, staged, until_idle


@pytest.fixture
def stage(tmp_path: Path, engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(roles, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(roles, "ENDS_SECONDS", 0.0)
    with staged(tmp_path) as found:
        yield found


@contextmanager
def handler(stage: Stage) -> Iterator[Role]:
    with stage.watching.role("handler", handling(stage.deployment)) as role:
        yield role


@contextmanager
def projector(stage: Stage) -> Iterator[Role]:
    with stage.watching.role("projector", projecting(stage.deployment)) as role:
        yield role


def test_a_handler_tells_what_became_of_commands(stage: Stage) -> None:
    command = opening("a1")
    stage.send(command, command, opening("a2"))
    with handler(stage) as role:
        until_idle(role)
        page = stage.page
    assert value(page, "airside_commands_total", outcome="accepted") == 2
    assert value(page, "airside_commands_total", outcome="repeats") == 1
    assert value(page, "airside_events_stored_total") == 2
    assert value(page, "airside_handler_seq") == 2
    assert value(page, "airside_event_store_seconds_count", operation="commit") >= 1
    assert value(page, "airside_role_records_total", role="handler") == 3
    assert value(page, "airside_handler_lag_commands") == 0


def test_accounts_in_memory_are_not_asked_for_again(stage: Stage) -> None:
    stage.send(opening("a1"))
    with handler(stage) as role:
        until_idle(role)
        stage.send(opening("a1"))
        until_idle(role)
        page = stage.page
    assert value(page, "airside_commands_total") == 2
    assert value(page, "airside_accounts_loaded_total") == 1


def test_a_command_that_cannot_be_read_holds_its_account(stage: Stage) -> None:
    stage.send_junk("a1")
    stage.send(opening("a1"))
    with handler(stage) as role:
        until_idle(role)
        page = stage.page
    assert value(page, "airside_handler_parked_accounts") == 1
    assert value(page, "airside_commands_total", outcome="parked") == 2


def test_commands_that_nobody_handles_are_lag(stage: Stage) -> None:
    with handler(stage) as role:
        until_idle(role)
        stage.send(opening("a1"), opening("a1"), opening("a1"))
        stage.watching._look_at_commands()
        page = stage.page
    assert value(page, "airside_handler_lag_commands") == 3
    assert value(page, "airside_log_append_seconds_count", topic="commands") == 1


def test_shards_that_were_left_are_not_told_of(stage: Stage) -> None:
    with handler(stage) as role:
        until_idle(role)
        assert has(stage.page, "airside_handler_seq", shard="1")
    assert not has(stage.page, "airside_handler_seq")


def test_a_projector_tells_what_it_folds_and_how_far_it_is(stage: Stage) -> None:
    stage.send(opening("a1"), opening("a1"), opening("a2"))
    with handler(stage) as deciding, projector(stage) as role:
        until_idle(deciding)
        until_idle(role)
        page = stage.page
    of_timeline = {"projection": "timeline"}
    assert value(page, "airside_events_folded_total", **of_timeline) == 3
    assert value(page, "airside_projection_seq", state="serving", **of_timeline) == 3
    assert value(page, "airside_projection_lag_events") == 0
    assert value(page, "airside_event_age_seconds_count", **of_timeline) >= 1
    assert value(page, "airside_generations", state="serving") == len(PROJECTIONS)


def test_a_replay_is_seen_while_it_is_under_way(stage: Stage) -> None:
    stage.send(opening("a1"), opening("a2"))
    with handler(stage) as deciding, projector(stage) as role:
        until_idle(deciding)
        until_idle(role)
    seen = []
    with rebuilding(stage.deployment, "topic", shares=2) as side:
        replay(PROJECTIONS[0], side, report=lambda progress: seen.append(stage.page))
    phases = [
        phase
        for phase in ("building", "verifying")
        if any(has(page, "airside_replay_goal", phase=phase) for page in seen)
    ]
    assert "building" in phases
    assert not has(stage.page, "airside_replay_goal")
    assert value(stage.page, "airside_generations", state="standby") == 1


class Failing:
    """A role whose engine is away."""

    name = "handler"

    def turn(self) -> int:
        raise Unavailable("no answer")


@contextmanager
def failing() -> Iterator[Role]:
    yield Failing()


@contextmanager
def not_opened() -> Iterator[Role]:
    raise Unavailable("no answer")
    yield Failing()


def test_turns_that_fail_are_counted_and_told_on() -> None:
    watching = Watching(lambda: 0)
    with watching.role("handler", failing()) as role, pytest.raises(Unavailable):
        role.turn()
    page = page_of(watching.metrics.registry)
    assert value(page, "airside_role_retries_total", role="handler", error="Unavailable") == 1
    assert value(page, "airside_role_last_turn_timestamp_seconds", role="handler") == 0


def test_a_role_that_cannot_be_opened_is_counted_too() -> None:
    watching = Watching(lambda: 0)
    with pytest.raises(Unavailable), watching.role("projector", not_opened()):
        pass
    page = page_of(watching.metrics.registry)
    assert value(page, "airside_role_retries_total", role="projector") == 1


class Halted:
    """A role with shards that stand still."""

    name = "projector"

    @property
    def halted(self) -> dict[str, str]:
        return {"downloads.1, shard 0": "a hole", "downloads.1, shard 1": "a hole"}

    def turn(self) -> int:
        return 0


@contextmanager
def halted() -> Iterator[Role]:
    yield Halted()


def test_shards_that_stand_still_are_told() -> None:
    watching = Watching(lambda: 0)
    with watching.role("projector", halted()) as role:
        role.turn()
    assert value(page_of(watching.metrics.registry), "airside_role_halted_shards") == 2


class Refusing:
    """A view store that somebody else was faster at; one that sends no save ahead."""

    def save(self, *own: object, **more: object) -> None:
        raise Fenced("the shard has moved")


def test_a_refused_save_is_a_fence_and_moves_nothing() -> None:
    watching = Watching(lambda: 0)
    metrics = watching.metrics
    one = OfGeneration(Generation("downloads", 1, "f", 1), 0)
    watched = Watched(one, metrics.projector, lambda: 0)
    store = Refusing()
    calls = WatchedViewStore(store, metrics.projector, metrics.standing)  # type: ignore[arg-type]
    worker = WorkerViewStore(store, calls, watched)  # type: ignore[arg-type]
    after = Checkpoint(seq=3)
    with pytest.raises(Fenced):
        worker.save(one.generation, 0, expected=Checkpoint(), checkpoint=after, rows={})
    errors = "airside_view_store_errors_total"
    assert value(page_of(metrics.registry), errors, operation="save", error="Fenced") == 1
    assert one.place.seq == 0
