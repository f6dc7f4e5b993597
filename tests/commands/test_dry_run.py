"""A dry run hears every rule."""

from schemas import events
from tests.kit.given import acquire, downloaded, given, household
from tests.kit.happenings import NOW, happened, released

FULL = (*downloaded(1, "d1"), *downloaded(2, "d2"))
SMALL = {"title.max_downloads": 2, "account.max_active": 1}


def test_nothing_is_against_a_download_that_is_allowed() -> None:
    assert household().codes() == []


def test_all_reasons_are_told_in_the_order_of_the_rules() -> None:
    case = household(*FULL, happened(events.AccountSuspended), title=SMALL, countries=("US",))
    assert case.codes(device_id="d3") == [
        "ACCOUNT_ON_HOLD",
        "REGION_NOT_ALLOWED",
        "TOO_MANY_DEVICES",
        "ACCOUNT_DOWNLOAD_LIMIT",
        "TITLE_PERIOD_LIMIT",
    ]


def test_the_first_reason_is_what_the_command_gets() -> None:
    case = household(*FULL, title=SMALL)
    case.when(acquire(device_id="d3")).then_refused("R07", "TOO_MANY_DEVICES")
    assert case.codes(device_id="d3")[0] == "TOO_MANY_DEVICES"


def test_an_account_that_was_never_opened_is_told_what_else_is_unknown() -> None:
    assert given().codes("t9", "d9") == ["ACCOUNT_UNKNOWN", "TITLE_UNKNOWN", "DEVICE_UNKNOWN"]


def test_a_dry_run_in_the_future_sees_windows_that_have_passed() -> None:
    case = household(*downloaded(1), released(1), title={"title.max_downloads": 1})
    assert case.codes() == ["TITLE_PERIOD_LIMIT"]
    assert case.codes(at=NOW + 365 * 86_400_000) == []
