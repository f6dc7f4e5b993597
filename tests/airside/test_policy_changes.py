"""What a catalog file drops, changes and adds, against the catalog in use."""

import json
from typing import Any

import pytest

from airside.policy_changes import KeyChange, key_changes
from airside.simulating import entries_of
from commands.catalog import Catalog
from commands.catalog_file import parse_catalog

IN_USE = {
    "policies": {"p": {"title.max_downloads": 3, "license.term_s": 60}},
    "service": {"policy": "p"},
    "studios": {"s1": {"name": "First", "policy": {"studio.max_active": 5}}},
    "titles": {"t1": {"name": "One", "studio_id": "s1", "countries": ["DE"]}},
}


def changed(file: dict[str, Any]) -> list[tuple[str, str, str, Any, Any]]:
    """What the file would change, as tuples."""
    records = parse_catalog(json.dumps(IN_USE).encode())
    catalog = Catalog.empty().with_entries(records, len(records))
    entries = entries_of(json.dumps(file).encode(), catalog)
    found = key_changes(entries, catalog)
    assert all(isinstance(one, KeyChange) for one in found)
    return [(one.entry, one.key, one.change, one.before, one.after) for one in found]


def test_the_catalog_in_use_changes_nothing() -> None:
    assert changed(IN_USE) == []


def test_a_key_that_is_not_said_again_is_dropped_and_told_first() -> None:
    said = {"title.max_downloads": 2, "license.max_renewals": None}
    assert changed({"policies": {"p": said}}) == [
        ("policy/p", "license.term_s", "dropped", 60, None),
        ("policy/p", "title.max_downloads", "changed", 3, 2),
        ("policy/p", "license.max_renewals", "added", None, None),
    ]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (
            {
                "service": {
                    "policy": {"license.max_age_s": 60, "override": ["license.max_age_s"]}
                }
            },
            ("service", "policy", "dropped", "p", None),
        ),
        (
            {"studios": {"s1": {"name": "First", "policy": {"studio.max_active": 4}}}},
            ("studio/s1", "policy.studio.max_active", "changed", 5, 4),
        ),
        (
            {"studios": {"s1": {"name": "First"}}},
            ("studio/s1", "policy.studio.max_active", "dropped", 5, None),
        ),
        (
            {"plans": {"basic": {"policy": {"plan.max_download_devices": 1}}}},
            ("plan/basic", "name", "changed", "Basic", ""),
        ),
    ],
    ids=["service", "written out", "left out", "built in"],
)
def test_every_entry_is_compared_with_what_it_replaces(
    file: dict[str, Any], change: tuple[object, ...]
) -> None:
    assert changed(file)[0] == change


def test_fields_beside_the_policy_count_too() -> None:
    titles = {"t1": {"name": "One", "studio_id": "s1"}}
    studios = {"s1": IN_USE["studios"]["s1"]}  # type: ignore[index]
    assert changed({"titles": titles, "studios": studios}) == [
        ("title/t1", "countries", "changed", ("DE",), None)
    ]


def test_an_entry_that_nobody_had_is_all_new() -> None:
    file = {"policies": {"q": {"license.term_s": 5}}, "service": {"policy": "q"}}
    assert changed(file) == [
        ("policy/q", "license.term_s", "added", None, 5),
        ("service", "policy", "changed", "p", "q"),
    ]
