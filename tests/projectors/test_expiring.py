from projectors.expiring import (
    BUCKET_MS,
    PROJECTION,
    Expiry,
    bucket_of,
    buckets,
    expiries_of,
    merged,
)
from schemas import events
from schemas.envelope import Event
from tests.kit.fold import rows_of
from tests.kit.happenings import (
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

DUE = NOW + TERM
LATER = DUE + BUCKET_MS


def filed(*happenings: Event) -> dict[str, dict[str, int]]:
    rows = rows_of(PROJECTION, history(*happenings))
    return {
        key: {license_id[-1]: one.at for license_id, one in expiries_of(row).items()}
        for key, row in rows.items()
    }


def test_a_license_is_filed_under_its_ten_minutes() -> None:
    row = rows_of(PROJECTION, history(issued()))["2026-12-24T06:00"]
    assert (row.bucket, row.version) == ("2026-12-24T06:00", 1)
    assert expiries_of(row) == {id_of(1): Expiry("a1", DUE)}


def test_a_renewal_moves_it() -> None:
    moved = renewed(expires_at=LATER, previous_expires_at=DUE)
    assert filed(issued(), moved) == {bucket_of(LATER): {"1": LATER}}


def test_a_renewal_within_the_same_ten_minutes_keeps_it_there() -> None:
    moved = renewed(expires_at=DUE + 1, previous_expires_at=DUE)
    assert filed(issued(), moved) == {bucket_of(DUE): {"1": DUE + 1}}


def test_a_renewal_after_the_expiry_files_it_again() -> None:
    moved = renewed(expires_at=LATER, previous_expires_at=DUE, was_expired=True)
    assert filed(issued(), expired(), moved) == {bucket_of(LATER): {"1": LATER}}


def test_the_first_play_moves_it() -> None:
    moved = happened(events.PlayWindowOpened, expires_at=NOW, previous_expires_at=DUE)
    assert filed(issued(), moved) == {bucket_of(NOW): {"1": NOW}}


def test_what_is_over_is_struck_and_an_empty_row_deleted() -> None:
    three = (issued(1), issued(2), issued(3))
    assert filed(*three, released(1), revoked(2)) == {bucket_of(DUE): {"3": DUE}}
    assert filed(*three, released(1), revoked(2), expired(3)) == {}


def test_a_timekeeper_that_came_too_early_is_told_when() -> None:
    noted = happened(events.CommandNoted, due_at=DUE, next_due_at=LATER)
    assert filed(issued(), noted) == {bucket_of(LATER): {"1": LATER}}


def test_a_timekeeper_that_came_too_late_does_not_come_again() -> None:
    noted = happened(events.CommandNoted, due_at=DUE, next_due_at=None)
    assert filed(issued(), noted) == {}


def test_notes_of_other_commands_are_skipped() -> None:
    noted = happened(events.CommandNoted, command_type="ReleaseLicense")
    assert filed(issued(), noted) == {bucket_of(DUE): {"1": DUE}}


def test_a_license_that_is_not_filed_can_be_struck() -> None:
    assert filed(released(1), expired(2), revoked(3)) == {}


def test_shards_are_put_together() -> None:
    rows = (rows_of(PROJECTION, history(issued(n)))[bucket_of(DUE)] for n in (1, 2))
    total = merged(rows)
    assert (total.bucket, total.version) == (bucket_of(DUE), 2)
    assert set(expiries_of(total)) == {id_of(1), id_of(2)}


def test_the_buckets_of_an_hour_are_seven_and_sorted() -> None:
    names = buckets(NOW, NOW + 3_600_000)
    assert (len(names), names[0], names[-1]) == (7, "2026-11-24T06:00", "2026-11-24T07:00")
    assert names == sorted(names)
