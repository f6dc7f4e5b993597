"""What the timekeeper is told to look at, and when."""

import pytest

from airside.timekeeping import (
    LOOK_AT_ALL_MS,
    LOOK_BACK_MS,
    TICK_MS,
    DueExpiries,
    Timekeeping,
)
from airside.world.assigned import Assigned
from commands.timekeeper import Due, Timekeeper
from schemas.envelope import Command
from schemas.errors import Unavailable
from tests.kit.happenings import NOW, history, issued
from tests.kit.served import Served


@pytest.fixture
def served() -> Served:
    return Served()


def test_what_has_expired_is_due_and_what_has_not_is_not(served: Served) -> None:
    served.happened(history(issued(1, expires_at=NOW - 5), issued(2, expires_at=NOW + 5)))
    assert [one.due_at for one in DueExpiries(served.reader)(NOW)] == [NOW - 5]


def test_an_expiry_long_past_that_comes_late_is_found_within_a_minute(served: Served) -> None:
    long_ago = NOW - 2 * LOOK_BACK_MS
    expiries = DueExpiries(served.reader)
    assert expiries(NOW) == []
    served.happened(history(issued(1, expires_at=long_ago)))
    assert expiries(NOW + 1_000) == []
    assert [one.due_at for one in expiries(NOW + LOOK_AT_ALL_MS)] == [long_ago]


def test_a_projection_that_lags_a_little_is_looked_back_for(served: Served) -> None:
    expiries = DueExpiries(served.reader)
    assert expiries(NOW) == []
    served.happened(history(issued(1, expires_at=NOW - LOOK_BACK_MS // 2)))
    assert len(expiries(NOW + 1_000)) == 1


@pytest.mark.parametrize(("assigned", "sent"), [(Assigned(0), 1), (Assigned(), 0)])
def test_of_several_timekeepers_the_one_that_is_assigned_sends(
    assigned: Assigned, sent: int
) -> None:
    due = Due(license_id="1" * 32, account_id="a1", due_at=NOW)
    told: list[Command] = []
    timekeeper = Timekeeper(lambda now_at: [due], told.extend)
    role = Timekeeping(assigned, lambda: NOW, timekeeper)
    assert (role.turn(), len(told)) == (sent, sent)


def test_an_engine_that_goes_away_is_told_and_one_that_never_came_is_waited_for() -> None:
    now, answers = [NOW], [False]

    def ask(_now_at: int) -> list[Due]:
        if not answers[0]:
            raise Unavailable("away.")
        return []

    role = Timekeeping(Assigned(0), lambda: now[0], Timekeeper(ask, lambda _commands: None))
    assert role.turn() == 0
    now[0] += TICK_MS
    answers[0] = True
    role.turn()
    now[0] += TICK_MS
    answers[0] = False
    with pytest.raises(Unavailable, match="away"):
        role.turn()
