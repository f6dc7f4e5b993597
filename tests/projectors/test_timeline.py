from projectors import timeline
from projectors.timeline import PAGE_ENTRIES, PROJECTION, Entry, Page, entries_of
from schemas import events
from tests.kit.fold import row_of, rows_of
from tests.kit.happenings import NOW, happened, history, id_of, issued, refused

OPENED = happened(events.AccountOpened)


def test_an_entry_says_who_did_what_when_and_by_which_catalog() -> None:
    page = row_of(PROJECTION, "a1/0000", *history(OPENED))
    assert entries_of(page) == [
        Entry(
            version=1,
            at=NOW,
            type="AccountOpened",
            actor="member",
            command_id=id_of(900),
            catalog_version=3,
            facts={"plan_id": "standard", "country": "DE"},
        )
    ]


def test_a_refusal_keeps_what_explains_it_and_nothing_that_is_empty() -> None:
    event = refused(
        limit=0, used=None, scope="plan", device_id=None, license_id=None, studio_id=""
    )
    page = row_of(PROJECTION, "a1/0000", *history(event))
    assert entries_of(page)[0].facts == {
        "command_type": "AcquireLicense",
        "code": "TITLE_PERIOD_LIMIT",
        "rule": "R14",
        "title_id": "t1",
        "limit": 0,
        "scope": "plan",
    }


def test_false_is_a_fact() -> None:
    page = row_of(PROJECTION, "a1/0000", *history(issued(counted=False)))
    assert entries_of(page)[0].facts["counted"] is False


def test_a_full_page_is_followed_by_another_and_nothing_is_lost() -> None:
    rows = rows_of(PROJECTION, history(*(issued(n) for n in range(PAGE_ENTRIES + 1))))
    assert [len(rows[key].entries) for key in ("a1/0000", "a1/0001")] == [PAGE_ENTRIES, 1]
    assert entries_of(rows["a1/0001"])[0].version == PAGE_ENTRIES + 1


def test_the_head_says_where_the_account_is() -> None:
    rows = rows_of(PROJECTION, history(*(issued(n) for n in range(PAGE_ENTRIES + 1))))
    assert rows["a1/head"] == Page(page=None, first_version=1, version=PAGE_ENTRIES + 1)


def test_an_erasure_deletes_every_page() -> None:
    many = (issued(n) for n in range(2 * PAGE_ENTRIES))
    assert rows_of(PROJECTION, history(*many, happened(events.AccountErased))) == {}


def test_what_comes_after_an_erasure_is_all_that_is_known() -> None:
    many = (issued(n) for n in range(PAGE_ENTRIES))
    after = refused("ACCOUNT_CLOSED")
    rows = rows_of(PROJECTION, history(*many, happened(events.AccountErased), after))
    assert set(rows) == {"a1/0001", "a1/head"}
    assert rows["a1/head"].first_version == PAGE_ENTRIES + 2


def test_no_account_id_can_take_anothers_key() -> None:
    event = happened(events.AccountOpened, account_id="a1/0000", version=1)
    assert timeline.keys(event) == ("a1/0000/0000", "a1/0000/head")


def test_pages_begin_at_one_and_not_at_zero() -> None:
    assert [timeline.page_of(n) for n in (1, PAGE_ENTRIES, PAGE_ENTRIES + 1)] == [0, 0, 1]
