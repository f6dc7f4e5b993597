import pytest

from projectors.titles import PROJECTION, Tally, merged
from schemas import events
from schemas.envelope import Event
from tests.kit.fold import row_of, rows_of
from tests.kit.happenings import (
    NOW,
    expired,
    happened,
    history,
    issued,
    refused,
    released,
    renewed,
    revoked,
)


def row(*happenings: Event) -> Tally:
    return row_of(PROJECTION, "t1", *history(*happenings))


def test_everything_that_happens_to_a_title_is_tallied() -> None:
    found = row(
        issued(1),
        issued(2, counted=False),
        issued(3),
        renewed(1),
        released(1),
        expired(2),
        revoked(3),
        happened(events.DownloadCounted),
        happened(events.DownloadRefunded),
        refused("TITLE_WITHDRAWN", title_id="t1"),
    )
    assert found == Tally(
        version=10,
        at=NOW,
        issued=3,
        renewed=1,
        released=1,
        expired=1,
        revoked=1,
        active=0,
        counted=4,
        refunded=1,
        refused={"TITLE_WITHDRAWN": 1},
    )


@pytest.mark.parametrize(
    ("happenings", "active"),
    [
        ((issued(),), 1),
        ((issued(), renewed()), 1),
        ((issued(), released()), 0),
        ((issued(), revoked()), 0),
        ((issued(), expired()), 0),
        ((issued(), expired(), renewed(was_expired=True)), 1),
        ((issued(), expired(), released(was_expired=True)), 0),
        ((issued(), expired(), revoked(was_expired=True)), 0),
        ((issued(), expired(), renewed(was_expired=True), expired()), 0),
        ((issued(), expired(), renewed(was_expired=True), released()), 0),
    ],
    ids=lambda value: str(value)[:0] or None,
)
def test_a_license_is_active_until_it_is_over_once(
    happenings: tuple[Event, ...], active: int
) -> None:
    assert row(*happenings).active == active


def test_a_session_is_one_play_however_often_it_is_reported() -> None:
    found = row(
        happened(events.PlaybackReported, late=True),
        happened(events.PlaybackReported, late=True, counted=False),
    )
    assert (found.plays, found.late_plays) == (1, 1)


def test_a_refusal_that_names_no_title_is_nobodys() -> None:
    nameless = refused("DEVICE_UNKNOWN", title_id=None)
    assert rows_of(PROJECTION, history(nameless)) == {}


def test_shards_are_summed() -> None:
    one = row(issued(1), refused("A", title_id="t1"), refused("B", title_id="t1"))
    other = row(issued(2, at=NOW + 5), released(2), refused("A", title_id="t1"))
    assert merged([one, other]) == Tally(
        version=6,
        at=NOW + 5,
        issued=2,
        released=1,
        active=1,
        counted=2,
        refused={"A": 2, "B": 1},
    )
