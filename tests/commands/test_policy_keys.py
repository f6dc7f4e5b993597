"""The key table agrees with the rule table, with `Policy`, and with itself."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from commands.policy import Bound, Policy
from commands.policy_keys import (
    ACCOUNT,
    COUNT_MAX,
    DAY_S,
    DURATION_S_MAX,
    HISTORY_KEPT_S,
    KEYS,
    SERVICE,
    TABLE,
    Key,
    markdown_table,
    shown,
)

ROOT = Path(__file__).parents[2]
RESOLVED = [key for key in TABLE if key.combination != "window"]
WINDOWS = [key for key in TABLE if key.combination == "window"]


def name_of(key: Key) -> str:
    return key.name


def default_in_policy(key: Key) -> object:
    default: Any = getattr(Policy(), key.field)
    return default.value if isinstance(default, Bound) else None if default == () else default


def test_every_field_of_a_policy_has_one_key() -> None:
    fields = [field.name for field in msgspec.structs.fields(Policy)]
    assert sorted(key.field for key in RESOLVED) == sorted(fields)


@pytest.mark.parametrize("key", RESOLVED, ids=name_of)
def test_the_default_is_the_same_in_the_table_and_in_a_policy(key: Key) -> None:
    assert default_in_policy(key) == key.default


def test_no_key_is_there_twice() -> None:
    assert len(KEYS) == len(TABLE)


def test_every_rule_with_a_key_is_in_the_table_and_in_order() -> None:
    rules = [key.rule for key in TABLE]
    assert rules == sorted(rules)
    assert set(rules) == {f"R{number:02}" for number in range(2, 30)}


@pytest.mark.parametrize("key", WINDOWS, ids=name_of)
def test_a_window_has_a_count_that_the_same_scopes_may_say(key: Key) -> None:
    count = KEYS[key.name.removesuffix("_window_s")]
    assert (count.combination, count.scopes) == ("pair", key.scopes)


@pytest.mark.parametrize("key", WINDOWS, ids=name_of)
def test_no_window_is_longer_than_what_the_state_keeps(key: Key) -> None:
    assert key.fault(HISTORY_KEPT_S) is None
    assert key.fault(HISTORY_KEPT_S + 1) is not None
    assert HISTORY_KEPT_S == 2 * 365 * 86_400


def test_the_clock_tolerance_is_at_most_a_day() -> None:
    assert KEYS["clock.max_skew_s"].fault(DAY_S) is None
    assert KEYS["clock.max_skew_s"].fault(DAY_S + 1) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title.max_downloads", 0),
        ("title.max_downloads", COUNT_MAX),
        ("title.max_downloads", None),
        ("license.term_s", 1),
        ("license.term_s", DURATION_S_MAX),
        ("license.max_age_s", None),
        ("license.play_window_s", None),
        ("min_security_level", 1),
        ("title.count_renewals", False),
        ("title.count_at", "completed"),
        ("clock.max_skew_s", 0),
    ],
)
def test_what_may_be_said(name: str, value: object) -> None:
    assert KEYS[name].fault(value) is None


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        (
            "title.max_downloads",
            -3,
            "must be a whole number from 0 to 1000000, or null for no limit, not -3",
        ),
        ("title.max_downloads", True, "or null for no limit, not true"),
        ("title.max_downloads", 2.5, "not 2.5"),
        ("title.max_downloads", "3", "not '3'"),
        ("title.max_downloads", COUNT_MAX + 1, "not 1000001"),
        (
            "license.term_s",
            None,
            "must be a whole number from 1 to 315360000 seconds, not null",
        ),
        ("license.term_s", 0, "not 0"),
        ("license.play_window_s", 0, "not 0"),
        ("min_security_level", 4, "must be a whole number from 1 to 3, not 4"),
        ("min_security_level", None, "from 1 to 3, not null"),
        ("title.count_renewals", 1, "must be true or false, not 1"),
        ("title.count_at", "later", "must be issued or completed, not 'later'"),
        ("title.count_at", None, "must be issued or completed, not null"),
        ("title.count_at", ["issued"], "not a list"),
        ("clock.max_skew_s", {"s": 1}, "not an object"),
    ],
)
def test_what_may_not_be_said(name: str, value: object, fault: str) -> None:
    assert fault in str(KEYS[name].fault(value))


@pytest.mark.parametrize(
    "name",
    [
        "plan.max_download_devices",
        "plan.max_downloads_device_month",
        "plan.downgrade_action",
        "device.max_adds",
        "device.max_removals",
        "account.lease_s",
        "license.slot_held_until",
    ],
)
def test_what_is_asked_without_a_title_is_said_by_plan_and_service_only(name: str) -> None:
    assert KEYS[name].scopes == ACCOUNT


def test_the_clock_tolerance_is_said_by_the_service_only() -> None:
    assert KEYS["clock.max_skew_s"].scopes == SERVICE


def test_the_documentation_has_a_row_for_every_key() -> None:
    lines = markdown_table().splitlines()
    assert len(lines) == len(TABLE) + 2
    assert (
        "| R07 | `plan.max_download_devices` | a whole number from 0 to 1000000, or null for "
        "no limit | null | limit, by plan or service only | Devices of the account that may "
        "hold downloads at once. |"
    ) in lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("a'b", '"a\'b"'),
        ("x" * 10_000, "'" + "x" * 60 + "'…"),
    ],
)
def test_a_value_is_shown_short_and_as_in_json(value: object, text: str) -> None:
    assert shown(value) == text


def test_the_documentation_is_the_table() -> None:
    assert markdown_table().rstrip() in (ROOT / "docs" / "policies.md").read_text()
