"""The sample catalog loads, and its policies have the numbers that they are known by."""

from collections import Counter
from pathlib import Path

import pytest

from commands.catalog import BUILT_IN_PLANS, Catalog
from commands.catalog_file import parse_catalog
from commands.policy import Bound, Policy, WindowBound

DAY_S = 86_400
YEAR_S = 365 * DAY_S
EXAMPLE = Path(__file__).parents[2] / "examples" / "catalog.json"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    records = parse_catalog(EXAMPLE.read_bytes())
    return Catalog.empty().with_entries(records, len(records))


def under(catalog: Catalog, policy: str) -> Policy:
    """What holds for a title without restrictions whose own policy is this one."""
    title = b'{"name": "X", "studio_id": "s1", "policy": "%s"}' % policy.encode()
    return catalog.with_entry("title/x", title, 99).policy("standard", "x")


def test_it_has_entries_of_every_kind(catalog: Catalog) -> None:
    counts = Counter(key.partition("/")[0] for key in catalog.keys())  # noqa: SIM118
    assert counts == {"policy": 4, "service": 1, "plan": 5, "studio": 8, "title": 60}


def test_the_first_title_may_be_downloaded_everywhere_under_the_default_policy(
    catalog: Catalog,
) -> None:
    assert catalog.policy("premium", "t1") == Policy(plan_max_download_devices=Bound(6, "plan"))


def test_open_is_30_days_and_no_title_limit(catalog: Catalog) -> None:
    policy = under(catalog, "open")
    assert policy.license_term_s == 30 * DAY_S
    assert (policy.title_max_downloads, policy.license_play_window_s) == ((), None)


def test_standard_is_3_a_year_48_hours_and_20_of_a_studio(catalog: Catalog) -> None:
    policy = under(catalog, "standard")
    assert policy.title_max_downloads == (WindowBound(3, YEAR_S, "title"),)
    assert policy.license_play_window_s == 48 * 3_600
    assert policy.studio_max_active == Bound(20, "title")
    assert policy.license_term_s == 30 * DAY_S


def test_strict_is_2_a_year_7_days_48_hours_5_of_a_studio_3_renewals_1_device(
    catalog: Catalog,
) -> None:
    policy = under(catalog, "strict")
    assert policy.title_max_downloads == (WindowBound(2, YEAR_S, "title"),)
    assert policy.license_term_s == 7 * DAY_S
    assert policy.license_play_window_s == 48 * 3_600
    assert policy.studio_max_active == Bound(5, "title")
    assert policy.license_max_renewals == Bound(3, "title")
    assert policy.title_max_concurrent_devices == Bound(1, "title")


@pytest.mark.parametrize("plan_id", list(BUILT_IN_PLANS))
def test_the_sample_plans_have_the_limits_of_the_built_in_ones(
    catalog: Catalog, plan_id: str
) -> None:
    sample, built_in = catalog.policy(plan_id, None), Catalog.empty().policy(plan_id, None)
    assert sample.plan_max_download_devices == built_in.plan_max_download_devices
    assert sample.plan_max_downloads_device_month == built_in.plan_max_downloads_device_month


def test_one_plan_has_no_downloads(catalog: Catalog) -> None:
    without = [
        plan_id
        for plan_id in catalog.plans
        if not catalog.policy(plan_id, None).plan_downloads_enabled
    ]
    assert without == ["stream_only"]


def test_there_is_something_to_run_into(catalog: Catalog) -> None:
    policies = [catalog.policy("standard", title_id) for title_id in catalog.titles]
    assert sum(not policy.title_downloadable for policy in policies) == 4
    assert sum(policy.title_countries is not None for policy in policies) == 5
    assert sum(policy.title_window_end is not None for policy in policies) == 3
    assert sum(policy.min_security_level == 1 for policy in policies) == 3
    assert sum(policy.title_max_plays != () for policy in policies) == 1
    assert sum(policy.release_require_proof for policy in policies) == 6
