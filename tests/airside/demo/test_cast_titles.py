"""The titles of the cast are found by what they are."""

import pytest

from airside.demo.cast_titles import COUNTRY, find_titles
from commands.catalog import Catalog
from schemas.errors import NotFound
from tests.airside.demo.service import START_AT, the_cast_titles, the_catalog


def test_the_shipped_catalog_has_enough_for_every_script() -> None:
    found = the_cast_titles()
    assert len(found.open) >= 6
    assert len(found.standard) >= 4


def test_a_strict_title_is_for_one_device() -> None:
    policy = the_catalog().policy("premium", the_cast_titles().strict)
    assert policy.title_max_concurrent_devices is not None
    assert policy.title_max_concurrent_devices.value == 1


def test_a_regional_title_is_shown_elsewhere() -> None:
    found = the_cast_titles()
    countries = the_catalog().titles[found.regional].countries or ()
    assert COUNTRY not in countries
    assert found.region in countries


def test_one_studio_has_more_titles_than_may_be_active() -> None:
    found = the_cast_titles()
    policy = the_catalog().policy("premium", found.one_studio[0])
    assert policy.studio_max_active is not None
    assert len(found.one_studio) > policy.studio_max_active.value


def test_plans_are_found_by_what_they_include() -> None:
    found, catalog = the_cast_titles(), the_catalog()
    assert not catalog.plans[found.plan_of_streaming].downloads_enabled
    assert catalog.policy(found.plan_with_lease, None).account_lease_s is not None


def test_a_catalog_that_lacks_something_is_told_what() -> None:
    with pytest.raises(NotFound, match=r"no title .*examples/catalog\.json"):
        find_titles(Catalog.empty(), START_AT)
