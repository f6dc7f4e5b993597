from projectors import downloads, timeline
from queries.downloads import downloads_of
from queries.past import row_at
from schemas import events
from tests.kit.happenings import DAY, NOW, happened, history, issued, released

EVENTS = history(
    happened(events.AccountOpened),
    issued(at=NOW + DAY),
    released(at=NOW + 2 * DAY),
    happened(events.AccountErased, at=NOW + 3 * DAY),
)


def test_a_row_of_the_past_knows_nothing_of_what_came_after() -> None:
    row = row_at(downloads.PROJECTION, "a1", EVENTS, at=NOW + DAY)
    assert row is not None
    assert downloads_of(row, "a1", at=NOW + DAY).active == 1


def test_before_the_first_event_there_was_no_row() -> None:
    assert row_at(downloads.PROJECTION, "a1", EVENTS, at=NOW - 1) is None


def test_after_the_erasure_there_is_no_row() -> None:
    assert row_at(downloads.PROJECTION, "a1", EVENTS, at=NOW + 3 * DAY) is None


def test_only_events_that_touch_the_key_are_folded() -> None:
    row = row_at(timeline.PROJECTION, "a1/0001", EVENTS, at=NOW + 2 * DAY)
    assert row is None
