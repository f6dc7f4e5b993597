"""A catalog looks up, folds records, and resolves policies of a plan and a title."""

import json
from typing import Any

import pytest

from commands.catalog import (
    BUILT_IN_PLANS,
    EXTENDS_MAX,
    POLICIES_CACHED_MAX,
    Catalog,
    Plan,
    Studio,
    Title,
)
from commands.catalog_entries import Service
from commands.policy import Bound, Policy, Said, WindowBound
from schemas.errors import Invalid

DAY_S = 86_400


def catalog_of(**entries: Any) -> Catalog:
    """A catalog of entries as in the file; `title__t1={…}` is the entry title/t1."""
    usual: dict[str, Any] = {"studio__s1": {"name": "One"}}
    spelled = {key.replace("__", "/"): value for key, value in {**usual, **entries}.items()}
    records = [(key, json.dumps(value).encode()) for key, value in spelled.items()]
    return Catalog.empty().with_entries(records, len(records))


def a_title(**fields: Any) -> dict[str, Any]:
    return {"name": "A title", "studio_id": "s1", **fields}


def test_the_empty_catalog_is_version_0_and_has_no_titles() -> None:
    empty = Catalog.empty()
    assert (empty.version, dict(empty.titles), empty.title("t1")) == (0, {}, None)


@pytest.mark.parametrize(
    ("plan_id", "devices", "month"),
    [
        ("ads", Bound(2, "plan"), Bound(15, "plan")),
        ("basic", Bound(1, "plan"), None),
        ("standard", Bound(2, "plan"), None),
        ("premium", Bound(6, "plan"), None),
    ],
)
def test_the_built_in_plans_exist_without_a_catalog(
    plan_id: str, devices: Bound, month: Bound | None
) -> None:
    policy = Catalog.empty().policy(plan_id, None)
    assert policy == Policy(
        plan_max_download_devices=devices, plan_max_downloads_device_month=month
    )


def test_a_loaded_plan_replaces_the_built_in_one_as_a_whole() -> None:
    catalog = catalog_of(plan__ads={"policy": {"plan.max_download_devices": 9}})
    policy = catalog.policy("ads", None)
    assert policy.plan_max_download_devices == Bound(9, "plan")
    assert policy.plan_max_downloads_device_month is None


def test_a_built_in_plan_comes_back_when_its_replacement_is_removed() -> None:
    catalog = catalog_of(plan__ads={}).with_entry("plan/ads", None, 9)
    assert catalog.plan("ads") == BUILT_IN_PLANS["ads"]


def test_titles_studios_plans_policies_and_the_service_are_read_from_records() -> None:
    catalog = catalog_of(
        policy__short={"license.term_s": 60},
        service={"policy": "short"},
        plan__p1={"name": "P", "downloads_enabled": False},
        title__t1=a_title(countries=["DE"], window_start=5, window_end="1970-01-02"),
    )
    assert catalog.policies == {"short": Said({"license.term_s": 60})}
    assert catalog.service == Service(policy="short")
    assert catalog.plan("p1") == Plan(plan_id="p1", name="P", downloads_enabled=False)
    assert catalog.studios == {"s1": Studio(studio_id="s1", name="One")}
    assert catalog.title("t1") == Title(
        title_id="t1",
        name="A title",
        studio_id="s1",
        countries=("DE",),
        window_start=5,
        window_end=86_400_000,
    )


@pytest.mark.parametrize("key", ["policy/short", "plan/p1", "studio/s1", "title/t1", "service"])
def test_a_record_without_a_value_removes_its_entry(key: str) -> None:
    catalog = catalog_of(
        policy__short={}, service={"policy": "short"}, plan__p1={}, title__t1=a_title()
    )
    assert key in set(catalog.keys())
    assert set(catalog.with_entry(key, None, 9).keys()) == set(catalog.keys()) - {key}


def test_removing_what_is_not_there_changes_nothing_but_the_version() -> None:
    catalog = catalog_of().with_entry("title/t9", None, 9)
    assert (catalog.version, dict(catalog.titles)) == (9, {})


def test_the_last_of_two_records_with_one_key_counts() -> None:
    first, second = b'{"name": "First"}', b'{"name": "Second"}'
    catalog = Catalog.empty().with_entries([("studio/s1", first), ("studio/s1", second)], 2)
    assert catalog.studios["s1"].name == "Second"


def test_a_catalog_stays_as_it_is_when_a_new_version_is_made_of_it() -> None:
    old = catalog_of(title__t1=a_title())
    before = old.policy("basic", "t1")
    new = old.with_entry("title/t1", json.dumps(a_title(downloadable=False)).encode(), 7)
    assert (new.version, new.policy("basic", "t1").title_downloadable) == (7, False)
    assert (old.version, old.policy("basic", "t1")) == (2, before)


def test_an_id_may_contain_a_slash() -> None:
    catalog = Catalog.empty().with_entry("studio/a/b", b'{"name": "AB"}', 1)
    assert list(catalog.studios) == ["a/b"]


def test_a_bad_record_is_refused() -> None:
    with pytest.raises(Invalid, match=r"title/t1: studio_id is missing; add it"):
        Catalog.empty().with_entry("title/t1", b'{"name": "x"}', 1)


