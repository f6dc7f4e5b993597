import pytest

from projectors import licenses as rows
from projectors.licenses import State
from queries.licenses import LicensesAnswer, licenses, licenses_of
from queries.warnings import MemberWarning
from schemas import events
from schemas.envelope import Event
from schemas.errors import NotFound
from tests.kit.fold import row_of
from tests.kit.happenings import (
    DAY,
    NOW,
    TERM,
    expired,
    happened,
    history,
    id_of,
    issued,
    released,
    renewed,
    revoked,
)
from tests.kit.served import Served


def answer(
    *happenings: Event,
    at: int = NOW,
    device_id: str | None = None,
    state: State | None = None,
) -> LicensesAnswer:
    row = row_of(rows.PROJECTION, "a1", *history(*happenings))
    return licenses_of(row, "a1", at=at, device_id=device_id, state=state)


def test_a_license_is_expired_at_its_expiry_even_before_that_is_recorded() -> None:
    before = answer(issued(), at=NOW + TERM - 1).licenses[0]
    assert (before.state, before.expires_in_s) == ("ACTIVE", 0)
    after = answer(issued(), at=NOW + TERM).licenses[0]
    assert (after.state, after.recorded_state) == ("EXPIRED", "ACTIVE")
    assert after.expires_in_s is None


def test_a_renewed_license_is_active_again() -> None:
    given = (issued(), expired(), renewed(was_expired=True, expires_at=NOW + 2 * TERM))
    assert answer(*given, at=NOW + TERM).licenses[0].state == "ACTIVE"


def test_an_ended_license_does_not_expire() -> None:
    found = answer(issued(1), released(1), issued(2), revoked(2), at=NOW + 2 * TERM)
    assert [one.state for one in found.licenses] == ["RELEASED", "REVOKED"]


def test_licenses_of_one_device_are_asked_for() -> None:
    found = answer(issued(1), issued(2, device_id="d2"), device_id="d2")
    assert [one.license_id for one in found.licenses] == [id_of(2)]


@pytest.mark.parametrize(
    ("state", "expected"), [("ACTIVE", [1]), ("EXPIRED", [2]), ("REVOKED", [3])]
)
def test_the_state_that_is_asked_for_is_the_one_of_now(
    state: State, expected: list[int]
) -> None:
    given = (issued(1), issued(2, expires_at=NOW + 1), issued(3), revoked(3))
    found = answer(*given, at=NOW + 1, state=state)
    assert [one.license_id for one in found.licenses] == list(map(id_of, expected))


def test_the_latest_expiry_comes_first() -> None:
    found = answer(issued(1), issued(2, expires_at=NOW + 2 * TERM))
    assert [one.license_id for one in found.licenses] == [id_of(2), id_of(1)]


def test_a_license_that_ends_soon_is_warned_of_once_it_is_near() -> None:
    assert answer(issued()).warnings == ()
    near = answer(issued(), at=NOW + TERM - DAY)
    assert near.warnings == (MemberWarning("EXPIRES_SOON", "t1", id_of(1), days_left=1),)


def test_the_answer_comes_from_the_read_model() -> None:
    served = Served()
    served.happened(history(happened(events.AccountOpened), issued(), issued(2)))
    found = licenses(served.reader, "a1", at=NOW)
    assert found.standing is not None
    assert (found.version, len(found.licenses)) == (3, 2)


def test_an_unknown_account_is_told_the_next_step() -> None:
    with pytest.raises(NotFound, match="Check the id"):
        licenses(Served().reader, "a9", at=NOW)
