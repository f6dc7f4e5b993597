from projectors.studios import PROJECTION
from schemas import events
from tests.kit.fold import row_of, rows_of
from tests.kit.happenings import happened, history, issued, refused, released


def test_titles_of_a_studio_are_tallied_together() -> None:
    found = row_of(
        PROJECTION,
        "s1",
        *history(issued(1, title_id="t1"), issued(2, title_id="t2"), released(1)),
    )
    assert (found.issued, found.released, found.active) == (2, 1, 1)


def test_each_studio_has_its_row() -> None:
    rows = rows_of(PROJECTION, history(issued(1), issued(2, studio_id="s2")))
    assert {key: row.issued for key, row in rows.items()} == {"s1": 1, "s2": 1}


def test_refusals_count_where_a_studio_is_named() -> None:
    named = refused("STUDIO_ACTIVE_LIMIT", studio_id="s1")
    rows = rows_of(PROJECTION, history(named, refused("DEVICE_UNKNOWN", studio_id=None)))
    assert {key: row.refused for key, row in rows.items()} == {"s1": {"STUDIO_ACTIVE_LIMIT": 1}}


def test_plays_count() -> None:
    assert row_of(PROJECTION, "s1", *history(happened(events.PlaybackReported))).plays == 1
