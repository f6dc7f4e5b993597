"""Lag in records and in seconds, positions, generations and replays under way."""

import pytest
from msgspec.structs import replace

from airside.telemetry.metrics import Metrics
from airside.telemetry.standing import OfGeneration, Place
from projectors.view_store import Builder, Generation, Registry, Verified
from tests.kit.exposed import Samples, has, page_of, value

LIVE = Generation("downloads", 1, "f", created_at=1, promoted_at=2)
BUILT = Generation("downloads", 2, "f", created_at=3)


class Watch:
    """Metrics with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.metrics = Metrics(lambda: self.now)
        self.standing = self.metrics.standing

    @property
    def page(self) -> Samples:
        return page_of(self.metrics.registry)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_lag_is_what_lies_between_the_position_and_the_end(watch: Watch) -> None:
    place = watch.standing.handled[3] = Place(next_offset=40)
    place.look(57, watch.now)
    assert value(watch.page, "airside_handler_lag_commands", shard="3") == 17


def test_lag_is_not_told_before_the_end_was_looked_at(watch: Watch) -> None:
    watch.standing.handled[3] = Place(next_offset=40)
    assert not has(watch.page, "airside_handler_lag_commands")
    assert not has(watch.page, "airside_handler_lag_seconds")
    assert value(watch.page, "airside_handler_next_offset", shard="3") == 40


def test_who_is_even_is_not_late_however_old_the_last_record_is(watch: Watch) -> None:
    place = watch.standing.handled[0] = Place(next_offset=57, at=1)
    place.look(57, watch.now)
    watch.now += 3_600_000
    assert value(watch.page, "airside_handler_lag_seconds") == 0


def test_the_first_record_after_a_quiet_hour_is_not_an_hour_late(watch: Watch) -> None:
    place = watch.standing.handled[0] = Place(next_offset=57, at=1)
    watch.now += 3_600_000
    place.look(57, watch.now)
    watch.now += 2_000
    place.look(58, watch.now)
    assert value(watch.page, "airside_handler_lag_seconds") == 2


def test_who_works_at_a_backlog_is_as_late_as_the_last_record_handled(watch: Watch) -> None:
    place = watch.standing.handled[0] = Place(next_offset=10, at=watch.now - 30_000)
    place.look(500, watch.now)
    assert value(watch.page, "airside_handler_lag_seconds") == 30


def test_lag_in_seconds_grows_while_nothing_is_done(watch: Watch) -> None:
    place = watch.standing.handled[0] = Place(next_offset=10, at=watch.now - 30_000)
    place.look(500, watch.now)
    watch.now += 60_000
    assert value(watch.page, "airside_handler_lag_seconds") == 90


def test_a_shard_that_was_left_is_gone_from_the_page(watch: Watch) -> None:
    one = OfGeneration(LIVE, 2)
    watch.standing.projected[one.key] = one
    assert has(watch.page, "airside_projection_seq", shard="2")
    watch.standing.leave(one)
    assert not has(watch.page, "airside_projection_seq")


def test_a_successor_is_not_taken_off_the_page_by_who_was_before(watch: Watch) -> None:
    before, after = OfGeneration(LIVE, 2), OfGeneration(LIVE, 2)
    watch.standing.projected[before.key] = before
    watch.standing.projected[after.key] = after
    watch.standing.leave(before)
    assert has(watch.page, "airside_projection_seq", shard="2")


def test_a_generation_says_what_it_is_to_its_projection(watch: Watch) -> None:
    for generation in (LIVE, BUILT):
        one = OfGeneration(generation, 0)
        one.place.seq = generation.number * 10
        watch.standing.projected[one.key] = one
    watch.standing.learn("downloads", Registry(serving=1, generations=(LIVE, BUILT)))
    seq = "airside_projection_seq"
    assert value(watch.page, seq, state="serving", generation="1") == 10
    assert value(watch.page, seq, state="building", generation="2") == 20
    assert value(watch.page, "airside_generations", projection="downloads") == 2


def test_a_replay_under_way_tells_how_far_it_is_and_how_long_it_takes(watch: Watch) -> None:
    builder = Builder("p", "c", phase="building", done=30, total=90, eta_seconds=12.5)
    built = replace(BUILT, builder=builder)
    watch.standing.learn("downloads", Registry(serving=1, generations=(LIVE, built)))
    labels = {"projection": "downloads", "generation": "2", "phase": "building"}
    assert value(watch.page, "airside_replay_done", **labels) == 30
    assert value(watch.page, "airside_replay_goal", **labels) == 90
    assert value(watch.page, "airside_replay_eta_seconds", **labels) == 12.5


def test_an_eta_that_nobody_can_tell_yet_is_not_told(watch: Watch) -> None:
    built = replace(BUILT, builder=Builder("p", "c"))
    watch.standing.learn("downloads", Registry(serving=1, generations=(LIVE, built)))
    assert not has(watch.page, "airside_replay_eta_seconds")
    assert value(watch.page, "airside_replay_done", phase="begun") == 0


def test_differences_count_until_somebody_accepts_them(watch: Watch) -> None:
    found = Verified(at=5, rows=100, different=7)
    live = replace(LIVE, verified=found)
    watch.standing.learn("downloads", Registry(serving=1, generations=(live,)))
    assert value(watch.page, "airside_generation_differences", state="serving") == 7
    live = replace(LIVE, verified=replace(found, accepted=True))
    watch.standing.learn("downloads", Registry(serving=1, generations=(live,)))
    assert not has(watch.page, "airside_generation_differences")