def test_the_keys_are_those_of_what_was_loaded() -> None:
    catalog = catalog_of(policy__p={}, plan__ads={}, title__t1=a_title())
    assert list(catalog.keys()) == ["policy/p", "plan/ads", "studio/s1", "title/t1"]


def test_the_fields_of_title_and_plan_are_part_of_the_policy() -> None:
    catalog = catalog_of(
        plan__p1={"downloads_enabled": False},
        title__t1=a_title(
            downloadable=False, countries=["DE", "AT"], window_start=1, window_end=2
        ),
    )
    assert catalog.policy("p1", "t1") == Policy(
        plan_downloads_enabled=False,
        title_downloadable=False,
        title_countries=frozenset({"AT", "DE"}),
        title_window_start=1,
        title_window_end=2,
    )


def test_all_four_scopes_are_heard() -> None:
    catalog = catalog_of(
        service={"policy": {"title.max_downloads": 4}},
        plan__p1={"policy": {"title.max_downloads": 3}},
        studio__s1={"name": "One", "policy": {"title.max_downloads": 2}},
        title__t1=a_title(policy={"title.max_downloads": 1}),
    )
    year_s = 365 * DAY_S
    assert catalog.policy("p1", "t1").title_max_downloads == (
        WindowBound(1, year_s, "title"),
        WindowBound(2, year_s, "studio"),
        WindowBound(3, year_s, "plan"),
        WindowBound(4, year_s, "service"),
    )
    assert catalog.policy("p1", None).title_max_downloads == (
        WindowBound(3, year_s, "plan"),
        WindowBound(4, year_s, "service"),
    )


def test_a_policy_is_resolved_once() -> None:
    catalog = catalog_of(title__t1=a_title())
    assert catalog.policy("basic", "t1") is catalog.policy("basic", "t1")


def test_unknown_ids_share_one_place_in_the_cache() -> None:
    catalog = catalog_of()
    assert catalog.policy("junk1", "junk1") is catalog.policy("junk2", "junk2")
    assert catalog.policy("junk1", None) is not catalog.policy("junk1", "junk1")


def test_the_cache_of_policies_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert POLICIES_CACHED_MAX == 65_536
    monkeypatch.setattr("commands.catalog.POLICIES_CACHED_MAX", 2)
    catalog = Catalog.empty()
    first = catalog.policy("ads", None)
    others = [catalog.policy(plan_id, None) for plan_id in ("basic", "standard")]
    assert len(others) == 2
    assert catalog.policy("ads", None) is not first
    assert catalog.policy("ads", None) == first


def test_a_policy_extends_another_by_name() -> None:
    catalog = catalog_of(
        policy__base={"license.term_s": 60, "studio.max_active": 9},
        policy__child={"extends": "base", "studio.max_active": 5},
        title__t1=a_title(policy={"extends": "child", "license.term_s": 30}),
    )
    policy = catalog.policy("basic", "t1")
    assert (policy.license_term_s, policy.studio_max_active) == (30, Bound(5, "title"))


def test_an_override_is_inherited() -> None:
    catalog = catalog_of(
        policy__base={"studio.max_active": 50, "override": ["studio.max_active"]},
        service={"policy": {"studio.max_active": 1}},
        title__t1=a_title(policy={"extends": "base"}),
    )
    assert catalog.policy("basic", "t1").studio_max_active == Bound(50, "title")


@pytest.mark.parametrize(
    ("entries", "plan_id", "title_id"),
    [
        ({}, "basic", "t9"),
        ({"title__t1": a_title(studio_id="s9")}, "basic", "t1"),
        ({"title__t1": a_title(policy="gone")}, "basic", "t1"),
        ({"title__t1": a_title(policy={"extends": "gone"})}, "basic", "t1"),
        (
            {
                "studio__s1": {"name": "One", "policy": "a"},
                "policy__a": {"extends": "b"},
                "policy__b": {"extends": "a"},
                "title__t1": a_title(),
            },
            "basic",
            "t1",
        ),
    ],
)
def test_a_title_that_is_missing_or_broken_is_not_downloadable(
    entries: dict[str, Any], plan_id: str, title_id: str
) -> None:
    policy = catalog_of(**entries).policy(plan_id, title_id)
    assert (policy.title_downloadable, policy.plan_downloads_enabled) == (False, True)


@pytest.mark.parametrize(
    ("entries", "plan_id"),
    [
        ({}, "gone"),
        ({"plan__p1": {"policy": "gone"}}, "p1"),
        ({"service": {"policy": "gone"}}, "basic"),
    ],
)
def test_a_plan_that_is_missing_or_broken_has_no_downloads(
    entries: dict[str, Any], plan_id: str
) -> None:
    assert not catalog_of(**entries).policy(plan_id, None).plan_downloads_enabled


def test_as_many_policies_as_the_bound_says_may_extend_each_other() -> None:
    chain = {f"policy__p{n}": {"extends": f"p{n + 1}"} for n in range(EXTENDS_MAX)}
    end = {f"policy__p{EXTENDS_MAX}": {"license.term_s": 60}}
    catalog = catalog_of(**chain, **end, policy__over={"extends": "p0"})
    assert catalog.written_out("p0") == Said({"license.term_s": 60})
    assert catalog.written_out("over") is None
